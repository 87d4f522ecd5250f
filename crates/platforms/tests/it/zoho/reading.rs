//! Lists, layouts, wide records, tokens that were forgotten.

use handover_connect::{Connector as _, Credentials, FaultKind, Read, Which};
use handover_model::{Kind, ReadCost, Value, Writable};
use handover_sandbox::faults::DisturbAction;
use secrecy::SecretString;
use serde_json::{Value as Json, json};

use super::{Stage, USER, names, shown};

fn notes(count: u64) -> Json {
    let note =
        |n: u64| json!({"id": 1_000 + n, "Note_Title": format!("n{n}"), "$se_module": "Accounts", "Parent_Id": 1});
    json!({"records": {"Accounts": [{"id": 1, "Account_Name": "A"}], "Notes": (1..=count).map(note).collect::<Vec<_>>()}})
}

#[tokio::test]
async fn a_list_of_notes_survives_a_forgotten_token_and_deletions() {
    let stage = Stage::of(notes(650));
    let read = Read { object: "Notes".into(), fields: names(&["Note_Title"]), which: Which::Live, since: None };
    let mut page = stage.driver.page(&read, None).await.unwrap();
    let mut seen: Vec<u64> = Vec::new();
    let mut pages = 0;
    loop {
        seen.extend(page.records.iter().map(|record| record.id.as_str().parse::<u64>().unwrap()));
        pages += 1;
        let Some(next) = page.next else { break };
        // Behind the place, so that what stands at the places of the next page moves.
        stage.upset("Notes", 1_000 + pages, DisturbAction::Delete);
        // A token lives for a day.
        if pages == 2 {
            stage.later(30);
        }
        page = stage.driver.page(&read, Some(&next)).await.unwrap();
    }
    assert_eq!(seen, (1_001..=1_650).collect::<Vec<_>>());
}

#[tokio::test]
async fn more_than_two_thousand_activities_are_read_by_their_ids() {
    let task = |n: u64| json!({"id": 5_000 + n, "Subject": format!("t{n}")});
    let stage = Stage::of(json!({"records": {"Tasks": (1..=2_150).map(task).collect::<Vec<_>>()}}));
    let before = stage.sent();
    assert_eq!(stage.list("Tasks", &["Subject"]).await.len(), 2_150);
    // Two queries for ids, a request for each hundred.
    assert_eq!(stage.sent() - before, 2 + 22);
}

#[tokio::test]
async fn records_with_more_than_fifty_fields_are_read_in_parts() {
    let fields: Vec<Json> =
        (0..120).map(|n| json!({"api_name": format!("F{n}"), "data_type": "text", "length": 50})).collect();
    let record = |id: u64| {
        let mut record = json!({"id": id, "Last_Name": "L"});
        for n in 0..120 {
            record[format!("F{n}")] = json!(format!("{id}-{n}"));
        }
        record
    };
    let stage = Stage::of(json!({"fields": {"Contacts": fields}, "records": {"Contacts": [record(11), record(12)]}}));
    stage.schema("Contacts").await;
    let wanted: Vec<String> = (0..120).map(|n| format!("F{n}")).collect();
    let wanted: Vec<&str> = wanted.iter().map(String::as_str).collect();
    let before = stage.sent();
    for records in [stage.list("Contacts", &wanted).await, stage.fetch("Contacts", &wanted, &["11", "12", "13"]).await]
    {
        assert_eq!(records.len(), 2);
        for record in &records {
            assert!(record.modified.is_some());
            assert!((0..120).all(|n| shown(record, &format!("F{n}")) == format!("{}-{n}", record.id)));
        }
    }
    assert_eq!(stage.sent() - before, 6);
}

