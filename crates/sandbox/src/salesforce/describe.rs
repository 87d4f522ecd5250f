//! What objects and fields there are (sheet: section 3 \[fixture\]).

use serde_json::{Map, Value as Json, json};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use super::call::Call;
use super::refusal::Answer;
use super::schema::{Child, Field, Kind, Object, OnDelete, Pick};
use super::sobjects::{self, http_date};
use super::values::MASTER_RECORD_TYPE;
use super::world::{World, is_deleted, text};
use crate::Reply;

/// `GET /sobjects`.
pub(super) fn list(world: &World, call: &Call<'_>) -> Answer {
    if call.method() != "GET" {
        return Err(call.not_allowed("HEAD,GET"));
    }
    let objects: Vec<Json> = world.schema.objects.values().map(|object| Json::Object(head(object, call))).collect();
    Ok(Reply::json(200, &json!({"encoding": "UTF-8", "maxBatchSize": 200, "sobjects": objects})))
}

/// `GET /sobjects/Account`.
pub(super) fn basic(world: &World, call: &Call<'_>, name: &str) -> Answer {
    let object = sobjects::object(world, name)?;
    Ok(Reply::json(200, &json!({"objectDescribe": head(object, call), "recentItems": []})))
}

/// `GET /sobjects/Account/describe`, 304 where nothing changed since the date of `If-Modified-Since`.
pub(super) fn object(world: &World, call: &Call<'_>, name: &str) -> Answer {
    let object = sobjects::object(world, name)?;
    if call.method() != "GET" {
        return Err(call.not_allowed("HEAD,GET"));
    }
    let changed = http_date(&super::instant::stamp(world.schema_changed()));
    let same = call.request.header("if-modified-since").is_some_and(|since| {
        jiff::fmt::rfc2822::parse(since).is_ok_and(|since| world.schema_changed() <= since.timestamp().as_second())
    });
    if same {
        return Ok(Reply { status: 304, headers: vec![("last-modified".to_owned(), changed)], body: Vec::new() });
    }
    let mut body = head(object, call);
    let fields: Vec<Json> = object.visible().map(|one| field(object, one)).collect();
    body.insert("fields".to_owned(), json!(fields));
    let children: Vec<Json> =
        world.schema.children(&object.name).filter(|child| !child.field.hidden).map(|one| child(&one)).collect();
    body.insert("childRelationships".to_owned(), json!(children));
    body.insert("recordTypeInfos".to_owned(), record_types(world, object, call));
    let everything = json!([{"label": format!("All {}", object.plural.to_lowercase()), "name": "everything"}]);
    body.insert("supportedScopes".to_owned(), everything);
    for (key, value) in [
        ("actionOverrides", json!([])),
        ("namedLayoutInfos", json!([])),
        ("networkScopeFieldName", Json::Null),
        ("sobjectDescribeOption", json!("FULL")),
        ("compactLayoutable", json!(!object.setup)),
        ("listviewable", Json::Null),
        ("lookupLayoutable", Json::Null),
        ("searchLayoutable", json!(!object.setup)),
        ("defaultImplementation", Json::Null),
        ("extendedBy", Json::Null),
        ("extendsInterfaces", Json::Null),
        ("implementedBy", Json::Null),
        ("implementsInterfaces", Json::Null),
    ] {
        body.insert(key.to_owned(), value);
    }
    Ok(Reply::json(200, &body).with_header("last-modified", changed))
}

/// `GET /limits/recordCount?sObjects=Account,Contact`.
pub(super) fn counts(world: &World, call: &Call<'_>) -> Answer {
    let named: Option<Vec<&str>> = call.request.param("sObjects").map(|list| list.split(',').map(str::trim).collect());
    let objects = world.schema.objects.values().filter(|object| {
        named.as_ref().is_none_or(|named| named.iter().any(|name| name.eq_ignore_ascii_case(&object.name)))
    });
    let counts: Vec<Json> = objects
        .map(|object| {
            let count = world.rows(&object.name).filter(|(_, record)| !is_deleted(record)).count();
            json!({"count": count, "name": object.name})
        })
        .collect();
    Ok(Reply::json(200, &json!({"sObjects": counts})))
}

