//! Large batches, written by jobs of the Bulk API 2.0 (sheet: Salesforce section 5.5 \[doc\]).
//!
//! A job is begun, gets its rows in one upload, is closed, asked whether it is done, and tells what it refused and what
//! it wrote. Nothing is done before it is closed: a job that could not be filled is left as it is, and another one is
//! begun.
//!
//! - Only upserts by a key and updates by ids go this way: whatever is lost on the way, sending it again does no harm.
//! - Results are joined by the key or the id that each row has. A row that is in none of them, or in several, is unknown:
//!   so nothing is read of what was not worked on.
//! - A job that failed, or that somebody aborted, may have written some rows: its results are read all the same.
//! - A cell says less than JSON does. An empty one leaves its field as it is, `#N/A` clears it: so a text that is just
//!   that, or one that is longer than a cell may be, is not sent this way. Blanks around a text are taken away here, as
//!   the platform does it with JSON (section 9 \[unsure\] whether it does it with cells).

use std::collections::{BTreeSet, HashMap, HashSet};

use csv::{ReaderBuilder, StringRecord, Terminator, WriterBuilder};
use handover_connect::{
    Body, Fault, FaultKind, Method, Piece, Refusal, Reply, Request, Step, Write, WriteBatch, WriteMode, WriteOutcome,
    Written,
};
use handover_model::Schema;
use serde_json::json;

use super::bulk;
use super::capabilities::{BULK, CALL};
use super::encode::{at_most, collection, with_body};
use super::faults;
use super::ids::is_id;
use super::objects::{DATA, Object};
use super::place::{Ingest, Next, Place};
use super::reading::part_of;
use super::write::{aim_of, columns_of, has_key, own_field, record_of, twice};
use crate::marks::{Mark, Refused, foreign};

/// What a cell says that clears its field.
const CLEARED: &str = "#N/A";
/// How long a cell, a row and the header may be, in characters (sheet: Salesforce section 5.5; whether long texts may be
/// longer is \[unsure\]).
const LONGEST: (usize, usize, usize) = (32_000, 400_000, 32_000);

/// How long is waited before the state is asked for, in milliseconds: as many as there are rows, but for these bounds;
/// each time twice as long.
const WAIT_MS: (u64, u64) = (2_000, 120_000);
/// How often the state is asked for: about twenty minutes. What takes longer is aborted: people may have changed by then
/// what it would write over.
const MOST_ASKED: u32 = 13;
/// How often something of a job is done once more.
const MOST_LOST: u32 = 2;

/// The next request of a job; the first one begins it.
pub(super) fn request(
    object: &Object<'_>,
    batch: &WriteBatch,
    place: Option<Place>,
    learnt: Option<&Schema>,
) -> Result<Request, Refusal> {
    let job = match place {
        None => Ingest { next: Next::Begin, ..Ingest::default() },
        Some(Place::Ingest(job)) => job,
        Some(_) => return Err(foreign()),
    };
    let path = format!("{DATA}/jobs/ingest");
    let one = format!("{path}/{}", job.id);
    let patch = |state: &str| with_body(Method::Patch, one.clone(), json!({"state": state}).to_string().into_bytes());
    Ok(match job.next {
        // What it cannot carry is refused before it is there. One more job without rows does no harm.
        Next::Begin => with_body(Method::Post, path, beginning(object, batch, learnt)?).idempotent(),
        Next::Upload => {
            let mut request = Request::new(Method::Put, format!("{one}/batches"), &CALL).idempotent();
            let (text, _) = rows(object, batch, learnt)?;
            request.body = Body::Pieces { kind: "text/csv; charset=UTF-8".to_owned(), pieces: vec![Piece::Text(text)] };
            request
        }
        Next::Close => patch("UploadComplete").idempotent(),
        Next::Ask => Request::new(Method::Get, one, &CALL),
        Next::Abort => patch("Aborted").idempotent(),
        Next::Failed => bulk::rows(format!("{one}/failedResults")),
        Next::Successful => bulk::rows(format!("{one}/successfulResults")),
    })
}

fn beginning(object: &Object<'_>, batch: &WriteBatch, learnt: Option<&Schema>) -> Result<Vec<u8>, Refusal> {
    let (_, end) = rows(object, batch, learnt)?;
    let mut body = json!({
        "object": object.name,
        "operation": "update",
        "contentType": "CSV",
        "columnDelimiter": "COMMA",
        "lineEnding": end,
    });
    if let WriteMode::Upsert { key } = &batch.mode {
        body["operation"] = json!("upsert");
        body["externalIdFieldName"] = json!(key.as_str());
    }
    Ok(body.to_string().into_bytes())
}

