//! Opportunities with their lines, campaigns, lists; products and their prices.

/// Opportunities, lines, campaigns and lists (sheet: sections 2, 5.6 and 9).
pub(super) const TABLES: &str = "\
# Opportunity | opportunities | 3 | Opportunity;Opportunities | user track money states:0 Open=1 In Progress,2 On Hold;1 Won=3 Won;2 Lost=4 Canceled,5 Out-Sold
Name | string 300 | * app
Description | memo 2000
EstimatedValue | money 0..1000000000000
ActualValue | money 0..1000000000000
BudgetAmount | money 0..1000000000000
TotalAmount | money -1000000000000..1000000000000 | ro
TotalLineItemAmount | money -1000000000000..1000000000000 | ro
DiscountAmount | money 0..1000000000000
FreightAmount | money 0..1000000000000
EstimatedCloseDate | date
ActualCloseDate | date
CloseProbability | int 0..100
StepName | string 200
CurrentSituation | memo 2000
CustomerNeed | memo 2000
CustomerPainPoints | memo 2000
ProposedSolution | memo 2000
QualificationComments | memo 2000
QuoteComments | memo 2000
EmailAddress | email 100
IsRevenueSystemCalculated | bool
OpportunityRatingCode | pick | def:2 | 1=Hot;2=Warm;3=Cold
SalesStageCode | pick | def:1 | 1=Default Value
SalesStage | pick | | 0=Qualify;1=Develop;2=Propose;3=Close
PriorityCode | pick | def:1 | 1=Default Value
BudgetStatus | pick | | 0=No Committed Budget;1=May Buy;2=Can Buy;3=Will Buy
PurchaseProcess | pick | | 0=Individual;1=Committee;2=Unknown
PurchaseTimeframe | pick | | 0=Immediate;1=This Quarter;2=Next Quarter;3=This Year;4=Unknown
Need | pick | | 0=Must have;1=Should have;2=Good to have;3=No need
CustomerId | customer | | account opportunity_customer_accounts *;contact opportunity_customer_contacts *
ParentAccountId | lookup | | account opportunity_parent_account
ParentContactId | lookup | | contact opportunity_parent_contact
OriginatingLeadId | lookup | | lead opportunity_originating_lead
CampaignId | lookup | | campaign campaign_opportunities
PriceLevelId | lookup | | pricelevel price_level_opportunties
# OpportunityProduct | opportunityproducts | 1083 | Opportunity Product;Opportunity Products | track money
OpportunityProductName | string 500 | *
ProductName | string 500 | ro
ProductDescription | string 500
Description | memo 2000
IsProductOverridden | bool
IsPriceOverridden | bool
Quantity | decimal -100000000000..100000000000 | app
PricePerUnit | money -1000000000000..1000000000000
ManualDiscountAmount | money 0..1000000000000
Tax | money -1000000000000..1000000000000
BaseAmount | money -1000000000000..1000000000000 | ro
ExtendedAmount | money -1000000000000..1000000000000 | ro
LineItemNumber | int 0..1000000000
SequenceNumber | int 0..1000000000
OpportunityId | lookup | req c | opportunity product_opportunities *
ProductId | lookup | | product product_opportunity_products !
UoMId | lookup | | uom unit_of_measurement_opportunity_products !
# OpportunityClose | opportunitycloses | 4208 | Opportunity Close;Opportunity Close | user activity money states:0 Open=1 Open;1 Completed=2 Completed;2 Canceled=3 Canceled
Subject | string 200 | *
Description | memo 2000
ActualRevenue | money 0..1000000000000
ActualEnd | datetime
OpportunityId | lookup | c | opportunity Opportunity_OpportunityClose *
# Campaign | campaigns | 4400 | Campaign;Campaigns | user track money states:0 Active=0 Proposed,1 Ready To Launch,2 Launched,3 Completed,4 Canceled,5 Suspended;1 Inactive=6 Inactive
Name | string 128 | * app
CodeName | string 32
Description | memo 2000
Objective | memo 2000
Message | string 256
PromotionCodeName | string 128
TypeCode | pick | | 1=Advertisement;2=Direct Marketing;3=Event;4=Co-branding;5=Other
BudgetedCost | money 0..1000000000000
OtherCost | money 0..1000000000000
ExpectedRevenue | money 0..1000000000000
ExpectedResponse | int 0..1000000000
ProposedStart | date
ProposedEnd | date
ActualStart | date
ActualEnd | date
IsTemplate | bool | c
PriceListId | lookup | | pricelevel PriceList_Campaigns
# List | lists | 4300 | Marketing List;Marketing Lists | user track money states:0 Active=0 Active;1 Inactive=1 Inactive
ListName | string 128 | * app
CreatedFromCode | pick | req c | 1=Account;2=Contact;4=Lead
MemberType | int 0..1000000000 | c
MemberCount | int | ro
Purpose | string 512
Source | string 128
Cost | money 0..1000000000000
Type | bool | c | Static;Dynamic
LockStatus | bool | | No;Yes
DoNotSendOnOptOut | bool | def:true | No;Yes
Description | memo 2000
# ListMember | listmembers | 4301 | Marketing List Member;Marketing List Members | intersect
ListId | lookup | ro | list list_listmembers *
EntityId | lookup | ro | account account_listmembers *;contact contact_listmembers *;lead lead_listmembers *
EntityType | table | ro
# CampaignItem | campaignitems | 4403 | Campaign Item;Campaign Items | intersect
CampaignId | lookup | ro | campaign campaign_campaignitems *
EntityId | lookup | ro | list list_campaignitems *
";

