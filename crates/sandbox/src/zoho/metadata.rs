//! What there is: modules, fields, layouts, related lists, pipelines (sheet: section 3).

use serde_json::{Value as Json, json};

use super::call::Call;
use super::refusal::{Answer, Refusal, nothing};
use super::schema::{Field, Kind, Layout, Module, Pick, Pipeline};
use super::scopes::Does;
use super::world::World;
use crate::Reply;

/// `GET /settings/modules` and `/settings/modules/{name}`.
pub(super) fn modules(world: &World, call: &Call<'_>, one: Option<&str>) -> Answer {
    call.may("ZohoCRM.settings.modules", Does::Read)?;
    let fits = |module: &&Module| one.is_none_or(|one| module.api_name == one || module.id.to_string() == one);
    let told: Vec<Json> = world.modules.iter().filter(fits).enumerate().map(|(at, one)| module(at, one)).collect();
    match told.is_empty() {
        true => Err(Refusal::no_module(2)),
        false => Ok(Reply::json(200, &json!({"modules": told}))),
    }
}

fn module(at: usize, module: &Module) -> Json {
    let is_record = module.is_record();
    let generated = if module.generated == "custom" || module.generated == "linking" {
        module.generated.as_str()
    } else {
        "default"
    };
    json!({
        "id": module.id.to_string(), "api_name": module.api_name, "module_name": module.api_name,
        "singular_label": module.singular, "plural_label": module.plural, "generated_type": generated,
        // Rows of subforms are reached through their records alone (sheet: section 4).
        "api_supported": module.generated != "subform", "creatable": is_record, "editable": is_record,
        "deletable": is_record, "viewable": is_record, "visible": is_record, "visibility": 1, "show_as_tab": is_record,
        "convertable": module.api_name == "Leads", "global_search_supported": is_record, "quick_create": is_record,
        "webform_supported": is_record, "triggers_supported": is_record, "sequence_number": at + 1,
        "status": "visible", "profiles": super::org::PROFILES.map(|(name, id)| json!({"name": name, "id": id.to_string()})),
        "parent_module": {}, "description": null, "modified_time": null, "modified_by": null, "arguments": [],
    })
}

/// The module that `?module=` names.
pub(super) fn wanted<'a>(world: &'a World, call: &Call<'_>) -> Result<&'a Module, Refusal> {
    let name = call.param("module").ok_or_else(|| Refusal::missing_param("module"))?;
    world.module(name).ok_or_else(|| {
        Refusal::new("INVALID_MODULE", "the module name given seems to be invalid")
            .with(json!({"param_name": "module"}))
    })
}

/// `GET /settings/fields?module=` and `/settings/fields/{id}?module=`.
pub(super) fn fields(world: &World, call: &Call<'_>, one: Option<&str>) -> Answer {
    call.may("ZohoCRM.settings.fields", Does::Read)?;
    let module = wanted(world, call)?;
    if call.param("type") == Some("unused") {
        return Ok(nothing());
    }
    let fits = |field: &&Field| one.is_none_or(|one| field.id.to_string() == one || field.api_name == one);
    let told: Vec<Json> = module.fields.iter().filter(fits).map(|one| field(world, module, one)).collect();
    match told.is_empty() {
        true if one.is_some() => Err(Refusal::bad_id("id", "$.id")),
        true => Ok(nothing()),
        false => Ok(Reply::json(200, &json!({"fields": told}))),
    }
}

/// A field as the API describes it.
fn field(world: &World, module: &Module, field: &Field) -> Json {
    let writes = !field.read_only;
    let decimals = matches!(field.data_type, Kind::Currency | Kind::Double | Kind::Percent).then_some(field.decimals);
    let layouts = module.layouts.iter().map(|one| json!({"name": one.name, "id": one.id.to_string()}));
    let permission = if writes { "read_write" } else { "read_only" };
    let profiles = super::org::PROFILES
        .map(|(name, id)| json!({"name": name, "id": id.to_string(), "permission_type": permission}));
    let mut told = json!({
        "id": field.id.to_string(), "api_name": field.api_name, "field_label": field.label,
        "display_label": field.label, "data_type": field.data_type.word(), "json_type": field.data_type.json_type(),
        "system_mandatory": field.mandatory,
        // Stamps are not read only by this flag, although nobody can set them (sheet: section 3).
        "read_only": matches!(field.data_type, Kind::Autonumber | Kind::Formula), "field_read_only": false,
        "custom_field": field.custom, "visible": true, "virtual_field": false, "length": field.length,
        "decimal_place": decimals, "default_value": field.default, "enable_colour_code": false,
        "pick_list_values_sorted_lexically": false, "pick_list_values": picks(module, field),
    });
    let of_kind = special(world, module, field);
    let rest = json!({
        "operation_type": {"web_view": true, "web_create": writes, "web_update": writes, "api_create": writes,
            "api_update": writes},
        "searchable": true, "sortable": true, "filterable": true, "mass_update": writes, "type": "used",
        "view_type": {"view": true, "edit": writes, "create": writes, "quick_create": false},
        "layout_associations": layouts.collect::<Json>(), "profiles": profiles, "tooltip": null,
        "history_tracking": null, "convert_mapping": null, "created_source": "default",
    });
    for part in [of_kind, rest] {
        if let (Some(told), Json::Object(part)) = (told.as_object_mut(), part) {
            told.extend(part);
        }
    }
    told
}

