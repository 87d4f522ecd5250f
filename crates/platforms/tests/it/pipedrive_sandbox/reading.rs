//! Accounts, schemas, lists, relations, limits, tokens.

use super::*;

#[tokio::test]
async fn the_account_and_every_schema_can_be_read() {
    let stage = stage();
    let account = stage.driver.account().await.unwrap();
    assert_eq!((account.time_zone.as_str(), account.lacks.len()), ("Europe/Berlin", 0));
    assert!(account.currencies.contains(&"USD".to_owned()));
    assert_eq!(stage.driver.users().await.unwrap().len(), 1);
    for object in stage.driver.objects() {
        let schema = stage.driver.describe(&object).await.unwrap();
        assert_eq!(schema, stage.driver.describe(&object).await.unwrap(), "{object} is stable");
        let records = stage.all(object.as_str(), &every(&schema), Which::Live).await;
        assert!(records.iter().all(|record| !record.gone), "{object}");
    }
    assert!(stage.driver.automations().await.unwrap().is_none());
    assert_eq!(stage.driver.count(&"deals".into()).await.unwrap(), None);
}

#[tokio::test]
async fn lists_bring_archived_deals_and_deleted_ones_on_request() {
    let stage = stage();
    stage.schema("deals").await;
    let fields = names(&["title", "is_archived"]);
    let ids = |records: Vec<Record>| records.iter().map(|record| record.id.to_string()).collect::<Vec<_>>();
    assert_eq!(ids(stage.all("deals", &fields, Which::Live).await), ["1", "2", "3"]);
    let deleted = stage.all("deals", &fields, Which::Deleted).await;
    assert!(deleted.iter().all(|record| record.gone));
    assert_eq!(ids(deleted), ["4"]);
    let fetched = stage.driver.fetch(&"deals".into(), &fields, &["3".into(), "1".into(), "99".into()]).await.unwrap();
    assert_eq!(ids(fetched), ["1", "3"]);
}

#[tokio::test]
async fn notes_deleted_during_the_walk_hide_no_others() {
    let stage = stage();
    let deletions: Vec<Json> = (0..5)
        .map(|_| {
            json!({"when": {"path": "/v1/notes", "nth": 1},
            "fault": {"kind": "disturb", "disturbance": {"object": "note", "action": "delete"}}})
        })
        .collect();
    stage.faults(json!(deletions));
    let records = stage.all("notes", &names(&["content"]), Which::Live).await;
    let ids: Vec<u64> = records.iter().map(|record| record.id.as_str().parse().unwrap()).collect();
    assert_eq!(ids, (1..=1_200).collect::<Vec<u64>>());
}

#[tokio::test]
async fn parents_and_participants_are_read_and_linked() {
    let stage = stage();
    stage.schema("organizations").await;
    stage.schema("deals").await;
    let deals = stage.all("deals", &names(&["participants"]), Which::Live).await;
    let counts: Vec<String> =
        deals.iter().map(|deal| deal.fields.get("participants_count").unwrap().display()).collect();
    assert_eq!(counts, ["2", "1", "0"]);
    let known = |deal: &Record| deal.fields.get("participants").map(Value::display);
    assert_eq!(deals.iter().map(known).collect::<Vec<_>>(), [None, Some("2".to_owned()), Some(String::new())]);
    let link = |object: &str, field: &str, to: &str, link: (&str, &str)| LinkBatch {
        object: object.into(),
        field: field.into(),
        to_object: to.into(),
        links: vec![Link { from: link.0.into(), to: link.1.into() }].into(),
    };
    let parent = link("organizations", "parent", "organizations", ("2", "1"));
    let person = link("deals", "participants", "persons", ("1", "3"));
    // Adding a link that exists is success, and adds none.
    for batch in [&parent, &parent, &person, &person] {
        assert!(stage.driver.link(batch).await.unwrap()[0].result.is_ok());
    }
    let read = |object: &'static str, field: &'static str, id: &'static str| {
        let driver = &stage.driver;
        async move {
            let records = driver.enrich(&object.into(), &field.into(), &[id.into()]).await.unwrap();
            records[0].fields.get(field).unwrap().display()
        }
    };
    assert_eq!(read("organizations", "parent", "2").await, "1");
    assert_eq!(read("organizations", "parent", "1").await, "");
    assert_eq!(read("deals", "participants", "1").await, "1, 2, 3");
    let world = stage.sandbox.lock().unwrap().platform().world();
    assert_eq!(world["organization_relationships"].as_array().unwrap().len(), 1);
    let nobody = link("deals", "participants", "persons", ("1", "99"));
    assert_eq!(stage.driver.link(&nobody).await.unwrap()[0].result.as_ref().unwrap_err().kind, FaultKind::Invalid);
}

#[tokio::test]
async fn bursts_are_waited_out_and_a_spent_day_is_told() {
    let stage = stage();
    stage.faults(json!([{"when": {"path": "/**", "to": 2}, "fault": {"kind": "limited"}}]));
    let records = stage.all("organizations", &names(&["name"]), Which::Live).await;
    assert_eq!((records.len(), stage.driver.spent().limited), (2, 2));
    // Left to itself the budget keeps below the plan's burst: no refusal at all.
    stage.faults(json!([]));
    for _ in 0..60 {
        stage.all("organizations", &names(&["name"]), Which::Live).await;
    }
    assert_eq!(stage.driver.spent().limited, 2);
    // The headers told the plan's allowance, above the documented lowest one.
    assert!(stage.driver.spent().left_today.unwrap() > 30_000);
    stage.faults(json!([{"fault": {"kind": "limited", "scope": "daily"}}]));
    let read = Read { object: "organizations".into(), fields: names(&["name"]), which: Which::Live, since: None };
    assert!(stage.driver.page(&read, None).await.unwrap_err().is_daily_limit());
}

