//! Properties of deals, tickets, products, line items and quotes.

/// Deals. The options of `pipeline` and `dealstage` come from the portal's pipelines.
pub(super) const DEALS: &str = "\
dealname | Deal Name | INFO | string/text | form |
amount | Amount | INFO | number/number | form money |
dealstage | Deal Stage | INFO | enumeration/radio | form |
pipeline | Pipeline | INFO | enumeration/select | form |
closedate | Close Date | INFO | datetime/date | form |
dealtype | Deal Type | INFO | enumeration/radio | form | newbusiness=New Business;existingbusiness=Existing Business
description | Deal Description | INFO | string/textarea | form |
deal_currency_code | Currency | INFO | enumeration/select | |
hs_priority | Priority | INFO | enumeration/select | form | low=Low;medium=Medium;high=High
hs_next_step | Next step | INFO | string/text | |
closed_lost_reason | Closed Lost Reason | INFO | string/textarea | |
closed_won_reason | Closed Won Reason | INFO | string/textarea | |
hs_forecast_amount | Forecast amount | INFO | number/calculation_equation | calc money |
hs_forecast_probability | Forecast probability | INFO | number/number | |
hs_manual_forecast_category | Forecast category | INFO | enumeration/select | | OMIT=Not forecasted;PIPELINE=Pipeline;BEST_CASE=Best case;COMMIT=Commit;CLOSED=Closed won
hs_deal_stage_probability | Deal probability | INFO | number/number | ro |
hs_deal_stage_probability_shadow | Deal stage probability shadow | INFO | number/number | ro hid |
hs_is_closed | Is Deal Closed? | INFO | bool/calculation_equation | calc |
hs_is_closed_won | Is Closed Won | INFO | bool/calculation_equation | calc |
hs_is_closed_lost | Is closed lost | INFO | bool/calculation_equation | calc |
hs_closed_amount | Closed Deal Amount | INFO | number/calculation_equation | calc money |
hs_closed_amount_in_home_currency | Closed Deal Amount In Home Currency | INFO | number/calculation_equation | calc |
hs_projected_amount | Deal Amount Calculation Preference | INFO | number/calculation_equation | calc money |
amount_in_home_currency | Amount in company currency | INFO | number/calculation_equation | calc |
hs_exchange_rate | Exchange rate | INFO | number/number | ro |
hs_arr | Annual recurring revenue | INFO | number/number | calc money |
hs_mrr | Monthly recurring revenue | INFO | number/number | calc money |
hs_acv | Annual contract value | INFO | number/number | calc money |
hs_tcv | Total contract value | INFO | number/number | calc money |
hs_closed_won_date | Closed Won Date | INFO | datetime/date | ro |
days_to_close | Days to close | INFO | number/calculation_equation | calc |
num_associated_contacts | Number of Associated Contacts | INFO | number/number | calc |
num_contacted_notes | Number of times contacted | dealactivity | number/number | ro |
num_notes | Number of Sales Activities | dealactivity | number/number | ro |
notes_last_contacted | Last Contacted | dealactivity | datetime/date | ro |
notes_last_updated | Last Activity Date | dealactivity | datetime/date | ro |
notes_next_activity_date | Next Activity Date | dealactivity | datetime/date | ro |
hs_analytics_source | Original Traffic Source | analyticsinformation | enumeration/select | ro ext |
hs_pinned_engagement_id | Pinned Engagement ID | INFO | number/number | |
hs_tag_ids | Deal Tags | INFO | enumeration/checkbox | ext |
hs_num_of_associated_line_items | Number of Associated Line Items | INFO | number/number | calc |
createdate | Create Date | INFO | datetime/date | |
";

/// Tickets. The options of `hs_pipeline` and `hs_pipeline_stage` come from the portal's pipelines.
pub(super) const TICKETS: &str = "\
subject | Ticket name | INFO | string/text | form |
content | Ticket description | INFO | string/textarea | form |
hs_pipeline | Pipeline | INFO | enumeration/select | |
hs_pipeline_stage | Ticket status | INFO | enumeration/select | |
hs_ticket_priority | Priority | INFO | enumeration/select | form | LOW=Low;MEDIUM=Medium;HIGH=High;URGENT=Urgent
hs_ticket_category | Category | INFO | enumeration/checkbox | form | PRODUCT_ISSUE=Product Issue;BILLING_ISSUE=Billing Issue;FEATURE_REQUEST=Feature Request;GENERAL_INQUIRY=General Inquiry
source_type | Source | INFO | enumeration/select | form | CHAT=Chat;EMAIL=Email;FORM=Form;PHONE=Phone
hs_resolution | Resolution | INFO | enumeration/select | | ISSUE_FIXED=Issue fixed;DUPLICATE=Duplicate;FEATURE_BACKLOGGED=Feature backlogged
closed_date | Close date | INFO | datetime/date | ro |
createdate | Create date | INFO | datetime/date | ro |
time_to_close | Time to close | INFO | number/number | calc |
time_to_first_agent_reply | Time to first agent email reply | INFO | number/number | calc |
hs_is_closed | Is ticket closed | INFO | bool/calculation_equation | calc |
hs_num_times_contacted | Number of times contacted | ticketactivity | number/number | ro |
notes_last_updated | Last Activity Date | ticketactivity | datetime/date | ro |
notes_last_contacted | Last Contacted | ticketactivity | datetime/date | ro |
hs_pinned_engagement_id | Pinned Engagement ID | INFO | number/number | |
";