#[tokio::test]
async fn what_lists_do_not_bring_is_read_with_the_record() {
    let long = format!("<p>{}</p>", "ä".repeat(900));
    let stage = Stage::of(json!({
        "modules": [{"api_name": "Ships", "singular": "Ship", "plural": "Ships"}],
        "fields": {"Accounts": [{"api_name": "Story", "data_type": "textarea", "textarea": "rich_text"},
            {"api_name": "Fleet", "data_type": "multiselectlookup", "module": "Ships"}]},
        "records": {"Ships": [{"id": 21, "Name": "S"}, {"id": 22, "Name": "T"}],
            "Accounts": [{"id": 1, "Account_Name": "A", "Story": long,
                "Fleet": [{"id": "31", "to": "21"}, {"id": "32", "to": "22"}]}]},
    }));
    let schema = stage.schema("Accounts").await;
    let story = schema.field("Story").unwrap();
    assert_eq!(story.kind, Kind::Text { max: Some(50_000), html: true });
    assert!(matches!(story.read, ReadCost::Extra { per_call: 1, opt_in: false, .. }));
    let fleet = schema.field("Fleet").unwrap();
    assert_eq!((fleet.kind.referenced().unwrap().as_str(), fleet.writable), ("Ships", Writable::Never));
    let listed = stage.list("Accounts", &["Account_Name", "Story", "Fleet"]).await;
    assert_eq!(listed[0].fields.len(), 1, "neither is cut nor missing in a list");
    assert_eq!(stage.enrich("Accounts", "Story", "1").await.unwrap().display(), long);
    assert_eq!(stage.enrich("Accounts", "Fleet", "1").await, Some(Value::List(vec!["21".into(), "22".into()])));
    assert_eq!(stage.enrich("Accounts", "Story", "77").await, None);
}

#[tokio::test]
async fn whatever_the_answer_to_an_unknown_id_it_is_no_record() {
    for not_found in ["no_content", "invalid_data", "invalid_url"] {
        let stage = Stage::of(json!({"settings": {"not_found": not_found},
            "records": {"Deals": [{"id": 1, "Deal_Name": "D", "Stage": "Qualification", "Closing_Date": "2026-01-01"}]}}));
        stage.schema("Deals").await;
        assert_eq!(stage.fetch("Deals", &["Deal_Name"], &["77", "no id"]).await.len(), 0);
        assert_eq!(stage.fetch("Deals", &["Deal_Name"], &["1", "77"]).await.len(), 1);
        assert_eq!(stage.enrich("Deals", "Contact_Roles", "77").await, Some(Value::List(Vec::new())));
        assert_eq!(stage.enrich("Deals", "Tag", "77").await, None);
    }
}

#[tokio::test]
async fn layouts_say_what_is_required_and_pipelines_which_stages_there_are() {
    let pipeline = |name: &str, stages: Json| json!({"display": name, "actual": name, "stages": stages});
    let both = json!(["Qualification", "Closed Won"]);
    let stage = Stage::of(json!({"layouts": {"Deals": [
        {"name": "Standard", "required": ["Closing_Date", "Next_Step"], "pipelines": [
            pipeline("Sales", both), pipeline("Repair", json!(["Closed Won", "Needs Analysis"]))]},
        {"name": "Rental", "required": [], "pipelines": [pipeline("Rent", json!(["Value Proposition"]))]},
    ]}}));
    let schema = stage.schema("Deals").await;
    let required = |name: &str| schema.field(name).unwrap().required;
    assert!(required("Next_Step") && required("Closing_Date") && required("Pipeline") && !required("Amount"));
    let Kind::Choice { options, .. } = &schema.field("Stage").unwrap().kind else { panic!("no choice") };
    let within = |stage: &str| {
        let option = options.iter().find(|option| option.value == stage).unwrap();
        (option.label.as_str(), option.within.as_deref())
    };
    assert_eq!(within("Qualification"), ("Sales: Qualification", Some("Sales")));
    assert_eq!(within("Value Proposition"), ("Rent: Value Proposition", Some("Rent")));
    assert_eq!(within("Closed Won"), ("Closed Won", None), "a stage of several pipelines belongs to none for certain");
    assert_eq!(within("Id. Decision Makers"), ("Identify Decision Makers", None));
    let Kind::Choice { options: layouts, .. } = &schema.field("Layout").unwrap().kind else { panic!("no choice") };
    assert_eq!(layouts.iter().map(|layout| &*layout.label).collect::<Vec<_>>(), ["Standard", "Rental"]);
    // A record of the other layout, and its pipeline read under its actual name.
    let day = Value::Date("2026-06-30".parse().unwrap());
    let fields = [
        ("Deal_Name", "D".into()),
        ("Layout", layouts[1].value.as_str().into()),
        ("Pipeline", "Rent".into()),
        ("Stage", "Value Proposition".into()),
        ("Closing_Date", day),
    ];
    let id = stage.create("Deals", &fields).await;
    let record = stage.fetch("Deals", &["Pipeline", "Stage"], &[id.as_str()]).await.remove(0);
    assert_eq!((shown(&record, "Pipeline"), shown(&record, "Stage")), ("Rent".into(), "Value Proposition".into()));
    assert_eq!(stage.enrich("Deals", "Layout", id.as_str()).await, Some(layouts[1].value.as_str().into()));
}

