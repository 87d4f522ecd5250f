//! The standard modules as tables of text, and how a table is read.
//!
//! `# Module | singular | display field | key of upserts | marks` opens a module; each further line is a field:
//! `API_Name | type length | flags | target or values | label`. Flags: `m`andatory, `r`ead only, `R`estricted
//! picklist, large `L` or rich `H` textarea. Values are `actual=display` joined by `;`, of stages
//! `actual=display:probability:forecast type`. A line `> API_Name | module | lookup | label` is a related list.

mod people;
mod sales;
mod stock;
mod work;

use serde_json::json;

use super::schema::{Field, Kind, Layout, Module, Pick, Pipeline, Related};
use super::world::{Id, META};

/// Every standard module, or the line that cannot be read.
pub(super) fn standard() -> Result<Vec<Module>, String> {
    let tables = [people::PEOPLE, sales::SALES, work::WORK, stock::STOCK, stock::ROWS];
    let mut modules: Vec<Module> = Vec::new();
    for line in tables.iter().flat_map(|table| table.lines()) {
        let bad = || format!("the catalogue's line `{line}`");
        if let Some(head) = line.strip_prefix("# ") {
            modules.push(module(head).ok_or_else(bad)?);
            continue;
        }
        let module = modules.last_mut().ok_or_else(bad)?;
        match line.strip_prefix("> ") {
            Some(list) => module.related.push(related(list).ok_or_else(bad)?),
            None => module.fields.push(field(line).ok_or_else(bad)?),
        }
    }
    for module in &mut modules {
        system_fields(module);
        common_lists(module);
    }
    number(&mut modules);
    Ok(modules)
}

fn module(head: &str) -> Option<Module> {
    let mut parts = head.split('|').map(str::trim);
    let api_name = parts.next()?.to_owned();
    let singular = parts.next()?.to_owned();
    let display = parts.next()?.to_owned();
    let key = parts.next().filter(|key| !key.is_empty()).map(str::to_owned);
    let generated = parts.next().filter(|mark| !mark.is_empty()).unwrap_or("default").to_owned();
    let plural = api_name.replace('_', " ");
    Some(Module { api_name, singular, plural, generated, display, key, ..Module::default() })
}

fn field(line: &str) -> Option<Field> {
    let mut parts = line.split('|').map(str::trim);
    let name = parts.next()?;
    let (kind, size) = parts.next().map(|kind| kind.split_once(' ').unwrap_or((kind, "")))?;
    let mut field = Field { api_name: name.to_owned(), data_type: Kind::of(kind)?, ..Field::default() };
    let flags = parts.next().unwrap_or("");
    field.mandatory = flags.contains('m');
    field.read_only = flags.contains('r') || matches!(field.data_type, Kind::Autonumber | Kind::Formula);
    field.restricted = flags.contains('R');
    if field.data_type == Kind::Textarea {
        let area = if flags.contains('H') {
            "rich_text"
        } else if flags.contains('L') {
            "large"
        } else {
            "small"
        };
        field.textarea = Some(area.to_owned());
    }
    let extra = parts.next().unwrap_or("");
    match field.data_type {
        Kind::Picklist | Kind::Multipick => field.picks = picks(extra),
        Kind::Lookup | Kind::Subform => field.module = Some(extra.to_owned()),
        _ => {}
    }
    field.label = parts.next().map_or_else(|| name.replace('_', " "), str::to_owned);
    settle(&mut field, size.parse().unwrap_or(0));
    Some(field)
}

/// What follows from a field's kind: its length, its default, what may not be set.
pub(super) fn settle(field: &mut Field, length: usize) {
    let usual = match (field.data_type, field.textarea.as_deref()) {
        (Kind::Textarea, Some("rich_text")) => 50_000,
        (Kind::Textarea, Some("large")) => 32_000,
        (Kind::Textarea, _) => 2_000,
        (Kind::Email, _) => 100,
        (Kind::Phone, _) => 30,
        (Kind::Integer, _) => 9,
        (Kind::Bigint, _) => 18,
        (Kind::Currency | Kind::Double, _) => 16,
        (Kind::Percent, _) => 5,
        (Kind::Picklist, _) => 120,
        (Kind::Date | Kind::Datetime | Kind::Boolean, _) => 20,
        _ => 255,
    };
    field.length = if length == 0 { usual } else { length };
    if matches!(field.data_type, Kind::Currency | Kind::Double | Kind::Percent) && field.decimals == 0 {
        field.decimals = 2;
    }
    if field.data_type == Kind::Boolean && field.default.is_none() {
        field.default = Some(json!(false));
    }
    field.read_only |= matches!(field.data_type, Kind::Autonumber | Kind::Formula);
}

