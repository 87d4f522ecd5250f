//! Definitions as JSON.

use serde_json::{Map, Value as Json, json};

use crate::dynamics::guid;
use crate::dynamics::instant::Seconds;
use crate::dynamics::relations::{Pairs, Relation};
use crate::dynamics::schema::{Attribute, Behavior, Choice, Entity, Key, Kind, Ownership};
use crate::dynamics::world::World;

fn object(value: Json) -> Map<String, Json> {
    match value {
        Json::Object(map) => map,
        _ => Map::new(),
    }
}

/// A label in the organization's language.
pub(super) fn label(text: &str) -> Json {
    let one = json!({"Label": text, "LanguageCode": 1033, "IsManaged": false, "MetadataId": guid::of_schema(text), "HasChanged": null});
    json!({"LocalizedLabels": [one.clone()], "UserLocalizedLabel": one})
}

fn managed(value: &Json, property: &str) -> Json {
    json!({"Value": value, "CanBeChanged": true, "ManagedPropertyLogicalName": property})
}

/// A table's own properties.
pub(super) fn table(entity: &Entity) -> Map<String, Json> {
    let ownership = match entity.ownership {
        Ownership::User => "UserOwned",
        Ownership::Organization => "OrganizationOwned",
        Ownership::None => "None",
    };
    let party = matches!(entity.name.as_str(), "account" | "contact" | "lead" | "systemuser" | "team");
    object(json!({
        "MetadataId": guid::of_schema(&entity.name),
        "LogicalName": entity.name, "SchemaName": entity.schema_name, "EntitySetName": entity.set,
        "LogicalCollectionName": entity.set, "CollectionSchemaName": entity.set,
        "PrimaryIdAttribute": entity.primary_id, "PrimaryNameAttribute": entity.primary_name,
        "ObjectTypeCode": entity.code, "OwnershipType": ownership, "IsActivity": entity.activity,
        "IsActivityParty": party,
        "IsCustomEntity": entity.custom, "IsIntersect": entity.intersect, "ChangeTrackingEnabled": entity.tracked,
        "IsOptimisticConcurrencyEnabled": true, "TableType": "Standard", "IsManaged": !entity.custom,
        "IsValidForAdvancedFind": entity.writable, "IsLogicalEntity": false, "IsPrivate": false,
        "IsCustomizable": managed(&json!(true), "iscustomizable"),
        "IsDuplicateDetectionEnabled": managed(&json!(entity.mergeable), "canmodifyduplicatedetectionsettings"),
        "DisplayName": label(&entity.label), "DisplayCollectionName": label(&entity.plural), "Description": label(""),
        "DataProviderId": null, "HasNotes": true, "HasActivities": true,
    }))
}

/// A column, with what its kind adds.
pub(super) fn attribute(entity: &Entity, attribute: &Attribute) -> Map<String, Json> {
    let behavior = match attribute.behavior {
        Behavior::UserLocal => "UserLocal",
        Behavior::DateOnly => "DateOnly",
        Behavior::TimeZoneIndependent => "TimeZoneIndependent",
    };
    let mut out = object(json!({
        "@odata.type": format!("#Microsoft.Dynamics.CRM.{}", attribute.kind.metadata()),
        "MetadataId": guid::of_schema(&format!("{}.{}", entity.name, attribute.name)),
        "LogicalName": attribute.name, "SchemaName": attribute.schema_name, "EntityLogicalName": entity.name,
        "AttributeType": attribute.kind.attribute_type(),
        "AttributeTypeName": {"Value": format!("{}Type", attribute.kind.stem())},
        "AttributeOf": null,
        "RequiredLevel": managed(&json!(attribute.required.name()), "canmodifyrequirementlevelsettings"),
        "IsValidForCreate": attribute.create, "IsValidForUpdate": attribute.update, "IsValidForRead": attribute.read,
        "IsPrimaryId": attribute.name == entity.primary_id,
        "IsPrimaryName": Some(&attribute.name) == entity.primary_name.as_ref(),
        "IsCustomAttribute": attribute.custom, "IsLogical": false, "IsSecured": false, "IsManaged": !attribute.custom,
        "IsFilterable": true, "IsSearchable": false, "IsRetrievable": true, "DeprecatedVersion": null,
        "SourceType": attribute.source_type, "AutoNumberFormat": "",
        "DisplayName": label(&attribute.label), "Description": label(""),
    }));
    let more = match attribute.kind {
        Kind::String => json!({"MaxLength": attribute.max_length, "Format": attribute.format,
            "FormatName": {"Value": attribute.format}, "DatabaseLength": attribute.max_length * 2}),
        Kind::Memo => json!({"MaxLength": attribute.max_length, "Format": attribute.format,
            "FormatName": {"Value": attribute.format}}),
        Kind::Integer | Kind::BigInt => {
            json!({"MinValue": whole(attribute.min), "MaxValue": whole(attribute.max), "Format": "None"})
        }
        Kind::Decimal | Kind::Double => {
            json!({"MinValue": attribute.min, "MaxValue": attribute.max, "Precision": attribute.precision})
        }
        Kind::Money => json!({"MinValue": attribute.min, "MaxValue": attribute.max, "Precision": attribute.precision,
            "PrecisionSource": attribute.precision_source, "CalculationOf": attribute.base_of,
            "IsBaseCurrency": attribute.base_of.is_some()}),
        Kind::DateTime => json!({"Format": attribute.format, "DateTimeBehavior": {"Value": behavior},
            "CanChangeDateTimeBehavior": {"Value": true}}),
        Kind::Lookup | Kind::Customer | Kind::Owner => json!({"Targets": attribute.targets}),
        Kind::Picklist | Kind::State | Kind::Status | Kind::MultiSelect => {
            json!({"DefaultFormValue": attribute.default})
        }
        Kind::Boolean => json!({"DefaultValue": attribute.default}),
        Kind::Guid | Kind::EntityName => json!({}),
    };
    out.extend(object(more));
    out
}

