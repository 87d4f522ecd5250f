//! Pipelines and their stages over the API (sheet: HubSpot section 2.6 \[spec\]).

use std::collections::BTreeMap;

use serde_json::{Map, Value as Json, json};

use super::call::{Call, id_text};
use super::kinds::{self, Kind};
use super::portal::{Pipeline, Stage};
use super::refusal::{Answer, Refusal};
use super::world::World;
use super::{Hubspot, no_content};
use crate::Reply;

/// `/crm/v3/pipelines/{kind}[/{pipeline}[/stages[/{stage}]|/audit]]`
pub(crate) fn route(hub: &mut Hubspot, call: &Call<'_>, kind: Kind) -> Answer {
    if World::stage_properties(kind).is_none() {
        return Err(Refusal::invalid(format!("{} have no pipelines", hub.world.kinds.plural(kind))));
    }
    let next_stage = hub.world.next_stage;
    let answer = answer(hub, call, kind);
    if answer.is_err() {
        // A refused request leaves no trace, not even in the ids.
        hub.world.next_stage = next_stage;
    }
    answer
}

fn answer(hub: &mut Hubspot, call: &Call<'_>, kind: Kind) -> Answer {
    let method = call.request.method.as_str();
    match (method, call.path.len(), call.segment(5)) {
        ("GET", 4, _) => {
            let all: Vec<Json> = hub.world.pipelines.get(&kind).into_iter().flatten().map(Pipeline::json).collect();
            Ok(Reply::json(200, &json!({"results": all})))
        }
        ("POST", 4, _) => create(hub, call, kind),
        ("GET", 5, _) => Ok(Reply::json(200, &pipeline(hub, call, kind)?.json())),
        ("PATCH" | "PUT", 5, _) => change(hub, call, kind, method == "PUT"),
        ("DELETE", 5, _) => delete(hub, call, kind),
        ("GET", 6, "audit") => {
            pipeline(hub, call, kind)?;
            Ok(Reply::json(200, &json!({"results": []})))
        }
        ("GET", 6, "stages") => {
            let all: Vec<Json> = pipeline(hub, call, kind)?.stages.iter().map(Stage::json).collect();
            Ok(Reply::json(200, &json!({"results": all})))
        }
        ("POST", 6, "stages") => {
            let stage = new_stage(hub, kind, &call.object()?, call.now, 0)?;
            let pipeline = pipeline_mut(hub, call, kind)?;
            if pipeline.stages.iter().any(|s| s.label == stage.label || s.id == stage.id) {
                return Err(label_taken(&stage.label));
            }
            let shown = stage.json();
            pipeline.stages.push(stage);
            pipeline.updated_at = call.now;
            Ok(Reply::json(201, &shown))
        }
        (_, 7, "stages") => one_stage(hub, call, kind),
        _ => Err(Refusal::no_record()),
    }
}

fn pipeline<'a>(hub: &'a Hubspot, call: &Call<'_>, kind: Kind) -> Result<&'a Pipeline, Refusal> {
    let all = hub.world.pipelines.get(&kind).into_iter().flatten();
    all.into_iter().find(|p| p.id == call.segment(4)).ok_or_else(Refusal::no_record)
}

fn pipeline_mut<'a>(hub: &'a mut Hubspot, call: &Call<'_>, kind: Kind) -> Result<&'a mut Pipeline, Refusal> {
    let all = hub.world.pipelines.get_mut(&kind).ok_or_else(Refusal::no_record)?;
    all.iter_mut().find(|p| p.id == call.segment(4)).ok_or_else(Refusal::no_record)
}

fn label_taken(label: &str) -> Refusal {
    Refusal::new(409, "OBJECT_ALREADY_EXISTS", format!("The label '{label}' is already in use"))
}

fn label(body: &Map<String, Json>) -> Result<String, Refusal> {
    let label = body.get("label").and_then(Json::as_str).unwrap_or("");
    if label.is_empty() {
        return Err(Refusal::json("Some required fields were not set: [label]"));
    }
    Ok(label.to_owned())
}

