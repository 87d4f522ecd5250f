//! Values there and back, lost answers, files, new fields.

use super::*;

#[tokio::test]
async fn each_custom_field_type_comes_back_as_it_was_written() {
    let stage = stage();
    let schema = stage.schema("deals").await;
    let values: Vec<(String, Value)> = schema
        .fields
        .iter()
        .filter(|field| field.custom)
        .map(|field| (field.name.to_string(), sample(field.name.as_str(), &field.kind)))
        .collect();
    assert_eq!(values.len(), 10 + 2 + 2 + 2 + 3 + 10);
    let mut fields: Vec<(&str, Value)> = values.iter().map(|(name, value)| (name.as_str(), value.clone())).collect();
    fields.push(("title", "All".into()));
    let id = stage.made("deals", &fields).await;
    let wanted: Vec<&str> = fields.iter().map(|(name, _)| *name).collect();
    let back = stage.one("deals", &id, &wanted).await;
    for (name, value) in &fields {
        assert_eq!(back.fields.get(name), Some(value), "{name}");
    }
    // And all of them can be cleared.
    let cleared: Vec<(&str, Value)> = values.iter().map(|(name, _)| (name.as_str(), Value::Null)).collect();
    let outcome = stage.write(&batch("deals", WriteMode::Update, Some(id.clone()), &cleared)).await;
    assert!(matches!(outcome, WriteOutcome::Applied { .. }), "{outcome:?}");
    let back = stage.one("deals", &id, &wanted).await;
    assert!(cleared.iter().all(|(name, _)| back.fields.get(name) == Some(&Value::Null)));
}

#[expect(clippy::too_many_lines, reason = "one table of fields, in and out")]
#[tokio::test]
async fn system_fields_come_back_as_they_were_written() {
    let stage = stage();
    for object in ["organizations", "persons", "deals", "activities", "notes", "leads", "products"] {
        stage.schema(object).await;
    }
    let mail = |value: &str, label: &str, primary: bool| {
        let parts = [("value", value.into()), ("label", label.into()), ("primary", primary.into())];
        Value::Map(
            parts.map(|(name, part): (&str, Value)| (name.to_owned(), part)).into_iter().collect::<BTreeMap<_, _>>(),
        )
    };
    let long_ago = at("2015-03-04T05:06:07Z");
    let cases: Vec<(&str, Vec<(&str, Value)>)> = vec![
        (
            "organizations",
            vec![
                ("name", "Acme".into()),
                ("address.locality", "Bonn".into()),
                ("address.value", "Bonn".into()),
                ("website", "https://acme.test".into()),
                ("annual_revenue", number("1000000")),
                ("add_time", long_ago.clone()),
            ],
        ),
        (
            "persons",
            vec![
                ("name", "Eve Example".into()),
                ("org_id", "1".into()),
                ("add_time", long_ago.clone()),
                ("emails", Value::List(vec![mail("e@x.test", "work", true), mail("f@x.test", "home", false)])),
                ("phones", Value::List(vec![mail("+49 30 1", "mobile", true)])),
            ],
        ),
        (
            "deals",
            vec![
                ("title", "Won".into()),
                ("value", number("10.5")),
                ("currency", "USD".into()),
                ("status", "won".into()),
                ("won_time", at("2020-02-03T04:05:06Z")),
                ("stage_id", "2".into()),
                ("expected_close_date", Value::Date("2020-01-01".parse().unwrap())),
                ("is_archived", true.into()),
                ("archive_time", at("2021-02-03T04:05:06Z")),
            ],
        ),
        (
            "deals",
            vec![
                ("title", "Lost".into()),
                ("status", "lost".into()),
                ("lost_time", at("2020-02-03T04:05:06Z")),
                ("lost_reason", "price".into()),
            ],
        ),
        (
            "activities",
            vec![
                ("subject", "Call".into()),
                ("type", "call".into()),
                ("deal_id", "1".into()),
                ("done", true.into()),
                ("due_date", Value::Date("2020-01-01".parse().unwrap())),
                ("due_time", Value::Time("15:00:00".parse().unwrap())),
                ("participants", Value::List(vec!["2".into(), "1".into()])),
                ("duration", "01:00:00".into()),
                ("note", "<b>x</b>".into()),
                ("location.value", "Bonn".into()),
            ],
        ),
        (
            "notes",
            vec![
                ("content", "<p>x</p>".into()),
                ("person_id", "1".into()),
                ("add_time", long_ago.clone()),
                ("pinned_to_person_flag", true.into()),
            ],
        ),
        ("products", vec![("name", "Pencil".into()), ("code", "P1".into())]),
        (
            "leads",
            vec![
                ("title", "Lead".into()),
                ("organization_id", "1".into()),
                ("value.amount", number("9.5")),
                ("value.currency", "EUR".into()),
            ],
        ),
    ];
    for (object, fields) in cases {
        let id = stage.made(object, &fields).await;
        let wanted: Vec<&str> = fields.iter().map(|(name, _)| *name).collect();
        let back = stage.one(object, &id, &wanted).await;
        for (name, value) in &fields {
            assert_eq!(back.fields.get(name).map(Value::display), Some(value.display()), "{object} {name}");
            assert_eq!(back.fields.get(name), Some(value), "{object} {name}");
        }
    }
}

