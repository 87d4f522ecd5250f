//! Accounts, contacts, leads, campaigns and their members.

/// Accounts and contacts (sheet: section 12 \[fixture\]).
pub(super) const ACCOUNTS: &str = "\
# Account | 001 | Account | Accounts | merge undelete
MasterRecordId | reference | n | Account
Name | string 255 | cuN
Type | picklist 40 | cun |  | Prospect;Customer - Direct;Customer - Channel;Channel Partner / Reseller;Installation Partner;Technology Partner;Other
RecordTypeId | reference | cun | RecordType
ParentId | reference | cun | Account>ChildAccounts
BillingStreet@BillingAddress | textarea 255 | cun
BillingCity@BillingAddress | string 40 | cun
BillingState@BillingAddress | string 80 | cun
BillingPostalCode@BillingAddress | string 20 | cun
BillingCountry@BillingAddress | string 80 | cun
BillingLatitude@BillingAddress | double 18,15 | cun
BillingLongitude@BillingAddress | double 18,15 | cun
BillingGeocodeAccuracy@BillingAddress | picklist 40 | cunr |  | GEOCODE
BillingAddress | address | nS
ShippingStreet@ShippingAddress | textarea 255 | cun
ShippingCity@ShippingAddress | string 40 | cun
ShippingState@ShippingAddress | string 80 | cun
ShippingPostalCode@ShippingAddress | string 20 | cun
ShippingCountry@ShippingAddress | string 80 | cun
ShippingLatitude@ShippingAddress | double 18,15 | cun
ShippingLongitude@ShippingAddress | double 18,15 | cun
ShippingGeocodeAccuracy@ShippingAddress | picklist 40 | cunr |  | GEOCODE
ShippingAddress | address | nS
Phone | phone 40 | cun
Fax | phone 40 | cun
AccountNumber | string 40 | cun
Website | url 255 | cun
PhotoUrl | url 255 | n
Sic | string 20 | cun
Industry | picklist 40 | cun |  | INDUSTRY
AnnualRevenue | currency 18,0 | cun
NumberOfEmployees | int 8 | cun
Ownership | picklist 40 | cun |  | Public;Private;Subsidiary;Other
TickerSymbol | string 20 | cun
Description | textarea 32000 | cunFS
Rating | picklist 40 | cun |  | Hot;Warm;Cold
Site | string 80 | cun
OwnerId | reference | cud | User
LastActivityDate | date | n
LastViewedDate | datetime | n
LastReferencedDate | datetime | n
AccountSource | picklist 40 | cun |  | SOURCE
# Contact | 003 | Contact | Contacts | merge undelete
MasterRecordId | reference | n | Contact
AccountId | reference | cun | Account>Contacts*
LastName@Name | string 80 | cu
FirstName@Name | string 40 | cun
Salutation@Name | picklist 40 | cun |  | Mr.;Ms.;Mrs.;Dr.;Prof.
Name | string 121 | N
OtherStreet@OtherAddress | textarea 255 | cun
OtherCity@OtherAddress | string 40 | cun
OtherState@OtherAddress | string 80 | cun
OtherPostalCode@OtherAddress | string 20 | cun
OtherCountry@OtherAddress | string 80 | cun
OtherLatitude@OtherAddress | double 18,15 | cun
OtherLongitude@OtherAddress | double 18,15 | cun
OtherGeocodeAccuracy@OtherAddress | picklist 40 | cunr |  | GEOCODE
OtherAddress | address | nS
MailingStreet@MailingAddress | textarea 255 | cun
MailingCity@MailingAddress | string 40 | cun
MailingState@MailingAddress | string 80 | cun
MailingPostalCode@MailingAddress | string 20 | cun
MailingCountry@MailingAddress | string 80 | cun
MailingLatitude@MailingAddress | double 18,15 | cun
MailingLongitude@MailingAddress | double 18,15 | cun
MailingGeocodeAccuracy@MailingAddress | picklist 40 | cunr |  | GEOCODE
MailingAddress | address | nS
Phone | phone 40 | cun
Fax | phone 40 | cun
MobilePhone | phone 40 | cun
HomePhone | phone 40 | cun
OtherPhone | phone 40 | cun
AssistantPhone | phone 40 | cun
ReportsToId | reference | cun | Contact
Email | email 80 | cunL
Title | string 128 | cun
Department | string 80 | cun
AssistantName | string 40 | cun
LeadSource | picklist 255 | cun |  | SOURCE
Birthdate | date | cun
Description | textarea 32000 | cunFS
OwnerId | reference | cud | User
LastActivityDate | date | n
LastViewedDate | datetime | n
LastReferencedDate | datetime | n
EmailBouncedReason | string 255 | cun
EmailBouncedDate | datetime | cun
IsEmailBounced | boolean | d
PhotoUrl | url 255 | n
";