fn create(hub: &mut Hubspot, call: &Call<'_>, kind: Kind) -> Answer {
    let body = call.object()?;
    let label = label(&body)?;
    let own = hub.world.pipelines.entry(kind).or_default();
    if own.iter().any(|p| p.label == label) {
        return Err(label_taken(&label));
    }
    let limit = hub.world.account.tier.pipelines();
    if own.len() >= limit {
        return Err(Refusal::invalid(format!("The limit of {limit} pipelines is reached"))
            .sub("PipelineError.PIPELINE_LIMIT_REACHED"));
    }
    let stages = stages(hub, kind, &body, call.now)?;
    let given = body.get("pipelineId").and_then(Json::as_str).map(str::to_owned);
    let id = given.unwrap_or_else(|| next_id(hub));
    let pipeline = Pipeline {
        id,
        label,
        display_order: body.get("displayOrder").and_then(Json::as_i64).unwrap_or(0),
        stages,
        created_at: call.now,
        updated_at: call.now,
    };
    let shown = pipeline.json();
    let own = hub.world.pipelines.entry(kind).or_default();
    if own.iter().any(|p| p.id == pipeline.id) {
        return Err(label_taken(&pipeline.id));
    }
    own.push(pipeline);
    Ok(Reply::json(201, &shown))
}

/// Ids of new pipelines and stages are numbers, unique in the portal.
fn next_id(hub: &mut Hubspot) -> String {
    let id = hub.world.next_stage;
    hub.world.next_stage += 1;
    id.to_string()
}

fn stages(hub: &mut Hubspot, kind: Kind, body: &Map<String, Json>, now: i64) -> Result<Vec<Stage>, Refusal> {
    let Some(Json::Array(given)) = body.get("stages") else {
        return Err(Refusal::json("Some required fields were not set: [stages]"));
    };
    let mut stages: Vec<Stage> = Vec::new();
    for (order, stage) in given.iter().enumerate() {
        let Some(stage) = stage.as_object() else { return Err(Refusal::json("Cannot deserialize a stage")) };
        let stage = new_stage(hub, kind, stage, now, order)?;
        if stages.iter().any(|s| s.label == stage.label || s.id == stage.id) {
            return Err(label_taken(&stage.label));
        }
        stages.push(stage);
    }
    if stages.is_empty() {
        return Err(Refusal::invalid("A pipeline needs at least one stage"));
    }
    Ok(stages)
}

fn new_stage(
    hub: &mut Hubspot,
    kind: Kind,
    body: &Map<String, Json>,
    now: i64,
    order: usize,
) -> Result<Stage, Refusal> {
    let metadata = metadata(kind, body.get("metadata"), true)?;
    let given = id_text(body.get("stageId"));
    Ok(Stage {
        label: label(body)?,
        id: given.unwrap_or_else(|| next_id(hub)),
        display_order: body.get("displayOrder").and_then(Json::as_i64).unwrap_or(i64::try_from(order).unwrap_or(0)),
        metadata,
        created_at: now,
        updated_at: now,
    })
}

/// Deal stages need a probability, ticket stages say whether they are open.
fn metadata(kind: Kind, given: Option<&Json>, whole: bool) -> Result<BTreeMap<String, String>, Refusal> {
    let mut out = BTreeMap::new();
    for (key, value) in given.and_then(Json::as_object).into_iter().flatten() {
        let text = value.as_str().map(str::to_owned).or_else(|| value.as_bool().map(|b| b.to_string()));
        if let Some(text) = text.or_else(|| id_text(Some(value))) {
            out.insert(key.clone(), text);
        }
    }
    if kind == kinds::DEALS {
        let probability = out.get("probability").map(|p| p.parse::<f64>());
        match probability {
            Some(Ok(p)) if (0.0..=1.0).contains(&p) => {
                let closed = p == 0.0 || (p - 1.0).abs() < f64::EPSILON;
                out.entry("isClosed".to_owned()).or_insert_with(|| closed.to_string());
            }
            None if !whole => {}
            _ => return Err(Refusal::invalid("Deal stages need metadata.probability between 0.0 and 1.0")),
        }
    }
    if let Some(state) = out.get("ticketState")
        && !matches!(state.as_str(), "OPEN" | "CLOSED")
    {
        return Err(Refusal::invalid("metadata.ticketState must be OPEN or CLOSED"));
    }
    Ok(out)
}

