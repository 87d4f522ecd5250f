//! Deals, campaigns, cases, solutions.

/// Stages have actual values that the application does not show (sheet: trap 4 \[rec\]).
pub(super) const SALES: &str = "\
# Deals | Deal | Deal_Name | Deal_Name
Deal_Name | text 120 | m
Account_Name | lookup | | Accounts
Contact_Name | lookup | | Contacts
Amount | currency
Closing_Date | date
Pipeline | picklist | R
Stage | picklist | mR | Qualification:10:Open;Needs Analysis:20:Open;Value Proposition:40:Open;Id. Decision Makers=Identify Decision Makers:60:Open;Proposal/Price Quote:75:Open;Negotiation/Review:90:Open;Closed Won:100:Closed Won;Closed Lost:0:Closed Lost;Closed Lost to Competition=Closed-Lost to Competition:0:Closed Lost
Probability | integer | | | Probability (%)
Expected_Revenue | currency | r
Type | picklist | | Existing Business;New Business
Lead_Source | picklist | | SOURCE
Next_Step | text 100
Campaign_Source | lookup | | Campaigns
Reason_For_Loss__s | picklist | | Expectation Mismatch;Price;Unqualified Customer;Lack of response;Missed Follow Ups;Wrong Target;Competition;Future Interest;Other
Lead_Conversion_Time | integer | r
Sales_Cycle_Duration | integer | r
Overall_Sales_Duration | integer | r
Description | textarea | L
> Contact_Roles | Contacts | | Contact Roles
> Products | Products | | Products
> Quotes | Quotes | Deal_Name | Quotes
> Sales_Orders | Sales_Orders | Deal_Name | Sales Orders
> Invoices | Invoices | Deal_Name__s | Invoices
# Campaigns | Campaign | Campaign_Name | Campaign_Name
Campaign_Name | text 100 | m
Type | picklist | | Conference;Webinar;Trade Show;Public Relations;Partners;Referral Program;Advertisement;Banner Ads;Direct mail;Email;Telemarketing;Others
Status | picklist | | Planning;Active;Inactive;Complete
Start_Date | date
End_Date | date
Expected_Revenue | currency
Budgeted_Cost | currency
Actual_Cost | currency
Expected_Response | bigint
Num_sent | bigint
Description | textarea | L
> Leads | Leads | | Leads
> Contacts | Contacts | | Contacts
> Deals | Deals | Campaign_Source | Deals
# Cases | Case | Subject | Subject
Case_Number | autonumber
Subject | text 300 | m
Case_Origin | picklist | m | Email;Phone;Web;Twitter;Facebook
Status | picklist | m | New;On Hold;Escalated;Closed
Priority | picklist | | High;Medium;Low
Type | picklist | | Problem;Feature Request;Question
Case_Reason | picklist | | User did not attend any training;Complex functionality;Existing problem;Instructions not clear;New problem
Account_Name | lookup | | Accounts
Deal_Name | lookup | | Deals
Product_Name | lookup | | Products
Related_To | lookup | | Contacts
Reported_By | text 50
Email | email
Phone | phone
Internal_Comments | textarea | L
Solution | textarea | L
Description | textarea | L
# Solutions | Solution | Solution_Title | Solution_Title
Solution_Number | autonumber
Solution_Title | text 200 | m
Product_Name | lookup | | Products
Status | picklist | | Draft;Reviewed;Duplicate
Published | boolean
Question | textarea | L
Answer | textarea | L";
