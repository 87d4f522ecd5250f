//! Properties of contacts and leads.

/// Contacts: what people fill in and what HubSpot keeps beside it.
pub(super) const CONTACTS: &str = "\
email | Email | INFO | string/text | form |
firstname | First Name | INFO | string/text | form |
lastname | Last Name | INFO | string/text | form |
salutation | Salutation | INFO | string/text | form |
jobtitle | Job Title | INFO | string/text | form |
company | Company Name | INFO | string/text | form |
phone | Phone Number | INFO | string/phonenumber | form |
mobilephone | Mobile Phone Number | INFO | string/phonenumber | form |
fax | Fax Number | INFO | string/text | form |
address | Street Address | INFO | string/text | form |
city | City | INFO | string/text | form |
state | State/Region | INFO | string/text | form |
zip | Postal Code | INFO | string/text | form |
country | Country/Region | INFO | string/text | form |
website | Website URL | INFO | string/text | form |
industry | Industry | INFO | string/text | form |
annualrevenue | Annual Revenue | INFO | string/text | form |
numemployees | Number of Employees | INFO | enumeration/radio | form | 1-5;5-25;25-50;50-100;100-500;500-1000;1000+
date_of_birth | Date of birth | INFO | string/text | form |
gender | Gender | INFO | string/text | form |
marital_status | Marital Status | INFO | string/text | form |
degree | Degree | INFO | string/text | form |
school | School | INFO | string/text | form |
field_of_study | Field of study | INFO | string/text | form |
graduation_date | Graduation date | INFO | string/text | form |
start_date | Start date | INFO | string/text | form |
seniority | Seniority | INFO | string/text | form |
job_function | Job function | INFO | string/text | form |
military_status | Military status | INFO | string/text | form |
relationship_status | Relationship Status | INFO | string/text | form |
work_email | Work email | INFO | string/text | form |
company_size | Company size | INFO | string/text | form |
message | Message | INFO | string/textarea | form |
twitterhandle | Twitter Username | socialmediainformation | string/text | |
hs_linkedin_url | LinkedIn URL | socialmediainformation | string/text | form |
hs_language | Preferred language | INFO | enumeration/select | form | en=English;de=German;fr=French;es=Spanish;pt=Portuguese;it=Italian;nl=Dutch;sv=Swedish;pl=Polish
hs_timezone | Time Zone | INFO | enumeration/select | | europe_slash_berlin=UTC +01:00 Europe Berlin;europe_slash_london=UTC +00:00 Europe London;us_slash_eastern=UTC -05:00 US Eastern;us_slash_pacific=UTC -08:00 US Pacific
lifecyclestage | Lifecycle Stage | INFO | enumeration/radio | form | subscriber=Subscriber;lead=Lead;marketingqualifiedlead=Marketing Qualified Lead;salesqualifiedlead=Sales Qualified Lead;opportunity=Opportunity;customer=Customer;evangelist=Evangelist;other=Other
hs_lead_status | Lead Status | sales_properties | enumeration/radio | form | NEW=New;OPEN=Open;IN_PROGRESS=In Progress;OPEN_DEAL=Open Deal;UNQUALIFIED=Unqualified;ATTEMPTED_TO_CONTACT=Attempted to Contact;CONNECTED=Connected;BAD_TIMING=Bad Timing
hs_buying_role | Buying Role | sales_properties | enumeration/checkbox | | BLOCKER;BUDGET_HOLDER;CHAMPION;DECISION_MAKER;END_USER;EXECUTIVE_SPONSOR;INFLUENCER;LEGAL_AND_COMPLIANCE;OTHER
hs_persona | Persona | INFO | enumeration/select | form |
hs_legal_basis | Legal basis for processing contact's data | INFO | enumeration/checkbox | form | Legitimate interest – prospect/lead=Legitimate interest – prospect/lead;Legitimate interest – existing customer=Legitimate interest – existing customer;Freely given consent from contact=Freely given consent from contact;Performance of a contract=Performance of a contract;Not applicable=Not applicable
hs_marketable_status | Marketing contact status | INFO | enumeration/select | ro | true=Marketing contact;false=Non-marketing contact
hs_content_membership_email | Email for registration | contactinformation | string/text | |
hs_content_membership_notes | Membership Notes | contactinformation | string/text | |
hs_additional_emails | Additional email addresses | INFO | enumeration/checkbox | ext |
hs_all_contact_vids | All vids for a contact | INFO | enumeration/checkbox | ro ext hid |
hs_calculated_merged_vids | Merged vids with timestamps | INFO | enumeration/checkbox | ro ext hid |
hs_email_domain | Email Domain | INFO | string/text | ro |
hs_full_name_or_email | Full name or email | INFO | string/calculation_equation | calc |
hs_searchable_calculated_phone_number | Calculated Phone Number | INFO | string/calculation_equation | calc hid |
hs_searchable_calculated_mobile_number | Calculated Mobile Number | INFO | string/calculation_equation | calc hid |
hs_searchable_calculated_international_phone_number | Calculated Phone Number with country code | INFO | string/calculation_equation | calc hid |
hs_pipeline | Pipeline | INFO | enumeration/select | ext | contacts-lifecycle-pipeline=Lifecycle Stage Pipeline
createdate | Create Date | INFO | datetime/date | ro |
lastmodifieddate | Last Modified Date | INFO | datetime/date | ro |
closedate | Close Date | INFO | datetime/date | |
associatedcompanyid | Primary Associated Company ID | INFO | number/number | company |
associatedcompanylastupdated | Associated Company Last Updated | INFO | number/number | ro hid |
hs_is_contact | Is a contact | INFO | bool/calculation_equation | calc |
hs_is_unworked | Contact unworked | INFO | bool/calculation_equation | calc |
hs_pinned_engagement_id | Pinned Engagement ID | INFO | number/number | |
hs_email_optout | Unsubscribed from all email | emailinformation | bool/booleancheckbox | ro |
hs_email_bad_address | Invalid email address | emailinformation | bool/booleancheckbox | ro |
hs_email_quarantined | Email address quarantined | emailinformation | bool/booleancheckbox | ro |
hs_email_hard_bounce_reason_enum | Email hard bounce reason | emailinformation | enumeration/select | ro | BLOCKED;CONTENT;MAILBOX_FULL;OTHER;POLICY;SPAM;TEMPORARY_PROBLEM;UNKNOWN_USER
";

