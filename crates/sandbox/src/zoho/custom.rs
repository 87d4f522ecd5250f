//! Custom fields and custom modules through the API (sheet: section 3, create a custom field).

use serde_json::{Map, Value as Json, json};

use super::call::Call;
use super::catalogue;
use super::metadata::wanted;
use super::refusal::{Answer, Refusal, success};
use super::schema::{Field, Kind, Module, Pick};
use super::scopes::Does;
use super::world::World;
use crate::Reply;
use crate::journal::{Action, Change};

/// Fields in a call (sheet: section 3).
const MOST: usize = 5;

/// Unique fields of a module (sheet: section 3).
const UNIQUE: usize = 2;

/// `POST /settings/fields?module=`.
pub(super) fn create(world: &mut World, call: &Call<'_>) -> Answer {
    call.may("ZohoCRM.settings.fields", Does::Create)?;
    let module = wanted(world, call)?.api_name.clone();
    let (_, items) = call.items("fields", MOST)?;
    let mut results = Vec::new();
    let mut failed = 0;
    for (at, item) in items.iter().enumerate() {
        let path = format!("$.fields[{at}]");
        let item = item.as_object().cloned().unwrap_or_default();
        match add(world, &module, &item, &path) {
            Ok(field) => {
                results.push(Json::Object(success("field created", json!({"id": field.id.to_string()}))));
                world.changes.push(Change::new("fields", field.id, Action::Created).with(
                    "api_name",
                    Json::Null,
                    json!(field.api_name),
                ));
            }
            Err(refusal) => {
                failed += 1;
                results.push(refusal.item());
            }
        }
    }
    let status = if failed == 0 {
        201
    } else if failed == items.len() {
        world.settings.failed_status
    } else {
        world.settings.mixed_status
    };
    Ok(Reply::json(status, &json!({"fields": results})))
}

fn add(world: &mut World, module: &str, item: &Map<String, Json>, path: &str) -> Result<Field, Refusal> {
    let label = item.get("field_label").and_then(Json::as_str).unwrap_or("").trim().to_owned();
    if label.is_empty() {
        return Err(Refusal::missing("field_label", &format!("{path}.field_label")));
    }
    if label.chars().count() > 50 {
        return Err(Refusal::too_long("field_label", &format!("{path}.field_label"), 50));
    }
    let word = item.get("data_type").and_then(Json::as_str);
    let word = word.ok_or_else(|| Refusal::missing("data_type", &format!("{path}.data_type")))?;
    let kind = Kind::of(word)
        .filter(|kind| !matches!(kind, Kind::Ownerlookup | Kind::Layout | Kind::Tag | Kind::Participants));
    let kind = kind.ok_or_else(|| Refusal::invalid("data_type", &format!("{path}.data_type"), "data_type"))?;
    let most = world.org.custom_fields();
    let shape = world.module(module).ok_or_else(|| Refusal::no_module(2))?;
    if shape.fields.iter().filter(|field| field.custom).count() >= most {
        return Err(Refusal::limit("The limit of custom fields is exceeded", json!({"limit": most})));
    }
    if let Some(known) = shape.fields.iter().find(|field| field.label.eq_ignore_ascii_case(&label)) {
        let details =
            json!({"api_name": "field_label", "json_path": format!("{path}.field_label"), "id": known.id.to_string()});
        return Err(Refusal::new("DUPLICATE_DATA", "duplicate data").with(details));
    }
    let mut field = Field { label, data_type: kind, custom: true, ..Field::default() };
    field.api_name = api_name(shape, &field.label);
    shaped(&mut field, world, shape, item, path)?;
    field.id = world.mint_meta();
    for at in 0..field.picks.len() {
        let id = world.mint_meta();
        if let Some(pick) = field.picks.get_mut(at) {
            pick.id = id;
        }
    }
    if let Some(shape) = world.module_mut(module) {
        shape.fields.push(field.clone());
    }
    world.reindex(module);
    Ok(field)
}