/// The column by which results are joined.
fn joined_by(mode: &WriteMode) -> &str {
    match mode {
        WriteMode::Upsert { key } => key.as_str(),
        WriteMode::Create { .. } | WriteMode::Update => "Id",
    }
}

/// The rows of a batch as CSV, and which end of lines it has: one that no cell has, since cells may have several lines.
fn rows(object: &Object<'_>, batch: &WriteBatch, learnt: Option<&Schema>) -> Result<(String, &'static str), Refusal> {
    match &batch.mode {
        WriteMode::Upsert { key } if object.by_job() => has_key(object, key)?,
        // What is asked before some records are written is asked for collections.
        WriteMode::Update if object.by_job() && !super::before::is_needed(batch) => {}
        _ => collection(batch.writes.len())?,
    }
    at_most(batch.writes.len(), BULK.most)?;
    let (text, has_both) = table(object, batch, learnt, Terminator::Any(b'\n'))?;
    if has_both { Ok((table(object, batch, learnt, Terminator::CRLF)?.0, "CRLF")) } else { Ok((text, "LF")) }
}

/// The rows with such an end of lines, and whether a cell has one of two characters.
fn table(
    object: &Object<'_>,
    batch: &WriteBatch,
    learnt: Option<&Schema>,
    end: Terminator,
) -> Result<(String, bool), Refusal> {
    let odd = |error: csv::Error| Refusal::unsupported(format!("the rows cannot be written as CSV: {error}"));
    let by = joined_by(&batch.mode);
    let named = batch.writes.iter().flat_map(|write| write.fields.iter().map(|(name, _)| part_of(name.as_str()).0));
    let columns: BTreeSet<&str> = named.filter(|name| *name != by).collect();
    let (_, longest_row, longest_header) = LONGEST;
    if columns.iter().map(|column| column.len() + 1).sum::<usize>() + by.len() > longest_header {
        return Err(Refusal::unsupported("so many fields do not fit into a job"));
    }
    let mut out = WriterBuilder::new().terminator(end).from_writer(Vec::new());
    out.write_record(std::iter::once(by).chain(columns.iter().copied())).map_err(odd)?;
    let mut seen = HashSet::with_capacity(batch.writes.len());
    let mut has_both = false;
    for write in batch.writes.iter() {
        let key = key_of(&batch.mode, write)?;
        let values = columns_of(object, write, false, learnt)?;
        let mut length = key.len();
        out.write_field(&key).map_err(odd)?;
        for column in &columns {
            let cell = values.get(column).map_or(Ok(String::new()), |json| cell(column, json))?;
            has_both |= cell.contains("\r\n");
            length += cell.len();
            out.write_field(&cell).map_err(odd)?;
        }
        out.write_record(None::<&[u8]>).map_err(odd)?;
        if length > longest_row {
            return Err(Refusal::invalid(by, "the record's values do not fit into a row of a job"));
        }
        if !seen.insert(record_of(&batch.mode, key)) {
            return Err(twice());
        }
    }
    let text = out.into_inner().map_err(|error| Refusal::unsupported(error.to_string()))?;
    let text = String::from_utf8(text).map_err(|error| Refusal::unsupported(error.to_string()))?;
    Ok((text, has_both))
}

/// What a row is told by.
fn key_of(mode: &WriteMode, write: &Write) -> Result<String, Refusal> {
    let aim = aim_of(mode, write)?.ok_or_else(|| Refusal::unsupported("new records without a key go by no job"))?;
    Ok(aim.trim().to_owned())
}

/// A value of a body as a cell.
fn cell(column: &str, json: &str) -> Result<String, Refusal> {
    if !json.starts_with('"') {
        return Ok(if json == "null" { CLEARED.to_owned() } else { json.to_owned() });
    }
    let odd = |error| Refusal::unsupported(format!("`{column}`: {error}"));
    let text: String = serde_json::from_str(json).map_err(odd)?;
    let text = text.trim();
    let (longest, ..) = LONGEST;
    match text {
        "" => Ok(CLEARED.to_owned()),
        text if text.eq_ignore_ascii_case(CLEARED) => {
            Err(Refusal::invalid(column, format!("`{column}` would be cleared by this text in a job")))
        }
        text if text.chars().count() > longest => {
            Err(Refusal::invalid(column, format!("`{column}` is longer than a cell of a job may be")))
        }
        text => Ok(text.to_owned()),
    }
}

/// What the reply means that begins a job.
pub(super) fn begun(reply: &Reply, job: Ingest) -> Result<Step, Fault> {
    if let Err(fault) = faults::check(reply, true) {
        return Err(if bulk::passes(&fault) { fault } else { not_taken(&fault) });
    }
    let told = bulk::told(reply)?;
    Ok(Place::Ingest(Ingest { id: told.id, next: Next::Upload, ..job }).then())
}

