//! What is peculiar to single modules: what follows from what, and what must fit together.

use serde_json::{Map, Value as Json, json};

use super::instant;
use super::refusal::Refusal;
use super::schema::{Field, Kind, Module, Pipeline};
use super::values::plain;
use super::world::{Row, World};

/// Which module the record's parent is of, before the parent itself is read: `$se_module` beside `What_Id` (sheet:
/// section 5, activities), `Parent_Id.module` or, in v2, `se_module` of notes (sheet: section 2, notes).
pub(super) fn parent(
    world: &World,
    module: &Module,
    row: &mut Row,
    item: &Map<String, Json>,
    version: u16,
    path: &str,
) -> Result<(), Refusal> {
    let is_note = matches!(module.api_name.as_str(), "Notes" | "Attachments");
    if is_note && row.id == 0 {
        let in_parent = item.get("Parent_Id").and_then(|parent| parent.get("module")).map(|module| &module["api_name"]);
        let name = match version {
            2 => item.get("se_module").or(item.get("$se_module")),
            _ => in_parent.or(item.get("$se_module")),
        };
        let name = name.and_then(Json::as_str).filter(|name| world.module(name).is_some_and(Module::is_record));
        let name = name.ok_or_else(|| Refusal::missing("module", &format!("{path}.Parent_Id.module")))?;
        row.set("$se_module", Some(json!(name)));
    }
    if module.is_activity() {
        match (item.get("What_Id"), item.get("$se_module").and_then(Json::as_str)) {
            (Some(Json::Null), _) => row.set("$se_module", None),
            (None, _) => {}
            (Some(_), Some(name)) if world.module(name).is_some_and(Module::is_record) => {
                row.set("$se_module", Some(json!(name)));
            }
            (Some(_), Some(_)) => return Err(Refusal::invalid("$se_module", &format!("{path}.$se_module"), "module")),
            (Some(_), None) => return Err(Refusal::missing("$se_module", &format!("{path}.$se_module"))),
        }
    }
    Ok(())
}

/// Derives what the system computes, and refuses what does not fit together.
pub(super) fn settle(
    world: &World,
    module: &Module,
    before: Option<&Row>,
    row: &mut Row,
    item: &Map<String, Json>,
    path: &str,
) -> Result<(), Refusal> {
    if let Some(id) = row.target("Layout").filter(|_| item.contains_key("Layout")) {
        module.layout(id).ok_or_else(|| Refusal::bad_related("Layout", &format!("{path}.Layout")))?;
    }
    if before.is_none() {
        for field in &module.fields {
            if let Some(default) = field.default.as_ref().filter(|_| !row.values.contains_key(&field.api_name)) {
                row.set(&field.api_name, Some(default.clone()));
            }
        }
    }
    if module.field("Owner").is_some() && !row.values.contains_key("Owner") {
        row.set("Owner", Some(json!(row.modified_by.to_string())));
    }
    match module.api_name.as_str() {
        "Leads" | "Contacts" => {
            let name = format!("{} {}", row.text("First_Name"), row.text("Last_Name")).trim().to_owned();
            row.set("Full_Name", Some(json!(name)));
        }
        "Deals" => deal(module, before, row, item, path)?,
        "Tasks" => {
            let closed = row.text("Status") == "Completed";
            let since = before.filter(|before| before.text("Status") == "Completed");
            let at = since.and_then(|before| before.values.get("Closed_Time").cloned());
            row.set("Closed_Time", closed.then(|| at.unwrap_or_else(|| json!(instant::kept(row.modified)))));
        }
        "Events" => event(row, path)?,
        "Calls" => call(world, row, item, path)?,
        "Quotes" => totals(row, "Quoted_Items"),
        "Sales_Orders" => totals(row, "Ordered_Items"),
        "Purchase_Orders" => totals(row, "Purchased_Items"),
        "Invoices" => totals(row, "Invoiced_Items"),
        _ => {}
    }
    Ok(())
}

/// The pipeline that a word means in a layout: its id, its name, its actual value.
pub(super) fn pipeline<'a>(pipelines: &'a [Pipeline], word: &str) -> Option<&'a Pipeline> {
    pipelines.iter().find(|one| one.actual == word || one.display == word || one.id.to_string() == word)
}