fn picks(text: &str) -> Vec<Pick> {
    let text = match text {
        "SOURCE" => {
            "Advertisement;Cold Call;Employee Referral;External Referral;Online Store;Partner;Public Relations;\
             Sales Email Alias;Seminar Partner;Internal Seminar;Trade Show;Web Download;Web Research;Chat"
        }
        "INDUSTRY" => {
            "ASP (Application Service Provider);Data/Telecom OEM;ERP (Enterprise Resource Planning);Government/Military;\
             Large Enterprise;ManagementISV;MSP (Management Service Provider);Network Equipment Enterprise;\
             Non-management ISV;Optical Networking;Service Provider;Small/Medium Enterprise;Storage Equipment;\
             Storage Service Provider;Systems Integrator;Wireless Industry;ERP;Management ISV"
        }
        "RATING" => "Acquired;Active;Market Failed;Project Cancelled;Shut Down",
        "SALUTATION" => "Mr.;Mrs.;Ms.;Dr.;Prof.",
        other => other,
    };
    text.split(';').filter(|value| !value.is_empty()).map(pick).collect()
}

fn pick(text: &str) -> Pick {
    let mut parts = text.split(':');
    let name = parts.next().unwrap_or("");
    let (actual, display) = name.split_once('=').unwrap_or((name, name));
    let probability = parts.next().and_then(|percent| percent.parse().ok());
    let forecast = parts.next().map(str::to_owned);
    Pick { actual: actual.to_owned(), display: display.to_owned(), probability, forecast, ..Pick::default() }
}

fn related(line: &str) -> Option<Related> {
    let mut parts = line.split('|').map(str::trim);
    let api_name = parts.next()?.to_owned();
    let module = parts.next()?.to_owned();
    let lookup = parts.next().filter(|lookup| !lookup.is_empty()).map(str::to_owned);
    let label = parts.next().map_or_else(|| api_name.replace('_', " "), str::to_owned);
    Some(Related { api_name, module, lookup, label, ..Related::default() })
}

/// What every module has beside its own fields.
pub(super) fn system_fields(module: &mut Module) {
    let table = match (module.generated.as_str(), module.api_name.as_str()) {
        ("subform", _) => return,
        (_, "Notes" | "Attachments") => STAMPS.to_owned(),
        (_, "Tasks" | "Events" | "Calls") => format!("{STAMPS}\nTag | Tag"),
        _ => {
            format!("{STAMPS}\nTag | Tag\nLast_Activity_Time | datetime | r\nLayout | layout\nLocked__s | boolean | r")
        }
    };
    for field in table.lines().filter_map(field) {
        if module.field(&field.api_name).is_none() {
            module.fields.push(field);
        }
    }
    if module.layouts.is_empty() {
        module.layouts.push(Layout { name: "Standard".to_owned(), ..Layout::default() });
    }
    if module.api_name == "Deals"
        && let Some(layout) = module.layouts.first_mut()
        && layout.pipelines.is_empty()
    {
        let stages = module.fields.iter().find(|field| field.api_name == "Stage");
        let stages = stages.map(|stage| stage.picks.iter().map(|pick| pick.actual.clone()).collect());
        layout.required.push("Closing_Date".to_owned());
        layout.pipelines.push(Pipeline {
            display: "Standard".to_owned(),
            actual: "Standard (Standard)".to_owned(),
            default: true,
            stages: stages.unwrap_or_default(),
            ..Pipeline::default()
        });
    }
}

const STAMPS: &str = "\
Owner | ownerlookup
Created_By | userlookup | r
Modified_By | userlookup | r
Created_Time | datetime | r
Modified_Time | datetime | r
id | bigint | r | | Record Id";

/// Lists that hang on every record: notes, attachments, activities.
pub(super) fn common_lists(module: &mut Module) {
    let is_party = matches!(module.api_name.as_str(), "Contacts" | "Leads");
    if !module.is_record() || matches!(module.api_name.as_str(), "Notes" | "Attachments") {
        return;
    }
    let lookup = if is_party && module.api_name == "Contacts" { "Who_Id" } else { "What_Id" };
    let table = match module.is_activity() {
        true => "Notes | Notes | Parent_Id\nAttachments | Attachments | Parent_Id".to_owned(),
        false => format!(
            "Notes | Notes | Parent_Id\nAttachments | Attachments | Parent_Id\nTasks | Tasks | {lookup}\n\
             Events | Events | {lookup}\nCalls | Calls | {lookup}"
        ),
    };
    for list in table.lines().filter_map(related) {
        if !module.related.iter().any(|known| known.api_name == list.api_name) {
            module.related.push(list);
        }
    }
}

/// Gives numbers to what has none: by place, so that they are the same in every run.
pub(super) fn number(modules: &mut [Module]) {
    for (at, module) in modules.iter_mut().enumerate() {
        let mut next = META + 2_000 + 1_000 * Id::try_from(at).unwrap_or(0);
        let mut give = |id: &mut Id| {
            if *id == 0 {
                *id = next;
            }
            next += 1;
        };
        give(&mut module.id);
        for layout in &mut module.layouts {
            give(&mut layout.id);
            layout.pipelines.iter_mut().for_each(|pipeline| give(&mut pipeline.id));
        }
        for field in &mut module.fields {
            give(&mut field.id);
            field.picks.iter_mut().for_each(|pick| give(&mut pick.id));
        }
        module.related.iter_mut().for_each(|list| give(&mut list.id));
    }
}