/// What a later reply means.
pub(super) fn read(batch: &WriteBatch, job: Ingest, reply: &Reply) -> Result<Step, Fault> {
    if job.next == Next::Begin {
        return begun(reply, job);
    }
    let rows = batch.writes.len();
    if let Err(fault) = faults::check(reply, true) {
        return if bulk::passes(&fault) { Err(fault) } else { without(job, fault, rows) };
    }
    match job.next {
        Next::Begin | Next::Upload => Ok(Place::Ingest(Ingest { next: Next::Close, ..job }).then()),
        Next::Close => Ok(asked_after(Ingest { next: Next::Ask, ..job }, rows)),
        Next::Ask => asked(batch, job, bulk::told(reply)?),
        // What it did is read like everything else.
        Next::Abort => Ok(Place::Ingest(Ingest { next: Next::Failed, ..job }).then()),
        Next::Failed => {
            let refused = refused(batch, reply)?;
            Ok(Place::Ingest(Ingest { next: Next::Successful, refused, ..job }).then())
        }
        Next::Successful => successful(batch, job, reply),
    }
}

/// A refusal that says nothing of the records: they go another way.
fn not_taken(fault: &Fault) -> Fault {
    let message = format!("the job is not taken: {}", fault.message);
    Fault::new(FaultKind::Unsupported, fault.code.clone(), message).with_status(fault.status)
}

/// Going on where a step of the job was refused.
fn without(job: Ingest, fault: Fault, rows: usize) -> Result<Step, Fault> {
    let is_there = fault.kind != FaultKind::NotFound;
    match job.next {
        // Whether an upload whose answer was lost arrived whole is not told; and what is not closed is not done.
        Next::Upload if job.lost < MOST_LOST => {
            let anew = Ingest { next: Next::Begin, lost: job.lost + 1, ..Ingest::default() };
            Ok(Place::Ingest(anew).instead_of(fault))
        }
        // Closed or done already, when the first answer was lost: its state tells.
        Next::Close | Next::Abort if is_there => Ok(asked_after(Ingest { next: Next::Ask, ..job }, rows)),
        _ => Err(not_taken(&fault)),
    }
}

/// Asking for the state after a while.
fn asked_after(job: Ingest, rows: usize) -> Step {
    let (least, most) = WAIT_MS;
    let first = u64::try_from(rows).unwrap_or(most).max(least);
    let wait_ms = crate::jobs::wait_ms(first, most, job.asked);
    Place::Ingest(Ingest { asked: job.asked + 1, ..job }).after(wait_ms)
}

/// What the state of a job means.
fn asked(batch: &WriteBatch, job: Ingest, told: bulk::Told) -> Result<Step, Fault> {
    let ended = |why: Option<Fault>| {
        let why = why.as_ref().map(Refused::from);
        // What is not counted as refused is looked for among what was written; what is not there is unknown.
        let next = if told.number_records_failed == Some(0) { Next::Successful } else { Next::Failed };
        Place::Ingest(Ingest { next, why, ..job.clone() }).then()
    };
    let no = |code: &str, message: String| Fault::new(FaultKind::Unsupported, code, message);
    match told.state.as_str() {
        "JobComplete" => Ok(ended(None)),
        "Aborted" | "Failed" => {
            let why = match (&job.why, told.state.as_str()) {
                // It took too long, and we did it.
                (Some(why), _) => why.clone().fault(),
                (None, "Aborted") => no("job_aborted", "somebody aborted the job that writes the records".to_owned()),
                (None, _) => no("job_failed", failure(told.error_message.as_deref())),
            };
            if told.number_records_processed == Some(0) {
                return Ok(Step::Written(unknown(batch, &why)));
            }
            Ok(ended(Some(why)))
        }
        "Open" if job.lost < MOST_LOST => {
            Ok(Place::Ingest(Ingest { next: Next::Close, lost: job.lost + 1, ..job }).then())
        }
        "Open" => Err(no("job_open", "the job that writes the records cannot be closed".to_owned())),
        "UploadComplete" | "InProgress" if job.asked < MOST_ASKED => Ok(asked_after(job, batch.writes.len())),
        "UploadComplete" | "InProgress" => {
            let why =
                no("job_takes_long", "the job that writes the records is not done after twenty minutes".to_owned());
            if job.asked >= MOST_ASKED + MOST_LOST {
                return Err(why);
            }
            let next = Ingest { next: Next::Abort, why: Some(Refused::from(&why)), ..job };
            Ok(Place::Ingest(next).instead_of(why))
        }
        _ => Err(Fault::malformed("the job is in a state that is not known")),
    }
}

