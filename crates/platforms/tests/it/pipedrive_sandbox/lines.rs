//! Products and the lines of deals through the real driver: what is asked for, what is sent, what is never sent.

use std::collections::BTreeMap;

use super::*;

/// Deal 1 has two lines, the archived deal one, deal 2 none; of deal 5 there are `many`.
fn with_lines(many: u64) -> Json {
    let mut world = world();
    let product = |id: u64| {
        json!({"id": id, "name": format!("P{id}"), "prices": [
            {"currency": "USD", "price": 12.5, "cost": 0, "direct_cost": null},
            {"currency": "EUR", "price": 10, "cost": 4, "direct_cost": 0}]})
    };
    let line = |id: u64, deal: u64| {
        json!({"id": id, "deal_id": deal, "product_id": 1, "item_price": 10, "quantity": 2, "discount": 0,
            "comments": format!("L{id}"), "is_enabled": true, "add_time": "2023-05-01T08:00:00Z"})
    };
    world["products"] = json!([product(1), product(2)]);
    world["deals"].as_array_mut().unwrap().push(json!({"id": 5, "title": "Many", "value": 20}));
    let lines = [line(11, 1), line(12, 1), line(13, 3)].into_iter();
    world["deal_products"] = lines.chain((0..many).map(|n| line(1_000 + n, 5))).collect();
    world
}

fn line_stage(many: u64) -> Stage {
    stage_of(with_lines(many), Credentials::Token(SecretString::from("api")))
}

/// Method and path of what was sent behind the first `from` requests.
fn sent(stage: &Stage, from: usize) -> Vec<String> {
    let sandbox = stage.sandbox.lock().unwrap();
    let entries = sandbox.journal().entries().iter().skip(from);
    entries.map(|entry| format!("{} {}", entry.method, entry.path)).collect()
}

fn ids(records: &[Record]) -> Vec<&str> {
    records.iter().map(|record| record.id.as_str()).collect()
}

#[tokio::test]
async fn only_deals_with_products_are_asked_and_a_hundred_at_once() {
    let stage = line_stage(0);
    stage.schema("deal_products").await;
    let before = sent(&stage, 0).len();
    let fields = names(&["deal_id", "product_id", "quantity", "item_price", "comments"]);
    let records = stage.all("deal_products", &fields, Which::Live).await;
    let lists = ["GET /api/v2/deals", "GET /api/v2/deals/products"];
    let archived = ["GET /api/v2/deals/archived", "GET /api/v2/deals/products"];
    assert_eq!(sent(&stage, before), [lists, archived].concat());
    assert_eq!(ids(&records), ["1:11", "1:12", "3:13"]);
    let first = &records[0].fields;
    assert_eq!((first.get("deal_id"), first.get("product_id")), (Some(&"1".into()), Some(&"1".into())));
    assert_eq!((first.get("quantity"), first.get("comments")), (Some(&2.into()), Some(&"L11".into())));
    let some: Vec<RecordId> = ["3:13", "1:12", "1:99"].map(RecordId::from).to_vec();
    let found = stage.driver.fetch(&"deal_products".into(), &fields, &some).await.unwrap();
    assert_eq!(ids(&found), ["3:13", "1:12"], "what is not there is left out");
}

#[tokio::test]
async fn what_does_not_fit_on_a_page_is_asked_for_in_parts() {
    let stage = line_stage(499);
    stage.schema("deal_products").await;
    let before = sent(&stage, 0).len();
    let records = stage.all("deal_products", &names(&["comments"]), Which::Live).await;
    let times: BTreeMap<&str, usize> = ids(&records).into_iter().fold(BTreeMap::new(), |mut times, id| {
        *times.entry(id).or_default() += 1;
        times
    });
    assert!(times.len() == 502 && times.values().all(|times| *times == 1), "{}", times.len());
    let asked = sent(&stage, before).iter().filter(|request| request.ends_with("/deals/products")).count();
    assert_eq!(asked, 4, "both at once, each for itself, the archived one");
}

