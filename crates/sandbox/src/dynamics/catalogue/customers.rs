//! Accounts, contacts and leads.

/// Accounts, contacts, leads (sheet: sections 3 and 5.6; the lead \[fixture\]).
pub(super) const TABLES: &str = "\
# Account | accounts | 1 | Account;Accounts | user track merge money states:0 Active=1 Active;1 Inactive=2 Inactive
Name | string 160 | * app
AccountNumber | string 20
EMailAddress1 | email 100
EMailAddress2 | email 100
EMailAddress3 | email 100
Telephone1 | phone 50 | rec
Telephone2 | phone 50
Telephone3 | phone 50
Fax | string 50
WebSiteURL | url 200
Description | memo 2000
Revenue | money 0..100000000000000
CreditLimit | money 0..100000000000000
CreditOnHold | bool
MarketCap | money 0..100000000000000
NumberOfEmployees | int 0..1000000000
SharesOutstanding | int 0..1000000000
SIC | string 20
TickerSymbol | string 10
FtpSiteURL | url 200
IndustryCode | pick | | @industry
AccountCategoryCode | pick | | 1=Preferred Customer;2=Standard
AccountClassificationCode | pick | | 1=Default Value
AccountRatingCode | pick | | 1=Default Value
BusinessTypeCode | pick | | 1=Default Value
CustomerSizeCode | pick | | 1=Default Value
CustomerTypeCode | pick | | 1=Competitor;2=Consultant;3=Customer;4=Investor;5=Partner;6=Influencer;7=Press;8=Prospect;9=Reseller;10=Supplier;11=Vendor;12=Other
OwnershipCode | pick | | 1=Public;2=Private;3=Subsidiary;4=Other
PaymentTermsCode | pick | | 1=Net 30;2=2% 10, Net 30;3=Net 45;4=Net 60
TerritoryCode | pick | | 1=Default Value
PreferredContactMethodCode | pick | | 1=Any;2=Email;3=Phone;4=Fax;5=Mail
DoNotEMail | bool | | Allow;Do Not Allow
DoNotPhone | bool | | Allow;Do Not Allow
DoNotFax | bool | | Allow;Do Not Allow
DoNotPostalMail | bool | | Allow;Do Not Allow
DoNotBulkEMail | bool | | Allow;Do Not Allow
DoNotSendMM | bool | | Send;Do Not Send
FollowEmail | bool | def:true | Do Not Allow;Allow
LastUsedInCampaign | datetime
PrimaryContactId | lookup | rec | contact account_primary_contact
ParentAccountId | lookup | | account account_parent_account
OriginatingLeadId | lookup | | lead account_originating_lead
DefaultPriceLevelId | lookup | | pricelevel price_level_accounts
PreferredSystemUserId | lookup | | systemuser system_user_accounts
MasterId | lookup | ro | account account_master_account
Merged | bool | ro
@address 1
@address 2
# Contact | contacts | 2 | Contact;Contacts | user track merge money states:0 Active=1 Active;1 Inactive=2 Inactive
FullName | string 160 | * ro
FirstName | string 50 | rec
MiddleName | string 50
LastName | string 50 | app
NickName | string 50
Salutation | string 100
Suffix | string 10
JobTitle | string 100
Department | string 100
EMailAddress1 | email 100
EMailAddress2 | email 100
EMailAddress3 | email 100
Telephone1 | phone 50
Telephone2 | phone 50
Telephone3 | phone 50
MobilePhone | phone 50
Fax | string 50
Pager | string 50
WebSiteUrl | url 200
Description | memo 2000
BirthDate | date
Anniversary | date
AnnualIncome | money 0..100000000000000
CreditLimit | money 0..100000000000000
CreditOnHold | bool
GenderCode | pick | | 1=Male;2=Female
FamilyStatusCode | pick | | 1=Single;2=Married;3=Divorced;4=Widowed
EducationCode | pick | | 1=Default Value
HasChildrenCode | pick | | 1=Default Value
NumberOfChildren | int 0..1000000000
ChildrensNames | string 255
SpousesName | string 100
GovernmentId | string 50
EmployeeId | string 50
ExternalUserIdentifier | string 50
AssistantName | string 100
AssistantPhone | string 50
ManagerName | string 100
ManagerPhone | string 50
AccountRoleCode | pick | | 1=Decision Maker;2=Employee;3=Influencer
CustomerTypeCode | pick | | 1=Default Value
LeadSourceCode | pick | | 1=Default Value
PreferredContactMethodCode | pick | | 1=Any;2=Email;3=Phone;4=Fax;5=Mail
DoNotEMail | bool | | Allow;Do Not Allow
DoNotPhone | bool | | Allow;Do Not Allow
DoNotFax | bool | | Allow;Do Not Allow
DoNotPostalMail | bool | | Allow;Do Not Allow
DoNotBulkEMail | bool | | Allow;Do Not Allow
DoNotBulkPostalMail | bool | | No;Yes
DoNotSendMM | bool | | Send;Do Not Send
FollowEmail | bool | def:true | Do Not Allow;Allow
LastUsedInCampaign | datetime
ParentCustomerId | customer | | account contact_customer_accounts *;contact contact_customer_contacts *
OriginatingLeadId | lookup | | lead contact_originating_lead
DefaultPriceLevelId | lookup | | pricelevel price_level_contacts
PreferredSystemUserId | lookup | | systemuser system_user_contacts
MasterId | lookup | ro | contact contact_master_contact
Merged | bool | ro
@address 1
@address 2
# Lead | leads | 4 | Lead;Leads | user track merge money states:0 Open=1 New,2 Contacted;1 Qualified=3 Qualified;2 Disqualified=4 Lost,5 Cannot Contact,6 No Longer Interested,7 Canceled
FullName | string 160 | * ro
Subject | string 300 | app
FirstName | string 50 | rec
MiddleName | string 50
LastName | string 50 | app
Salutation | string 100
JobTitle | string 100
CompanyName | string 100 | rec
EMailAddress1 | email 100
EMailAddress2 | email 100
EMailAddress3 | email 100
Telephone1 | phone 50
Telephone2 | phone 50
Telephone3 | phone 50
MobilePhone | phone 20
Fax | string 50
Pager | string 20
WebSiteUrl | url 200
Description | memo 2000
SIC | string 20
QualificationComments | memo 2000
BudgetAmount | money 0..1000000000000
EstimatedAmount | money 0..1000000000000
EstimatedValue | double 0..1000000000
EstimatedCloseDate | date
Revenue | money 0..100000000000000
NumberOfEmployees | int 0..1000000
IndustryCode | pick | | @industry
LeadSourceCode | pick | | @source
LeadQualityCode | pick | | 1=Hot;2=Warm;3=Cold
PriorityCode | pick | | 1=Default Value
BudgetStatus | pick | | 0=No Committed Budget;1=May Buy;2=Can Buy;3=Will Buy
PurchaseProcess | pick | | 0=Individual;1=Committee;2=Unknown
PurchaseTimeFrame | pick | | 0=Immediate;1=This Quarter;2=Next Quarter;3=This Year;4=Unknown
Need | pick | | 0=Must have;1=Should have;2=Good to have;3=No need
SalesStage | pick | | 0=Qualify
InitialCommunication | pick | | 0=Contacted;1=Not Contacted
PreferredContactMethodCode | pick | | 1=Any;2=Email;3=Phone;4=Fax;5=Mail
DoNotEMail | bool | | Allow;Do Not Allow
DoNotPhone | bool | | Allow;Do Not Allow
DoNotFax | bool | | Allow;Do Not Allow
DoNotPostalMail | bool | | Allow;Do Not Allow
DoNotBulkEMail | bool | | Allow;Do Not Allow
DoNotSendMM | bool | | Send;Do Not Send
FollowEmail | bool | def:true | Do Not Allow;Allow
ConfirmInterest | bool
DecisionMaker | bool | | completed;mark complete
EvaluateFit | bool
IsPrivate | bool | ro hid
ParentAccountId | lookup | | account lead_parent_account
ParentContactId | lookup | | contact lead_parent_contact
CustomerId | customer | | account lead_customer_accounts;contact lead_customer_contacts
CampaignId | lookup | | campaign campaign_leads
OriginatingCaseId | lookup | | incident OriginatingCase_Lead
QualifyingOpportunityId | lookup | | opportunity lead_qualifying_opportunity
MasterId | lookup | ro | lead lead_master_lead
Merged | bool | ro
@address 1
@address 2
";

