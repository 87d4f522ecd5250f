//! Converting leads: a contact, perhaps an account and a deal, and the lead is out of sight (sheet: section 2; trap 7).

use serde_json::{Map, Value as Json, json};

use super::call::Call;
use super::draft::{self, Writer};
use super::refusal::{Answer, Refusal, success};
use super::schema::Module;
use super::scopes::Does;
use super::values::id_of;
use super::world::{Binned, Id, Row, World};
use super::{instant, view, write};
use crate::Reply;
use crate::journal::Action;

/// Where values of the lead go: lead, account, contact.
const MAPPING: [(&str, &str, &str); 21] = [
    ("Company", "Account_Name", ""),
    ("Salutation", "", "Salutation"),
    ("First_Name", "", "First_Name"),
    ("Last_Name", "", "Last_Name"),
    ("Designation", "", "Title"),
    ("Email", "", "Email"),
    ("Secondary_Email", "", "Secondary_Email"),
    ("Phone", "Phone", "Phone"),
    ("Mobile", "", "Mobile"),
    ("Fax", "Fax", "Fax"),
    ("Website", "Website", ""),
    ("Lead_Source", "", "Lead_Source"),
    ("Industry", "Industry", ""),
    ("No_of_Employees", "Employees", ""),
    ("Annual_Revenue", "Annual_Revenue", ""),
    ("Street", "Billing_Street", "Mailing_Street"),
    ("City", "Billing_City", "Mailing_City"),
    ("State", "Billing_State", "Mailing_State"),
    ("Zip_Code", "Billing_Code", "Mailing_Zip"),
    ("Country", "Billing_Country", "Mailing_Country"),
    ("Description", "", "Description"),
];

/// `POST /Leads/{id}/actions/convert`.
pub(super) fn answer(world: &mut World, call: &Call<'_>, module: &Module, text: &str) -> Answer {
    call.may_in(world, "Leads", Does::Create)?;
    if module.api_name != "Leads" {
        return Err(Refusal::no_url());
    }
    let by = Writer::of(call);
    let lead = by.record(world, module, text).and_then(|id| world.get("Leads", id)).cloned();
    let lead = lead.ok_or_else(|| Refusal::bad_id("id", "$.id"))?;
    if lead.is("$converted") {
        return Err(Refusal::new("ID_ALREADY_CONVERTED", "id already converted").with(json!({"id": text})));
    }
    let (_, items) = call.items("data", 1)?;
    let item = items.first().and_then(Json::as_object).cloned().unwrap_or_default();
    let made = convert(world, &lead, &item, &by)?;
    let told = |world: &World, module: &str, id: Option<Id>| {
        let row = id.and_then(|id| world.get(module, id));
        row.map(|row| json!({"name": view::name(world, module, row), "id": row.id.to_string()}))
    };
    let plain = |id: Option<Id>| id.map(|id| id.to_string());
    let done = match call.version {
        2..=5 => {
            json!({"Contacts": plain(Some(made.contact)), "Accounts": plain(made.account), "Deals": plain(made.deal)})
        }
        _ => {
            let details = json!({"Contacts": told(world, "Contacts", Some(made.contact)),
                "Accounts": told(world, "Accounts", made.account), "Deals": told(world, "Deals", made.deal)});
            Json::Object(success("The record has been converted successfully", details))
        }
    };
    Ok(Reply::json(200, &json!({"data": [done]})))
}

/// What a lead became.
struct Made {
    account: Option<Id>,
    contact: Id,
    deal: Option<Id>,
}