#[tokio::test]
async fn an_expired_token_is_renewed_in_the_middle() {
    let oauth = Credentials::Oauth {
        client_id: "app".to_owned(),
        client_secret: Some(SecretString::from("s")),
        refresh_token: SecretString::from("first"),
        access: None,
    };
    let stage = stage_with(oauth);
    assert_eq!(stage.all("organizations", &names(&["name"]), Which::Live).await.len(), 2);
    stage.faults(json!([{"when": {"path": "/v1/notes", "nth": 2}, "fault": {"kind": "expired_token"}}]));
    assert_eq!(stage.all("notes", &names(&["content"]), Which::Live).await.len(), 1_200);
    // An hour later the token is bought anew before it is used.
    let later = stage.clock.now().checked_add(jiff::SignedDuration::from_hours(2)).unwrap();
    stage.clock.set(later);
    assert_eq!(stage.all("persons", &names(&["name"]), Which::Live).await.len(), 3);
}

#[tokio::test]
async fn refusals_and_broken_answers_are_told_apart() {
    let stage = stage();
    let WriteOutcome::Refused(fault) =
        stage.write(&create("deals", &[("title", "T".into()), ("stage_id", "99".into())])).await
    else {
        panic!("not refused")
    };
    assert_eq!((fault.kind, fault.field.unwrap().as_str()), (FaultKind::Invalid, "stage_id"));
    assert!(!fault.message.contains("99"), "{}", fault.message);
    stage.faults(json!([{"when": {"method": "POST"}, "fault": {"kind": "malformed"}}]));
    let outcome = stage.write(&create("deals", &[("title", "T".into())])).await;
    assert!(matches!(outcome, WriteOutcome::Unknown(fault) if fault.kind == FaultKind::Malformed));
    stage.faults(
        json!([{"when": {"path": "/api/v2/persons", "to": 2}, "fault": {"kind": "unavailable", "status": 502}}]),
    );
    assert_eq!(stage.all("persons", &names(&["name"]), Which::Live).await.len(), 3);
}

/// Whether a value is of the form that its field promises.
fn fits(kind: &Kind, value: &Value) -> bool {
    let texts = |value: &Value| match value {
        Value::List(items) => items.iter().all(|item| item.as_text().is_some()),
        _ => false,
    };
    match (kind, value) {
        (_, Value::Null) | (Kind::Opaque, _) => true,
        (Kind::Choice { options, many: false }, Value::Text(id)) => options.iter().any(|option| option.value == *id),
        (Kind::Choice { options, many: true }, Value::List(_)) => {
            value.ids().iter().all(|id| options.iter().any(|option| option.value == *id))
        }
        (Kind::Reference { many: true, .. }, value) => texts(value),
        (Kind::Email { many: true } | Kind::Phone { many: true }, Value::List(items)) => {
            items.iter().all(|item| matches!(item, Value::Map(parts) if parts.contains_key("value")))
        }
        (
            Kind::Text { .. }
            | Kind::User
            | Kind::Currency
            | Kind::Reference { many: false, .. }
            | Kind::Email { many: false }
            | Kind::Phone { many: false },
            Value::Text(_),
        )
        | (Kind::Bool, Value::Bool(_))
        | (Kind::Number, Value::Number(_))
        | (Kind::Date, Value::Date(_))
        | (Kind::DateTime, Value::DateTime(_))
        | (Kind::Time, Value::Time(_)) => true,
        _ => false,
    }
}

#[tokio::test]
async fn a_whole_company_is_read_in_the_forms_that_its_schemas_promise() {
    let company = handover_sandbox::sample::small(7).pipedrive;
    let probe = handover_sandbox::pipedrive::Pipedrive::from_world(company.clone(), SEED).unwrap();
    let token = handover_sandbox::Platform::credentials(&probe)["token"].as_str().unwrap().to_owned();
    let stage = stage_of(company.clone(), Credentials::Token(SecretString::from(token)));
    for object in ["organizations", "persons", "deals", "activities", "notes", "files"] {
        let schema = stage.schema(object).await;
        let listed = schema.fields.iter().filter(|field| matches!(field.read, handover_model::ReadCost::Listed));
        let fields: Arc<[FieldName]> = listed.map(|field| field.name.clone()).collect();
        let records = stage.all(object, &fields, Which::Live).await;
        let live = |row: &&Json| row["is_deleted"] != json!(true) && row["active_flag"] != json!(false);
        let expected = company[object].as_array().unwrap().iter().filter(live).count();
        assert!(expected > 0, "{object}");
        assert_eq!(records.len(), expected, "{object}");
        let ids: std::collections::BTreeSet<_> = records.iter().map(|record| &record.id).collect();
        assert_eq!(ids.len(), records.len(), "{object}: each once");
        for (name, value) in records.iter().flat_map(|record| record.fields.iter()) {
            let field = schema.field(name.as_str()).unwrap();
            assert!(fits(&field.kind, value), "{object} {name}: {value:?} is no {}", field.kind.word());
        }
        // What lists bring, a fetch by ids brings alike.
        let some: Vec<RecordId> = records.iter().take(3).map(|record| record.id.clone()).collect();
        let fetched = stage.driver.fetch(&object.into(), &fields, &some).await.unwrap();
        let first: Vec<_> = records.iter().take(3).collect();
        assert_eq!(fetched.iter().collect::<Vec<_>>(), first, "{object}");
    }
}