#[tokio::test]
async fn updates_of_one_part_keep_the_rest_of_an_address_and_of_the_people() {
    let stage = stage();
    let address = [("name", "Acme".into()), ("address.route", "Main St".into()), ("address.locality", "Ulm".into())];
    let id = stage.made("organizations", &address).await;
    let update = batch("organizations", WriteMode::Update, Some(id.clone()), &[("address.locality", "Bonn".into())]);
    assert!(matches!(stage.write(&update).await, WriteOutcome::Applied { created: Some(false), .. }));
    let back = stage.one("organizations", &id, &["address.route", "address.locality"]).await;
    assert_eq!(back.fields.get("address.route"), Some(&"Main St".into()));
    assert_eq!(back.fields.get("address.locality"), Some(&"Bonn".into()));
    let people = [("subject", "Call".into()), ("participants", Value::List(vec!["1".into(), "2".into()]))];
    let id = stage.made("activities", &people).await;
    let update = batch("activities", WriteMode::Update, Some(id.clone()), &[("person_id", "3".into())]);
    assert!(matches!(stage.write(&update).await, WriteOutcome::Applied { .. }));
    let back = stage.one("activities", &id, &["participants", "person_id"]).await;
    assert_eq!(back.fields.get("person_id"), Some(&"3".into()));
    assert_eq!(back.fields.get("participants").map(Value::display).as_deref(), Some("3, 1, 2"));
    let missing = batch("organizations", WriteMode::Update, Some("999".into()), &[("address.locality", "X".into())]);
    let WriteOutcome::Refused(fault) = stage.write(&missing).await else { panic!("not refused") };
    assert_eq!(fault.kind, FaultKind::NotFound);
}

#[tokio::test]
async fn a_lost_answer_is_unknown_and_its_record_is_among_the_candidates() {
    let stage = stage();
    let schema = stage.schema("deals").await;
    let key = schema.fields.iter().find(|field| field.label == "My varchar").unwrap().name.clone();
    for object in ["persons", "activities", "notes"] {
        stage.schema(object).await;
    }
    let long_ago = at("2015-03-04T05:06:07Z");
    let cases = [
        (
            "deals",
            batch(
                "deals",
                WriteMode::Create { key: Some(key.clone()) },
                None,
                &[("title", "Lost".into()), (key.as_str(), "old:deal:7".into()), ("is_archived", true.into())],
            ),
            key.as_str(),
        ),
        ("activities", create("activities", &[("subject", "Lost call".into()), ("deal_id", "1".into())]), "subject"),
        (
            "notes",
            create("notes", &[("content", "lost".into()), ("person_id", "2".into()), ("add_time", long_ago)]),
            "content",
        ),
    ];
    for (object, batch, field) in cases {
        stage.faults(json!([{"when": {"method": "POST", "path": "/**"}, "fault": {"kind": "lost_after"}}]));
        let since = stage.clock.now();
        let WriteOutcome::Unknown(_) = stage.write(&batch).await else { panic!("{object} is known") };
        stage.faults(json!([]));
        let found = stage.driver.candidates(&batch, &names(&[field]), since).await.unwrap();
        let value = batch.writes[0].fields.get(field);
        let hits: Vec<_> = found.iter().filter(|record| record.fields.get(field) == value).collect();
        assert_eq!(hits.len(), 1, "{object}: {} candidates", found.len());
    }
}

#[tokio::test]
async fn files_are_uploaded_and_downloaded_whole() {
    let stage = stage();
    stage.schema("files").await;
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("blob");
    std::fs::write(&path, b"the bytes").unwrap();
    let mut batch =
        create("files", &[("name", "offer.pdf".into()), ("deal_id", "1".into()), ("description", "Signed".into())]);
    let mut write = batch.writes[0].clone();
    write.content = Some(Content { path, bytes: 9, blake3: String::new() });
    batch.writes = vec![write].into();
    let WriteOutcome::Applied { id, .. } = stage.write(&batch).await else { panic!("not uploaded") };
    let back = stage.one("files", &id, &["name", "description", "deal_id", "person_id", "file_size"]).await;
    let told = ["name", "description", "deal_id", "person_id", "file_size"]
        .map(|name| back.fields.get(name).unwrap().display());
    assert_eq!(told, ["offer.pdf", "Signed", "1", "", "9"]);
    let to = folder.path().join("back");
    let content = stage.driver.download(&"files".into(), &id, &to).await.unwrap();
    assert_eq!((std::fs::read(&to).unwrap().as_slice(), content.bytes), (b"the bytes".as_slice(), 9));
    let gone = stage.driver.download(&"files".into(), &"99".into(), &to).await.unwrap_err();
    assert_eq!(gone.kind, FaultKind::NotFound);
}

#[tokio::test]
async fn a_created_field_can_be_written_at_once() {
    let stage = stage();
    let schema = stage.schema("persons").await;
    let mut wish = schema.field("name").unwrap().clone();
    wish.label = "Source key".to_owned();
    let field = stage.driver.create_field(&"persons".into(), &wish).await.unwrap();
    assert_eq!((field.name.as_str().len(), field.custom), (40, true));
    assert!(stage.schema("persons").await.field(field.name.as_str()).is_some());
    let id = stage.made("persons", &[("name", "Eve".into()), (field.name.as_str(), "old:1".into())]).await;
    let back = stage.one("persons", &id, &[field.name.as_str()]).await;
    assert_eq!(back.fields.get(field.name.as_str()), Some(&"old:1".into()));
}
