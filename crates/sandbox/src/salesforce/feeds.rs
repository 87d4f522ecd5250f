//! Ids of what was changed and deleted in a span of time (sheet: section 4 \[doc, fixture\]).

use serde_json::{Value as Json, json};

use super::call::Call;
use super::instant::{self, Seconds, stamp};
use super::refusal::{Answer, Fault};
use super::sobjects::object;
use super::world::{World, is_deleted, seconds};
use crate::Reply;

const DAY: Seconds = 86_400;

/// How many ids a span may have.
const MOST: usize = 600_000;

/// `GET /sobjects/Account/updated/?start=&end=`.
pub(super) fn updated(world: &World, call: &Call<'_>, name: &str) -> Answer {
    let name = object(world, name)?.name.clone();
    let (start, end) = span(call, 30)?;
    let ids: Vec<String> = world
        .stamped_since(&name, &stamp(start))
        .into_iter()
        .filter(|id| {
            world.get(&name, id).is_some_and(|record| !is_deleted(record) && seconds(record, "SystemModstamp") < end)
        })
        .collect();
    if ids.len() > MOST {
        return Err(Fault::new("EXCEEDED_ID_LIMIT", "too many ids in the span"));
    }
    Ok(Reply::json(200, &json!({"ids": ids, "latestDateCovered": stamp(end.min(call.at - call.at.rem_euclid(60)))})))
}

/// `GET /sobjects/Account/deleted/?start=&end=`.
pub(super) fn deleted(world: &World, call: &Call<'_>, name: &str) -> Answer {
    let name = object(world, name)?.name.clone();
    let (start, end) = span(call, 15)?;
    let empty = std::collections::VecDeque::new();
    let gone = world.gone.get(&name).unwrap_or(&empty);
    let earliest = call.at - 15 * DAY;
    let records: Vec<Json> = gone
        .iter()
        .filter(|(at, id)| (start..end).contains(at) && world.get(&name, id).is_none_or(is_deleted))
        .map(|(at, id)| json!({"id": id, "deletedDate": stamp(*at)}))
        .collect();
    let latest = end.min(call.at - call.at.rem_euclid(60));
    Ok(Reply::json(
        200,
        &json!({"deletedRecords": records, "earliestDateAvailable": stamp(earliest - earliest.rem_euclid(60)),
        "latestDateCovered": stamp(latest)}),
    ))
}

/// Start and end to the minute; the start lies so many days back at most.
fn span(call: &Call<'_>, days: i64) -> Result<(Seconds, Seconds), Fault> {
    if call.method() != "GET" {
        return Err(call.not_allowed("HEAD,GET"));
    }
    // A plus sign that was not escaped arrives as a blank.
    let read = |name: &str| {
        let given = call.request.param(name).unwrap_or("").replace(' ', "+");
        instant::read(&given).map(|at| at - at.rem_euclid(60))
    };
    let (Some(start), Some(end)) = (read("start"), read("end")) else {
        return Err(Fault::new("INVALID_REPLICATION_DATE", "start and end must be given as dates with a time"));
    };
    if end - start < 60 {
        let message = "startDate before endDate must be at least one minute";
        return Err(Fault::new("INVALID_REPLICATION_DATE", message));
    }
    if start < call.at - days * DAY {
        let message = format!("startDate cannot be more than {days} days ago");
        return Err(Fault::new("INVALID_REPLICATION_DATE", message));
    }
    Ok((start, end))
}
