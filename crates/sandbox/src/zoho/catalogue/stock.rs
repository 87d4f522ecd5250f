//! Products, vendors, price books, quotes, orders, invoices, and their rows.

/// Sheet: section 5, mandatory fields.
pub(super) const STOCK: &str = "\
# Products | Product | Product_Name | Product_Name
Product_Name | text 200 | m
Product_Code | text 40
Product_Active | boolean
Product_Category | picklist | | Hardware;Software;CRM Applications
Manufacturer | picklist | | AltvetPet Inc.;LexPon Inc.;MetBeat Corp.
Vendor_Name | lookup | | Vendors
Unit_Price | currency
Commission_Rate | currency
Taxable | boolean
Usage_Unit | picklist | | Box;Carton;Dozen;Each;Hours;Impressions;Lb;M;Pack;Pages;Pieces;Quantity;Reams;Sheet;Spiral Binder;Sales Visit
Qty_in_Stock | double
Qty_Ordered | double
Qty_in_Demand | double | r
Reorder_Level | double
Sales_Start_Date | date
Sales_End_Date | date
Support_Start_Date | date
Support_Expiry_Date | date
Description | textarea | L
> Leads | Leads | | Leads
> Accounts | Accounts | | Accounts
> Contacts | Contacts | | Contacts
> Deals | Deals | | Deals
> Price_Books | Price_Books | | Price Books
> Cases | Cases | Product_Name | Cases
# Vendors | Vendor | Vendor_Name | Vendor_Name
Vendor_Name | text 200 | m
Email | email
Phone | phone
Website | website
Category | text 120
GL_Account | picklist | | Sales-Software;Sales-Hardware;Rental Income;Interest Income;Sales Software Support;Sales Other;Internet Sales;Service-Hardware Labor;Sales-Books
Street | text 250
City | text 100
State | text 100
Zip_Code | text 30
Country | text 100
Description | textarea | L
> Products | Products | Vendor_Name | Products
> Purchase_Orders | Purchase_Orders | Vendor_Name | Purchase Orders
> Contacts | Contacts | Vendor_Name | Contacts
# Price_Books | Price Book | Price_Book_Name | Price_Book_Name
Price_Book_Name | text 200 | m
Active | boolean
Pricing_Model | picklist | | Flat;Differential
Pricing_Details | subform | m | Pricing_Rows
Description | textarea | L
> Products | Products | | Products
# Quotes | Quote | Subject | Subject
Quote_Number | bigint | r
Subject | text 120 | m
Quote_Stage | picklist | | Draft;Negotiation;Delivered;On Hold;Confirmed;Closed Won;Closed Lost
Deal_Name | lookup | | Deals
Account_Name | lookup | | Accounts
Contact_Name | lookup | | Contacts
Valid_Till | date
Carrier | picklist | | FedEX;UPS;USPS;DHL;BlueDart
Quoted_Items | subform | m | Quoted_Items
Sub_Total | currency | r
Discount | currency
Tax | currency | r
Adjustment | currency
Grand_Total | currency | r
Terms_and_Conditions | textarea | L
Description | textarea | L
# Sales_Orders | Sales Order | Subject | Subject
SO_Number | bigint | r
Subject | text 120 | m
Status | picklist | | Created;Approved;Delivered;Cancelled
Deal_Name | lookup | | Deals
Quote_Name | lookup | | Quotes
Account_Name | lookup | | Accounts
Contact_Name | lookup | | Contacts
Due_Date | date
Purchase_Order | text 50
Ordered_Items | subform | m | Ordered_Items
Sub_Total | currency | r
Discount | currency
Tax | currency | r
Adjustment | currency
Grand_Total | currency | r
Description | textarea | L
# Purchase_Orders | Purchase Order | Subject | Subject
PO_Number | text 50
Subject | text 120 | m
Vendor_Name | lookup | m | Vendors
Contact_Name | lookup | | Contacts
Status | picklist | | Created;Approved;Delivered;Cancelled
PO_Date | date
Due_Date | date
Purchased_Items | subform | m | Purchase_Items
Sub_Total | currency | r
Discount | currency
Tax | currency | r
Adjustment | currency
Grand_Total | currency | r
Description | textarea | L
# Invoices | Invoice | Subject | Subject
Invoice_Number | bigint | r
Subject | text 120 | m
Status | picklist | | Created;Approved;Delivered;Cancelled
Sales_Order | lookup | | Sales_Orders
Deal_Name__s | lookup | | Deals | Deal Name
Account_Name | lookup | | Accounts
Contact_Name | lookup | | Contacts
Invoice_Date | date
Due_Date | date
Invoiced_Items | subform | m | Invoiced_Items
Sub_Total | currency | r
Discount | currency
Tax | currency | r
Adjustment | currency
Grand_Total | currency | r
Description | textarea | L";

/// The rows of subforms.
pub(super) const ROWS: &str = "\
# Quoted_Items | Quoted Item | Sequence_Number | | subform
Sequence_Number | bigint
Product_Name | lookup | m | Products
Quantity | double | m
List_Price | currency
Discount | currency
Tax | currency
Total | currency | r
Net_Total | currency | r
Description | textarea
# Ordered_Items | Ordered Item | Sequence_Number | | subform
Sequence_Number | bigint
Product_Name | lookup | m | Products
Quantity | double | m
List_Price | currency
Discount | currency
Tax | currency
Total | currency | r
Net_Total | currency | r
Description | textarea
# Purchase_Items | Purchase Item | Sequence_Number | | subform
Sequence_Number | bigint
Product_Name | lookup | m | Products
Quantity | double | m
List_Price | currency
Discount | currency
Tax | currency
Total | currency | r
Net_Total | currency | r
Description | textarea
# Invoiced_Items | Invoiced Item | Sequence_Number | | subform
Sequence_Number | bigint
Product_Name | lookup | m | Products
Quantity | double | m
List_Price | currency
Discount | currency
Tax | currency
Total | currency | r
Net_Total | currency | r
Description | textarea
# Pricing_Rows | Pricing Row | from_range | | subform
from_range | double | m
to_range | double | m
discount | double | m";
