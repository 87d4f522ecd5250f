//! `handover record show`: the unified card of a customer: what every system says of it, and where that came from.
//!
//! Invariant: values go to standard output, because they were asked for, and nowhere else.

mod card;
mod find;

use std::collections::BTreeSet;

use clap::Subcommand;
use handover_model::ObjectName;
use handover_store::Store;
use serde_json::{Value as Json, json};

pub(super) use find::{Found, one, title_of, unknown};

use self::card::{Card, Cell, Written};
use super::output::{plural, table};
use super::session::Session;
use super::{Done, Global, Output, plain};
use crate::problem::{Exit, Problem};

/// Options of `record`.
#[derive(clap::Args)]
#[command(after_help = "Examples:
  handover record show ana@example.com
  handover record show \"Ana Silva\" --object contacts
  handover record show persons/42 --fresh")]
pub(crate) struct Options {
    #[command(subcommand)]
    action: Action,
}

#[derive(Subcommand)]
enum Action {
    /// The card of one customer
    Show {
        /// A name, an e-mail address, an id, or FLOW/ID
        record: String,
        /// Only customers that have a record of this object, in whatever system
        #[arg(long)]
        object: Option<String>,
        /// Ask the systems for the values that they have now
        #[arg(long)]
        fresh: bool,
    },
}

/// Runs the command.
pub(crate) async fn run(global: &Global, options: &Options, output: &Output) -> Done {
    let session = Session::open(&global.project)?;
    let Action::Show { record, object, fresh } = &options.action;
    let object = object.as_ref().map(|object| ObjectName::from(object.as_str()));
    let store = session.store_reading().await?;
    let found = find::find(&session, &store, record, object.as_ref()).await?;
    match found.as_slice() {
        [] => Err(vec![unknown()]),
        [one] => {
            let card = Card::of(&session, &store, one, *fresh).await?;
            output.value(&card.json());
            say(&card, output);
            session.close().map_err(|problem| vec![problem])?;
            Ok(Exit::Done)
        }
        several => list(&store, several, output).await,
    }
}

/// Several records answer to that: what tells them apart.
async fn list(store: &Store, several: &[Found], output: &Output) -> Done {
    let mut lines = Vec::new();
    let mut matches: Vec<Json> = Vec::new();
    for found in several {
        let (title, address) = find::called(store, found).await?;
        let members: Vec<String> = found.members.iter().map(find::name).collect();
        matches.push(json!({"title": title, "address": address, "members": members}));
        lines.push(vec![title, address, members.join(" = ")]);
    }
    output.value(&json!({"matches": matches}));
    output.say(&table(&["title", "address", "records"], &lines));
    output.note(&format!("{} answer to that; name one by its id, or as FLOW/ID", plural(lines.len() as u64, "record")));
    Ok(Exit::User)
}

fn say(card: &Card, output: &Output) {
    output.say(&card.title);
    for part in &card.parts {
        let mut head = vec!["field", part.target.as_str()];
        head.extend(part.sources.iter().map(String::as_str));
        head.push("written last");
        let lines: Vec<Vec<String>> = part
            .lines
            .iter()
            .map(|line| {
                let mut cells = vec![line.field.to_string(), short(&line.target)];
                cells.extend(line.sources.iter().map(|cell| cell.as_ref().map_or_else(String::new, short)));
                cells.push(line.target.written.as_ref().map_or_else(String::new, |written| {
                    let at = plain::moment(written.at);
                    format!("by {} from {}, {at}, row {}", written.flow, written.from, written.seq)
                }));
                cells
            })
            .collect();
        output.say(&format!("\n{}", table(&head, &lines)));
    }
    let back = card.written_back();
    if !back.is_empty() {
        output.say("");
    }
    for (member, field, written) in back {
        let at = plain::moment(written.at);
        let Written { flow, from, seq, .. } = written;
        output.say(&format!("`{field}` of {member} was written by {flow} from {from}, {at}, row {seq}"));
    }
    let lone: BTreeSet<String> = card.lone();
    if !lone.is_empty() {
        let lone: Vec<String> = lone.into_iter().collect();
        output.say(&format!("\nNot paired by the project's flows: {}.", lone.join(", ")));
    }
    if card.holds.is_empty() {
        output.say("\nNothing of it is held.");
    }
    for (row, _) in &card.holds {
        let care = row.owner.as_ref().map_or_else(String::new, |owner| format!(" ({owner})"));
        let said = row.hold.value.as_ref().map_or_else(String::new, |value| format!(": {}", value.display()));
        let name = format!("{}/{}", row.hold.flow, row.hold.record);
        output.say(&format!("\nHeld as {name}{care}: {}{said}", row.hold.cause.sentence()));
    }
    if let Some(pass) = &card.last_pass {
        let ended = pass.ended.map_or_else(|| "not ended".to_owned(), |at| format!("ended {}", plain::moment(at)));
        output.say(&format!("\nLast pass: {} ({}), {ended}.", pass.id, pass.kind));
    }
}

/// A cell of the table: long values are cut, the whole stands in `--json`.
fn short(cell: &Cell) -> String {
    const WIDEST: usize = 40;
    let text = match words(&cell.value) {
        text if text.is_empty() => "-".to_owned(),
        text => text.replace('\n', " "),
    };
    if text.chars().count() <= WIDEST { text } else { text.chars().take(WIDEST - 3).chain("...".chars()).collect() }
}

fn words(value: &Json) -> String {
    match value {
        Json::Null => String::new(),
        Json::String(text) => text.clone(),
        Json::Array(items) => items.iter().map(words).collect::<Vec<_>>().join("; "),
        // Addresses and numbers with a label.
        Json::Object(parts) if parts.contains_key("value") => words(&parts["value"]),
        value => value.to_string(),
    }
}

/// What a command that needs one record says when it finds several.
pub(super) fn ambiguous(number: usize) -> Problem {
    Problem::new("several_records", format!("{} answer to that", plural(number as u64, "record")))
        .hint("`handover record show` lists them; name one as FLOW/ID")
}
