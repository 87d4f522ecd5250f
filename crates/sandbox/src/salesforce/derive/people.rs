//! Names of people, converted leads, members of campaigns.

use serde_json::{Value as Json, json};

use super::Draft;
use crate::salesforce::refusal::Fault;
use crate::salesforce::world::{World, is_deleted, text};

/// `Name` is first and last name.
pub(super) fn name(draft: &mut Draft<'_>) {
    let name = format!("{} {}", draft.text("FirstName"), draft.text("LastName")).trim().to_owned();
    draft.set("Name", json!(name));
}

/// Converted leads are closed (sheet: section 9).
pub(super) fn lead(draft: &mut Draft<'_>) -> Result<(), Fault> {
    name(draft);
    let was = draft.old.is_some_and(|old| old.get("IsConverted") == Some(&Json::Bool(true)));
    let born = draft.old.is_none() && draft.record.get("IsConverted") == Some(&Json::Bool(true));
    if (was || born) && !draft.by.system {
        return Err(Fault::row("CANNOT_UPDATE_CONVERTED_LEAD", "cannot reference converted lead", &[]));
    }
    Ok(())
}

/// A member is one lead or one contact, once in its campaign, with a status that the campaign knows.
pub(super) fn member(world: &World, draft: &mut Draft<'_>) -> Result<(), Fault> {
    let (lead, contact) = (draft.text("LeadId").to_owned(), draft.text("ContactId").to_owned());
    let person = match (lead.is_empty(), contact.is_empty()) {
        (false, true) => lead,
        (true, false) => contact,
        _ => {
            let message = "Campaign members need a lead or a contact, and not both";
            return Err(Fault::row("FIELD_INTEGRITY_EXCEPTION", message, &["LeadId", "ContactId"]));
        }
    };
    let campaign = draft.text("CampaignId").to_owned();
    let id = draft.text("Id").to_owned();
    let other = world.rows("CampaignMember").find(|(other, record)| {
        **other != id
            && !is_deleted(record)
            && text(record, "CampaignId") == campaign
            && text(record, "LeadOrContactId") == person
    });
    if other.is_some() {
        return Err(Fault::row("DUPLICATE_VALUE", "Already a campaign member.", &[]));
    }
    let statuses: Vec<_> = world
        .rows("CampaignMemberStatus")
        .map(|(_, record)| record)
        .filter(|record| !is_deleted(record) && text(record, "CampaignId") == campaign)
        .collect();
    let status = draft.text("Status").to_owned();
    let known = statuses.iter().find(|record| text(record, "Label").eq_ignore_ascii_case(&status));
    if !statuses.is_empty() && known.is_none() {
        let message = format!("Status: bad value for restricted picklist field: {status}");
        return Err(Fault::row("INVALID_OR_NULL_FOR_RESTRICTED_PICKLIST", message, &["Status"]));
    }
    let responded = known.map_or(status == "Responded", |record| record.get("HasResponded") == Some(&Json::Bool(true)));
    draft.set("HasResponded", json!(responded));
    draft.set("Type", json!(if person.starts_with("00Q") { "Lead" } else { "Contact" }));
    let name = world.find(&person).map(|(_, record)| text(record, "Name").to_owned()).unwrap_or_default();
    draft.set("Name", if name.is_empty() { Json::Null } else { json!(name) });
    draft.set("LeadOrContactId", json!(person));
    Ok(())
}
