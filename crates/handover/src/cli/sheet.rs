//! The queue as a spreadsheet: written, filled in by people, taken back.

use handover_model::{Answer, RecordId, Value};
use handover_store::{HeldRow, HoldFilter, Store};
use serde_json::json;

use super::holds::{How, carry_answers, edited, record_name, taken};
use super::output::plural;
use super::session::Session;
use super::{Done, Global, Output, answers, queue};
use crate::kept::Recipients;
use crate::problem::{Exit, Problem};

/// Writes the queue to a file.
pub(super) async fn export(session: &Session, file: &std::path::Path, to: &Recipients, output: &Output) -> Done {
    let store = session.store_reading().await?;
    let rows = queue::rows(&store, &HoldFilter::default()).await?;
    let unwritten = || Problem::new("export", format!("{} could not be written", file.display()));
    let failed = |error: csv::Error| vec![unwritten().because(&error)];
    let sealed = to.open(Some(file), &|error| unwritten().because(error)).map_err(|problem| vec![problem])?;
    let mut writer = csv::Writer::from_writer(sealed);
    writer
        .write_record(["record", "title", "group", "why", "value", "answers", "answer", "answer_value", "comment"])
        .map_err(failed)?;
    for (row, _) in &rows {
        let value = row.hold.value.as_ref().map(Value::display).unwrap_or_default();
        writer
            .write_record([
                &format!("{}/{}", row.hold.flow, row.hold.record),
                &safe(&row.hold.title),
                &row.hold.cause.group(),
                &row.hold.cause.sentence(),
                &safe(&value),
                answers::fitting(&row.hold.cause),
                "",
                "",
                "",
            ])
            .map_err(failed)?;
    }
    let sealed = writer.into_inner().map_err(|error| vec![unwritten().because(error.error())])?;
    sealed.finish().map_err(|error| failed(error.into()))?;
    output.value(&json!({"exported": rows.len(), "file": file}));
    output.say(&format!("{} written to {}. Fill in `answer` (translate, assign, choose, create, edit, merge-into, take, delete, merge, keep, skip, accept, retry, close) and `answer_value`.", plural(rows.len() as u64, "hold"), file.display()));
    Ok(Exit::Done)
}

/// A spreadsheet takes a cell that begins like this for a formula.
fn safe(text: &str) -> String {
    if text.starts_with(['=', '+', '-', '@']) { format!("'{text}") } else { text.to_owned() }
}

/// Takes the answers from such a file: all or none.
pub(super) async fn import(
    session: &Session,
    global: &Global,
    file: &std::path::Path,
    how: &How,
    output: &Output,
) -> Done {
    let store = session.store().await?;
    let outcome = match given(&store, file).await {
        Ok(given) => {
            carry_answers(session, global, store.clone(), given, how.reviewer.clone(), how.later, output).await
        }
        Err(problems) => Err(problems),
    };
    let outcome = session.spent(&store, outcome).await;
    let outcome = Session::closed(store, outcome).await?;
    outcome.say(output);
    Ok(outcome.queue.exit())
}

/// The answers that stand in such a file.
async fn given(store: &Store, file: &std::path::Path) -> Result<Vec<(HeldRow, Answer, String)>, Vec<Problem>> {
    let failed = |error: csv::Error| {
        vec![
            Problem::new("import", format!("{} could not be read", file.display()))
                .because(&error)
                .state("nothing was answered")
                .hint("`handover holds export FILE` writes such a file"),
        ]
    };
    // Of lines that end in two characters the reader counts the second one to the next line.
    let text = std::fs::read_to_string(file).map_err(|error| failed(error.into()))?.replace("\r\n", "\n");
    let mut reader = csv::Reader::from_reader(text.as_bytes());
    let head = reader.headers().map_err(failed)?.clone();
    let mut given = Vec::new();
    let mut problems = Vec::new();
    for record in reader.records() {
        let record = record.map_err(failed)?;
        let line = record.position().map_or(0, csv::Position::line);
        let cell = |name: &str| {
            head.iter()
                .position(|have| have == name)
                .and_then(|at| record.get(at))
                .unwrap_or_default()
                .trim()
                .to_owned()
        };
        if cell("answer").is_empty() {
            continue;
        }
        match imported(&cell("answer"), &cell("answer_value")) {
            Some(answer) => {
                let (flow, id) = record_name(&cell("record"))?;
                let filter = HoldFilter {
                    flow: Some(flow),
                    record: Some(id),
                    group: Some(cell("group")).filter(|group| !group.is_empty()),
                    ..HoldFilter::default()
                };
                for (row, _) in queue::rows(store, &filter).await? {
                    given.push((row, answer.clone(), cell("comment")));
                }
            }
            None => problems.push(Problem::new(
                "answer",
                format!("{}:{line}: `{}` is not an answer, or lacks its value", file.display(), cell("answer")),
            )),
        }
    }
    if !problems.is_empty() {
        return Err(problems.into_iter().map(|problem| problem.state("nothing was answered")).collect());
    }
    Ok(given)
}

fn imported(answer: &str, value: &str) -> Option<Answer> {
    let needed = || Some(value).filter(|value| !value.is_empty());
    Some(match answer {
        "translate" => Answer::Translate { to: needed()?.to_owned() },
        "assign" => Answer::Assign { to: needed()?.to_owned() },
        "choose" => Answer::Choose { target: RecordId::from(needed()?) },
        "merge-into" => Answer::MergeInto { record: RecordId::from(needed()?) },
        "edit" => edited(value).ok()?,
        "take" => taken(needed().filter(|side| ["source", "target"].contains(side))?),
        "create" => Answer::Create,
        "delete" => Answer::Delete,
        "merge" => Answer::Merge,
        "keep" => Answer::Keep,
        "skip" => Answer::Skip,
        "accept" => Answer::Accept,
        "retry" => Answer::Retry,
        "close" => Answer::Close,
        _ => return None,
    })
}