/// Products, units and price lists (sheet: sections 5.6 and 9; lengths \[unsure\]).
pub(super) const PRODUCTS: &str = "\
# Product | products | 1024 | Product;Products | org track money states:2 Draft=0 Draft;0 Active=1 Active;1 Retired=2 Retired;3 Under Revision=3 Under Revision
Name | string 100 | * app
ProductNumber | string 100 | req
Description | memo 2000
Price | money 0..1000000000000
CurrentCost | money 0..1000000000000
StandardCost | money 0..1000000000000
ProductStructure | pick | c def:1 | 1=Product;2=Product Family;3=Product Bundle
ProductTypeCode | pick | def:1 | 1=Sales Inventory;2=Miscellaneous Charges;3=Services;4=Flat Fees
QuantityDecimal | int 0..5 | req
QuantityOnHand | decimal 0..1000000000
StockVolume | decimal 0..1000000000
StockWeight | decimal 0..1000000000
SupplierName | string 100
VendorName | string 100
VendorPartNumber | string 100
Size | string 200
ProductUrl | url 255
IsKit | bool
IsStockItem | bool
ValidFromDate | date
ValidToDate | date
DefaultUoMId | lookup | req | uom unit_of_measurement_products !
DefaultUoMScheduleId | lookup | req | uomschedule unit_of_measurement_schedule_products !
PriceLevelId | lookup | | pricelevel price_level_products
ParentProductId | lookup | | product product_parent_product
# PriceLevel | pricelevels | 1022 | Price List;Price Lists | org track money states:0 Active=100001 Active;1 Inactive=100002 Inactive
Name | string 100 | * req
Description | memo 2000
BeginDate | date
EndDate | date
FreightTermsCode | pick | | 1=Default Value
PaymentMethodCode | pick | | 1=Default Value
ShippingMethodCode | pick | | 1=Default Value
# ProductPriceLevel | productpricelevels | 1026 | Price List Item;Price List Items | track money
ProductNumber | string 100 | * ro
Amount | money 0..1000000000000
Percentage | decimal 0..100000
PricingMethodCode | pick | def:1 | 1=Currency Amount;2=Percent of List;3=Percent Markup - Current Cost;4=Percent Margin - Current Cost;5=Percent Markup - Standard Cost;6=Percent Margin - Standard Cost
QuantitySellingCode | pick | def:1 | 1=No Control;2=Whole;3=Whole and Fractional
RoundingPolicyCode | pick | def:1 | 1=None;2=Up;3=Down;4=To Nearest
PriceLevelId | lookup | req c | pricelevel price_level_product_price_levels *
ProductId | lookup | req c | product product_price_levels *
UoMId | lookup | req | uom unit_of_measurement_product_price_level !
# UoMSchedule | uomschedules | 1056 | Unit Group;Unit Groups | org track states:0 Active=1 Active;1 Inactive=2 Inactive
Name | string 200 | * req
BaseUoMName | string 100 | c
Description | memo 2000
# UoM | uoms | 1055 | Unit;Units | org track
Name | string 100 | * req
Quantity | decimal 0..1000000000 | req
IsScheduleBaseUoM | bool | ro
BaseUoM | lookup | | uom unit_of_measurement_base_unit
UoMScheduleId | lookup | req c | uomschedule unit_of_measurement_schedule_conversions *
";
