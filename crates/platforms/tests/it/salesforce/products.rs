//! Prices that are rows of their own, and lines that are sold by them.

use std::sync::Arc;

use handover_connect::{Connector as _, Operation, Read, Which, Write, WriteBatch, WriteMode, Written};
use handover_model::{Fields, RecordId, Value, Writable};
use handover_platforms::salesforce::Salesforce;
use serde_json::{Value as Json, json};

use super::live::{Live, id};
use super::{decoded, encoded, names, outcomes, page_of, rows, then};
use crate::lists::{page, rest};

const AT: &str = "2026-01-02T10:00:00.000+0000";

fn record(prefix: &str, n: usize, rest: Json) -> Json {
    let mut record = json!({"Id": id(prefix, n), "CreatedDate": AT, "LastModifiedDate": AT, "SystemModstamp": AT});
    record.as_object_mut().unwrap().extend(rest.as_object().unwrap().clone());
    record
}

/// An organization of two currencies that sells one product in one of them.
async fn shop() -> Live {
    let currency = |code: &str, corporate: bool| json!({"IsoCode": code, "ConversionRate": 1.0, "DecimalPlaces": 2, "IsActive": true, "IsCorporate": corporate});
    let deal = |n: usize, currency: &str, rest: Json| {
        let mut deal = json!({"Name": format!("D{n}"), "StageName": "Prospecting", "CloseDate": "2026-12-01",
            "CurrencyIsoCode": currency});
        deal.as_object_mut().unwrap().extend(rest.as_object().unwrap().clone());
        record("006", n, deal)
    };
    let live = Live::of(
        json!({
            "org": {"multi_currency": true},
            "records": {
                "CurrencyType": [currency("EUR", true), currency("USD", false)],
                "Pricebook2": [
                    record("01s", 1, json!({"Name": "Standard", "IsActive": true, "IsStandard": true})),
                    record("01s", 2, json!({"Name": "Own", "IsActive": true})),
                ],
                "Product2": [record("01t", 1, json!({"Name": "Drill", "IsActive": true}))],
                "PricebookEntry": [record("01u", 1, json!({"Pricebook2Id": id("01s", 1), "Product2Id": id("01t", 1),
                    "UnitPrice": 100.0, "CurrencyIsoCode": "EUR", "IsActive": true}))],
                "Opportunity": [deal(1, "EUR", json!({"Amount": 5.0})), deal(2, "USD", json!({})),
                    deal(3, "EUR", json!({"Pricebook2Id": id("01s", 2)}))],
            },
        }),
        Salesforce::new,
    )
    .await;
    for object in ["Product2", "OpportunityLineItem"] {
        live.driver.describe(&object.into()).await.unwrap();
    }
    live
}

fn prices(of: &[(&str, i64)]) -> Value {
    let amounts = |price: i64| Value::Map([("price".to_owned(), Value::Number(price.into()))].into());
    Value::Map(of.iter().map(|(currency, price)| ((*currency).to_owned(), amounts(*price))).collect())
}

