//! Opportunities with their contact roles and lines, products and price books.

/// Opportunities and contact roles (sheet: section 12 \[fixture\]).
pub(super) const OPPORTUNITIES: &str = "\
# Opportunity | 006 | Opportunity | Opportunities | undelete
AccountId | reference | cun | Account>Opportunities*
RecordTypeId | reference | cun | RecordType
IsPrivate | boolean | cud
Name | string 120 | cuNL
Description | textarea 32000 | cunFS
StageName | picklist 255 | cu |  | Prospecting;Qualification;Needs Analysis;Value Proposition;Id. Decision Makers;Perception Analysis;Proposal/Price Quote;Negotiation/Review;Closed Won;Closed Lost
Amount | currency 18,2 | cun
Probability | percent 3,0 | cund
ExpectedRevenue | currency 18,2 | n
TotalOpportunityQuantity | double 18,2 | cun
CloseDate | date | cu
Type | picklist 255 | cun |  | Existing Customer - Upgrade;Existing Customer - Replacement;Existing Customer - Downgrade;New Customer
NextStep | string 255 | cun
LeadSource | picklist 255 | cun |  | SOURCE
IsClosed | boolean | d
IsWon | boolean | d
ForecastCategory | picklist 40 | nr |  | Omitted;Pipeline;BestCase;MostLikely;Forecast;Closed
ForecastCategoryName | picklist 255 | cundr |  | Omitted;Pipeline;Best Case;Commit;Closed
CampaignId | reference | cun | Campaign>Opportunities
HasOpportunityLineItem | boolean | d
Pricebook2Id | reference | cund | Pricebook2>Opportunities
OwnerId | reference | cud | User
LastActivityDate | date | n
LastStageChangeDate | datetime | n
ContactId | reference | cn | Contact>Opportunities
LastViewedDate | datetime | n
LastReferencedDate | datetime | n
HasOpenActivity | boolean | dFS
HasOverdueTask | boolean | dFS
# OpportunityContactRole | 00K | Opportunity Contact Role | Opportunity Contact Role | plain
OpportunityId | reference | c | Opportunity>OpportunityContactRoles*
ContactId | reference | cu | Contact>OpportunityContactRoles*
Role | picklist 40 | cun |  | Business User;Decision Maker;Economic Buyer;Economic Decision Maker;Evaluator;Executive Sponsor;Influencer;Technical Buyer;Other
IsPrimary | boolean | cud
# OpportunityStage | 01J | Opportunity Stage | Opportunity Stages | setup
MasterLabel | string 255 | nN
ApiName | string 255 | n
IsActive | boolean | d
SortOrder | int 9 | n
IsClosed | boolean | d
IsWon | boolean | d
ForecastCategory | picklist 40 | n |  | Omitted;Pipeline;BestCase;MostLikely;Forecast;Closed
ForecastCategoryName | picklist 255 | n |  | Omitted;Pipeline;Best Case;Commit;Closed
DefaultProbability | percent 3,0 | n
Description | string 255 | n
# LeadStatus | 01A | Lead Status Value | Lead Status Values | setup
MasterLabel | string 255 | nN
ApiName | string 255 | n
SortOrder | int 9 | n
IsDefault | boolean | d
IsConverted | boolean | d
";

/// Products, price books and lines (\[unsure\]: no recording).
pub(super) const PRODUCTS: &str = "\
# Product2 | 01t | Product | Products | undelete
Name | string 255 | cuN
ProductCode | string 255 | cun
Description | textarea 4000 | cunFS
IsActive | boolean | cud
RecordTypeId | reference | cun | RecordType
Family | picklist 40 | cun |  | None
DisplayUrl | url 1000 | cun
QuantityUnitOfMeasure | picklist 255 | cun |  | Each
StockKeepingUnit | string 180 | cun
IsArchived | boolean | d
LastViewedDate | datetime | n
LastReferencedDate | datetime | n
# Pricebook2 | 01s | Price Book | Price Books | undelete
Name | string 255 | cuN
IsActive | boolean | cud
IsArchived | boolean | d
Description | string 255 | cun
IsStandard | boolean | d
# PricebookEntry | 01u | Price Book Entry | Price Book Entries | plain
Name | string 255 | nN
Pricebook2Id | reference | c | Pricebook2>PricebookEntries*
Product2Id | reference | c | Product2>PricebookEntries*
UnitPrice | currency 18,2 | cu
IsActive | boolean | cud
UseStandardPrice | boolean | cud
ProductCode | string 255 | n
IsArchived | boolean | d
# OpportunityLineItem | 00k | Opportunity Product | Opportunity Product | plain
OpportunityId | reference | c | Opportunity>OpportunityLineItems*
SortOrder | int 9 | n
PricebookEntryId | reference | cnd | PricebookEntry>OpportunityLineItems
Product2Id | reference | n | Product2>OpportunityLineItems
ProductCode | string 255 | n
Name | string 376 | nN
Quantity | double 12,2 | cu
TotalPrice | currency 18,2 | cund
UnitPrice | currency 18,2 | cund
ListPrice | currency 18,2 | n
Discount | percent 5,2 | cun
ServiceDate | date | cun
Description | string 255 | cun
";
