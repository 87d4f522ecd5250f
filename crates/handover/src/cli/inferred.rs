//! What was found out about folders of files from their contents: shown before anything is read for good.

use handover_files::{DateOrder, Decimals, Form, Inferred, Settings};
use handover_model::{End, FieldName, Finding, Kind, ObjectName, SystemName, Weight};
use serde_json::{Value as Json, json};

use super::Output;
use super::output::{plural, table};
use super::session::Session;
use crate::config::Project;
use crate::problem::Problem;

/// A folder's settings with what the rest of the project tells about its files: those that flows write
/// keep the forms that fields.yaml gave their columns, whatever is written into them.
pub(crate) fn settings(project: &Project, system: &SystemName, told: &Settings) -> Settings {
    let mut settings = told.clone();
    for flow in project.flows.iter().filter(|flow| flow.target.system == *system) {
        settings.objects.entry(flow.target.object.clone()).or_default().plain = true;
    }
    for wanted in project.create_fields.iter().filter(|wanted| wanted.system == *system) {
        if let Some(column) = &wanted.created_as {
            let columns = &mut settings.objects.entry(wanted.object.clone()).or_default().columns;
            columns.entry(column.clone()).or_insert(form(&wanted.field.kind));
        }
    }
    settings
}

/// How values of a kind stand in a file that Handover writes.
fn form(kind: &Kind) -> Form {
    match kind {
        Kind::Bool => Form::Bool,
        Kind::Number => Form::Number(Decimals::Point),
        Kind::Date => Form::Date(DateOrder::YearFirst),
        Kind::DateTime => Form::DateTime(DateOrder::YearFirst),
        _ => Form::Text,
    }
}

/// What was found out, with the system that the file belongs to.
pub(crate) struct Found(Vec<(SystemName, Inferred)>);

/// What was found out about the files that flows read or write. Other files of the folders are nobody's matter.
///
/// # Errors
/// When a file cannot be read: the problem says which line is wrong.
pub(crate) fn found(session: &Session) -> Result<Found, Vec<Problem>> {
    let mut all = Vec::new();
    for end in ends(session) {
        let Some(files) = session.files.get(&end.system) else { continue };
        let inferred = files.inferred(&end.object).map_err(|error| {
            let fault = handover_connect::Fault::from(error);
            let problem =
                Problem::new("file", format!("a file of `{}` cannot be read", end.system)).cause(fault.message);
            vec![problem.state("nothing was written").hint("mend the file or export it anew; nothing in it is skipped")]
        })?;
        all.extend(inferred.into_iter().map(|one| (end.system.clone(), one)));
    }
    Ok(Found(all))
}

/// Both ends of all flows, each once.
fn ends(session: &Session) -> Vec<&End> {
    let mut ends: Vec<&End> = Vec::new();
    for end in session.project.flows.iter().flat_map(|flow| [&flow.source, &flow.target]) {
        if !ends.contains(&end) {
            ends.push(end);
        }
    }
    ends
}

/// A column of references that point to nobody: its records are written without the link.
pub(crate) struct Nowhere {
    system: SystemName,
    object: ObjectName,
    column: FieldName,
    records: u64,
    evidence: String,
}

impl Nowhere {
    /// `{system, object, column, records, why}`.
    pub(crate) fn json(&self) -> Json {
        json!({"system": self.system, "object": self.object, "column": self.column, "records": self.records, "why": self.evidence})
    }

    /// How many, and where they stand.
    pub(crate) fn sentence(&self) -> String {
        let rows = plural(self.records, "row");
        format!("{rows} of {}.csv without the link of `{}`: {}", self.object, self.column, self.evidence)
    }
}

impl Found {
    /// References that lead nowhere.
    pub(crate) fn nowhere(&self) -> Vec<Nowhere> {
        let one = |(system, one): &(SystemName, Inferred)| {
            Some(Nowhere {
                system: system.clone(),
                object: one.object.clone(),
                column: one.column.clone()?,
                records: one.dangling,
                evidence: one.evidence.clone(),
            })
        };
        self.0.iter().filter(|(_, one)| one.dangling > 0).filter_map(one).collect()
    }

    /// Columns that nobody excluded and that stay text because their values allow several readings, or that
    /// point nowhere.
    pub(crate) fn findings(&self, session: &Session) -> Vec<Finding> {
        let doubtful = self.0.iter().filter(|(_, one)| one.ambiguous || one.dangling > 0);
        doubtful.filter_map(|(system, one)| finding(session, system, one, one.column.as_ref()?)).collect()
    }

    /// The same as JSON.
    pub(crate) fn json(&self) -> Json {
        let one = |(system, one): &(SystemName, Inferred)| {
            json!({
                "system": system,
                "object": one.object,
                "column": one.column,
                "what": one.what,
                "evidence": one.evidence,
                "ambiguous": one.ambiguous,
                "dangling": one.dangling,
            })
        };
        self.0.iter().map(one).collect()
    }

    /// The same for people.
    pub(crate) fn say(&self, output: &Output) {
        if self.0.is_empty() {
            return;
        }
        let row = |(system, one): &(SystemName, Inferred)| {
            let column = one.column.as_ref().map_or_else(|| "(the file)".to_owned(), ToString::to_string);
            vec![format!("{system}.{}", one.object), column, one.what.clone(), one.evidence.clone()]
        };
        let rows: Vec<_> = self.0.iter().map(row).collect();
        output
            .say("How the files are read (where it is wrong, set `encoding`, `delimiter` or an object's `columns`):\n");
        output.say(&table(&["object", "column", "read as", "because"], &rows));
        output.say("");
    }
}

/// Nobody minds a column that no rule reads.
fn finding(session: &Session, system: &SystemName, one: &Inferred, column: &FieldName) -> Option<Finding> {
    let flow = session.project.flows.iter().find(|flow| {
        flow.source.system == *system && flow.source.object == one.object && !flow.excluded.contains_key(column)
    })?;
    let place = session.project.system(&flow.source.system).map_or(&flow.place, |system| &system.place);
    if one.dangling > 0 {
        let message = format!("`{column}` of {}.csv: {}", one.object, one.evidence);
        let mut finding = Finding::new(Weight::Warning, "dangling_reference", message).at(place);
        finding.records = Some(one.dangling);
        return Some(finding.hint("these records are written without the link; mend the file if they should have it"));
    }
    let message = format!("`{column}` of {}.csv stays text: {}", one.object, one.evidence);
    let hint = format!("objects: {{{}: {{columns: {{{column}: d/m/y}}}}}}, or another of the forms", one.object);
    Some(Finding::new(Weight::Warning, "ambiguous_column", message).at(place).hint(hint))
}
