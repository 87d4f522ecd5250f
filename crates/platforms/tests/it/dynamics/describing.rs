//! Tables and columns as fields.

use handover_connect::{Connector as _, FaultKind};
use handover_model::{Field, Kind, ReadCost, Writable};
use serde_json::json;

use super::Stage;

#[tokio::test]
async fn columns_become_fields() {
    let stage = Stage::of(json!({}), &[]).await;
    let schema = stage.driver.describe(&"opportunity".into()).await.unwrap();
    let field = |name: &str| schema.field(name).unwrap_or_else(|| panic!("`{name}`"));
    assert_eq!(field("name").kind, Kind::Text { max: Some(300), html: false });
    assert_eq!(field("estimatedclosedate").kind, Kind::Date);
    assert_eq!(field("ownerid").kind, Kind::User);
    assert_eq!(field("transactioncurrencyid").kind, Kind::Currency);
    // A status stands within its state.
    let Kind::Choice { options, many: false } = &field("statuscode").kind else { panic!() };
    let within = |value: &str| options.iter().find(|option| option.value == value).unwrap().within.clone();
    assert_eq!((within("2").as_deref(), within("5").as_deref()), (Some("0"), Some("2")));
    // A lookup to several tables is one field for each, and one that shows the id.
    assert!(
        matches!(&field("customerid.account").kind, Kind::Reference { object, many: false } if *object == *"account")
    );
    assert_eq!((&field("customerid").kind, field("customerid").writable), (&Kind::Opaque, Writable::Never));
    // What the platform works out, what stands beside, and what it keeps for itself.
    assert_eq!(field("estimatedvalue_base").writable, Writable::Never);
    assert_eq!((field("createdon").writable, field("modifiedon").writable), (Writable::OnCreate, Writable::Never));
    assert!(
        ["ownerid_name", "customeridname", "statecodename", "versionnumber", "opportunityid"]
            .iter()
            .all(|name| schema.field(name).is_none())
    );
    let mail = stage.driver.describe(&"email".into()).await.unwrap();
    assert!(matches!(mail.field("description").unwrap().kind, Kind::Text { html: true, .. }));
    let appointment = stage.driver.describe(&"appointment".into()).await.unwrap();
    let required: Vec<&str> =
        appointment.fields.iter().filter(|field| field.required).map(|field| field.name.as_str()).collect();
    assert_eq!(required, ["scheduledend", "scheduledstart"]);
}

#[tokio::test]
async fn tables_of_the_customer_are_told_and_those_of_the_vendors_solutions_are_not() {
    let tables = ["new_Ship", "msdyn_Thing", "adx_Page", "cr123_Box"].map(|name| json!({"schema_name": name}));
    let pairs = json!([{"schema_name": "new_ship_contact", "one": "new_ship", "two": "contact"}]);
    let stage = Stage::of(json!({"tables": tables, "pairs": pairs}), &[]).await;
    let told = stage.driver.custom_objects().await.unwrap();
    assert_eq!(told.iter().map(|name| name.as_str()).collect::<Vec<_>>(), ["cr123_box", "new_ship"]);
}

#[tokio::test]
async fn a_lookup_is_written_by_the_name_that_the_environment_gave_it() {
    let world = json!({
        "tables": [{"schema_name": "new_Ship", "set": "new_shipses"}],
        "columns": {"contact": [{"schema_name": "new_MyShipId", "kind": "lookup", "targets": ["new_ship"]}]},
        "records": {"new_ship": [{"new_shipid": super::id(9), "new_name": "S"}]},
    });
    let stage = Stage::of(world, &["contact"]).await;
    let row: &[(&str, handover_model::Value)] =
        &[("lastname", "C".into()), ("new_myshipid", super::id(9).as_str().into())];
    let made = super::applied(&stage.create("contact", &[row]).await[0].outcome);
    let record = stage.fetch("contact", &["new_myshipid"], &made).await;
    assert_eq!(super::value(&record, "new_myshipid"), &handover_model::Value::from(super::id(9).as_str()));
}

fn wish(name: &str, kind: Kind, unique: bool) -> Field {
    Field {
        name: name.into(),
        label: "Wished".to_owned(),
        kind,
        required: false,
        writable: Writable::Always,
        unique,
        custom: true,
        read: ReadCost::Listed,
        blank_is_zero: false,
    }
}

#[tokio::test]
async fn columns_are_made_and_keys_waited_for() {
    let stage = Stage::of(json!({"settings": {"key_index_s": 40}}), &["contact"]).await;
    let object = "contact".into();
    let text = || Kind::Text { max: Some(100), html: false };
    let made = stage.driver.create_field(&object, &wish("source_key", text(), true)).await.unwrap();
    assert!(made.unique && made.custom && made.name == *"source_key");
    // Again, as after an answer that was lost: it is what was wanted.
    let again = stage.driver.create_field(&object, &wish("source_key", text(), true)).await.unwrap();
    assert_eq!(made, again);
    let fault = stage.driver.create_field(&object, &wish("source_key", Kind::Bool, false)).await.unwrap_err();
    assert_eq!(fault.kind, FaultKind::Conflict);
    // Without a prefix it gets one.
    let day = stage.driver.create_field(&object, &wish("Day off!", Kind::Date, false)).await.unwrap();
    assert_eq!((day.name.as_str(), &day.kind), ("new_day_off", &Kind::Date));
    for (name, kind) in
        [("a", Kind::Bool), ("b", Kind::Number), ("c", Kind::DateTime), ("d", Kind::Email { many: false })]
    {
        let made = stage.driver.create_field(&object, &wish(name, kind.clone(), false)).await.unwrap();
        assert_eq!(std::mem::discriminant(&made.kind), std::mem::discriminant(&kind));
    }
    let option =
        |label: &str| handover_model::Choice { value: label.to_lowercase(), label: label.to_owned(), within: None };
    let choice = Kind::Choice { options: [option("Low"), option("High")].into(), many: false };
    let made = stage.driver.create_field(&object, &wish("level", choice, false)).await.unwrap();
    let Kind::Choice { options, .. } = made.kind else { panic!() };
    assert_eq!(options.iter().map(|option| option.label.as_str()).collect::<Vec<_>>(), ["Low", "High"]);
    let reference = Kind::Reference { object: "account".into(), many: false };
    for _ in 0..2 {
        let made = stage.driver.create_field(&object, &wish("broker", reference.clone(), false)).await.unwrap();
        assert_eq!((made.name.as_str(), &made.kind), ("new_broker", &reference));
    }
    let elsewhere = Kind::Reference { object: "contact".into(), many: false };
    let fault = stage.driver.create_field(&object, &wish("broker", elsewhere, false)).await.unwrap_err();
    assert_eq!((fault.kind, fault.code.as_str()), (FaultKind::Conflict, "name_taken"));
    let nowhere = Kind::Reference { object: "nothing".into(), many: false };
    let fault = stage.driver.create_field(&object, &wish("none", nowhere, false)).await.unwrap_err();
    assert_eq!(fault.code, "column_not_visible");
    let several = Kind::Reference { object: "account".into(), many: true };
    let fault = stage.driver.create_field(&object, &wish("e", several, false)).await.unwrap_err();
    assert_eq!(fault.kind, FaultKind::Unsupported);
}
