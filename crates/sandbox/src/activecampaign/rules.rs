//! What is peculiar to a collection's rows (sheet: ActiveCampaign sections 2 and 7).

use serde_json::json;

use super::call::{Call, commit};
use super::kind::Kind;
use super::refusal::{Answer, Refusal};
use super::webhooks;
use super::world::{Row, World, related};
use super::write;
use crate::journal::Action;

/// Types of contacts' fields.
const FIELD_TYPES: [&str; 12] = [
    "text",
    "textarea",
    "date",
    "datetime",
    "dropdown",
    "multiselect",
    "listbox",
    "radio",
    "checkbox",
    "hidden",
    "number",
    "NULL",
];
/// Types of deals' and accounts' fields.
const META_TYPES: [&str; 11] = [
    "text",
    "textarea",
    "date",
    "datetime",
    "dropdown",
    "multiselect",
    "radio",
    "checkbox",
    "hidden",
    "currency",
    "number",
];

/// Checks a row, and fills in what follows from the rest.
pub(super) fn settle(
    world: &World,
    call: &Call<'_>,
    kind: Kind,
    before: Option<&Row>,
    row: &mut Row,
) -> Result<(), Refusal> {
    match kind {
        Kind::Contact => full(world, before),
        Kind::AccountContact => one_account(world, row),
        Kind::ContactDeal => {
            let deal = row.number("deal").unwrap_or_default();
            let same = |other: &Row| other.id != row.id && other.number("contact") == row.number("contact");
            if world.pointing(Kind::ContactDeal, "deal", deal).any(same) {
                return Err(Refusal::key(
                    "contact",
                    "field_invalid",
                    "The given contact is already associated to the deal",
                ));
            }
            Ok(())
        }
        Kind::Deal => deal(world, row),
        Kind::Note => {
            if before.is_none() {
                row.set("userid", Some(json!(call.user)));
            }
            hangs(world, row, "reltype", "relid")
        }
        Kind::Task => task(world, call, before, row),
        Kind::Field => field(before, row),
        Kind::DealField | Kind::AccountField => meta(before, row),
        Kind::ContactList => list(world, row),
        Kind::Webhook => webhooks::check(world, row),
        Kind::User | Kind::Account | Kind::Pipeline | Kind::Stage | Kind::Role | Kind::TaskType => Ok(()),
        Kind::FieldOption | Kind::FieldRel | Kind::MailingList | Kind::Tag | Kind::ContactTag => Ok(()),
    }
}

/// The plan's ceiling (sheet: section 9 trap 15 \[unsure\]).
fn full(world: &World, before: Option<&Row>) -> Result<(), Refusal> {
    let Some(most) = world.settings.contacts_limit.filter(|_| before.is_none()) else { return Ok(()) };
    if world.live(Kind::Contact).count() < most {
        return Ok(());
    }
    Err(Refusal::titled(world.settings.contacts_limit_status, "You have reached the contact limit of your plan"))
}

/// A contact belongs to one account at most (sheet: section 2 \[spec\]).
fn one_account(world: &World, row: &Row) -> Result<(), Refusal> {
    let contact = row.number("contact").unwrap_or_default();
    if world.pointing(Kind::AccountContact, "contact", contact).any(|other| other.id != row.id) {
        return Err(Refusal::key("contact", "field_invalid", "The contact is already associated with an account"));
    }
    Ok(())
}

