//! Properties of companies, and the list of industries.

/// Companies.
pub(super) const COMPANIES: &str = "\
name | Company name | INFO | string/text | form |
domain | Company Domain Name | INFO | string/text | form |
website | Website URL | INFO | string/text | form |
description | Description | INFO | string/textarea | form |
about_us | About Us | INFO | string/textarea | form |
phone | Phone Number | INFO | string/text | form |
address | Street Address | INFO | string/text | form |
address2 | Street Address 2 | INFO | string/text | form |
city | City | INFO | string/text | form |
state | State/Region | INFO | string/text | form |
zip | Postal Code | INFO | string/text | form |
country | Country/Region | INFO | string/text | form |
timezone | Time Zone | INFO | string/text | form |
industry | Industry | INFO | enumeration/select | form |
type | Type | INFO | enumeration/radio | form | PROSPECT=Prospect;PARTNER=Partner;RESELLER=Reseller;VENDOR=Vendor;OTHER=Other
annualrevenue | Annual Revenue | INFO | number/number | form money |
numberofemployees | Number of Employees | INFO | number/number | form |
founded_year | Year Founded | INFO | string/text | form |
is_public | Is Public | INFO | bool/booleancheckbox | form |
total_money_raised | Total Money Raised | INFO | string/text | |
web_technologies | Web Technologies | INFO | enumeration/checkbox | ext |
lifecyclestage | Lifecycle Stage | INFO | enumeration/radio | | subscriber=Subscriber;lead=Lead;marketingqualifiedlead=Marketing Qualified Lead;salesqualifiedlead=Sales Qualified Lead;opportunity=Opportunity;customer=Customer;evangelist=Evangelist;other=Other
hs_lead_status | Lead Status | INFO | enumeration/radio | | NEW=New;OPEN=Open;IN_PROGRESS=In Progress;OPEN_DEAL=Open Deal;UNQUALIFIED=Unqualified;ATTEMPTED_TO_CONTACT=Attempted to Contact;CONNECTED=Connected;BAD_TIMING=Bad Timing
hs_ideal_customer_profile | Ideal Customer Profile Tier | INFO | enumeration/select | | tier_1=Tier 1;tier_2=Tier 2;tier_3=Tier 3
hs_is_target_account | Target Account | INFO | bool/booleancheckbox | |
hs_logo_url | Logo URL | INFO | string/text | |
hs_country_code | Country/Region Code | INFO | string/text | |
hs_state_code | State/Region Code | INFO | string/text | |
linkedin_company_page | LinkedIn Company Page | socialmediainformation | string/text | form |
linkedinbio | LinkedIn Bio | socialmediainformation | string/text | |
twitterhandle | Twitter Handle | socialmediainformation | string/text | form |
facebook_company_page | Facebook Company Page | socialmediainformation | string/text | form |
hs_additional_domains | Additional Domains | INFO | enumeration/checkbox | ro ext |
hs_parent_company_id | Parent Company | INFO | number/calculation_equation | calc company |
hs_num_child_companies | Number of child companies | INFO | number/number | calc |
hs_num_contacts_with_buying_roles | Number of contacts with a buying role | INFO | number/number | calc |
hs_num_decision_makers | Number of decision makers | INFO | number/number | calc |
hs_num_open_deals | Number of open deals | INFO | number/number | calc |
hs_total_deal_value | Total open deal value | INFO | number/number | calc |
num_associated_contacts | Number of Associated Contacts | INFO | number/number | calc |
num_associated_deals | Number of Associated Deals | INFO | number/number | calc |
recent_deal_amount | Recent Deal Amount | INFO | number/number | calc |
recent_deal_close_date | Recent Deal Close Date | INFO | datetime/date | calc |
total_revenue | Total Revenue | INFO | number/number | calc |
first_deal_created_date | First Deal Created Date | INFO | datetime/date | calc |
first_contact_createdate | First Contact Create Date | INFO | datetime/date | calc |
days_to_close | Days to Close | INFO | number/number | calc |
closedate | Close Date | INFO | datetime/date | |
createdate | Create Date | INFO | datetime/date | ro |
hs_analytics_source | Original Traffic Source | analyticsinformation | enumeration/select | ro ext |
hs_analytics_num_visits | Number of Sessions | analyticsinformation | number/number | ro |
hs_analytics_num_page_views | Number of Pageviews | analyticsinformation | number/number | ro |
hs_last_sales_activity_timestamp | Last Engagement Date | INFO | datetime/date | ro |
num_contacted_notes | Number of times contacted | companyactivity | number/number | ro |
num_notes | Number of Sales Activities | companyactivity | number/number | ro |
notes_last_contacted | Last Contacted | companyactivity | datetime/date | ro |
notes_last_updated | Last Activity Date | companyactivity | datetime/date | ro |
notes_next_activity_date | Next Activity Date | companyactivity | datetime/date | ro |
hs_lifecyclestage_customer_date | Became a Customer Date | INFO | datetime/date | |
hs_lifecyclestage_lead_date | Became a Lead Date | INFO | datetime/date | |
hs_lifecyclestage_opportunity_date | Became an Opportunity Date | INFO | datetime/date | |
hs_pinned_engagement_id | Pinned Engagement ID | INFO | number/number | |
hubspotscore | HubSpot Score | INFO | number/calculation_score | calc |
";