/// The column that stands beside a lookup or a choice with its label: told in metadata, never read or written
/// (sheet: section 3).
pub(super) fn label_of(entity: &Entity, attribute: &Attribute) -> Option<Map<String, Json>> {
    let (kind, name) = match attribute.kind {
        Kind::Lookup | Kind::Customer | Kind::Owner => ("String", "StringType"),
        Kind::Picklist | Kind::MultiSelect | Kind::State | Kind::Status | Kind::Boolean => ("Virtual", "VirtualType"),
        _ => return None,
    };
    let logical = format!("{}name", attribute.name);
    let mut out = object(json!({
        "@odata.type": if kind == "String" { "#Microsoft.Dynamics.CRM.StringAttributeMetadata" } else { "#Microsoft.Dynamics.CRM.AttributeMetadata" },
        "MetadataId": guid::of_schema(&format!("{}.{logical}", entity.name)),
        "LogicalName": logical, "SchemaName": format!("{}Name", attribute.schema_name), "EntityLogicalName": entity.name,
        "AttributeType": kind, "AttributeTypeName": {"Value": name}, "AttributeOf": attribute.name,
        "RequiredLevel": managed(&json!("None"), "canmodifyrequirementlevelsettings"),
        "IsValidForCreate": false, "IsValidForUpdate": false, "IsValidForRead": true, "IsPrimaryId": false,
        "IsPrimaryName": false, "IsCustomAttribute": attribute.custom, "IsLogical": true, "IsSecured": false,
        "IsManaged": !attribute.custom, "IsFilterable": false, "IsSearchable": false, "IsRetrievable": false,
        "DeprecatedVersion": null, "SourceType": null, "AutoNumberFormat": "",
        "DisplayName": {"LocalizedLabels": [], "UserLocalizedLabel": null}, "Description": label(""),
    }));
    if kind == "String" {
        out.insert("MaxLength".to_owned(), json!(100));
        out.insert("Format".to_owned(), json!("Text"));
        out.insert("FormatName".to_owned(), json!({"Value": "Text"}));
    }
    Some(out)
}

/// All columns of a table, in the order of their names.
pub(super) fn attributes(entity: &Entity) -> Vec<Map<String, Json>> {
    let mut list: Vec<Map<String, Json>> = Vec::new();
    for one in &entity.attributes {
        list.push(attribute(entity, one));
        list.extend(label_of(entity, one));
    }
    list.sort_by_key(|one| one.get("LogicalName").and_then(Json::as_str).unwrap_or("").to_owned());
    list
}

/// Bounds of whole numbers, without a point.
#[expect(clippy::cast_possible_truncation, reason = "bounds of whole numbers are whole and far below what fits")]
fn whole(bound: f64) -> i64 {
    bound as i64
}

fn option(choice: &Choice) -> Json {
    json!({"Value": choice.value, "Label": label(&choice.label), "Description": label(""), "Color": null, "IsManaged": false,
        "ExternalValue": "", "ParentValues": [], "MetadataId": null})
}