/// A deal needs a contact or an account, a stage or a pipeline, and an owner unless the pipeline assigns one
/// (sheet: section 9 trap 6).
fn deal(world: &World, row: &mut Row) -> Result<(), Refusal> {
    if row.get("contact").is_none() && row.get("account").is_none() {
        return Err(Refusal::missing("deal", "contact"));
    }
    if row.number("status").is_some_and(|status| status > 2) {
        return Err(Refusal::wrong("status", "0, 1 or 2 is expected"));
    }
    let (stage, group) = (row.number("stage"), row.number("group"));
    let of_stage = stage.and_then(|stage| world.get(Kind::Stage, stage)).and_then(|stage| stage.number("group"));
    match (of_stage, group) {
        (None, None) => return Err(Refusal::missing("deal", "stage")),
        (Some(of_stage), Some(group)) if of_stage != group => {
            return Err(Refusal::wrong("stage", "it does not belong to the group"));
        }
        (Some(of_stage), None) => row.set("group", Some(json!(of_stage))),
        (None, Some(group)) => {
            let first =
                world.pointing(Kind::Stage, "group", group).min_by_key(|stage| (stage.number("order"), stage.id));
            let first = first.ok_or_else(|| Refusal::related("stage"))?;
            row.set("stage", Some(json!(first.id)));
        }
        (Some(_), Some(_)) => {}
    }
    if row.get("owner").is_none() {
        let group = row.number("group").and_then(|group| world.get(Kind::Pipeline, group));
        if group.and_then(|group| group.number("autoassign")).unwrap_or(0) == 0 {
            let pipeline = row.number("group").unwrap_or_default();
            return Err(Refusal::key(
                "owner",
                "field_missing",
                format!("ownerId is required for a deal '{pipeline}'."),
            ));
        }
        let first = world.live(Kind::User).next().map(|user| json!(user.id));
        row.set("owner", first);
    }
    Ok(())
}

/// Checks what a note or a task hangs on.
fn hangs(world: &World, row: &Row, word: &str, key: &str) -> Result<(), Refusal> {
    let reltype = row.text("reltype");
    let related = related(reltype);
    // What an activity is cannot be told here: it is taken as it is.
    let Some((kind, _)) = related else {
        return if reltype == "Activity" { Ok(()) } else { Err(Refusal::wrong(word, "it is not known")) };
    };
    let there = row.number("relid").is_some_and(|id| world.get(kind, id).is_some());
    if there { Ok(()) } else { Err(Refusal::related(key)) }
}

fn task(world: &World, call: &Call<'_>, before: Option<&Row>, row: &mut Row) -> Result<(), Refusal> {
    let word = match row.text("ownerType") {
        "contact" => "Subscriber",
        "deal" => "Deal",
        _ => return Err(Refusal::bad_body()),
    };
    row.set("reltype", Some(json!(word)));
    // A body that lacks something is answered with 400 and `{}` (sheet: section 2).
    if row.get("duedate").is_none() || row.get("dealTasktype").is_none() || row.get("relid").is_none() {
        return Err(Refusal::bad_body());
    }
    if row.number("status").is_some_and(|status| status > 1) {
        return Err(Refusal::wrong("status", "0 or 1 is expected"));
    }
    if before.is_none() {
        row.set("user", Some(json!(call.user)));
    }
    if row.get("assignee").is_none() {
        row.set("assignee", Some(json!(call.user)));
    }
    hangs(world, row, "ownerType", "relid")
}

fn field(before: Option<&Row>, row: &mut Row) -> Result<(), Refusal> {
    if !FIELD_TYPES.contains(&row.text("type")) {
        return Err(Refusal::wrong("type", "it is not known"));
    }
    if before.is_some_and(|before| before.text("type") != row.text("type")) {
        return Err(Refusal::wrong("type", "it cannot be changed"));
    }
    if row.text("perstag").is_empty() {
        let tag: String = row
            .text("title")
            .chars()
            .map(|c| if c.is_ascii_alphanumeric() { c.to_ascii_uppercase() } else { '_' })
            .collect();
        row.set("perstag", Some(json!(tag)));
    }
    Ok(())
}

fn meta(before: Option<&Row>, row: &mut Row) -> Result<(), Refusal> {
    if row.text("fieldLabel").is_empty() {
        return Err(Refusal::numbered("The field label field is required."));
    }
    if row.text("fieldType").is_empty() {
        return Err(Refusal::numbered("The field type field is required."));
    }
    if !META_TYPES.contains(&row.text("fieldType")) {
        return Err(Refusal::numbered("The selected field type is invalid."));
    }
    if before.is_some_and(|before| before.text("fieldType") != row.text("fieldType")) {
        return Err(Refusal::numbered("The field type cannot be changed."));
    }
    Ok(())
}

