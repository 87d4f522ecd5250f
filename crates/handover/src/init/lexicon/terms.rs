//! What holds of a term on every platform: what it is called where it needs a field of its own, which other term says
//! it too, and what fields are made of in one way everywhere.

/// How a term is told by another one, where a platform does not tell it itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in super::super) enum Follows {
    /// The same.
    Same,
    /// Its time of day.
    Clock,
    /// The first of several.
    First,
    /// All of several but the first.
    Rest,
    /// This step over it.
    Step(&'static str),
}

/// Terms that follow from others.
const FOLLOWING: [(&str, &str, Follows); 20] = [
    ("deal", "deals", Follows::First),
    ("person", "persons", Follows::First),
    ("organization", "organizations", Follows::First),
    ("deals", "deal", Follows::Same),
    ("persons", "person", Follows::Same),
    ("organizations", "organization", Follows::Same),
    ("lead", "leads", Follows::First),
    ("leads", "lead", Follows::Same),
    ("case", "cases", Follows::First),
    ("cases", "case", Follows::Same),
    ("other_persons", "persons", Follows::Rest),
    ("emails", "email", Follows::Same),
    ("phones", "phone", Follows::Same),
    ("site", "website", Follows::Same),
    ("domain", "website", Follows::Step("domain")),
    ("closed", "close", Follows::Same),
    ("expected_close", "close", Follows::Same),
    ("day", "starts", Follows::Same),
    ("clock", "starts", Follows::Clock),
    ("file_name", "title", Follows::Same),
];

/// Which term says a term too, and how.
pub(in super::super) fn following(term: &str) -> Option<(&'static str, Follows)> {
    FOLLOWING.iter().find(|(own, ..)| *own == term).map(|(_, other, how)| (*other, *how))
}

/// The terms that say all that a term says.
pub(in super::super) fn saying(term: &str) -> impl Iterator<Item = &'static str> {
    let is_said = move |(_, other, how): &&(_, &str, Follows)| *other == term && *how == Follows::Same;
    FOLLOWING.iter().filter(is_said).map(|(own, ..)| *own)
}

/// Terms that are kept in a field of their own where the other platform has none, and what it is called.
const LABELS: [(&str, &str); 75] = [
    ("activity_type", "Activity type (before the move)"),
    ("actual_value", "Actual revenue"),
    ("archived", "Archived (before the move)"),
    ("billing_cycles", "Billing cycles (before the move)"),
    ("billing_start", "Billing start"),
    ("birthday", "Birthday"),
    ("buying_role", "Buying role"),
    ("case_number", "Case number (before the move)"),
    ("case_reason", "Reason of the case"),
    ("case_type", "Type of case"),
    ("category", "Type of organization"),
    ("city", "City"),
    ("country", "Country"),
    ("county", "County"),
    ("created_at", "Created (before the move)"),
    ("created_by", "Created by (before the move)"),
    ("date_of_birth", "Date of birth"),
    ("deal_type", "Deal type"),
    ("department", "Department"),
    ("description", "Description"),
    ("district", "District"),
    ("done_at", "Done (before the move)"),
    ("email", "E-mail address"),
    ("employees", "Number of employees"),
    ("fax", "Fax"),
    ("founded", "Year founded"),
    ("home_phone", "Home phone"),
    ("industry", "Industry"),
    ("job_title", "Job title"),
    ("labels", "Labels (before the move)"),
    ("language", "Preferred language"),
    ("lead_source", "Lead source"),
    ("lead_status", "Lead status"),
    ("lifecycle_stage", "Lifecycle stage"),
    ("linkable", "Can be added to deals (before the move)"),
    ("linkedin", "LinkedIn profile"),
    ("lost_reason", "Lost reason"),
    ("marketing", "Marketing status (before the move)"),
    ("message", "Message"),
    ("milliseconds", "Duration in milliseconds (before the move)"),
    ("mobile", "Mobile phone"),
    ("next_step", "Next step"),
    ("number", "Account number"),
    ("origin", "Origin of the case"),
    ("other_emails", "Other e-mail addresses"),
    ("other_phone", "Other phone"),
    ("other_phones", "Other phone numbers"),
    ("outcome", "Outcome (before the move)"),
    ("phone", "Phone"),
    ("postal_code", "Postal code"),
    ("prices", "Prices (before the move)"),
    ("priority", "Priority (before the move)"),
    ("probability", "Probability (before the move)"),
    ("product_category", "Product category"),
    ("product_type", "Product type"),
    ("rating", "Rating"),
    ("region", "State/Region"),
    ("resolution", "Solution"),
    ("revenue", "Annual revenue"),
    ("salutation", "Salutation"),
    ("second_email", "Second e-mail address"),
    ("shipping_city", "Shipping city"),
    ("shipping_country", "Shipping country"),
    ("shipping_postal_code", "Shipping postal code"),
    ("shipping_region", "Shipping state"),
    ("shipping_street", "Shipping street"),
    ("status_reason", "Status reason (before the move)"),
    ("street", "Street"),
    ("street2", "Street, second line"),
    ("tax_method", "Tax method (before the move)"),
    ("tax_rate", "Tax in percent"),
    ("third_email", "Third e-mail address"),
    ("unit", "Unit"),
    ("url", "Meeting address"),
    ("won_reason", "Won reason"),
];

/// What a field is called that takes over a term which the other platform has no field for; `None` where such a term
/// is not worth one.
pub(in super::super) fn label(term: &str) -> Option<&'static str> {
    LABELS.iter().find(|(own, _)| *own == term).map(|(_, label)| *label)
}

/// Terms that each platform makes by itself and people quote: what the old one said is kept.
const QUOTED: [&str; 1] = ["case_number"];

/// Whether people quote what a platform made of a term.
pub(in super::super) fn is_quoted(term: &str) -> bool {
    QUOTED.contains(&term)
}

/// A name where it is demanded, and no word of it twice.
pub(super) const LAST_NAME: &str = "coalesce([{last_name}, {name}, {email}])";
pub(super) const FIRST_NAME: &str = "if is_blank({last_name}) { null } else { {first_name} }";
/// A subject where it is demanded.
pub(super) const SUBJECT: &str = "truncate(coalesce([{title}, {text}]), 255)";
/// The text of what has no field for a place.
pub(super) const TEXT: &str = "concat([{text}, {location}], \"\\n\")";
pub(super) const ENDS: &str = "coalesce([{ends}, {starts}])";
pub(super) const STATUS: &str = "if {done} == true { \"Completed\" } else { \"Not Started\" }";
/// What hangs on one record: the deal, else the person, else the organization.
pub(super) const PERSON_ALONE: &str = "if is_blank({deal}) { {person} } else { null }";
pub(super) const ORGANIZATION_ALONE: &str =
    "if is_blank({deal}) && is_blank({person}) { {organization} } else { null }";
pub(super) const LEAD_ALONE: &str =
    "if is_blank({deal}) && is_blank({person}) && is_blank({organization}) { {lead} } else { null }";
pub(super) const CASE_ALONE: &str = "if is_blank({deal}) && is_blank({person}) && is_blank({organization}) && is_blank({lead}) { {case} } else { null }";
/// What hangs on one record beside the person: the deal, else the organization, else the case.
pub(super) const CASE_BESIDE: &str = "if is_blank({deal}) && is_blank({organization}) { {case} } else { null }";
/// A lead's company where it is demanded.
pub(super) const COMPANY: &str = "coalesce([{company}, \"[not provided]\"])";
/// What hangs on one record beside the person: the deal, else the organization.
pub(super) const ORGANIZATION_BESIDE: &str = "if is_blank({deal}) { {organization} } else { null }";