#[tokio::test]
async fn a_line_is_made_changed_and_taken_away_within_its_deal() {
    let stage = line_stage(0);
    stage.schema("deal_products").await;
    let before = sent(&stage, 0).len();
    let of = |deal: &str| {
        vec![
            ("deal_id", Value::from(deal)),
            ("product_id", "2".into()),
            ("quantity", 3.into()),
            ("item_price", number("9.5")),
            ("discount", 1.into()),
            ("discount_type", "amount".into()),
        ]
    };
    let id = stage.made("deal_products", &of("2")).await;
    assert!(id.as_str().starts_with("2:"), "{id}");
    let line = id.as_str().split_once(':').unwrap().1.to_owned();
    let change = [("quantity", Value::from(4))];
    let outcome = stage.write(&batch("deal_products", WriteMode::Update, Some(id.clone()), &change)).await;
    assert!(matches!(&outcome, WriteOutcome::Applied { id: same, .. } if *same == id), "{outcome:?}");
    let back = stage.one("deal_products", &id, &["quantity", "sum", "discount_type", "name"]).await.fields;
    assert_eq!((back.get("quantity"), back.get("sum")), (Some(&4.into()), Some(&37.into())));
    assert_eq!((back.get("discount_type"), back.get("name")), (Some(&"amount".into()), Some(&"P2".into())));
    // It stays in its deal: refused before anything is sent.
    let moved = [("deal_id", Value::from("1"))];
    let count = sent(&stage, 0).len();
    let refused = stage.driver.write(&batch("deal_products", WriteMode::Update, Some(id.clone()), &moved)).await;
    assert_eq!(refused.unwrap_err().field, Some("deal_id".into()));
    let nowhere = stage.driver.write(&create("deal_products", &of("2")[1..])).await;
    assert_eq!(nowhere.unwrap_err().field, Some("deal_id".into()));
    assert_eq!(sent(&stage, 0).len(), count);
    for _ in 0..2 {
        let gone = stage.driver.delete(&"deal_products".into(), std::slice::from_ref(&id)).await.unwrap().remove(0);
        assert!(matches!(gone.outcome, WriteOutcome::Applied { .. }), "{gone:?}");
    }
    let writes: Vec<String> = sent(&stage, before).into_iter().filter(|request| !request.starts_with("GET")).collect();
    let of_line = |method: &str| format!("{method} /api/v2/deals/2/products/{line}");
    let expected = ["POST /api/v2/deals/2/products".to_owned(), of_line("PATCH"), of_line("DELETE"), of_line("DELETE")];
    assert_eq!(writes, expected);
}

#[tokio::test]
async fn the_value_of_a_deal_with_products_is_never_sent() {
    let stage = line_stage(0);
    stage.schema("deals").await;
    let value = |value: u32| [("value", Value::from(i64::from(value)))];
    let before = sent(&stage, 0).len();
    let outcome = stage.write(&batch("deals", WriteMode::Update, Some("1".into()), &value(7))).await;
    let WriteOutcome::Refused(fault) = outcome else { panic!("{outcome:?}") };
    assert_eq!((fault.kind, fault.field), (FaultKind::Invalid, Some("value".into())));
    assert_eq!(sent(&stage, before), ["GET /api/v2/deals/1"]);
    // Without products it is a value like any other.
    let outcome = stage.write(&batch("deals", WriteMode::Update, Some("2".into()), &value(7))).await;
    assert!(matches!(outcome, WriteOutcome::Applied { .. }), "{outcome:?}");
    assert_eq!(stage.one("deals", &"2".into(), &["value"]).await.fields.get("value"), Some(&7.into()));
}

#[tokio::test]
async fn prices_are_told_by_their_currency() {
    let stage = line_stage(0);
    stage.schema("products").await;
    let amounts = |all: &[(&str, &str)]| {
        Value::Map(all.iter().map(|(name, amount)| ((*name).to_owned(), number(amount))).collect())
    };
    let prices = |all: Vec<(&str, Value)>| {
        Value::Map(all.into_iter().map(|(currency, amounts)| (currency.to_owned(), amounts)).collect())
    };
    let told = stage.one("products", &"1".into(), &["prices"]).await;
    let both =
        prices(vec![("EUR", amounts(&[("price", "10"), ("cost", "4")])), ("USD", amounts(&[("price", "12.5")]))]);
    assert_eq!(told.fields.get("prices"), Some(&both));
    let id = stage.made("products", &[("name", "New".into()), ("prices", both.clone())]).await;
    assert_eq!(stage.one("products", &id, &["prices"]).await.fields.get("prices"), Some(&both));
    let wrong = stage.driver.write(&create("products", &[("name", "N".into()), ("prices", "cheap".into())])).await;
    assert_eq!(wrong.unwrap_err().field, Some("prices".into()));
    let cleared =
        stage.write(&batch("products", WriteMode::Update, Some(id.clone()), &[("prices", Value::Null)])).await;
    assert!(matches!(cleared, WriteOutcome::Applied { .. }), "{cleared:?}");
    assert_eq!(stage.one("products", &id, &["prices"]).await.fields.get("prices"), Some(&Value::Null));
}