/// 1 subscribed, 2 unsubscribed; who unsubscribed comes back with `sourceid` 4 only (sheet: section 2 \[doc\]).
fn list(world: &World, row: &Row) -> Result<(), Refusal> {
    let status = row.number("status").unwrap_or(9);
    if !matches!(status, 1 | 2) {
        return Err(Refusal::wrong("status", "1 or 2 is expected"));
    }
    let there = already(world, Kind::ContactList, row).and_then(|id| world.get(Kind::ContactList, id));
    let left = there.is_some_and(|there| there.number("status") == Some(2));
    if left && status == 1 && row.number("sourceid") != Some(4) {
        return Err(Refusal::wrong("sourceid", "a contact who unsubscribed needs the source 4"));
    }
    Ok(())
}

/// The refusal of a unique text that another row has.
pub(super) fn duplicate(kind: Kind, key: &'static str, text: &str) -> Refusal {
    match kind {
        Kind::Contact => Refusal::key(key, "duplicate", "Email address already exists in the system"),
        Kind::Account => Refusal::key(key, "duplicate", format!("An account named {text} already exists")),
        Kind::DealField | Kind::AccountField => Refusal::numbered("The field label has already been taken."),
        _ => Refusal::key(key, "duplicate", format!("The {key} is already in use")),
    }
}

/// The row that a new one would repeat, where repeating is no mistake: tags and lists of a contact.
pub(super) fn already(world: &World, kind: Kind, row: &Row) -> Option<u64> {
    let other = match kind {
        Kind::ContactTag => "tag",
        Kind::ContactList => "list",
        _ => return None,
    };
    let contact = row.number("contact")?;
    let mut there = world.pointing(kind, "contact", contact).filter(|there| there.number(other) == row.number(other));
    there.next().map(|row| row.id)
}

/// Answers a creation that repeats a row: 200 (sheet: section 2 \[rec\]).
pub(super) fn again(world: &mut World, call: &mut Call<'_>, kind: Kind, id: u64, new: &Row) -> Answer {
    let before = world.get(kind, id).cloned().ok_or_else(|| Refusal::related("contact"))?;
    let mut after = before.clone();
    for key in ["status", "sourceid", "unsubreason"] {
        if let Some(value) = new.get(key) {
            after.set(key, Some(value.clone()));
        }
    }
    if after != before {
        after.updated = call.at;
        commit(world, call, kind, Some(&before), after, Action::Updated);
        touched(world, call, new.number("contact"));
    }
    write::answer(world, call, kind, id, 200, false)
}

/// What follows from a new row.
pub(super) fn made(world: &mut World, call: &mut Call<'_>, kind: Kind, id: u64) {
    if kind == Kind::Pipeline {
        // The documented three stages of a new pipeline (sheet: section 2).
        for (order, title) in ["To Contact", "In Contact", "Follow Up"].into_iter().enumerate() {
            let mut stage = Row::new(world.next_id(Kind::Stage), call.at);
            stage.set("title", Some(json!(title)));
            stage.set("group", Some(json!(id)));
            stage.set("order", Some(json!(order + 1)));
            commit(world, call, Kind::Stage, None, stage, Action::Created);
        }
    }
    if matches!(kind, Kind::ContactTag | Kind::ContactList) {
        let contact = world.get(kind, id).and_then(|row| row.number("contact"));
        touched(world, call, contact);
    }
}

/// Moves the contact's update time where the settings say so.
pub(super) fn touched(world: &mut World, call: &mut Call<'_>, contact: Option<u64>) {
    let Some(before) = contact.and_then(|id| world.get(Kind::Contact, id)).cloned() else { return };
    if world.settings.joins_touch {
        let after = Row { updated: call.at, ..before.clone() };
        commit(world, call, Kind::Contact, Some(&before), after, Action::Updated);
    }
}
