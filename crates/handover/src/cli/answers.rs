//! Answers to holds: whether they can be carried out, and their rows in the project's tables.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use handover_connect::Connector;
use handover_model::{Answer, Cause, End, FieldName, Flow, FlowName, Hold, Kind, RecordId, Schema};
use handover_store::{HeldRow, Store};

use super::failure;
use super::session::Session;
use crate::config;
use crate::problem::Problem;

/// Which answers fit a cause.
pub(crate) fn fitting(cause: &Cause) -> &'static str {
    match cause {
        Cause::Untranslated { .. } => "--translate TARGET VALUE, --skip, --accept",
        Cause::UnknownUser { .. } => "--assign E-MAIL, --skip, --accept",
        Cause::Ambiguous { .. } | Cause::Contradiction { .. } => "--choose TARGET ID, --create, --skip, --accept",
        Cause::DuplicateSource { .. } => {
            "--create, --edit FIELD=VALUE, --merge-into SOURCE ID, --choose TARGET ID, --skip, --accept"
        }
        Cause::ParentHeld { .. } => "answer the parent, --skip, --accept",
        Cause::Invalid { .. } | Cause::Missing { .. } | Cause::Refused { .. } | Cause::Expression { .. } => {
            "--edit FIELD=VALUE, --retry, --skip, --accept"
        }
        Cause::Conflict { .. } => "--take source, --take target, --edit FIELD=VALUE, --accept",
        Cause::SourceDeleted { .. } | Cause::LeftScope => "--delete, --keep, --accept",
        Cause::SourceMerged { certain: true, .. } => "--merge, --keep, --accept",
        Cause::SourceMerged { certain: false, .. } => "--merge, --delete, --keep, --accept",
        Cause::TargetMerged { .. } => "--keep, --accept (and --merge in a flow that goes both ways)",
        Cause::TargetGone { .. } => "--create, --retry, --skip, --accept (and --delete in a flow that goes both ways)",
        Cause::Reported { .. } => "--close",
        Cause::OutcomeUnknown | Cause::ContentGone { .. } | Cause::SourceGone => "--retry, --skip, --accept",
    }
}

/// Refuses answers that cannot be carried out, before anything of them is written down.
pub(crate) async fn check(
    session: &Session,
    store: &Store,
    given: &[(HeldRow, Answer, String)],
) -> Result<(), Vec<Problem>> {
    let mut done: BTreeSet<String> = BTreeSet::new();
    let mut problems = Vec::new();
    for (row, answer, _) in given {
        // A group gives the same answer many times.
        let asked = format!("{} {answer:?} {}", row.hold.flow, row.hold.cause.group());
        if done.insert(asked) {
            // Flows with the same target refuse it for the same reason.
            problems.extend(
                check_one(session, store, &row.hold, answer).await?.filter(|problem| !problems.contains(problem)),
            );
        }
    }
    if problems.is_empty() { Ok(()) } else { Err(problems) }
}

fn wrong(message: String) -> Problem {
    Problem::new("answer", message).state("nothing was answered")
}

/// The flow that a hold names and where its writes go: a way back writes to the source.
fn target_of<'s>(session: &'s Session, name: &FlowName) -> Option<(&'s Flow, End)> {
    match handover_engine::forth_of(name) {
        Some(forth) => session.project.flow(&forth).map(|flow| (flow, flow.source.clone())),
        None => session.project.flow(name).map(|flow| (flow, flow.target.clone())),
    }
}