/// Judges everything before anything is written.
fn convert(world: &mut World, lead: &Row, item: &Map<String, Json>, by: &Writer) -> Result<Made, Refusal> {
    let owner = match item.get("assign_to").and_then(id_of) {
        Some(id) if world.is_active_user(id) => id.to_string(),
        Some(_) => return Err(Refusal::bad_related("assign_to", "$.data[0].assign_to")),
        None => lead.text("Owner").to_owned(),
    };
    let chosen = |world: &World, module: &str| match item.get(module).and_then(id_of) {
        Some(id) if world.get(module, id).is_some() => Ok(Some(id)),
        Some(_) => Err(Refusal::bad_related(module, &format!("$.data[0].{module}.id"))),
        None => Ok(None),
    };
    let (account, contact) = (chosen(world, "Accounts")?, chosen(world, "Contacts")?);
    let shape = |world: &World, name: &str| world.module(name).cloned().unwrap_or_default();
    let (accounts, contacts, deals) = (shape(world, "Accounts"), shape(world, "Contacts"), shape(world, "Deals"));
    let new_account = match account {
        None if !lead.text("Company").is_empty() => {
            let fields = mapped(lead, &owner, |(_, account, _)| account);
            Some(draft::insert(world, &accounts, &fields, by, "$.data[0].Accounts")?)
        }
        _ => None,
    };
    let new_contact = match contact {
        None => {
            let fields = mapped(lead, &owner, |(_, _, contact)| contact);
            Some(draft::insert(world, &contacts, &fields, by, "$.data[0].Contacts")?)
        }
        Some(_) => None,
    };
    let new_deal = match item.get("Deals").and_then(Json::as_object) {
        Some(fields) => {
            let mut fields = fields.clone();
            fields.entry("Owner").or_insert(json!({"id": owner}));
            Some(draft::insert(world, &deals, &fields, by, "$.data[0].Deals")?)
        }
        None => None,
    };
    let account = new_account.map(|row| write::commit(world, &accounts, row, Action::Created).id).or(account);
    let with = |row: Row, field: &str, id: Option<Id>| {
        let mut row = row;
        if let Some(id) = id {
            row.set(field, Some(json!(id.to_string())));
        }
        row
    };
    let contact = match (new_contact, contact) {
        (Some(row), _) => write::commit(world, &contacts, with(row, "Account_Name", account), Action::Created).id,
        (None, Some(id)) => id,
        (None, None) => 0,
    };
    let deal = new_deal.map(|row| {
        let row = with(with(row, "Account_Name", account), "Contact_Name", Some(contact));
        write::commit(world, &deals, row, Action::Created).id
    });
    retire(world, lead, contact, by);
    Ok(Made { account, contact, deal })
}

fn mapped(
    lead: &Row,
    owner: &str,
    to: impl Fn((&'static str, &'static str, &'static str)) -> &'static str,
) -> Map<String, Json> {
    let mut fields = Map::new();
    for line in MAPPING {
        if let Some(value) = lead.values.get(line.0).filter(|_| !to(line).is_empty()) {
            fields.insert(to(line).to_owned(), value.clone());
        }
    }
    fields.insert("Owner".to_owned(), json!({"id": owner}));
    fields
}

/// Takes the lead out of sight; what hung on it hangs on the contact.
fn retire(world: &mut World, lead: &Row, contact: Id, by: &Writer) {
    for (module, lookup) in [
        ("Notes", "Parent_Id"),
        ("Attachments", "Parent_Id"),
        ("Tasks", "What_Id"),
        ("Events", "What_Id"),
        ("Calls", "What_Id"),
    ] {
        for id in world.pointing(module, lookup, lead.id) {
            let Some(mut row) = world.get(module, id).cloned() else { continue };
            if lookup == "Parent_Id" {
                row.set("$se_module", Some(json!("Contacts")));
                row.set(lookup, Some(json!(contact.to_string())));
            } else {
                row.set("$se_module", None);
                row.set(lookup, None);
                row.set("Who_Id", Some(json!(contact.to_string())));
            }
            world.put(module, row, Action::Updated);
        }
    }
    let mut after = Row { modified: world.now, modified_by: by.user, ..lead.clone() };
    after.set("$converted", Some(json!(true)));
    after.set("Converted_Date_Time", Some(json!(instant::kept(world.now))));
    world.put("Leads", after, Action::Updated);
    if world.settings.converted_in_feed {
        let (module, row, at) = ("Leads".to_owned(), lead.clone(), world.now);
        world.bin.insert(lead.id, Binned { module, row, at, by: by.user, root: lead.id, permanent: true, told: true });
    }
}