/// Products.
pub(super) const PRODUCTS: &str = "\
name | Name | INFO | string/text | |
description | Product description | INFO | string/textarea | |
price | Unit price | INFO | number/number | |
hs_sku | SKU | INFO | string/text | |
hs_url | URL | INFO | string/text | |
hs_images | Image URL | INFO | string/text | |
hs_folder | Folder | INFO | enumeration/select | ext |
hs_product_type | Product type | INFO | enumeration/select | | inventory=Inventory;non_inventory=Non-Inventory;service=Service
hs_cost_of_goods_sold | Unit cost | INFO | number/number | |
hs_recurring_billing_period | Term | INFO | string/text | |
recurringbillingfrequency | Billing frequency | INFO | enumeration/select | | weekly=Weekly;biweekly=Every two weeks;monthly=Monthly;quarterly=Quarterly;per_six_months=Semi-annually;annually=Annually;per_two_years=Every two years;per_three_years=Every three years
tax | Tax | INFO | number/number | |
hs_status | Status | INFO | enumeration/select | | active=Active;inactive=Inactive
hs_avatar_filemanager_key | Avatar file key | INFO | string/text | hid |
createdate | Create date | INFO | datetime/date | ro |
";

/// Line items.
pub(super) const LINE_ITEMS: &str = "\
name | Name | INFO | string/text | |
description | Description | INFO | string/textarea | |
quantity | Quantity | INFO | number/number | |
price | Unit price | INFO | number/number | |
discount | Unit discount | INFO | number/number | |
hs_discount_percentage | Discount percentage | INFO | number/number | |
tax | Tax | INFO | number/number | |
amount | Net price | INFO | number/calculation_equation | calc |
hs_pre_discount_amount | Pre discount amount | INFO | number/calculation_equation | calc |
hs_total_discount | Calculated total discount | INFO | number/calculation_equation | calc |
hs_product_id | Product ID | INFO | number/number | |
hs_product_type | Product type | INFO | enumeration/select | | inventory=Inventory;non_inventory=Non-Inventory;service=Service
hs_sku | SKU | INFO | string/text | |
hs_url | URL | INFO | string/text | |
hs_line_item_currency_code | Currency | INFO | enumeration/select | |
hs_position_on_quote | Position on quote | INFO | number/number | |
hs_cost_of_goods_sold | Unit cost | INFO | number/number | |
hs_recurring_billing_period | Term | INFO | string/text | |
hs_recurring_billing_start_date | Billing start date | INFO | date/date | |
hs_recurring_billing_end_date | End date | INFO | date/date | ro |
recurringbillingfrequency | Billing frequency | INFO | enumeration/select | | weekly=Weekly;biweekly=Every two weeks;monthly=Monthly;quarterly=Quarterly;per_six_months=Semi-annually;annually=Annually;per_two_years=Every two years;per_three_years=Every three years
hs_arr | Annual recurring revenue | INFO | number/calculation_equation | calc |
hs_mrr | Monthly recurring revenue | INFO | number/calculation_equation | calc |
hs_acv | Annual contract value | INFO | number/calculation_equation | calc |
hs_tcv | Total contract value | INFO | number/calculation_equation | calc |
createdate | Create date | INFO | datetime/date | ro |
";

/// Quotes.
pub(super) const QUOTES: &str = "\
hs_title | Quote title | INFO | string/text | |
hs_expiration_date | Expiration date | INFO | datetime/date | |
hs_status | Quote status | INFO | enumeration/select | | DRAFT=Draft;APPROVAL_NOT_NEEDED=Approval not needed;PENDING_APPROVAL=Pending approval;APPROVED=Approved;REJECTED=Rejected
hs_currency | Currency | INFO | enumeration/select | |
hs_language | Language | INFO | string/text | |
hs_comments | Comments | INFO | string/textarea | |
hs_terms | Purchase terms | INFO | string/textarea | |
hs_quote_amount | Quote amount | INFO | number/number | calc |
hs_public_url_key | Public URL key | INFO | string/text | ro |
";
