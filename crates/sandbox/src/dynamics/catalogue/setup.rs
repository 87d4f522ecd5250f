//! Users, teams, business units, currencies, the organization itself.

/// What an administrator makes (sheet: sections 1, 5.6 and 9).
pub(super) const TABLES: &str = "\
# SystemUser | systemusers | 8 | User;Users | org track single
FullName | string 200 | * ro
FirstName | string 256 | app
MiddleName | string 50
LastName | string 256 | app
InternalEMailAddress | email 100 | app
DomainName | string 1024 | req
AzureActiveDirectoryObjectId | guid
ApplicationId | guid | c
Title | string 128
JobTitle | string 100
MobilePhone | phone 64
Address1_Telephone1 | phone 64
EmployeeId | string 100
IsDisabled | bool | ro | Enabled;Disabled
IsLicensed | bool | ro
AccessMode | pick | def:0 | 0=Read-Write;1=Administrative;2=Read;3=Support User;4=Non-interactive;5=Delegated Admin
CalType | pick | def:0 | 0=Professional;1=Administrative;2=Basic
ParentSystemUserId | lookup | | systemuser user_parent_user
BusinessUnitId | lookup | req | businessunit business_unit_system_users !
# Team | teams | 9 | Team;Teams | org track single
Name | string 160 | * req
Description | memo 2000
EMailAddress | email 100
IsDefault | bool | ro
TeamType | pick | c def:0 | 0=Owner;1=Access;2=Security Group;3=Office Group
AdministratorId | lookup | req | systemuser lk_teambase_administratorid
BusinessUnitId | lookup | req | businessunit business_unit_teams !
# TeamMembership | teammemberships | 23 | Team Membership;Team Memberships | intersect bare
TeamId | lookup | ro | team team_teammemberships *
SystemUserId | lookup | ro | systemuser systemuser_teammemberships *
# BusinessUnit | businessunits | 10 | Business Unit;Business Units | org track single
Name | string 160 | * req
DivisionName | string 100
EMailAddress | email 100
WebSiteUrl | url 200
IsDisabled | bool | ro
ParentBusinessUnitId | lookup | | businessunit business_unit_parent_business_unit !
# TransactionCurrency | transactioncurrencies | 9105 | Currency;Currencies | org track single states:0 Active=1 Active;1 Inactive=2 Inactive
CurrencyName | string 100 | * req
ISOCurrencyCode | string 5 | req c
CurrencySymbol | string 10 | req
CurrencyPrecision | int 0..4 | req
ExchangeRate | decimal 0.0000000001..100000000000 | req
# Organization | organizations | 1019 | Organization;Organizations | locked
Name | string 160 | * ro
ExpireChangeTrackingInDays | int 0..365 | ro
MaxUploadFileSize | int 0..131072 | ro
LanguageCode | int | ro
BaseCurrencyId | lookup | ro | transactioncurrency basecurrency_organization
";

/// Pairs: `name | intersect table | first table, its column | second table, its column`.
pub(super) const PAIRS: &str = "\
listaccount_association | listmember | list listid | account entityid
listcontact_association | listmember | list listid | contact entityid
listlead_association | listmember | list listid | lead entityid
campaignlist_association | campaignitem | campaign campaignid | list entityid
teammembership_association | teammembership | team teamid | systemuser systemuserid";