/// What a field says of itself by its kind; empty where it is of another.
fn special(world: &World, module: &Module, field: &Field) -> Json {
    let target = field.module.as_deref().unwrap_or("");
    let id = world.module(target).map(|module| module.id.to_string());
    let mini = json!({"api_name": target, "id": id});
    let only = |kind: Kind, value: Json| if field.data_type == kind { value } else { json!({}) };
    let lookup = json!({"api_name": format!("{}_{}", module.api_name, field.api_name), "display_label": field.label,
        "id": field.id.to_string(), "module": mini, "query_details": {}});
    let multi = json!({"connected_module": mini, "lookup_apiname": field.api_name,
        "linking_module": {"api_name": format!("{}X{target}", module.api_name)}});
    let unique = match field.unique || field.external.is_some() {
        true => json!({"case_sensitive": field.case_sensitive}),
        false => json!({}),
    };
    let is_subform = field.data_type == Kind::Subform;
    json!({
        "unique": unique, "lookup": only(Kind::Lookup, lookup), "multiselectlookup": only(Kind::Multiselectlookup, multi),
        "subform": is_subform.then(|| json!({"module": target, "id": id})),
        "associated_module": is_subform.then(|| json!({"module": target, "id": id})),
        "external": field.external.as_ref().map(|kind| json!({"type": kind, "show": false})),
        "currency": only(Kind::Currency, json!({"rounding_option": "normal", "precision": field.decimals})),
        "formula": only(Kind::Formula, json!({"return_type": "string"})),
        "auto_number": only(Kind::Autonumber, json!({"start_number": 1})),
        "textarea": field.textarea.as_ref().map(|area| json!({"type": area})),
    })
}

fn picks(module: &Module, field: &Field) -> Json {
    // Pipelines are values of their field, by layout.
    if field.api_name == "Pipeline" && module.api_name == "Deals" {
        let all = module.layouts.iter().flat_map(|layout| &layout.pipelines).enumerate();
        return all
            .map(|(at, one)| {
                pick(
                    at,
                    &Pick { id: one.id, display: one.display.clone(), actual: one.actual.clone(), ..Pick::default() },
                )
            })
            .collect();
    }
    let mut told: Vec<Json> = Vec::new();
    if field.data_type == Kind::Picklist && field.api_name != "Stage" && !field.picks.is_empty() {
        told.push(pick(
            0,
            &Pick { display: "-None-".to_owned(), actual: "-None-".to_owned(), id: field.id, ..Pick::default() },
        ));
    }
    told.extend(field.picks.iter().enumerate().map(|(at, one)| pick(at + 1, one)));
    Json::Array(told)
}

fn pick(at: usize, pick: &Pick) -> Json {
    let mut told = json!({
        "id": pick.id.to_string(), "display_value": pick.display, "actual_value": pick.actual,
        "reference_value": pick.actual, "sequence_number": at, "type": if pick.unused { "unused" } else { "used" },
        "colour_code": null, "maps": [],
    });
    if let Some(probability) = pick.probability {
        told["probability"] = json!(probability);
        told["forecast_type"] = json!(pick.forecast);
        told["forecast_category"] = json!(pick.forecast);
    }
    told
}

/// `GET /settings/layouts?module=` and `/settings/layouts/{id}?module=`.
pub(super) fn layouts(world: &World, call: &Call<'_>, one: Option<&str>) -> Answer {
    call.may("ZohoCRM.settings.layouts", Does::Read)?;
    let module = wanted(world, call)?;
    let fits = |layout: &&Layout| one.is_none_or(|one| layout.id.to_string() == one);
    let told: Vec<Json> = module.layouts.iter().filter(fits).map(|one| layout(world, module, one)).collect();
    match told.is_empty() {
        true => Err(Refusal::bad_id("id", "$.id")),
        false => Ok(Reply::json(200, &json!({"layouts": told}))),
    }
}

