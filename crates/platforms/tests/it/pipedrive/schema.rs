//! Describing objects and creating fields.

use super::*;
use handover_model::{Field, Kind, ReadCost, Writable};

fn field<'a>(schema: &'a Schema, name: &str) -> &'a Field {
    schema.field(name).unwrap_or_else(|| panic!("no field {name}"))
}

#[test]
fn deals_tell_stages_within_pipelines_and_structured_fields_in_parts() {
    let dialect = Pipedrive::new();
    let schema = deal_schema(&dialect);
    let Kind::Choice { options, many: false } = &field(&schema, "stage_id").kind else { panic!("no choice") };
    let told: Vec<_> = options.iter().map(|o| (o.value.as_str(), o.label.as_str(), o.within.as_deref())).collect();
    assert_eq!(told, [("5", "Sales: Won over", Some("1"))]);
    let Kind::Choice { options, many: true } = &field(&schema, "label_ids").kind else { panic!("no choices") };
    assert_eq!(options.len(), 2);
    assert_eq!(field(&schema, "title").label, "Deal title");
    assert!(field(&schema, "title").required);
    let amount = field(&schema, &format!("{}.value", code('b')));
    assert_eq!((amount.label.as_str(), &amount.kind, amount.custom), ("Contract value (amount)", &Kind::Number, true));
    assert_eq!(field(&schema, &format!("{}.currency", code('b'))).label, "Contract value (currency)");
    assert_eq!(field(&schema, &format!("{}.until", code('f'))).kind, Kind::Date);
    assert_eq!(field(&schema, &format!("{}.value", code('0'))).kind, Kind::Time);
    assert!(schema.field(&format!("{}.postal_code", code('1'))).is_some());
    assert_eq!(field(&schema, &code('3')).kind, Kind::Reference { object: "organizations".into(), many: false });
    assert_eq!(field(&schema, "add_time").writable, Writable::Never);
    let ReadCost::Extra { per_call: 1, opt_in: false, only_above: Some(above) } = &field(&schema, "participants").read
    else {
        panic!("no extra read")
    };
    assert_eq!((above.field.as_str(), above.than), ("participants_count", 1));
}

#[test]
fn fields_come_in_pages() {
    let dialect = Pipedrive::new();
    let operation = Operation::Describe("persons".into());
    let first = reply(
        200,
        &json!({"success": true, "data": [
        {"field_name": "Job title", "field_code": "job_title", "field_type": "varchar", "is_custom_field": false}],
        "additional_data": {"next_cursor": "abc"}}),
    );
    let cursor = then(&dialect, &operation, None, &first);
    assert_eq!(encoded(&dialect, &operation, Some(&cursor)), "GET /api/v2/personFields?limit=500&cursor=abc");
    let last = reply(
        200,
        &json!({"success": true, "data": [
        {"field_name": "Nick", "field_code": code('a'), "field_type": "varchar", "is_custom_field": true}],
        "additional_data": {"next_cursor": null}}),
    );
    let Step::Schema(schema) = dialect.decode(&operation, Some(&cursor), &last).unwrap() else { panic!("no schema") };
    assert!(schema.field(&code('a')).unwrap().custom);
    // Contact sync fields exist only where the account tells them.
    assert!(schema.field("job_title").is_some() && schema.field("birthday").is_none());
    assert_eq!(schema.field("first_name").unwrap().writable, Writable::Never);
    assert_eq!(schema.field("add_time").unwrap().writable, Writable::OnCreate);
    assert_eq!(schema.field("emails").unwrap().kind, Kind::Email { many: true });
}