fn head(object: &Object, call: &Call<'_>) -> Map<String, Json> {
    let at = |rest: &str| call.url(&format!("sobjects/{}{rest}", object.name));
    let urls = json!({"sobject": at(""), "describe": at("/describe"), "rowTemplate": at("/{ID}"),
        "layouts": at("/describe/layouts"), "compactLayouts": at("/describe/compactLayouts"),
        "quickActions": at("/quickActions"), "listviews": at("/listviews")});
    let mut head = Map::new();
    for (key, value) in [
        ("activateable", json!(false)),
        ("associateEntityType", Json::Null),
        ("associateParentEntity", Json::Null),
        ("createable", json!(object.createable)),
        ("custom", json!(object.custom)),
        ("customSetting", json!(false)),
        ("deepCloneable", json!(false)),
        ("deletable", json!(object.deletable)),
        ("deprecatedAndHidden", json!(false)),
        ("feedEnabled", json!(!object.setup)),
        ("hasSubtypes", json!(false)),
        ("isInterface", json!(false)),
        ("isSubtype", json!(false)),
        ("keyPrefix", json!(object.prefix)),
        ("label", json!(object.label)),
        ("labelPlural", json!(object.plural)),
        ("layoutable", json!(!object.setup)),
        ("mergeable", json!(object.mergeable)),
        ("mruEnabled", json!(!object.setup)),
        ("name", json!(object.name)),
        ("queryable", json!(true)),
        ("replicateable", json!(true)),
        ("retrieveable", json!(true)),
        ("searchable", json!(!object.setup)),
        ("triggerable", json!(!object.setup)),
        ("undeletable", json!(object.undeletable)),
        ("updateable", json!(object.updateable)),
        ("urls", urls),
    ] {
        head.insert(key.to_owned(), value);
    }
    head
}

fn field(object: &Object, field: &Field) -> Json {
    let mut out = Map::new();
    let targets: Vec<&str> = field.targets.iter().map(|target| target.object.as_str()).collect();
    let cascade = field.custom && field.targets.iter().any(|target| target.on_delete == OnDelete::Cascade);
    let continuous = field.kind.is_number() && field.kind != Kind::Int;
    let groupable =
        field.filterable && !continuous && !matches!(field.kind, Kind::Datetime | Kind::Address | Kind::Base64);
    let picks: Vec<Json> = field.values.iter().map(|pick| choice(object, field, pick)).collect();
    for (key, value) in [
        ("aggregatable", json!(field.filterable && field.kind != Kind::Boolean && field.kind != Kind::Address)),
        ("autoNumber", json!(field.auto_number)),
        ("byteLength", json!(if field.kind.is_id() { field.length } else { field.length * 3 })),
        ("calculated", json!(field.formula.is_some())),
        ("calculatedFormula", json!(field.formula)),
        ("cascadeDelete", json!(cascade)),
        ("caseSensitive", json!(field.case_sensitive)),
        ("compoundFieldName", json!(field.compound)),
        ("controllerName", json!(field.controller)),
        ("createable", json!(field.createable)),
        ("custom", json!(field.custom)),
        ("defaultValue", if field.kind == Kind::Boolean { json!(field.default) } else { Json::Null }),
        ("defaultedOnCreate", json!(field.defaulted)),
        ("dependentPicklist", json!(field.controller.is_some())),
        ("digits", json!(if field.kind == Kind::Int { field.precision } else { 0 })),
        ("externalId", json!(field.external_id)),
        ("filterable", json!(field.filterable)),
        ("groupable", json!(groupable)),
        ("htmlFormatted", json!(field.html)),
        ("idLookup", json!(field.id_lookup || field.external_id)),
        ("label", json!(field.label)),
        ("length", json!(field.length)),
        ("name", json!(field.name)),
        ("nameField", json!(field.name_field)),
        ("namePointing", json!(field.polymorphic())),
        ("nillable", json!(field.nillable)),
        ("permissionable", json!(field.custom || (field.createable && field.nillable))),
        ("picklistValues", json!(picks)),
        ("polymorphicForeignKey", json!(field.polymorphic())),
        ("precision", json!(if field.kind == Kind::Int { 0 } else { field.precision })),
        ("referenceTo", json!(targets)),
        ("relationshipName", json!(field.relationship())),
        ("relationshipOrder", if cascade { json!(0) } else { Json::Null }),
        ("restrictedPicklist", json!(field.restricted)),
        ("scale", json!(field.scale)),
        ("soapType", json!(field.kind.soap())),
        ("sortable", json!(field.sortable)),
        ("type", json!(field.kind.name())),
        ("unique", json!(field.unique)),
        ("updateable", json!(field.updateable)),
        ("writeRequiresMasterRead", json!(cascade)),
    ] {
        out.insert(key.to_owned(), value);
    }
    unused(&mut out);
    Json::Object(out)
}