/// The choices of a column.
pub(super) fn option_set(entity: &Entity, attribute: &Attribute) -> Json {
    let name = attribute.global_choices.clone().unwrap_or_else(|| format!("{}_{}", entity.name, attribute.name));
    if attribute.kind == Kind::Boolean {
        let at = |value: i64| attribute.choice(value).map(option);
        return json!({"MetadataId": guid::of_schema(&name), "Name": name, "IsGlobal": false, "OptionSetType": "Boolean",
            "TrueOption": at(1), "FalseOption": at(0)});
    }
    let options = attribute.choices.iter().map(|choice| {
        let mut one = option(choice);
        match attribute.kind {
            Kind::State => {
                one["DefaultStatus"] = json!(entity.default_status(choice.value));
                one["InvariantName"] = json!(choice.label);
            }
            Kind::Status => {
                one["State"] = json!(choice.state);
                one["TransitionData"] = Json::Null;
            }
            _ => {}
        }
        one
    });
    let options: Vec<Json> = options.collect();
    let kind = match attribute.kind {
        Kind::State => "State",
        Kind::Status => "Status",
        _ => "Picklist",
    };
    json!({"MetadataId": guid::of_schema(&name), "Name": name, "IsGlobal": attribute.global_choices.is_some(),
        "OptionSetType": kind, "IsCustomOptionSet": attribute.custom, "Options": options})
}

/// The organization's own set of choices.
pub(super) fn global(name: &str, choices: &[Choice]) -> Json {
    let options: Vec<Json> = choices.iter().map(option).collect();
    json!({"@odata.type": "#Microsoft.Dynamics.CRM.OptionSetMetadata", "MetadataId": guid::of_schema(name), "Name": name,
        "IsGlobal": true, "OptionSetType": "Picklist", "IsCustomOptionSet": true, "Options": options})
}

/// An alternate key.
pub(super) fn key(entity: &Entity, key: &Key, at: Seconds) -> Map<String, Json> {
    object(json!({
        "MetadataId": guid::of_schema(&format!("{}.{}", entity.name, key.name())),
        "LogicalName": key.name(), "SchemaName": key.schema_name, "EntityLogicalName": entity.name,
        "KeyAttributes": key.columns, "EntityKeyIndexStatus": key.status(at), "IsManaged": false, "AsyncJob": null,
        "DisplayName": label(&key.schema_name),
    }))
}

/// A lookup's relationship.
pub(super) fn relation(world: &World, relation: &Relation) -> Map<String, Json> {
    let key = world.schema.entity(&relation.referenced).map(|entity| entity.primary_id.clone());
    object(json!({
        "@odata.type": "#Microsoft.Dynamics.CRM.OneToManyRelationshipMetadata",
        "MetadataId": guid::of_schema(&format!("relationship {}", relation.schema_name)),
        "SchemaName": relation.schema_name, "RelationshipType": "OneToManyRelationship",
        "ReferencedEntity": relation.referenced, "ReferencedAttribute": key,
        "ReferencingEntity": relation.referencing, "ReferencingAttribute": relation.attribute,
        "ReferencingEntityNavigationPropertyName": relation.nav,
        "ReferencedEntityNavigationPropertyName": relation.schema_name,
        "IsCustomRelationship": relation.custom, "IsManaged": !relation.custom, "IsHierarchical": false,
        "CascadeConfiguration": {"Assign": "NoCascade", "Delete": relation.on_delete.name(), "Merge": "Cascade",
            "Reparent": "NoCascade", "Share": "NoCascade", "Unshare": "NoCascade"},
    }))
}

/// A relationship of many to many.
pub(super) fn pairs(pairs: &Pairs) -> Map<String, Json> {
    object(json!({
        "@odata.type": "#Microsoft.Dynamics.CRM.ManyToManyRelationshipMetadata",
        "MetadataId": guid::of_schema(&format!("relationship {}", pairs.schema_name)),
        "SchemaName": pairs.schema_name, "RelationshipType": "ManyToManyRelationship",
        "IntersectEntityName": pairs.intersect,
        "Entity1LogicalName": pairs.one.0, "Entity1IntersectAttribute": pairs.one.1,
        "Entity1NavigationPropertyName": pairs.schema_name,
        "Entity2LogicalName": pairs.two.0, "Entity2IntersectAttribute": pairs.two.1,
        "Entity2NavigationPropertyName": pairs.schema_name,
        "IsCustomRelationship": pairs.intersect.contains('_'), "IsManaged": false,
    }))
}