/// What a description says of a field beside its name and kind.
fn shaped(
    field: &mut Field,
    world: &World,
    module: &Module,
    item: &Map<String, Json>,
    path: &str,
) -> Result<(), Refusal> {
    let text = |of: Option<&Json>| of.and_then(Json::as_str).map(str::to_owned);
    let is_given =
        |name: &str| item.get(name).is_some_and(|given| given.as_object().is_some_and(|map| !map.is_empty()));
    field.unique = is_given("unique");
    field.case_sensitive = item.get("unique").is_some_and(|unique| unique["case_sensitive"] == json!(true));
    let taken = module.fields.iter().filter(|field| field.unique || field.external.is_some()).count();
    if (field.unique || is_given("external")) && taken >= UNIQUE {
        return Err(Refusal::limit(
            "The limit of unique fields is exceeded",
            json!({"limit": UNIQUE, "api_name": "unique"}),
        ));
    }
    let uniques = matches!(
        field.data_type,
        Kind::Text | Kind::Email | Kind::Phone | Kind::Integer | Kind::Bigint | Kind::Website
    );
    let has_none = module.is_activity() || module.api_name == "Notes";
    if field.unique && (!uniques || (has_none && !world.settings.unique_activities)) {
        return Err(Refusal::invalid("unique", &format!("{path}.unique"), "field"));
    }
    if is_given("external") {
        let kind = text(item.get("external").map(|external| &external["type"])).unwrap_or_default();
        let has_one = module.fields.iter().any(|field| field.external.as_ref() == Some(&kind));
        let fits =
            field.data_type == Kind::Text && module.api_name != "Calls" && ["org", "user"].contains(&kind.as_str());
        if !fits || has_one {
            return Err(Refusal::invalid("external", &format!("{path}.external"), "text"));
        }
        field.external = Some(kind);
    }
    if field.data_type == Kind::Textarea {
        let area = text(item.get("textarea").map(|area| &area["type"])).unwrap_or_else(|| "small".to_owned());
        field.textarea = Some(area);
    }
    if matches!(field.data_type, Kind::Picklist | Kind::Multipick) {
        let values = item.get("pick_list_values").and_then(Json::as_array).filter(|values| !values.is_empty());
        let values = values.ok_or_else(|| Refusal::missing("pick_list_values", &format!("{path}.pick_list_values")))?;
        for value in values {
            let display = text(value.get("display_value")).unwrap_or_default();
            let actual = text(value.get("actual_value")).unwrap_or_else(|| display.clone());
            field.picks.push(Pick { display, actual, ..Pick::default() });
        }
    }
    if matches!(field.data_type, Kind::Lookup | Kind::Multiselectlookup) {
        let name =
            text(item.get("lookup").or(item.get("multiselectlookup")).map(|lookup| &lookup["module"]["api_name"]));
        let known = name.filter(|name| world.module(name).is_some_and(Module::is_record));
        field.module =
            Some(known.ok_or_else(|| Refusal::invalid("lookup", &format!("{path}.lookup.module"), "module"))?);
    }
    let decimals = item.get("decimal_place").and_then(Json::as_u64).unwrap_or(0);
    field.decimals = usize::try_from(decimals).unwrap_or(0).min(9);
    let length = item.get("length").and_then(Json::as_u64).and_then(|length| usize::try_from(length).ok()).unwrap_or(0);
    if field.data_type == Kind::Text && length > 255 {
        return Err(Refusal::too_long("length", &format!("{path}.length"), 255));
    }
    catalogue::settle(field, length);
    Ok(())
}

/// The API name that the system gives a label: blanks become `_`, a name that is taken gets a number.
fn api_name(module: &Module, label: &str) -> String {
    let word = |letter: char| if letter.is_ascii_alphanumeric() { letter } else { '_' };
    let mut name: String = label.chars().map(word).collect();
    while name.contains("__") {
        name = name.replace("__", "_");
    }
    let mut name = name.trim_matches('_').to_owned();
    if name.is_empty() || name.starts_with(|first: char| first.is_ascii_digit()) {
        name = format!("field_{name}");
    }
    let plain = name.clone();
    let mut n = 1;
    while module.field(&name).is_some() {
        name = format!("{plain}{n}");
        n += 1;
    }
    name
}

