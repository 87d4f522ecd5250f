//! What replies mean, one for each operation and place.

use std::sync::Arc;

use handover_connect::{Fault, Operation, Reply, Step, Which};
use handover_model::{Fields, Record, RecordId, Schema, Value};

use super::encode::{asks_links, is_paged};
use super::jobs::Jobs;
use super::objects::{Family, is_standard, object};
use super::place::{Paged, Place, Through, page_of};
use super::reading::Reading;
use super::rows::{self, Page};
use super::{account, auth, fields, files, jobs, links, paged, queried, removal, schema, watch, write};

/// The meaning of a reply.
pub(super) fn step(
    operation: &Operation,
    place: Option<Place>,
    reply: &Reply,
    learnt: Option<Arc<Schema>>,
    jobs_when: Jobs,
) -> Result<Step, Fault> {
    meaning(operation, place, reply, learnt, jobs_when).map_err(|fault| scoped(operation, fault))
}

fn meaning(
    operation: &Operation,
    place: Option<Place>,
    reply: &Reply,
    learnt: Option<Arc<Schema>>,
    jobs_when: Jobs,
) -> Result<Step, Fault> {
    match operation {
        Operation::Account => account::told(place, reply),
        Operation::Objects => schema::modules_told(reply),
        Operation::Describe(name) => schema::described(&object(name.as_str()).map_err(Fault::from)?, place, reply),
        Operation::Users => account::users_told(page_of(place).map_err(Fault::from)?, reply),
        Operation::Count(_) => rows::count(reply).map(Step::Count),
        Operation::List(_) | Operation::Fetch { .. } | Operation::Candidates { .. } => {
            read(operation, &Reading::of(operation, learnt).map_err(Fault::from)?, place, reply, jobs_when)
        }
        Operation::Enrich { field, ids, .. } => {
            let reading = Reading::of(operation, learnt).map_err(Fault::from)?;
            if asks_links(&reading.object, &reading) {
                return links::enriched(field, ids, links::state(place).map_err(Fault::from)?, reply);
            }
            enriched(&reading, field.as_str(), reply)
        }
        Operation::Write(batch) => {
            let object = object(batch.object.as_str()).map_err(Fault::from)?;
            match object.family {
                Family::Attachment => files::uploaded(batch, reply),
                Family::Plain | Family::Activity | Family::Note => {
                    write::written(batch, place, learnt.as_deref(), reply)
                }
            }
        }
        Operation::Link(batch) => links::linked(batch, place, links::Way::Add, reply),
        Operation::Unlink(batch) => links::linked(batch, place, links::Way::TakeAway, reply),
        Operation::Delete { ids, .. } => removal::deleted(ids, reply),
        Operation::Merge { survivor, .. } => removal::merged(survivor, place, reply),
        Operation::Download { .. } => files::downloaded(reply),
        Operation::CreateField { object: name, field } => {
            fields::created(&object(name.as_str()).map_err(Fault::from)?, field, place, reply)
        }
        Operation::Subscriptions(what) => watch::answered(what, page_of(place).map_err(Fault::from)?, reply),
        Operation::Refresh => auth::refreshed(reply),
        Operation::Device { .. } => Err(Fault::unsupported("Zoho lets no app in from another device")),
        Operation::Automations | Operation::Feed { .. } | Operation::History { .. } => {
            Err(Fault::malformed("an answer that was not asked for"))
        }
    }
}

fn read(
    operation: &Operation,
    reading: &Reading<'_>,
    place: Option<Place>,
    reply: &Reply,
    jobs_when: Jobs,
) -> Result<Step, Fault> {
    if let Operation::List(read) = operation
        && read.which == Which::Deleted
    {
        return removal::feed_told(page_of(place).map_err(Fault::from)?, reply);
    }
    match (reading.object.family, operation) {
        (Family::Note, _) if is_paged(operation) => paged::told(reading, Paged::of(place).map_err(Fault::from)?, reply),
        (Family::Attachment, Operation::List(_)) => {
            files::through_told(reading, Through::of(place).map_err(Fault::from)?, reply)
        }
        (Family::Attachment, _) => files::some_told(operation, reading, page_of(place).map_err(Fault::from)?, reply),
        (Family::Plain, Operation::List(_)) => match jobs::here(reading, place) {
            Some(Place::Job(job)) => jobs::told(reading, job, reply, jobs_when),
            place => queried::told(operation, reading, place, reply, jobs_when),
        },
        _ => queried::told(operation, reading, place, reply, jobs_when),
    }
}

