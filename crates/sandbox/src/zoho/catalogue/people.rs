//! Leads, contacts, accounts.

/// Sheet: section 5, mandatory fields; section 5, upsert.
pub(super) const PEOPLE: &str = "\
# Leads | Lead | Full_Name | Email
Company | text 200
Salutation | picklist | | SALUTATION
First_Name | text 40
Last_Name | text 80 | m
Full_Name | text 120 | r
Designation | text 100 | | | Title
Email | email
Secondary_Email | email
Phone | phone
Mobile | phone
Fax | phone
Website | website
Lead_Source | picklist | | SOURCE
Lead_Status | picklist | | Attempted to Contact;Contact in Future;Contacted;Junk Lead;Lost Lead;Not Contacted;Pre-Qualified;Not Qualified
Industry | picklist | | INDUSTRY
No_of_Employees | integer | | | No. of Employees
Annual_Revenue | currency
Rating | picklist | | RATING
Email_Opt_Out | boolean
Skype_ID | text 50
Twitter | text 50
Street | text 250
City | text 100
State | text 100
Zip_Code | text 30
Country | text 100
Description | textarea | L
Converted_Date_Time | datetime | r
> Products | Products | | Products
> Campaigns | Campaigns | | Campaigns
# Contacts | Contact | Full_Name | Email
Salutation | picklist | | SALUTATION
First_Name | text 40
Last_Name | text 80 | m
Full_Name | text 120 | r
Account_Name | lookup | | Accounts
Vendor_Name | lookup | | Vendors
Email | email
Secondary_Email | email
Title | text 100
Department | text 50
Phone | phone
Home_Phone | phone
Other_Phone | phone
Mobile | phone
Fax | phone
Assistant | text 50
Asst_Phone | phone
Date_of_Birth | date
Lead_Source | picklist | | SOURCE
Reporting_To | lookup | | Contacts
Email_Opt_Out | boolean
Skype_ID | text 50
Twitter | text 50
Mailing_Street | text 250
Mailing_City | text 100
Mailing_State | text 100
Mailing_Zip | text 30
Mailing_Country | text 100
Other_Street | text 250
Other_City | text 100
Other_State | text 100
Other_Zip | text 30
Other_Country | text 100
Description | textarea | L
> Deals | Deals | Contact_Name | Deals
> Cases | Cases | Related_To | Cases
> Quotes | Quotes | Contact_Name | Quotes
> Sales_Orders | Sales_Orders | Contact_Name | Sales Orders
> Invoices | Invoices | Contact_Name | Invoices
> Products | Products | | Products
> Campaigns | Campaigns | | Campaigns
# Accounts | Account | Account_Name | Account_Name
Account_Name | text 200 | m
Account_Number | bigint
Account_Site | text 80
Account_Type | picklist | | Analyst;Competitor;Customer;Distributor;Integrator;Investor;Other;Partner;Press;Prospect;Reseller;Supplier;Vendor
Parent_Account | lookup | | Accounts
Phone | phone
Fax | phone
Website | website
Ticker_Symbol | text 30
Industry | picklist | | INDUSTRY
Ownership | picklist | | Other;Private;Public;Subsidiary;Partnership;Government
Employees | integer
Annual_Revenue | currency
SIC_Code | integer
Rating | picklist | | RATING
Billing_Street | text 250
Billing_City | text 100
Billing_State | text 100
Billing_Code | text 30
Billing_Country | text 100
Shipping_Street | text 250
Shipping_City | text 100
Shipping_State | text 100
Shipping_Code | text 30
Shipping_Country | text 100
Description | textarea | L
> Contacts | Contacts | Account_Name | Contacts
> Deals | Deals | Account_Name | Deals
> Child_Accounts | Accounts | Parent_Account | Member Accounts
> Cases | Cases | Account_Name | Cases
> Quotes | Quotes | Account_Name | Quotes
> Sales_Orders | Sales_Orders | Account_Name | Sales Orders
> Invoices | Invoices | Account_Name | Invoices
> Products | Products | | Products";