/// Stage, pipeline and layout belong together (sheet: trap 5); probability and revenue follow (sheet: trap 19).
fn deal(
    module: &Module,
    before: Option<&Row>,
    row: &mut Row,
    item: &Map<String, Json>,
    path: &str,
) -> Result<(), Refusal> {
    let mismatch = |field: &str, message: &str| {
        Refusal::new("MAPPING_MISMATCH", message)
            .with(json!({"api_name": field, "json_path": format!("{path}.{field}")}))
    };
    let layout = row.target("Layout").and_then(|id| module.layout(id)).or(module.layouts.first());
    let pipelines = layout.map(|layout| layout.pipelines.as_slice()).unwrap_or_default();
    let chosen = match row.values.get("Pipeline").and_then(Json::as_str) {
        Some(word) => {
            let found = pipeline(pipelines, word);
            Some(found.ok_or_else(|| mismatch("Pipeline", "Layout doesn't contain the Pipeline"))?)
        }
        // With several pipelines one must be named (sheet: section 5, mandatory fields).
        None if pipelines.len() > 1 => return Err(Refusal::missing("Pipeline", &format!("{path}.Pipeline"))),
        None => pipelines.first(),
    };
    let stage = row.text("Stage").to_owned();
    if let Some(chosen) = chosen {
        row.set("Pipeline", Some(json!(chosen.actual)));
        if !stage.is_empty() && !chosen.stages.contains(&stage) {
            return Err(mismatch("Stage", "Pipeline doesn't contain the Stage"));
        }
    }
    let moved = before.is_none_or(|before| before.text("Stage") != stage) || item.contains_key("Stage");
    let pick = module.field("Stage").and_then(|field| field.pick(&stage, false));
    if let Some(probability) = pick.and_then(|pick| pick.probability).filter(|_| moved) {
        row.set("Probability", Some(json!(probability)));
    }
    let number = |name: &str| row.values.get(name).and_then(Json::as_f64);
    let revenue = number("Amount").zip(number("Probability")).map(|(amount, percent)| {
        let cents = format!("{:.2}", amount * percent / 100.0);
        plain(cents.parse().unwrap_or(0.0))
    });
    row.set("Expected_Revenue", revenue);
    Ok(())
}

fn event(row: &Row, path: &str) -> Result<(), Refusal> {
    // Kept times sort as times do.
    if !row.text("End_DateTime").is_empty() && row.text("End_DateTime") < row.text("Start_DateTime") {
        return Err(Refusal::invalid("End_DateTime", &format!("{path}.End_DateTime"), "datetime"));
    }
    Ok(())
}

/// Logged calls have a duration, scheduled ones lie ahead (sheet: section 5).
fn call(world: &World, row: &mut Row, item: &Map<String, Json>, path: &str) -> Result<(), Refusal> {
    let start = instant::read(row.text("Call_Start_Time"));
    let seconds = match row.text("Call_Duration") {
        "" => None,
        text => {
            let wrong = || Refusal::invalid("Call_Duration", &format!("{path}.Call_Duration"), "text");
            let (minutes, seconds) = text.split_once(':').unwrap_or((text, "0"));
            let part = |text: &str| text.parse::<u32>().map_err(|_| wrong());
            let (minutes, seconds) = (part(minutes)?, part(seconds)?);
            if seconds > 59 || minutes > 99_999 {
                return Err(wrong());
            }
            row.set("Call_Duration", Some(json!(format!("{minutes:02}:{seconds:02}"))));
            Some(minutes * 60 + seconds)
        }
    };
    let is_past = start.is_some_and(|start| start <= world.now);
    let touched = ["Call_Duration", "Call_Start_Time"].iter().any(|name| item.contains_key(*name));
    if touched && is_past && seconds == Some(0) && row.text("Call_Type") != "Missed" {
        return Err(Refusal::invalid("Call_Duration", &format!("{path}.Call_Duration"), "text"));
    }
    row.set("Call_Duration_in_seconds", seconds.map(|seconds| json!(seconds)));
    Ok(())
}

/// Sums of rows.
fn totals(row: &mut Row, items: &str) {
    let mut sum = 0.0;
    if let Some(Json::Array(rows)) = row.values.get_mut(items) {
        for row in rows {
            let number = |name: &str| row[name].as_f64().unwrap_or(0.0);
            let total = number("Quantity") * number("List_Price");
            let net = total - number("Discount") + number("Tax");
            row["Total"] = plain(total);
            row["Net_Total"] = plain(net);
            sum += net;
        }
    }
    let number = |name: &str| row.values.get(name).and_then(Json::as_f64).unwrap_or(0.0);
    let grand = sum - number("Discount") + number("Adjustment");
    row.set("Sub_Total", Some(plain(sum)));
    row.set("Grand_Total", Some(plain(grand)));
}

/// The fields that amounts in other currencies need (sheet: trap 10).
pub(super) fn currency_fields(currencies: &[String]) -> [Field; 2] {
    let pick =
        |code: &String| super::schema::Pick { display: code.clone(), actual: code.clone(), ..Default::default() };
    let currency = Field {
        api_name: "Currency".to_owned(),
        label: "Currency".to_owned(),
        data_type: Kind::Picklist,
        length: 3,
        restricted: true,
        picks: currencies.iter().map(pick).collect(),
        default: currencies.first().map(|code| json!(code)),
        ..Field::default()
    };
    let rate = Field {
        api_name: "Exchange_Rate".to_owned(),
        label: "Exchange Rate".to_owned(),
        data_type: Kind::Double,
        length: 16,
        decimals: 9,
        default: Some(json!(1)),
        ..Field::default()
    };
    [currency, rate]
}