/// The field of a whole record.
fn enriched(reading: &Reading<'_>, name: &str, reply: &Reply) -> Result<Step, Fault> {
    let page = match Page::of(reply) {
        Err(fault) if links::is_gone(&fault) => Page::default(),
        page => page?,
    };
    let mut records = Vec::new();
    for row in &page.data {
        let id = rows::text(row, "id").ok_or_else(|| Fault::malformed("a record has no id"))?;
        let value = match name {
            // A record tells its layout under another name (sheet: Zoho section 2).
            "Layout" => reading.value("$layout_id", row),
            name => reading.value(name, row),
        };
        let mut fields = Fields::new();
        fields.set(name.into(), value.unwrap_or(Value::Null));
        records.push(Record { id: RecordId::from(id), fields, modified: None, gone: false });
    }
    Ok(Step::Page { records, next: None })
}

/// A refusal for want of a scope names those that the operation needs: the platform does not (sheet: Zoho section 1).
fn scoped(operation: &Operation, mut fault: Fault) -> Fault {
    if fault.code == "OAUTH_SCOPE_MISMATCH" {
        fault.message = format!("the grant lacks a scope; this needs {}", scopes(operation));
    }
    fault
}

fn scopes(operation: &Operation) -> String {
    let of = |name: &str, does: &str| {
        let word = if is_standard(name) { name.replace('_', "").to_lowercase() } else { "custom".to_owned() };
        format!("ZohoCRM.modules.{word}.{does}")
    };
    match operation {
        Operation::Account => "ZohoCRM.org.READ, ZohoCRM.settings.ALL and ZohoCRM.users.READ".to_owned(),
        Operation::Users => "ZohoCRM.users.READ".to_owned(),
        Operation::Objects | Operation::Describe(_) => {
            "ZohoCRM.settings.modules.READ, .fields.READ, .layouts.READ and .pipeline.READ".to_owned()
        }
        Operation::Count(object) => format!("{}, {QUERIES}", of(object.as_str(), "READ")),
        Operation::List(read) => format!("{}, {QUERIES}", of(read.object.as_str(), "READ")),
        Operation::Candidates { batch, .. } => format!("{}, {QUERIES}", of(batch.object.as_str(), "READ")),
        Operation::Fetch { object, .. } | Operation::Enrich { object, .. } | Operation::Download { object, .. } => {
            of(object.as_str(), "READ")
        }
        Operation::Write(batch) => of(batch.object.as_str(), "ALL"),
        Operation::Link(batch) | Operation::Unlink(batch) => {
            format!("{} and {}", of(batch.object.as_str(), "ALL"), of(batch.to_object.as_str(), "READ"))
        }
        Operation::Delete { object, .. } => of(object.as_str(), "DELETE"),
        Operation::Merge { object, .. } => of(object.as_str(), "ALL"),
        Operation::CreateField { .. } => "ZohoCRM.settings.fields.CREATE and .READ".to_owned(),
        Operation::Subscriptions(_) => "ZohoCRM.notifications.ALL".to_owned(),
        Operation::Automations
        | Operation::Feed { .. }
        | Operation::History { .. }
        | Operation::Refresh
        | Operation::Device { .. } => "ZohoCRM.modules.ALL".to_owned(),
    }
}

/// What queries need beside the module's own scope.
const QUERIES: &str = "ZohoCRM.coql.READ and ZohoCRM.settings.fields.READ";