/// `PATCH` and `DELETE /settings/fields/{id}?module=`.
pub(super) fn change(world: &mut World, call: &Call<'_>, one: &str) -> Answer {
    call.may("ZohoCRM.settings.fields", Does::of(call.method()))?;
    let module = wanted(world, call)?.api_name.clone();
    let found =
        world.module(&module).and_then(|shape| shape.fields.iter().find(|field| field.id.to_string() == one)).cloned();
    let mut field = found.ok_or_else(|| Refusal::bad_id("id", "$.fields[0].id"))?;
    if call.method() == "DELETE" {
        if !field.custom {
            return Err(Refusal::new("NOT_SUPPORTED", "standard fields cannot be deleted").with_status(400));
        }
        if let Some(shape) = world.module_mut(&module) {
            shape.fields.retain(|known| known.id != field.id);
        }
        world.changes.push(Change::new("fields", field.id, Action::Deleted));
        return Ok(Reply::json(200, &json!({"fields": [success("field deleted", json!({"id": one}))]})));
    }
    let (_, items) = call.items("fields", 1)?;
    let item = items.first().and_then(Json::as_object).cloned().unwrap_or_default();
    if let Some(label) = item.get("field_label").and_then(Json::as_str) {
        field.label = label.to_owned();
    }
    for value in item.get("pick_list_values").and_then(Json::as_array).into_iter().flatten() {
        let word = |name: &str| value.get(name).and_then(Json::as_str);
        let Some(display) = word("display_value") else { continue };
        let actual = word("actual_value").unwrap_or(display);
        let id = value.get("id").and_then(Json::as_str);
        let known =
            field.picks.iter_mut().find(|pick| Some(pick.id.to_string().as_str()) == id || pick.actual == actual);
        match known {
            // The actual value stays when the display changes (sheet: trap 4).
            Some(pick) => {
                pick.display = display.to_owned();
                pick.unused = word("type") == Some("unused");
            }
            None => {
                let id = world.mint_meta();
                field.picks.push(Pick {
                    id,
                    display: display.to_owned(),
                    actual: actual.to_owned(),
                    ..Pick::default()
                });
            }
        }
    }
    field.changed = !field.custom;
    if let Some(known) =
        world.module_mut(&module).and_then(|shape| shape.fields.iter_mut().find(|one| one.id == field.id))
    {
        *known = field;
    }
    Ok(Reply::json(200, &json!({"fields": [success("field updated", json!({"id": one}))]})))
}

/// `POST /settings/modules`.
pub(super) fn create_module(world: &mut World, call: &Call<'_>) -> Answer {
    call.may("ZohoCRM.settings.modules", Does::Create)?;
    let (_, items) = call.items("modules", 1)?;
    let item = items.first().cloned().unwrap_or_default();
    let word = |name: &str| item.get(name).and_then(Json::as_str).unwrap_or("").trim().to_owned();
    let (plural, singular) = (word("plural_label"), word("singular_label"));
    if plural.is_empty() {
        return Err(Refusal::missing("plural_label", "$.modules[0].plural_label"));
    }
    let given = word("api_name");
    let name = if given.is_empty() { plural.replace(' ', "_") } else { given };
    if let Some(known) = world.module(&name) {
        let details = json!({"api_name": "plural_label", "id": known.id.to_string()});
        return Err(Refusal::new("DUPLICATE_DATA", "duplicate data").with(details));
    }
    let module = blank(world, &name, &singular, &plural);
    let id = module.id;
    world.modules.push(module);
    world.changes.push(Change::new("modules", id, Action::Created).with("api_name", Json::Null, json!(name)));
    Ok(Reply::json(201, &json!({"modules": [success("module created", json!({"id": id.to_string()}))]})))
}

/// A custom module with nothing but its name.
pub(super) fn blank(world: &mut World, name: &str, singular: &str, plural: &str) -> Module {
    let field = Field {
        api_name: "Name".to_owned(),
        label: format!("{singular} Name"),
        length: 120,
        mandatory: true,
        ..Field::default()
    };
    let mut module = Module {
        api_name: name.to_owned(),
        singular: singular.to_owned(),
        plural: plural.to_owned(),
        generated: "custom".to_owned(),
        display: "Name".to_owned(),
        key: Some("Name".to_owned()),
        fields: vec![field],
        ..Module::default()
    };
    catalogue::system_fields(&mut module);
    catalogue::common_lists(&mut module);
    identify(world, &mut module);
    module
}

/// Gives ids to what has none in a module beside the standard ones.
pub(super) fn identify(world: &mut World, module: &mut Module) {
    let ids = std::iter::once(&mut module.id)
        .chain(module.layouts.iter_mut().map(|layout| &mut layout.id))
        .chain(module.related.iter_mut().map(|list| &mut list.id));
    ids.filter(|id| **id == 0).for_each(|id| *id = world.mint_meta());
    for layout in &mut module.layouts {
        layout.pipelines.iter_mut().filter(|one| one.id == 0).for_each(|one| one.id = world.mint_meta());
    }
    for field in &mut module.fields {
        if field.id == 0 {
            field.id = world.mint_meta();
        }
        field.picks.iter_mut().filter(|pick| pick.id == 0).for_each(|pick| pick.id = world.mint_meta());
    }
}