#[tokio::test]
async fn activities_hang_on_records_of_any_module() {
    let stage = Stage::of(json!({
        "modules": [{"api_name": "Ships", "singular": "Ship", "plural": "Ships"}],
        "records": {"Ships": [{"id": 21, "Name": "S"}], "Leads": [{"id": 31, "Last_Name": "L"}],
            "Contacts": [{"id": 41, "Last_Name": "C"}]},
    }));
    let schema = stage.schema("Tasks").await;
    assert_eq!(schema.field("What_Id").unwrap().writable, Writable::Never);
    assert!(schema.field("What_Id.Contacts").is_none(), "contacts are pointed to by Who_Id");
    let fields = ["Subject", "What_Id", "What_Id.Ships", "What_Id.Leads", "Who_Id"];
    let on_ship = [("Subject", "a".into()), ("What_Id.Ships", "21".into()), ("Who_Id", "41".into())];
    let first = stage.create("Tasks", &on_ship).await;
    let second = stage.create("Tasks", &[("Subject", "b".into()), ("What_Id.Leads", "31".into())]).await;
    let records = stage.list("Tasks", &fields).await;
    let of = |id: &str| records.iter().find(|record| record.id == *id).unwrap();
    let told = |id: &str| fields[1..].iter().map(|field| shown(of(id), field)).collect::<Vec<_>>();
    assert_eq!(told(first.as_str()), ["21", "21", "", "41"]);
    assert_eq!(told(second.as_str()), ["31", "", "31", ""]);
}

#[tokio::test]
async fn the_organization_tells_its_credits_currencies_and_user() {
    let world = json!({"org": {"edition": "professional", "currency": "EUR", "currencies": {"USD": "1.1"}}});
    let account = Stage::of(world).driver.account().await.unwrap();
    assert_eq!(account.daily_limit, Some(50_500));
    assert_eq!(account.currencies, ["EUR", "USD"]);
    assert_eq!(account.fallback_user.unwrap(), *USER.to_string());
    // With one currency there is no list of them.
    let account = Stage::of(json!({"org": {"edition": "free", "currency": "EUR"}})).driver.account().await.unwrap();
    assert_eq!((account.currencies.as_slice(), account.daily_limit), (["EUR".to_owned()].as_slice(), None));
}

#[tokio::test]
async fn the_api_is_where_the_token_says() {
    let credentials = Credentials::Oauth {
        client_id: "app".to_owned(),
        client_secret: Some(SecretString::from("secret")),
        refresh_token: SecretString::from("refresh"),
        access: None,
    };
    // The organization lives elsewhere than the project believes: any other host is refused.
    let world = json!({"settings": {"api_host": "eu.sandbox.test"}});
    let stage = Stage::with(world, credentials, "http://us.sandbox.test");
    assert_eq!(stage.driver.users().await.unwrap().len(), 1);
    // A token alone does not say it.
    let world = json!({"settings": {"api_host": "eu.sandbox.test"}});
    let stage = Stage::with(world, Credentials::Token(SecretString::from("token")), "http://us.sandbox.test");
    let fault = stage.driver.users().await.unwrap_err();
    assert_eq!((fault.kind, &*fault.code), (FaultKind::Auth, "INVALID_HOST"));
}
