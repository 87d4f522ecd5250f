//! Users, groups, record types and the organization itself.

/// Setup objects (\[fixture\] for Organization, else \[unsure\]).
pub(super) const SETUP: &str = "\
# User | 005 | User | Users | setup write
Username | string 80 | cuL
LastName@Name | string 80 | cu
FirstName@Name | string 40 | cun
Name | string 121 | N
CompanyName | string 80 | cun
Department | string 80 | cun
Title | string 80 | cun
Email | email 128 | cu
Phone | phone 40 | cun
MobilePhone | phone 40 | cun
Alias | string 8 | cu
IsActive | boolean | cud
UserType | picklist 40 | nr |  | Standard*;PowerPartner;CSPLitePortal;CustomerSuccess;PowerCustomerSuccess;CsnOnly;Guest
UserRoleId | reference | cun | UserRole
ProfileId | reference | cun | Profile
ManagerId | reference | cun | User
TimeZoneSidKey | string 40 | cund
LocaleSidKey | string 40 | cund
LanguageLocaleKey | string 40 | cund
EmailEncodingKey | string 40 | cund
FederationIdentifier | string 512 | cunL
LastLoginDate | datetime | n
# UserRole | 00E | Role | Roles | setup
Name | string 80 | cuN
DeveloperName | string 80 | cun
ParentRoleId | reference | cun | UserRole
# Profile | 00e | Profile | Profiles | setup
Name | string 255 | cuN
# Group | 00G | Group | Groups | setup write
Name | string 40 | cuN
DeveloperName | string 80 | cun
Type | picklist 40 | cun |  | Regular*;Queue;Role;Organization
Email | email 255 | cun
DoesSendEmailToMembers | boolean | cud
OwnerId | reference | n | User
# GroupMember | 011 | Group Member | Group Members | setup write
GroupId | reference | c | Group>GroupMembers*
UserOrGroupId | reference | c | Group,User
# QueueSobject | 03g | Queue Sobject | Queue Sobjects | setup
QueueId | reference | c | Group
SobjectType | string 40 | c
# RecordType | 012 | Record Type | Record Types | setup
Name | string 80 | cuN
DeveloperName | string 80 | cu
NamespacePrefix | string 15 | n
Description | string 255 | cun
SobjectType | string 40 | c
IsActive | boolean | cud
# Organization | 00D | Organization | Organizations | setup
Name | string 80 | uN
Division | string 80 | un
Street | textarea 255 | un
City | string 40 | un
State | string 80 | un
PostalCode | string 20 | un
Country | string 80 | un
Phone | phone 40 | un
PrimaryContact | string 80 | un
DefaultLocaleSidKey | string 40 | u
TimeZoneSidKey | string 40 | u
LanguageLocaleKey | string 40 | u
FiscalYearStartMonth | int 9 | u
OrganizationType | string 40 | n
NamespacePrefix | string 15 | n
InstanceName | string 5 | n
IsSandbox | boolean | d
TrialExpirationDate | datetime | n
# CurrencyType | 01L | Currency Type | Currency Types | setup
IsoCode | string 3 | cN
ConversionRate | double 18,6 | cu
DecimalPlaces | int 9 | cu
IsActive | boolean | cud
IsCorporate | boolean | d
";
