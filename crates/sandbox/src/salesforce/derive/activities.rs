//! Cases, tasks and events.

use serde_json::{Value as Json, json};

use super::{Draft, flag, status};
use crate::salesforce::instant::{self, stamp};
use crate::salesforce::refusal::Fault;
use crate::salesforce::world::{World, text};

/// A closed status closes the case; the contact's numbers and account show on it.
pub(super) fn case(world: &World, draft: &mut Draft<'_>) {
    let closed = flag(status(world, "CaseStatus", draft.text("Status")), "IsClosed");
    let was = draft.old.is_some_and(|old| flag(Some(old), "IsClosed"));
    draft.set("IsClosed", json!(closed));
    if closed != was || draft.old.is_none() {
        draft.set("ClosedDate", if closed { json!(stamp(draft.by.at)) } else { Json::Null });
    }
    let contact = world.get("Contact", draft.text("ContactId")).cloned();
    for (field, from) in
        [("ContactPhone", "Phone"), ("ContactMobile", "MobilePhone"), ("ContactEmail", "Email"), ("ContactFax", "Fax")]
    {
        let value = contact.as_ref().and_then(|contact| contact.get(from)).cloned();
        draft.set(field, value.unwrap_or(Json::Null));
    }
    if draft.old.is_none()
        && !draft.gave("AccountId")
        && let Some(account) = contact.as_ref().and_then(|contact| contact.get("AccountId"))
    {
        draft.set("AccountId", account.clone());
    }
}

pub(super) fn task(world: &World, draft: &mut Draft<'_>) -> Result<(), Fault> {
    about(world, draft)?;
    let closed = flag(status(world, "TaskStatus", draft.text("Status")), "IsClosed");
    let was = draft.old.is_some_and(|old| flag(Some(old), "IsClosed"));
    draft.set("IsClosed", json!(closed));
    draft.set("IsHighPriority", json!(draft.text("Priority") == "High"));
    if closed != was || draft.old.is_none() {
        draft.set("CompletedDateTime", if closed { json!(stamp(draft.by.at)) } else { Json::Null });
    }
    Ok(())
}

/// Start and length, or start and end, or a whole day (sheet: section 2 \[unsure\]).
pub(super) fn event(world: &World, draft: &mut Draft<'_>) -> Result<(), Fault> {
    about(world, draft)?;
    let missing = |field: &str| {
        Err(Fault::row("REQUIRED_FIELD_MISSING", format!("Required fields are missing: [{field}]"), &[field]))
    };
    if flag(Some(draft.record), "IsAllDayEvent") {
        let day = match draft.text("ActivityDate") {
            "" => draft.text("StartDateTime").chars().take(10).collect(),
            day => day.to_owned(),
        };
        if day.is_empty() {
            return missing("ActivityDate");
        }
        let last: String = draft.text("EndDateTime").chars().take(10).collect();
        draft.set("EndDate", json!(if last.is_empty() { day.clone() } else { last }));
        draft.set("ActivityDate", json!(day));
        return Ok(());
    }
    let moved_start = if draft.gave("StartDateTime") { "StartDateTime" } else { "ActivityDateTime" };
    let start = match draft.text(moved_start) {
        "" => draft.text("StartDateTime"),
        start => start,
    };
    let Some(start) = instant::read(start) else { return missing("ActivityDateTime") };
    let by_end =
        draft.gave("EndDateTime") || !draft.gave("DurationInMinutes") && draft.number("DurationInMinutes").is_none();
    let minutes = if by_end {
        instant::read(draft.text("EndDateTime")).map(|end| (end - start).div_euclid(60))
    } else {
        draft.record.get("DurationInMinutes").and_then(Json::as_i64)
    };
    let Some(minutes) = minutes else { return missing("DurationInMinutes") };
    if minutes < 0 {
        let message = "Event duration can not be negative";
        return Err(Fault::row("FIELD_INTEGRITY_EXCEPTION", message, &["DurationInMinutes"]));
    }
    let end = start + minutes * 60;
    for (field, value) in [
        ("StartDateTime", json!(stamp(start))),
        ("ActivityDateTime", json!(stamp(start))),
        ("ActivityDate", json!(instant::day(start))),
        ("DurationInMinutes", json!(minutes)),
        ("EndDateTime", json!(stamp(end))),
        ("EndDate", json!(instant::day(end))),
    ] {
        draft.set(field, value);
    }
    Ok(())
}

/// Whom and what it is about: the account follows from it, and leads come alone (sheet: section 9).
fn about(world: &World, draft: &mut Draft<'_>) -> Result<(), Fault> {
    let (who, what) = (draft.text("WhoId").to_owned(), draft.text("WhatId").to_owned());
    if world.settings.lead_without_what && who.starts_with("00Q") && !what.is_empty() {
        let message = "You can't specify a related record when the name is a lead";
        return Err(Fault::row("FIELD_INTEGRITY_EXCEPTION", message, &["WhatId"]));
    }
    let account = [what, who].iter().find_map(|id| {
        let (object, record) = world.find(id)?;
        let account = if object.name == "Account" { id.as_str() } else { text(record, "AccountId") };
        (!account.is_empty()).then(|| account.to_owned())
    });
    draft.set("AccountId", account.map_or(Json::Null, Json::String));
    Ok(())
}