fn change(hub: &mut Hubspot, call: &Call<'_>, kind: Kind, replace: bool) -> Answer {
    let body = call.object()?;
    pipeline(hub, call, kind)?;
    let stages = if replace { Some(stages(hub, kind, &body, call.now)?) } else { None };
    let found = pipeline_mut(hub, call, kind)?;
    if replace || body.contains_key("label") {
        found.label = label(&body)?;
    }
    if let Some(order) = body.get("displayOrder").and_then(Json::as_i64) {
        found.display_order = order;
    }
    if let Some(stages) = stages {
        found.stages = stages;
    }
    found.updated_at = call.now;
    Ok(Reply::json(200, &found.json()))
}

/// Whether a live record stands in a stage that `wanted` accepts.
fn in_use(hub: &Hubspot, kind: Kind, wanted: &dyn Fn(&str) -> bool) -> bool {
    let Some((_, stage)) = World::stage_properties(kind) else { return false };
    let Some(ix) = hub.world.schema(kind).index(stage) else { return false };
    let mut live = hub.world.table(kind).from(0).filter(|r| r.archived_at.is_none());
    live.any(|r| r.value(ix).is_some_and(wanted))
}

fn delete(hub: &mut Hubspot, call: &Call<'_>, kind: Kind) -> Answer {
    let found = pipeline(hub, call, kind)?;
    let check = call.flag("validateReferencesBeforeDelete")? || call.flag("validateDealStageUsagesBeforeDelete")?;
    if check && in_use(hub, kind, &|id| found.stages.iter().any(|s| s.id == id)) {
        return Err(Refusal::invalid("The pipeline has records and cannot be deleted"));
    }
    if let Some(all) = hub.world.pipelines.get_mut(&kind) {
        all.retain(|p| p.id != call.segment(4));
    }
    Ok(no_content())
}

fn one_stage(hub: &mut Hubspot, call: &Call<'_>, kind: Kind) -> Answer {
    let id = call.segment(6).to_owned();
    let used = in_use(hub, kind, &|stage| stage == id);
    let found = pipeline_mut(hub, call, kind)?;
    let at = found.stages.iter().position(|s| s.id == id).ok_or_else(Refusal::no_record)?;
    match call.request.method.as_str() {
        "DELETE" => {
            if used {
                return Err(Refusal::invalid(format!("Stage {id} has records and cannot be deleted"))
                    .sub("PipelineError.STAGE_ID_IN_USE"));
            }
            found.stages.remove(at);
            Ok(no_content())
        }
        method @ ("PATCH" | "PUT") => {
            let body = call.object()?;
            let next = metadata(kind, body.get("metadata"), method == "PUT")?;
            let stage = found.stages.get_mut(at).ok_or_else(Refusal::no_record)?;
            if method == "PUT" || body.contains_key("label") {
                stage.label = label(&body)?;
            }
            if let Some(order) = body.get("displayOrder").and_then(Json::as_i64) {
                stage.display_order = order;
            }
            stage.metadata.extend(next);
            stage.updated_at = call.now;
            Ok(Reply::json(200, &stage.json()))
        }
        "GET" => Ok(Reply::json(200, &found.stages.get(at).map(Stage::json).unwrap_or_default())),
        _ => Err(Refusal::new(405, "", "Method Not Allowed")),
    }
}