/// What a sandbox has no use for, as every field of the recordings has it.
fn unused(out: &mut Map<String, Json>) {
    for key in [
        "aiPredictionField",
        "deprecatedAndHidden",
        "displayLocationInDecimal",
        "encrypted",
        "formulaTreatNullNumberAsZero",
        "highScaleNumber",
        "queryByDistance",
        "restrictedDelete",
        "searchPrefilterable",
    ] {
        out.insert(key.to_owned(), json!(false));
    }
    for key in [
        "defaultValueFormula",
        "extraTypeInfo",
        "filteredLookupInfo",
        "inlineHelpText",
        "mask",
        "maskType",
        "referenceTargetField",
    ] {
        out.insert(key.to_owned(), Json::Null);
    }
}

fn choice(object: &Object, field: &Field, pick: &Pick) -> Json {
    let controller = field.controller.as_ref().and_then(|name| object.any_field(name));
    let valid_for =
        pick.valid_for.as_ref().map(|places| bitmap(places, controller.map_or(2, |field| field.values.len())));
    json!({"active": pick.active, "defaultValue": pick.default, "label": pick.label, "validFor": valid_for,
        "value": pick.value})
}

/// Bits by the controlling value's place, the highest bit first (sheet: section 3 \[doc\]).
fn bitmap(places: &[usize], values: usize) -> String {
    let mut bytes = vec![0_u8; values.div_ceil(8).max(1)];
    for place in places {
        if let Some(byte) = bytes.get_mut(place / 8) {
            *byte |= 0x80 >> (place % 8);
        }
    }
    STANDARD.encode(bytes)
}

fn child(child: &Child<'_>) -> Json {
    json!({"cascadeDelete": child.target.on_delete == OnDelete::Cascade, "childSObject": child.object.name,
        "deprecatedAndHidden": false, "field": child.field.name, "junctionIdListNames": [],
        "junctionReferenceTo": [], "relationshipName": child.target.children,
        "restrictedDelete": child.target.on_delete == OnDelete::Restrict})
}

fn record_types(world: &World, object: &Object, call: &Call<'_>) -> Json {
    let info = |id: &str, name: &str, developer: &str, active: bool, master: bool, default: bool| {
        json!({"active": active, "available": active, "defaultRecordTypeMapping": default, "developerName": developer,
            "master": master, "name": name, "recordTypeId": id,
            "urls": {"layout": call.url(&format!("sobjects/{}/describe/layouts/{id}", object.name))}})
    };
    let mut list = Vec::new();
    for (id, record) in world.rows("RecordType").filter(|(_, record)| text(record, "SobjectType") == object.name) {
        let active = record.get("IsActive") == Some(&json!(true));
        list.push(info(id, text(record, "Name"), text(record, "DeveloperName"), active, false, list.is_empty()));
    }
    list.push(info(MASTER_RECORD_TYPE, "Master", "Master", true, true, list.is_empty()));
    json!(list)
}
