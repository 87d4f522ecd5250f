//! Cases of Salesforce (sheet: Salesforce section 2).

use super::VIEWED;
use crate::init::lexicon::terms::SUBJECT;
use crate::init::lexicon::{
    Concept, Funnel, Make, OF_CASES, Own, Thing, choice, choice_else, expr, make, take, tell, thing, with,
};

pub(super) const CASES: Thing = Thing {
    about: "translations/case_stages.csv says which status is which. Comments and e-mails of cases are not moved.",
    own_fields: Own::Unique,
    used_with: "Case",
    tells: &[
        tell("title", &["Subject"]),
        tell("text", &["Description"]),
        tell("priority", &["Priority"]),
        tell("origin", &["Origin"]),
        tell("case_type", &["Type"]),
        tell("case_reason", &["Reason"]),
        tell("case_number", &["CaseNumber"]),
        tell("owner", &["OwnerId"]),
        tell("organization", &["AccountId"]),
        tell("person", &["ContactId"]),
        tell("parent", &["ParentId"]),
        tell("done_at", &["ClosedDate"]),
        tell("created_at", &["CreatedDate"]),
        tell("created_by", &["CreatedById"]),
    ],
    takes: &[
        expr("Subject", &["title", "text"], SUBJECT),
        take("Description", &["text"]),
        make("Status", Make::Stage),
        choice_else("Priority", "priority", "case_priorities", "Medium"),
        choice("Origin", "origin", "case_origins"),
        choice("Type", "case_type", "case_types"),
        choice("Reason", "case_reason", "case_reasons"),
        take("OwnerId", &["owner"]),
        take("AccountId", &["organization"]),
        take("ContactId", &["person"]),
        with("ParentId", &["parent"], "later: true"),
        take("CreatedDate", &["created_at"]),
    ],
    funnel: Some(Funnel { tables: &OF_CASES, pipeline: "", stage: "Status", status: None }),
    left: &[("IsClosed", "the status says it"), ("LastViewedDate", VIEWED), ("LastReferencedDate", VIEWED)],
    ..thing(Concept::Case, "Case", "cases")
};