/// That a job failed, with the platform's reason: its code, which stands first; what follows may have values.
fn failure(message: Option<&str>) -> String {
    let code = message.and_then(|message| message.split(|c: char| !c.is_ascii_alphanumeric()).next());
    let code = code.filter(|code| !code.is_empty()).map_or(String::new(), |code| format!(": {}", faults::short(code)));
    format!("the job that writes the records failed{code}")
}

fn unknown(batch: &WriteBatch, why: &Fault) -> Vec<Written> {
    let of = |write: &Write| Written { trace: write.trace.clone(), outcome: WriteOutcome::Unknown(why.clone()) };
    batch.writes.iter().map(of).collect()
}

/// Calls `each` for the rows of a result that are rows of the batch: with their place there, and two cells.
fn for_each_row(
    batch: &WriteBatch,
    reply: &Reply,
    columns: [&str; 2],
    mut each: impl FnMut(usize, [&str; 2]),
) -> Result<(), Fault> {
    if reply.body.iter().all(u8::is_ascii_whitespace) {
        return Ok(());
    }
    let mut places = HashMap::with_capacity(batch.writes.len());
    for (at, write) in batch.writes.iter().enumerate() {
        let key = key_of(&batch.mode, write).map_err(Fault::from)?;
        places.insert(record_of(&batch.mode, key), at);
    }
    let mut lines = ReaderBuilder::new().from_reader(reply.body.as_slice());
    let header = lines.headers().map_err(bulk::odd)?;
    let place = |name: &str| {
        let at = header.iter().position(|have| have.eq_ignore_ascii_case(name));
        at.ok_or_else(|| Fault::malformed(format!("the result has no column `{name}`")))
    };
    let [one, other] = columns;
    let (by, one, other) = (place(joined_by(&batch.mode))?, place(one)?, place(other)?);
    let mut cells = StringRecord::new();
    while lines.read_record(&mut cells).map_err(bulk::odd)? {
        let of = |at: usize| cells.get(at).unwrap_or_default();
        if let Some(at) = places.get(&record_of(&batch.mode, of(by).to_owned())) {
            each(*at, [of(one), of(other)]);
        }
    }
    Ok(())
}

/// What the job refused, by the rows' places in the batch.
fn refused(batch: &WriteBatch, reply: &Reply) -> Result<Vec<(usize, Refused)>, Fault> {
    let mut refused = Vec::new();
    for_each_row(batch, reply, ["sf__Id", "sf__Error"], |at, [_, error]| {
        if let Some(write) = batch.writes.get(at) {
            refused.push((at, Refused::from(&own_field(write, faults::of_cell(error)))));
        }
    })?;
    Ok(refused)
}

/// What became of all rows: the last answer of a job.
fn successful(batch: &WriteBatch, job: Ingest, reply: &Reply) -> Result<Step, Fault> {
    let why = job.why.map_or_else(|| Fault::malformed("the job's results do not mention this record"), Refused::fault);
    let mut outcomes: Vec<Option<WriteOutcome>> = vec![None; batch.writes.len()];
    let mut tell = |at: usize, outcome: WriteOutcome| {
        if let Some(place) = outcomes.get_mut(at) {
            // Told twice is not told.
            let is_first = place.is_none();
            *place = Some(if is_first { outcome } else { WriteOutcome::Unknown(why.clone()) });
        }
    };
    for (at, refused) in job.refused {
        let fault = refused.fault();
        // A lock means that it was not carried out; what else cannot be done now may have been.
        let is_open = matches!(fault.kind, FaultKind::Unavailable | FaultKind::Malformed);
        tell(at, if is_open { WriteOutcome::Unknown(fault) } else { WriteOutcome::Refused(fault) });
    }
    let mut made: HashMap<String, usize> = HashMap::with_capacity(batch.writes.len());
    for_each_row(batch, reply, ["sf__Id", "sf__Created"], |at, [id, created]| {
        // Rows whose keys differ in case alone may be one record.
        let is_new = is_id(id)
            && made.insert(super::ids::short(id).to_owned(), at).is_none_or(|other| {
                tell(other, WriteOutcome::Unknown(why.clone()));
                false
            });
        let created = match batch.mode {
            WriteMode::Update => Some(false),
            WriteMode::Create { .. } | WriteMode::Upsert { .. } => created.parse().ok(),
        };
        let applied = WriteOutcome::Applied { id: id.into(), created };
        tell(at, if is_new { applied } else { WriteOutcome::Unknown(why.clone()) });
    })?;
    let written = batch.writes.iter().zip(outcomes).map(|(write, outcome)| Written {
        trace: write.trace.clone(),
        outcome: outcome.unwrap_or_else(|| WriteOutcome::Unknown(why.clone())),
    });
    Ok(Step::Written(written.collect()))
}