/// One address; `N` is its number.
pub(super) const ADDRESS: &str = "\
AddressN_Name | string 200
AddressN_Line1 | string 250
AddressN_Line2 | string 250
AddressN_Line3 | string 250
AddressN_City | string 80
AddressN_StateOrProvince | string 50
AddressN_PostalCode | string 20
AddressN_Country | string 80
AddressN_County | string 50
AddressN_PostOfficeBox | string 20
AddressN_Telephone1 | string 50
AddressN_Fax | string 50
AddressN_Latitude | double -90..90
AddressN_Longitude | double -180..180
AddressN_AddressTypeCode | pick | | 1=Bill To;2=Ship To;3=Primary;4=Other
AddressN_Composite | memo 1000 | calc";

/// Industries as they come.
pub(super) const INDUSTRIES: &str = "1=Accounting;2=Agriculture and Non-petrol Natural Resource Extraction;3=Broadcasting Printing and Publishing;\
4=Brokers;5=Building Supply Retail;6=Business Services;7=Consulting;8=Consumer Services;\
9=Design, Direction and Creative Management;10=Distributors, Dispatchers and Processors;11=Doctor's Offices and Clinics;\
12=Durable Manufacturing;13=Eating and Drinking Places;14=Entertainment Retail;15=Equipment Rental and Leasing;\
16=Financial;17=Food and Tobacco Processing;18=Inbound Capital Intensive Processing;19=Inbound Repair and Services;\
20=Insurance;21=Legal Services;22=Non-Durable Merchandise Retail;23=Outbound Consumer Service;\
24=Petrochemical Extraction and Distribution;25=Service Retail;26=SIG Affiliations;27=Social Services;\
28=Special Outbound Trade Contractors;29=Specialty Realty;30=Transportation;31=Utility Creation and Distribution;\
32=Vehicle Retail;33=Wholesale";

/// Sources of leads as they come.
pub(super) const SOURCES: &str = "1=Advertisement;2=Employee Referral;3=External Referral;4=Partner;5=Public Relations;6=Seminar;7=Trade Show;\
8=Web;9=Word of Mouth;10=Other";