/// Contacts: figures that HubSpot computes.
pub(super) const CONTACT_ANALYTICS: &str = "\
days_to_close | Days To Close | sales_properties | number/number | calc |
hs_analytics_source | Original Traffic Source | analyticsinformation | enumeration/select | | ORGANIC_SEARCH=Organic Search;PAID_SEARCH=Paid Search;EMAIL_MARKETING=Email Marketing;SOCIAL_MEDIA=Organic Social;REFERRALS=Referrals;OTHER_CAMPAIGNS=Other Campaigns;DIRECT_TRAFFIC=Direct Traffic;OFFLINE=Offline Sources;PAID_SOCIAL=Paid Social
hs_analytics_source_data_1 | Original Traffic Source Drill-Down 1 | analyticsinformation | string/text | ro |
hs_analytics_source_data_2 | Original Traffic Source Drill-Down 2 | analyticsinformation | string/text | ro |
hs_latest_source | Latest Traffic Source | analyticsinformation | enumeration/select | ro | ORGANIC_SEARCH=Organic Search;PAID_SEARCH=Paid Search;EMAIL_MARKETING=Email Marketing;SOCIAL_MEDIA=Organic Social;REFERRALS=Referrals;OTHER_CAMPAIGNS=Other Campaigns;DIRECT_TRAFFIC=Direct Traffic;OFFLINE=Offline Sources;PAID_SOCIAL=Paid Social
hs_analytics_num_visits | Number of Sessions | analyticsinformation | number/number | ro |
hs_analytics_num_page_views | Number of Pageviews | analyticsinformation | number/number | ro |
hs_analytics_num_event_completions | Number of event completions | analyticsinformation | number/number | ro |
hs_analytics_first_timestamp | Time First Seen | analyticsinformation | datetime/date | ro |
hs_analytics_last_timestamp | Time Last Seen | analyticsinformation | datetime/date | ro |
hs_analytics_revenue | Event Revenue | analyticsinformation | number/number | ro |
hs_analytics_average_page_views | Average Pageviews | analyticsinformation | number/number | ro |
hs_email_open | Marketing emails opened | emailinformation | number/number | ro |
hs_email_click | Marketing emails clicked | emailinformation | number/number | ro |
hs_email_delivered | Marketing emails delivered | emailinformation | number/number | ro |
hs_email_bounce | Marketing emails bounced | emailinformation | number/number | ro |
hs_email_last_open_date | Last marketing email open date | emailinformation | datetime/date | ro |
hs_email_last_send_date | Last marketing email send date | emailinformation | datetime/date | ro |
hs_sales_email_last_replied | Recent Sales Email Replied Date | sales_properties | datetime/date | ro |
hs_sales_email_last_opened | Recent Sales Email Opened Date | sales_properties | datetime/date | ro |
hs_last_sales_activity_timestamp | Last Engagement Date | sales_properties | datetime/date | ro |
hs_lifecyclestage_subscriber_date | Became a Subscriber Date | INFO | datetime/date | |
hs_lifecyclestage_lead_date | Became a Lead Date | INFO | datetime/date | |
hs_lifecyclestage_marketingqualifiedlead_date | Became a Marketing Qualified Lead Date | INFO | datetime/date | |
hs_lifecyclestage_salesqualifiedlead_date | Became a Sales Qualified Lead Date | INFO | datetime/date | |
hs_lifecyclestage_opportunity_date | Became an Opportunity Date | INFO | datetime/date | |
hs_lifecyclestage_customer_date | Became a Customer Date | INFO | datetime/date | |
hs_lifecyclestage_evangelist_date | Became an Evangelist Date | INFO | datetime/date | |
hs_lifecyclestage_other_date | Became an Other Lifecycle Date | INFO | datetime/date | |
first_conversion_date | First Conversion Date | conversioninformation | datetime/date | ro |
first_conversion_event_name | First Conversion | conversioninformation | string/text | ro |
recent_conversion_date | Recent Conversion Date | conversioninformation | datetime/date | ro |
recent_conversion_event_name | Recent Conversion | conversioninformation | string/text | ro |
num_conversion_events | Number of Form Submissions | conversioninformation | number/number | ro |
num_unique_conversion_events | Number of Unique Forms Submitted | conversioninformation | number/number | ro |
num_associated_deals | Number of Associated Deals | deal_information | number/number | calc |
recent_deal_amount | Recent Deal Amount | deal_information | number/number | calc |
recent_deal_close_date | Recent Deal Close Date | deal_information | datetime/date | calc |
total_revenue | Total Revenue | deal_information | number/number | calc |
first_deal_created_date | First Deal Created Date | deal_information | datetime/date | calc |
num_contacted_notes | Number of times contacted | sales_properties | number/number | ro |
num_notes | Number of Sales Activities | sales_properties | number/number | ro |
notes_last_contacted | Last Contacted | sales_properties | datetime/date | ro |
notes_last_updated | Last Activity Date | sales_properties | datetime/date | ro |
notes_next_activity_date | Next Activity Date | sales_properties | datetime/date | ro |
hubspotscore | HubSpot Score | INFO | number/calculation_score | calc |
hs_predictivecontactscore_v2 | Likelihood to close | sales_properties | number/number | ro |
hs_time_between_contact_creation_and_deal_creation | Time between contact creation and deal creation | INFO | number/calculation_equation | calc hid |
hs_sequences_is_enrolled | Currently in Sequence | sales_properties | bool/booleancheckbox | ro |
ip_city | IP City | INFO | string/text | ro |
ip_country | IP Country | INFO | string/text | ro |
ip_state | IP State/Region | INFO | string/text | ro |
hs_facebook_click_id | Facebook click id | INFO | string/text | hid |
hs_google_click_id | Google ad click id | INFO | string/text | hid |
";

/// Leads.
pub(super) const LEADS: &str = "\
hs_lead_name | Lead name | INFO | string/text | |
hs_lead_type | Lead type | INFO | enumeration/select | | NEW_BUSINESS=New Business;RE_ATTEMPTING=Re-attempting;UPSELL=Upsell
hs_lead_label | Lead label | INFO | enumeration/select | | HOT=Hot;WARM=Warm;COLD=Cold
hs_pipeline | Pipeline | INFO | enumeration/select | ext |
hs_pipeline_stage | Pipeline stage | INFO | enumeration/select | ext |
";