fn layout(world: &World, module: &Module, layout: &Layout) -> Json {
    let told: Vec<Json> = module
        .fields
        .iter()
        .enumerate()
        .map(|(at, one)| {
            let mut told = field(world, module, one);
            told["required"] = json!(one.mandatory || layout.required.contains(&one.api_name));
            told["sequence_number"] = json!(at + 1);
            told
        })
        .collect();
    json!({
        "id": layout.id.to_string(), "name": layout.name, "display_label": layout.name, "api_name": layout.name,
        "status": "active", "visible": true, "generated_type": "default", "source": "crm",
        "profiles": super::org::PROFILES.map(|(name, id)| json!({"name": name, "id": id.to_string()})),
        "sections": [{
            "id": (layout.id + 500).to_string(), "name": format!("{} Information", module.singular),
            "api_name": format!("{} Information", module.singular), "display_label": format!("{} Information", module.singular),
            "sequence_number": 1, "column_count": 2, "type": "used", "generated_type": "default",
            "isSubformSection": false, "fields": told,
        }],
    })
}

/// `GET /settings/pipeline?layout_id=`.
pub(super) fn pipelines(world: &World, call: &Call<'_>, one: Option<&str>) -> Answer {
    call.may("ZohoCRM.settings.pipeline", Does::Read)?;
    let wanted = call.param("layout_id").ok_or_else(|| Refusal::missing_param("layout_id"))?;
    let deals = world.module("Deals").ok_or_else(|| Refusal::no_module(2))?;
    let layout = deals.layouts.iter().find(|layout| layout.id.to_string() == wanted);
    let layout = layout.ok_or_else(|| Refusal::bad_param("layout_id"))?;
    let all = layout.pipelines.iter().filter(|pipeline| one.is_none_or(|one| pipeline.id.to_string() == one));
    let told: Vec<Json> = all.map(|one| pipeline(deals, one)).collect();
    match told.is_empty() {
        true => Ok(nothing()),
        false => Ok(Reply::json(200, &json!({"pipeline": told}))),
    }
}

fn pipeline(deals: &Module, pipeline: &Pipeline) -> Json {
    let stage = deals.field("Stage");
    let maps = pipeline.stages.iter().enumerate().filter_map(|(at, actual)| {
        let pick = stage?.pick(actual, false)?;
        Some(json!({
            "display_value": pick.display, "actual_value": pick.actual, "id": pick.id.to_string(),
            "sequence_number": at + 1, "forecast_type": pick.forecast, "colour_code": null,
            "forecast_category": {"name": "Pipeline", "id": (pick.id + 500).to_string()},
        }))
    });
    json!({
        "display_value": pipeline.display, "actual_value": pipeline.actual, "default": pipeline.default,
        "id": pipeline.id.to_string(), "maps": maps.collect::<Json>(), "child_available": false, "parent": null,
    })
}

/// `GET /settings/related_lists?module=`.
pub(super) fn related_lists(world: &World, call: &Call<'_>) -> Answer {
    call.may("ZohoCRM.settings.related_lists", Does::Read)?;
    let module = wanted(world, call)?;
    let told: Vec<Json> = module
        .related
        .iter()
        .enumerate()
        .map(|(at, one)| {
            let id = world.module(&one.module).map(|module| module.id.to_string());
            json!({
                "id": one.id.to_string(), "api_name": one.api_name, "name": one.label, "display_label": one.label,
                "module": {"api_name": one.module, "id": id}, "sequence_number": (at + 1).to_string(), "visible": true,
                "type": if one.lookup.is_some() { "default" } else { "custom_lookup" }, "action": null,
                "href": format!("{}/{{ENTITYID}}/{}", module.api_name, one.api_name), "status": "visible",
                "connectedmodule": null, "linkingmodule": null,
            })
        })
        .collect();
    match told.is_empty() {
        true => Ok(nothing()),
        false => Ok(Reply::json(200, &json!({"related_lists": told}))),
    }
}

/// Settings of which the sandbox has none, or the usual ones.
pub(super) fn others(world: &World, call: &Call<'_>, what: &str) -> Answer {
    call.may(&format!("ZohoCRM.settings.{what}"), Does::Read)?;
    match what {
        "global_picklists" | "map_dependency" => Ok(nothing()),
        "custom_views" => {
            let module = wanted(world, call)?;
            let all = json!({"id": (module.id + 900).to_string(), "name": format!("All {}", module.plural),
                "display_value": format!("All {}", module.plural), "system_name": "ALLVIEWS", "system_defined": true, "default": true});
            Ok(Reply::json(200, &json!({"custom_views": [all]})))
        }
        _ => {
            wanted(world, call)?;
            let preference = json!({"type": "mapped_module_records", "type_configurations": []});
            Ok(Reply::json(200, &json!({"duplicate_check_preference": preference})))
        }
    }
}