/// The options of `companies.industry`; their labels are these words in title case.
pub(super) const INDUSTRIES: &str = "\
ACCOUNTING;AIRLINES_AVIATION;ALTERNATIVE_DISPUTE_RESOLUTION;ALTERNATIVE_MEDICINE;ANIMATION;APPAREL_FASHION;\
ARCHITECTURE_PLANNING;ARTS_AND_CRAFTS;AUTOMOTIVE;AVIATION_AEROSPACE;BANKING;BIOTECHNOLOGY;BROADCAST_MEDIA;\
BUILDING_MATERIALS;BUSINESS_SUPPLIES_AND_EQUIPMENT;CAPITAL_MARKETS;CHEMICALS;CIVIC_SOCIAL_ORGANIZATION;\
CIVIL_ENGINEERING;COMMERCIAL_REAL_ESTATE;COMPUTER_NETWORK_SECURITY;COMPUTER_GAMES;COMPUTER_HARDWARE;\
COMPUTER_NETWORKING;COMPUTER_SOFTWARE;INTERNET;CONSTRUCTION;CONSUMER_ELECTRONICS;CONSUMER_GOODS;\
CONSUMER_SERVICES;COSMETICS;DAIRY;DEFENSE_SPACE;DESIGN;EDUCATION_MANAGEMENT;E_LEARNING;\
ELECTRICAL_ELECTRONIC_MANUFACTURING;ENTERTAINMENT;ENVIRONMENTAL_SERVICES;EVENTS_SERVICES;EXECUTIVE_OFFICE;\
FACILITIES_SERVICES;FARMING;FINANCIAL_SERVICES;FINE_ART;FISHERY;FOOD_BEVERAGES;FOOD_PRODUCTION;FUND_RAISING;\
FURNITURE;GAMBLING_CASINOS;GLASS_CERAMICS_CONCRETE;GOVERNMENT_ADMINISTRATION;GOVERNMENT_RELATIONS;\
GRAPHIC_DESIGN;HEALTH_WELLNESS_AND_FITNESS;HIGHER_EDUCATION;HOSPITAL_HEALTH_CARE;HOSPITALITY;HUMAN_RESOURCES;\
IMPORT_AND_EXPORT;INDIVIDUAL_FAMILY_SERVICES;INDUSTRIAL_AUTOMATION;INFORMATION_SERVICES;\
INFORMATION_TECHNOLOGY_AND_SERVICES;INSURANCE;INTERNATIONAL_AFFAIRS;INTERNATIONAL_TRADE_AND_DEVELOPMENT;\
INVESTMENT_BANKING;INVESTMENT_MANAGEMENT;JUDICIARY;LAW_ENFORCEMENT;LAW_PRACTICE;LEGAL_SERVICES;\
LEGISLATIVE_OFFICE;LEISURE_TRAVEL_TOURISM;LIBRARIES;LOGISTICS_AND_SUPPLY_CHAIN;LUXURY_GOODS_JEWELRY;MACHINERY;\
MANAGEMENT_CONSULTING;MARITIME;MARKET_RESEARCH;MARKETING_AND_ADVERTISING;MECHANICAL_OR_INDUSTRIAL_ENGINEERING;\
MEDIA_PRODUCTION;MEDICAL_DEVICES;MEDICAL_PRACTICE;MENTAL_HEALTH_CARE;MILITARY;MINING_METALS;\
MOTION_PICTURES_AND_FILM;MUSEUMS_AND_INSTITUTIONS;MUSIC;NANOTECHNOLOGY;NEWSPAPERS;\
NON_PROFIT_ORGANIZATION_MANAGEMENT;OIL_ENERGY;ONLINE_MEDIA;OUTSOURCING_OFFSHORING;PACKAGE_FREIGHT_DELIVERY;\
PACKAGING_AND_CONTAINERS;PAPER_FOREST_PRODUCTS;PERFORMING_ARTS;PHARMACEUTICALS;PHILANTHROPY;PHOTOGRAPHY;\
PLASTICS;POLITICAL_ORGANIZATION;PRIMARY_SECONDARY_EDUCATION;PRINTING;PROFESSIONAL_TRAINING_COACHING;\
PROGRAM_DEVELOPMENT;PUBLIC_POLICY;PUBLIC_RELATIONS_AND_COMMUNICATIONS;PUBLIC_SAFETY;PUBLISHING;\
RAILROAD_MANUFACTURE;RANCHING;REAL_ESTATE;RECREATIONAL_FACILITIES_AND_SERVICES;RELIGIOUS_INSTITUTIONS;\
RENEWABLES_ENVIRONMENT;RESEARCH;RESTAURANTS;RETAIL;SECURITY_AND_INVESTIGATIONS;SEMICONDUCTORS;SHIPBUILDING;\
SPORTING_GOODS;SPORTS;STAFFING_AND_RECRUITING;SUPERMARKETS;TELECOMMUNICATIONS;TEXTILES;THINK_TANKS;TOBACCO;\
TRANSLATION_AND_LOCALIZATION;TRANSPORTATION_TRUCKING_RAILROAD;UTILITIES;VENTURE_CAPITAL_PRIVATE_EQUITY;\
VETERINARY;WAREHOUSING;WHOLESALE;WINE_AND_SPIRITS;WIRELESS;WRITING_AND_EDITING";