/// Leads (\[fixture\]), campaigns and members (\[unsure\]: no recording).
pub(super) const LEADS: &str = "\
# Lead | 00Q | Lead | Leads | merge undelete
MasterRecordId | reference | n | Lead
LastName@Name | string 80 | cu
FirstName@Name | string 40 | cun
Salutation@Name | picklist 40 | cun |  | Mr.;Ms.;Mrs.;Dr.;Prof.;Mx.
Name | string 121 | N
Title | string 128 | cun
Company | string 255 | cu
Street@Address | textarea 255 | cun
City@Address | string 40 | cun
State@Address | string 80 | cun
PostalCode@Address | string 20 | cun
Country@Address | string 80 | cun
Latitude@Address | double 18,15 | cun
Longitude@Address | double 18,15 | cun
GeocodeAccuracy@Address | picklist 40 | cunr |  | GEOCODE
Address | address | nS
Phone | phone 40 | cun
MobilePhone | phone 40 | cun
Fax | phone 40 | cun
Email | email 80 | cunL
Website | url 255 | cun
PhotoUrl | url 255 | n
Description | textarea 32000 | cunFS
LeadSource | picklist 255 | cun |  | SOURCE
Status | picklist 255 | cud |  | Open - Not Contacted*;Working - Contacted;Closed - Converted;Closed - Not Converted
Industry | picklist 255 | cun |  | INDUSTRY
Rating | picklist 255 | cun |  | Hot;Warm;Cold
AnnualRevenue | currency 18,0 | cun
NumberOfEmployees | int 8 | cun
OwnerId | reference | cud | Group,User
IsConverted | boolean | cd
ConvertedDate | date | n
ConvertedAccountId | reference | n | Account
ConvertedContactId | reference | n | Contact
ConvertedOpportunityId | reference | n | Opportunity
IsUnreadByOwner | boolean | cud
LastActivityDate | date | n
LastViewedDate | datetime | n
LastReferencedDate | datetime | n
EmailBouncedReason | string 255 | un
EmailBouncedDate | datetime | un
# Campaign | 701 | Campaign | Campaigns | undelete
Name | string 80 | cuN
ParentId | reference | cun | Campaign>ChildCampaigns
Type | picklist 40 | cun |  | Conference;Webinar;Trade Show;Public Relations;Partners;Referral Program;Advertisement;Banner Ads;Direct Mail;Email;Telemarketing;Other
RecordTypeId | reference | cun | RecordType
Status | picklist 40 | cund |  | Planned*;In Progress;Completed;Aborted
StartDate | date | cun
EndDate | date | cun
ExpectedRevenue | currency 18,0 | cun
BudgetedCost | currency 18,0 | cun
ActualCost | currency 18,0 | cun
ExpectedResponse | percent 10,2 | cun
NumberSent | double 18,0 | cun
IsActive | boolean | cud
Description | textarea 32000 | cunFS
OwnerId | reference | cud | User
LastActivityDate | date | n
LastViewedDate | datetime | n
LastReferencedDate | datetime | n
# CampaignMember | 00v | Campaign Member | Campaign Members | undelete
CampaignId | reference | c | Campaign>CampaignMembers*
LeadId | reference | cn | Lead>CampaignMembers*
ContactId | reference | cn | Contact>CampaignMembers*
Status | picklist 40 | cund |  | Sent*;Responded
HasResponded | boolean | d
FirstRespondedDate | date | n
Name | string 121 | nN
LeadOrContactId | reference | n | Contact,Lead
Type | picklist 40 | n |  | Contact;Lead
# CampaignMemberStatus | 01Y | Campaign Member Status | Campaign Member Statuses | plain
CampaignId | reference | c | Campaign>CampaignMemberStatuses*
Label | string 765 | cuN
SortOrder | int 9 | cun
IsDefault | boolean | cud
HasResponded | boolean | cud
";