async fn check_one(
    session: &Session,
    store: &Store,
    hold: &Hold,
    answer: &Answer,
) -> Result<Option<Problem>, Vec<Problem>> {
    let Some((flow, target)) = target_of(session, &hold.flow) else {
        return Ok(Some(wrong(format!("the project has no flow `{}` any more", hold.flow))));
    };
    let Some(system) = session.systems.get(&target.system) else { return Ok(None) };
    let failed = |fault: handover_connect::Fault| vec![failure::system(&target.system, &fault)];
    match (answer, &hold.cause) {
        (Answer::Translate { to }, Cause::Untranslated { field, .. }) => {
            let schema = system.describe(&target.object).await.map_err(failed)?;
            Ok(untranslatable(&schema, field, to))
        }
        (Answer::Assign { to }, Cause::UnknownUser { .. }) => {
            let users = system.users().await.map_err(failed)?;
            let known = users.iter().any(|user| {
                user.active && (user.email.trim().eq_ignore_ascii_case(to.trim()) || user.id.as_str() == to)
            });
            Ok((!known).then(|| {
                let active: Vec<&str> =
                    users.iter().filter(|user| user.active).map(|user| user.email.as_str()).take(12).collect();
                wrong(format!("`{}` has no active user `{to}`", target.system))
                    .hint(format!("it has {}", active.join(", ")))
            }))
        }
        (Answer::Take { .. }, Cause::Conflict { .. }) | (Answer::Close, Cause::Reported { .. }) => Ok(None),
        (Answer::Close, cause) | (_, cause @ Cause::Reported { .. }) => Ok(Some(
            wrong(format!("this answer does not fit: {}", cause.sentence()))
                .hint(format!("it takes {}", fitting(cause))),
        )),
        (Answer::Translate { .. } | Answer::Assign { .. } | Answer::Take { .. }, cause) => Ok(Some(
            wrong(format!("this answer does not fit: {}", cause.sentence()))
                .hint(format!("it takes {}", fitting(cause))),
        )),
        (Answer::Edit { field, .. }, _) => {
            let schema = system.describe(&target.object).await.map_err(failed)?;
            let known = schema.field(field.as_str()).is_some();
            Ok((!known).then(|| {
                wrong(format!("`{}` has no field `{field}`", target.object)).hint("an edit names a field of the target")
            }))
        }
        // What happened in the target goes back where the flow goes both ways.
        (Answer::Delete | Answer::Keep, Cause::TargetGone { .. }) | (Answer::Merge, Cause::TargetMerged { .. })
            if flow.both_ways =>
        {
            Ok(None)
        }
        (Answer::Delete | Answer::Keep, Cause::LeftScope)
        | (Answer::Delete, Cause::SourceDeleted { .. } | Cause::SourceMerged { certain: false, .. })
        | (Answer::Merge, Cause::SourceMerged { .. })
        | (Answer::Keep, Cause::SourceDeleted { .. } | Cause::SourceMerged { .. } | Cause::TargetMerged { .. }) => {
            Ok(None)
        }
        (Answer::Delete | Answer::Merge | Answer::Keep, cause) => Ok(Some(
            wrong(format!("this answer does not fit: {}", cause.sentence()))
                .hint(format!("it takes {}", fitting(cause))),
        )),
        (Answer::Choose { target: record }, _) => chosen(&target, system, record).await,
        (Answer::MergeInto { record }, _) => {
            let there = store
                .targets_of_flow(&flow.name, std::slice::from_ref(record))
                .await
                .map_err(|error| vec![failure::store(&error)])?;
            Ok((!there.contains_key(record)).then(|| {
                wrong(format!("{}/{record} has no counterpart in the target to merge into", hold.flow))
                    .hint("answer that record first, or choose another")
            }))
        }
        (Answer::Create | Answer::Skip | Answer::Accept | Answer::Retry, _) => Ok(None),
    }
}

/// A target value that the field does not have, by value or by a label that is the only one of its kind.
fn untranslatable(schema: &Schema, field: &FieldName, to: &str) -> Option<Problem> {
    let Some(Kind::Choice { options, .. }) = schema.field(field.as_str()).map(|field| &field.kind) else { return None };
    let folded = |text: &str| text.trim().to_lowercase();
    let named = options.iter().filter(|option| folded(&option.label) == folded(to)).count();
    if named == 1 || options.iter().any(|option| option.value == to) {
        return None;
    }
    let known: Vec<String> =
        options.iter().take(12).map(|option| format!("{} ({})", option.value, option.label)).collect();
    Some(wrong(format!("`{to}` is no option of `{field}`")).hint(format!("the options are {}", known.join(", "))))
}

async fn chosen(end: &End, system: &Arc<dyn Connector>, record: &RecordId) -> Result<Option<Problem>, Vec<Problem>> {
    let found = system.fetch(&end.object, &Arc::from([]), std::slice::from_ref(record)).await;
    match found {
        Ok(found) if found.iter().any(|record| !record.gone) => Ok(None),
        Ok(_) => Ok(Some(wrong(format!("`{}` has no record {record} among its {}", end.system, end.object)))),
        Err(fault) if fault.kind == handover_connect::FaultKind::Unsupported => Ok(None),
        Err(fault) => Err(vec![failure::system(&end.system, &fault)]),
    }
}

/// A translation or an assignment is a row in a table, where a person finds it again.
pub(crate) fn extend_tables(session: &Session, given: &[(HeldRow, Answer, String)]) -> Result<(), Vec<Problem>> {
    let mut rows: BTreeMap<(String, String), (String, String)> = BTreeMap::new();
    for (row, answer, comment) in given {
        let (place, to, comment) = match (&row.hold.cause, answer) {
            (Cause::Untranslated { table, value, label, .. }, Answer::Translate { to }) => {
                let comment = if comment.is_empty() { label.clone() } else { format!("{label}: {comment}") };
                match handover_engine::forth_of(&FlowName::from(table.as_str())) {
                    // A table that is read from right to left: the row says it the other way round.
                    Some(forth) => ((forth.to_string(), to.clone()), value.clone(), comment),
                    None => ((table.clone(), value.clone()), to.clone(), comment),
                }
            }
            (Cause::UnknownUser { label, .. }, Answer::Assign { to })
                if handover_engine::forth_of(&row.hold.flow).is_some() =>
            {
                (("users".to_owned(), to.clone()), label.clone(), comment.clone())
            }
            (Cause::UnknownUser { label, .. }, Answer::Assign { to }) => {
                (("users".to_owned(), label.clone()), to.clone(), comment.clone())
            }
            _ => continue,
        };
        if let Some((other, _)) = rows.get(&place).filter(|(other, _)| *other != to) {
            return Err(vec![wrong(format!(
                "`{}` is answered twice: `{other}` and `{to}`",
                row.hold.cause.sentence()
            ))]);
        }
        rows.insert(place, (to, comment));
    }
    for ((table, from), (to, comment)) in rows {
        config::append_row(&session.project.root, &table, &from, &to, &comment).map_err(|problem| vec![problem])?;
    }
    Ok(())
}
