//! Actions that end something: opportunities won and lost, cases closed, leads qualified (sheet: section 5.6).

use serde_json::{Value as Json, json};

use super::actions::{context, nested};
use super::call::Call;
use super::draft::Draft;
use super::refusal::{Answer, Fault, no_content};
use super::world::{World, number, points, reference, text};
use super::write;
use crate::Reply;

/// The row of the closing activity, and what it is about.
fn about(world: &World, table: &str, close: &str, column: &str) -> Result<String, Fault> {
    let row = world.get(table, close).and_then(|row| points(row, column));
    row.map(|(_, id)| id.to_owned()).ok_or_else(|| Fault::argument(format!("The body does not bind '{column}'.")))
}

fn ended(world: &mut World, call: &Call<'_>, table: &str, id: &str, state: i64, status: i64) -> Result<(), Fault> {
    let entity = world.entity(table).ok_or_else(|| Fault::no_segment(table))?;
    let now = world.get(table, id).and_then(|row| row.get("statecode")).and_then(Json::as_i64);
    if now != Some(0) {
        let message = format!("The {table} is already closed.");
        return Err(Fault::argument(message));
    }
    let mut draft = Draft::empty(entity);
    draft = draft.with("statecode", Some(json!(state))).with("statuscode", Some(json!(status)));
    write::update(world, id, &draft, &call.writer().system())
}

/// Ends the activity that stands for the closing.
fn completed(world: &mut World, call: &Call<'_>, table: &str, id: &str) -> Result<(), Fault> {
    let Some(entity) = world.entity(table) else { return Ok(()) };
    let draft = Draft::empty(entity).with("statecode", Some(json!(1)));
    write::update(world, id, &draft, &call.writer().system())
}

/// `POST /WinOpportunity`, `POST /LoseOpportunity`.
pub(super) fn close_opportunity(world: &mut World, call: &Call<'_>, won: bool) -> Answer {
    let body = call.map()?;
    let status = body.get("Status").and_then(Json::as_i64).unwrap_or(-1);
    let (state, allowed): (i64, &[i64]) = if won { (1, &[3, -1]) } else { (2, &[4, 5, -1]) };
    if !allowed.contains(&status) {
        let message = format!("{status} is not a valid status code for state code {state} on opportunity.");
        return Err(Fault::new(400, "0x80048408", message));
    }
    let status = if status == -1 { state + 2 } else { status };
    let close = nested(world, call, "opportunityclose", body.get("OpportunityClose"))?;
    let id = about(world, "opportunityclose", &close, "opportunityid")?;
    ended(world, call, "opportunity", &id, state, status)?;
    let row = world.get("opportunityclose", &close).cloned().unwrap_or_default();
    let end = text(&row, "actualend").get(..10).map(str::to_owned);
    let day = end.unwrap_or_else(|| super::instant::stamp(call.at).chars().take(10).collect());
    let estimated = world.get("opportunity", &id).and_then(|row| number(row, "estimatedvalue"));
    let value = number(&row, "actualrevenue").or(if won { estimated } else { Some(0.0) });
    let rate = world.get("opportunity", &id).and_then(|row| number(row, "exchangerate")).unwrap_or(1.0);
    let values = [
        ("actualclosedate", Some(json!(day))),
        ("actualvalue", value.map(|value| json!(value))),
        ("actualvalue_base", value.map(|value| json!(value / rate))),
    ];
    write::patch(world, "opportunity", &id, &values);
    completed(world, call, "opportunityclose", &close)?;
    Ok(no_content())
}

/// `POST /CloseIncident`.
pub(super) fn close_incident(world: &mut World, call: &Call<'_>) -> Answer {
    let body = call.map()?;
    let status = body.get("Status").and_then(Json::as_i64).unwrap_or(5);
    if ![5, 1_000, -1].contains(&status) {
        let message = format!("{status} is not a valid status code for state code 1 on incident.");
        return Err(Fault::new(400, "0x80048408", message));
    }
    let close = nested(world, call, "incidentresolution", body.get("IncidentResolution"))?;
    let id = about(world, "incidentresolution", &close, "incidentid")?;
    ended(world, call, "incident", &id, 1, if status == -1 { 5 } else { status })?;
    completed(world, call, "incidentresolution", &close)?;
    Ok(no_content())
}

/// `POST /leads(guid)/Microsoft.Dynamics.CRM.QualifyLead`.
pub(super) fn qualify(world: &mut World, call: &Call<'_>, id: &str) -> Answer {
    let body = call.map()?;
    let wants = |name: &str| body.get(name) == Some(&Json::Bool(true));
    let status = body.get("Status").and_then(Json::as_i64).unwrap_or(3);
    let lead = world.get("lead", id).cloned().ok_or_else(|| Fault::no_row("lead", id))?;
    ended(world, call, "lead", id, 1, if status == -1 { 3 } else { status })?;
    let mut made: Vec<Json> = Vec::new();
    let mut add = |world: &mut World, table: &str, values: Vec<(&str, Option<Json>)>| -> Result<String, Fault> {
        let entity = world.entity(table).ok_or_else(|| Fault::no_segment(table))?;
        let mut draft = Draft::empty(entity.clone()).with("originatingleadid", Some(reference("lead", id)));
        for (column, value) in values.into_iter().filter(|(_, value)| value.is_some()) {
            draft = draft.with(column, value);
        }
        let new = write::create(world, &draft, &call.writer())?;
        made.push(json!({"@odata.type": format!("#Microsoft.Dynamics.CRM.{table}"), format!("{table}id"): new}));
        Ok(new)
    };
    let of = |column: &str| lead.get(column).cloned();
    let mut account = None;
    if wants("CreateAccount") && lead.contains_key("companyname") {
        let values =
            vec![("name", of("companyname")), ("telephone1", of("telephone1")), ("emailaddress1", of("emailaddress1"))];
        account = Some(add(world, "account", values)?);
    }
    let mut contact = None;
    if wants("CreateContact") {
        let parent = account.as_ref().map(|account| reference("account", account));
        let values = vec![
            ("firstname", of("firstname")),
            ("lastname", of("lastname")),
            ("emailaddress1", of("emailaddress1")),
            ("telephone1", of("telephone1")),
            ("parentcustomerid", parent),
        ];
        contact = Some(add(world, "contact", values)?);
    }
    if wants("CreateOpportunity") {
        let customer =
            account.as_ref().map(|id| reference("account", id)).or(contact.as_ref().map(|id| reference("contact", id)));
        add(world, "opportunity", vec![("name", of("subject")), ("customerid", customer)])?;
    }
    Ok(Reply::json(200, &json!({"@odata.context": context(call, "QualifyLead"), "value": made})))
}