/// An id, none of new records, and fields.
type Row = (Option<String>, Vec<(&'static str, Value)>);

fn batch(object: &str, mode: WriteMode, all: Vec<Row>) -> WriteBatch {
    let write = |(at, (id, fields)): (usize, Row)| Write {
        trace: format!("t{at}").into(),
        id: id.map(RecordId::from),
        fields: Arc::new(fields.into_iter().map(|(name, value)| (name.into(), value)).collect::<Fields>()),
        content: None,
    };
    WriteBatch { object: object.into(), mode, writes: all.into_iter().enumerate().map(write).collect() }
}

fn product(name: &str, of: Value) -> Row {
    (None, vec![("Name", name.into()), ("IsActive", Value::Bool(true)), ("StandardPrices", of)])
}

/// What the organization says of all products.
async fn told(live: &Live) -> Vec<(String, Value)> {
    let read =
        Read { object: "Product2".into(), fields: names(&["Name", "StandardPrices"]), which: Which::Live, since: None };
    let (records, next) = page(&live.driver, &read, None).await.unwrap();
    assert!(next.is_none());
    let value = |fields: &Fields, name: &str| fields.get(name).cloned().unwrap();
    records
        .iter()
        .map(|record| (value(&record.fields, "Name").display(), value(&record.fields, "StandardPrices")))
        .collect()
}

fn words(written: &[Written]) -> Vec<String> {
    outcomes(written)
        .iter()
        .map(|line| line.split(' ').filter(|word| word.len() != 18).collect::<Vec<_>>().join(" "))
        .collect()
}

#[tokio::test]
async fn prices_are_made_changed_and_taken_away() {
    let live = shop().await;
    let create = WriteMode::Create { key: None };
    let from = live.sent();
    let new = batch(
        "Product2",
        create.clone(),
        vec![
            product("Saw", prices(&[("EUR", 20), ("USD", 22)])),
            product("Free", Value::Null),
            product("Odd", prices(&[("XXX", 1)])),
        ],
    );
    let written = live.driver.write(&new).await.unwrap();
    // A product stands although its price was refused: what became of it is looked up.
    assert_eq!(words(&written), ["t0 Some(true)", "t1 Some(true)", "t2 ? Invalid"]);
    assert_eq!(live.sent() - from, 4, "products, the prices that are there, the book, the new prices");
    let all = told(&live).await;
    let expected = [
        ("Drill", prices(&[("EUR", 100)])),
        ("Saw", prices(&[("EUR", 20), ("USD", 22)])),
        ("Free", Value::Null),
        ("Odd", Value::Null),
    ];
    assert_eq!(all, expected.map(|(name, of)| (name.to_owned(), of)));
    let drill =
        |of: Value| batch("Product2", WriteMode::Update, vec![(Some(id("01t", 1)), vec![("StandardPrices", of)])]);
    for (of, calls) in [
        (prices(&[("EUR", 101), ("USD", 7)]), 4),
        // Said again: nothing is written but the product.
        (prices(&[("EUR", 101), ("USD", 7)]), 2),
        (prices(&[("USD", 7)]), 3),
        (Value::Null, 3),
        (prices(&[("EUR", 102)]), 3),
    ] {
        let from = live.sent();
        assert_eq!(words(&live.driver.write(&drill(of.clone())).await.unwrap()), ["t0 Some(false)"]);
        assert_eq!(live.sent() - from, calls, "{:?}", live.paths(from));
        assert_eq!(told(&live).await[0].1, of);
    }
    let refused = live.driver.write(&drill(prices(&[("XXX", 1)]))).await.unwrap();
    assert_eq!(words(&refused), ["t0 Invalid INVALID_OR_NULL_FOR_RESTRICTED_PICKLIST"]);
    let by_id =
        live.driver.fetch(&"Product2".into(), &names(&["StandardPrices"]), &[id("01t", 1).into()]).await.unwrap();
    assert_eq!(by_id.len(), 1, "by their ids too");
}

#[tokio::test]
async fn a_changed_price_is_a_change_of_its_product() {
    let live = shop().await;
    let since = "2026-02-01T00:00:00Z".parse().unwrap();
    let read = Read {
        object: "Product2".into(),
        fields: names(&["Name", "StandardPrices"]),
        which: Which::Live,
        since: Some(since),
    };
    let listed = async || {
        let (mut records, next) = page(&live.driver, &read, None).await.unwrap();
        records.extend(match next {
            Some(next) => rest(&live.driver, &read, Some(next)).await,
            None => Vec::new(),
        });
        records
    };
    assert!(listed().await.is_empty());
    let entry = batch(
        "PricebookEntry",
        WriteMode::Update,
        vec![(Some(id("01u", 1)), vec![("UnitPrice", Value::Number(99.into()))])],
    );
    live.driver.write(&entry).await.unwrap();
    let records = listed().await;
    assert_eq!(records.len(), 1);
    assert_eq!(records[0].fields.get("StandardPrices"), Some(&prices(&[("EUR", 99)])));
    assert!(records[0].modified.unwrap() > since, "as new as its price");
}

#[tokio::test]
async fn lines_are_sold_by_the_price_of_their_currency() {
    let live = shop().await;
    let schema = live.driver.describe(&"OpportunityLineItem".into()).await.unwrap();
    let can = |name: &str| schema.field(name).map(|field| (field.writable, field.required)).unwrap();
    assert_eq!(can("Product2Id"), (Writable::OnCreate, true));
    assert_eq!(can("PricebookEntryId"), (Writable::Never, false));
    let line = |deal: usize, product: Value| {
        let fields = vec![
            ("OpportunityId", id("006", deal).as_str().into()),
            ("Product2Id", product),
            ("Quantity", Value::Number(2.into())),
            ("UnitPrice", Value::Number(90.into())),
        ];
        (None, fields)
    };
    let drill = || Value::text(id("01t", 1));
    let all = vec![line(1, drill()), line(2, drill()), line(3, drill()), line(9, drill()), line(1, Value::Null)];
    let from = live.sent();
    let written = live.driver.write(&batch("OpportunityLineItem", WriteMode::Create { key: None }, all)).await.unwrap();
    assert_eq!(
        words(&written),
        [
            "t0 Some(true)",
            "t1 Invalid no_price",
            "t2 Invalid other_price_book",
            "t3 Invalid no_opportunity",
            "t4 Invalid no_product"
        ]
    );
    assert_eq!(live.sent() - from, 3, "opportunities, prices, lines");
    let from = live.sent();
    let none = vec![line(2, drill())];
    let written =
        live.driver.write(&batch("OpportunityLineItem", WriteMode::Create { key: None }, none)).await.unwrap();
    assert_eq!((words(&written), live.sent() - from), (vec!["t0 Invalid no_price".to_owned()], 2), "nothing is sent");
    // What an opportunity with lines is worth follows from them; what it is called does not.
    let amount = |n: usize| (Some(id("006", n)), vec![("Amount", Value::Number(7.into()))]);
    let written =
        live.driver.write(&batch("Opportunity", WriteMode::Update, vec![amount(1), amount(2)])).await.unwrap();
    assert_eq!(words(&written), ["t0 Invalid products", "t1 Some(false)"]);
    let from = live.sent();
    let name = vec![(Some(id("006", 1)), vec![("Name", "Other".into())])];
    live.driver.write(&batch("Opportunity", WriteMode::Update, name)).await.unwrap();
    assert_eq!(live.sent() - from, 1);
}

#[test]
fn where_there_is_one_currency_a_price_is_a_number() {
    let product = id("01t", 1);
    let write = Operation::Write(batch(
        "Product2",
        WriteMode::Update,
        vec![(Some(product.clone()), vec![("StandardPrice", Value::Number(10.into()))])],
    ));
    assert!(encoded(&write, None).ends_with(&format!("\"id\":\"{product}\"}}]}}")), "the price is no column");
    let done = super::reply(200, &json!([{"id": product, "success": true, "errors": []}]));
    let (cursor, _) = then(&write, None, &done);
    let query = "Product2Id, Pricebook2Id, UnitPrice, IsActive FROM PricebookEntry WHERE Pricebook2.IsStandard = true";
    assert!(encoded(&write, Some(&cursor)).contains(query));
    // Somebody makes the price meanwhile.
    let (cursor, _) = then(&write, Some(&cursor), &rows(json!([])));
    let (cursor, _) = then(&write, Some(&cursor), &rows(json!([{"Id": id("01s", 1)}])));
    assert!(encoded(&write, Some(&cursor)).starts_with("POST /composite/sobjects"));
    let twice =
        json!([{"success": false, "errors": [{"statusCode": "DUPLICATE_VALUE", "message": "x", "fields": []}]}]);
    let (cursor, _) = then(&write, Some(&cursor), &super::reply(200, &twice));
    let there = json!({"Id": id("01u", 1), "Product2Id": product, "Pricebook2Id": id("01s", 1), "UnitPrice": 10.0,
        "IsActive": true});
    let written = super::written(decoded(&write, Some(&cursor), &rows(json!([there]))).unwrap());
    assert_eq!(outcomes(&written), [format!("t0 {product} Some(false)")]);
    let list = super::list("Product2", &["StandardPrice"]);
    let page = |within: Json| rows(json!([{"Id": product, "SystemModstamp": AT, "PricebookEntries": within}]));
    let inner = |done: bool| {
        json!({"totalSize": 1, "done": done, "nextRecordsUrl": "/services/data/v66.0/query/x-1",
        "records": [{"UnitPrice": 10.5, "IsActive": true, "SystemModstamp": AT}]})
    };
    let value =
        |within: Json| page_of(decoded(&list, None, &page(within)).unwrap()).0[0].fields.get("StandardPrice").cloned();
    assert_eq!(value(Json::Null), Some(Value::Null));
    assert_eq!(value(inner(true)), Some(Value::Number("10.5".parse().unwrap())));
    assert!(decoded(&list, None, &page(inner(false))).is_err(), "what is not all there is nothing");
}