#[test]
fn activities_tell_their_types_by_key_and_organizations_their_parent() {
    let dialect = Pipedrive::new();
    let operation = Operation::Describe("activities".into());
    let cursor = then(&dialect, &operation, None, &ok(json!([])));
    assert_eq!(encoded(&dialect, &operation, Some(&cursor)), "GET /v1/activityTypes");
    let types = ok(json!([{"id": 4, "name": "Deadline", "key_string": "deadline"}]));
    let Step::Schema(schema) = dialect.decode(&operation, Some(&cursor), &types).unwrap() else { panic!("no schema") };
    let Kind::Choice { options, .. } = &field(&schema, "type").kind else { panic!("no choice") };
    assert_eq!(options.first().unwrap().value, "deadline");
    let operation = Operation::Describe("organizations".into());
    let Step::Schema(schema) = dialect.decode(&operation, None, &ok(json!([]))).unwrap() else { panic!("no schema") };
    assert_eq!(field(&schema, "parent").read, ReadCost::Extra { per_call: 1, opt_in: false, only_above: None });
    assert!(schema.field("address.locality").is_some() && schema.field("address").is_none());
}

#[test]
fn only_administrators_write_the_author_of_a_note() {
    let dialect = Pipedrive::new();
    for (admin, expected) in [(true, Writable::Always), (false, Writable::Never)] {
        let me = ok(json!({"id": 1, "access": [{"app": "sales", "admin": admin}, {"app": "global", "admin": true}]}));
        let operation = Operation::Describe("notes".into());
        let Step::Schema(schema) = dialect.decode(&operation, None, &me).unwrap() else { panic!("no schema") };
        assert_eq!(field(&schema, "user_id").writable, expected);
        assert!(matches!(field(&schema, "content").kind, Kind::Text { html: true, max: Some(_) }));
        let operation = Operation::Describe("files".into());
        let Step::Schema(schema) = dialect.decode(&operation, None, &me).unwrap() else { panic!("no schema") };
        assert!(schema.content);
    }
}

#[test]
fn a_field_is_created_with_its_options_and_gets_its_code() {
    let dialect = Pipedrive::new();
    let options = [("x", "Gold"), ("y", "Silver")].map(|(value, label)| handover_model::Choice {
        value: value.into(),
        label: label.into(),
        within: None,
    });
    let wish = |kind: Kind| Field {
        name: "wish".into(),
        label: "Tier".into(),
        kind,
        required: false,
        writable: Writable::Always,
        unique: false,
        custom: true,
        read: ReadCost::Listed,
        blank_is_zero: false,
    };
    let of = |object: &str, kind: Kind| Operation::CreateField { object: object.into(), field: wish(kind) };
    let tier = of("deals", Kind::Choice { options: options.to_vec().into(), many: false });
    let request = dialect.encode(&tier, None).unwrap();
    assert!(!request.idempotent);
    assert_eq!(
        line(&request),
        r#"POST /api/v2/dealFields {"field_name":"Tier","field_type":"enum","options":[{"label":"Gold"},{"label":"Silver"}]}"#
    );
    let made = ok(json!({"field_name": "Tier", "field_code": code('9'), "field_type": "enum", "is_custom_field": true,
        "options": [{"id": 91, "label": "Gold"}, {"id": 92, "label": "Silver"}]}));
    let Step::Field(field) = dialect.decode(&tier, None, &made).unwrap() else { panic!("no field") };
    assert_eq!(field.name, code('9').as_str());
    let Kind::Choice { options, .. } = &field.kind else { panic!("no choice") };
    assert_eq!(options.first().unwrap().value, "91");
    for (object, kind, expected) in [
        (
            "persons",
            Kind::Text { max: Some(100), html: false },
            r#"POST /api/v2/personFields {"field_name":"Tier","field_type":"varchar"}"#,
        ),
        (
            "organizations",
            Kind::Number,
            r#"POST /api/v2/organizationFields {"field_name":"Tier","field_type":"double"}"#,
        ),
        ("deals", Kind::Bool, "refused: Pipedrive has no custom field for yes/no"),
        ("notes", Kind::Number, "refused: custom fields of notes cannot be created"),
    ] {
        assert_eq!(encoded(&dialect, &of(object, kind), None), expected);
    }
}
