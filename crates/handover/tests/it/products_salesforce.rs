//! Products and the lines of opportunities to and from Salesforce, there and in step.

use handover_engine::{Policies, Selection};
use handover_model::Outcome;
use handover_sandbox::sample;
use jiff::SignedDuration;
use serde_json::{Value as Json, json};

use crate::products::{hubspot, live, made, number, orders, pass, pipedrive};
use crate::rig::{Death, Ended, Ground, Orders, Scene, source_key};

pub(crate) const EARLIER: &str = "2026-01-02T10:00:00.000+0000";
const LATER: &str = "2026-11-02T08:40:00.000+0000";

/// An id of a world of ours, without the letters behind it, which the sandbox adds.
pub(crate) fn id(prefix: &str, n: u64) -> String {
    format!("{prefix}{n:012}")
}

pub(crate) fn record(prefix: &str, n: u64, rest: Json) -> Json {
    let mut record = json!({"Id": id(prefix, n), "CreatedDate": EARLIER, "LastModifiedDate": EARLIER,
        "SystemModstamp": EARLIER});
    record.as_object_mut().unwrap().extend(rest.as_object().unwrap().clone());
    record
}

fn price(n: u64, book: u64, product: u64, (currency, price, is_active): (&str, f64, bool)) -> Json {
    let row = json!({"Pricebook2Id": id("01s", book), "Product2Id": id("01t", product), "CurrencyIsoCode": currency,
        "UnitPrice": price, "IsActive": is_active});
    record("01u", n, row)
}

fn deal(n: u64, name: &str, (currency, amount): (&str, f64), book: Option<u64>) -> Json {
    let deal = json!({"Name": name, "StageName": "Closed Won", "CloseDate": "2026-12-01", "CurrencyIsoCode": currency,
        "Amount": amount, "Pricebook2Id": book.map(|book| id("01s", book)), "HasOpportunityLineItem": book.is_some()});
    record("006", n, deal)
}

fn sold(n: u64, [deal, entry, product]: [u64; 3], currency: &str, rest: Json) -> Json {
    let mut line = record("00k", n, rest);
    let links = json!({"OpportunityId": id("006", deal), "PricebookEntryId": id("01u", entry),
        "Product2Id": id("01t", product), "CurrencyIsoCode": currency});
    line.as_object_mut().unwrap().extend(links.as_object().unwrap().clone());
    line
}

/// Two products with prices in two currencies and in a book of their own; an opportunity of two lines, one of one in
/// another currency, one without.
fn salesforce() -> Json {
    let mut world = sample::bare("salesforce", 3).unwrap();
    let records = world["records"].as_object_mut().unwrap();
    let mut put = |object: &str, rows: Json| drop(records.insert(object.to_owned(), rows));
    put(
        "Pricebook2",
        json!([
            record("01s", 1, json!({"Name": "Standard Price Book", "IsActive": true, "IsStandard": true})),
            record("01s", 2, json!({"Name": "Friends", "IsActive": true, "IsStandard": false})),
        ]),
    );
    put(
        "Product2",
        json!([
            record("01t", 1, json!({"Name": "Drill", "ProductCode": "D-1", "IsActive": true, "Description": "loud"})),
            record("01t", 2, json!({"Name": "Care", "IsActive": true})),
        ]),
    );
    put(
        "PricebookEntry",
        json!([
            price(1, 1, 1, ("EUR", 100.0, true)),
            price(2, 1, 1, ("USD", 120.5, true)),
            price(3, 1, 2, ("USD", 50.0, true)),
            price(4, 1, 2, ("EUR", 45.0, false)),
            price(5, 2, 1, ("EUR", 90.0, true)),
        ]),
    );
    let deals = [
        deal(1, "Workshop", ("EUR", 315.0), Some(2)),
        deal(2, "Abroad", ("USD", 100.0), Some(1)),
        deal(3, "Talk", ("EUR", 77.0), None),
    ];
    put("Opportunity", json!(deals));
    let blue = json!({"Quantity": 3, "UnitPrice": 90.0, "Discount": 10.0, "Description": "blue"});
    let lines = [
        sold(1, [1, 5, 1], "EUR", blue),
        sold(2, [1, 5, 1], "EUR", json!({"Quantity": 1, "UnitPrice": 72.0})),
        sold(3, [2, 3, 2], "USD", json!({"Quantity": 2, "UnitPrice": 50.0})),
    ];
    put("OpportunityLineItem", json!(lines));
    world
}

/// The record of a world of Salesforce's that came of this one.
fn came<'w>(world: &'w Json, object: &str, key: &str) -> &'w Json {
    let records = world["records"][object].as_array().unwrap();
    records.iter().find(|record| source_key(record) == Some(key)).unwrap_or_else(|| panic!("no {key}"))
}

/// Standard prices of a product by currency.
fn prices(world: &Json, product: &Json) -> Vec<(String, f64, bool)> {
    let books = world["records"]["Pricebook2"].as_array().unwrap();
    let standard = &books.iter().find(|book| book["IsStandard"] == true).unwrap()["Id"];
    let rows = world["records"]["PricebookEntry"].as_array().unwrap().iter();
    let own = rows.filter(|row| row["Product2Id"] == product["Id"] && row["Pricebook2Id"] == *standard);
    let mut told: Vec<(String, f64, bool)> = own
        .map(|row| {
            let currency = row["CurrencyIsoCode"].as_str().unwrap().to_owned();
            (currency, row["UnitPrice"].as_f64().unwrap(), row["IsActive"] == true)
        })
        .collect();
    told.sort_by(|one, other| one.0.cmp(&other.0));
    told
}

fn lines_in<'w>(world: &'w Json, deal: &Json) -> Vec<&'w Json> {
    let lines = world["records"]["OpportunityLineItem"].as_array().unwrap().iter();
    lines.filter(|line| line["OpportunityId"] == deal["Id"]).collect()
}

#[test]
fn products_and_lines_from_salesforce() {
    let scene = Scene::between(["salesforce", "hubspot"], salesforce(), sample::bare("hubspot", 3).unwrap());
    let mut ground = Ground::new(scene);
    live(&mut ground, Selection::All);
    assert_eq!(ground.differences, Vec::<String>::new());
    let old = ground.world("old");
    let key = |object: &str, n: usize| {
        format!("old:{object}:{}", old["records"][object].as_array().unwrap()[n]["Id"].as_str().unwrap())
    };
    let world = ground.world("new");
    let drill = made(&world, "products", &key("Product2", 0));
    assert_eq!(
        (&drill["name"], &drill["hs_sku"], &drill["description"]),
        (&json!("Drill"), &json!("D-1"), &json!("loud"))
    );
    assert_eq!(number(drill, "price"), Some(100.0));
    assert_eq!(drill["handover_prices"], "EUR: price: 100; USD: price: 120.5");
    let care = made(&world, "products", &key("Product2", 1));
    assert_eq!(
        (number(care, "price"), &care["handover_prices"]),
        (None, &json!("USD: price: 50")),
        "one is not active"
    );
    let lines = world["objects"]["line_items"].as_array().unwrap();
    assert_eq!(lines.len(), 3);
    let first = made(&world, "line_items", &key("OpportunityLineItem", 0));
    assert_eq!((number(first, "quantity"), number(first, "price")), (Some(3.0), Some(90.0)));
    assert_eq!((number(first, "hs_discount_percentage"), &first["description"]), (Some(10.0), &json!("blue")));
    for (n, amount) in [(0, 315.0), (1, 100.0), (2, 77.0)] {
        assert_eq!(number(made(&world, "deals", &key("Opportunity", n)), "amount"), Some(amount));
    }
    assert_eq!(pass(&mut ground), Vec::<String>::new(), "nothing changed");
    // A line, and a price, which does not touch its product.
    ground.now += SignedDuration::from_mins(30);
    ground.change("old", |world| {
        let line = &mut world["records"]["OpportunityLineItem"][2];
        (line["Quantity"], line["SystemModstamp"]) = (json!(4), json!(LATER));
        let price = &mut world["records"]["PricebookEntry"][0];
        (price["UnitPrice"], price["SystemModstamp"]) = (json!(101.0), json!(LATER));
    });
    assert_eq!(pass(&mut ground), ["Updated line_items", "Updated products"]);
    assert_eq!(ground.differences, Vec::<String>::new());
    let world = ground.world("new");
    assert_eq!(number(made(&world, "products", &key("Product2", 0)), "price"), Some(101.0));
    assert_eq!(number(made(&world, "line_items", &key("OpportunityLineItem", 2)), "quantity"), Some(4.0));
    assert_eq!(pass(&mut ground), Vec::<String>::new(), "nothing changed again");
}

#[test]
fn products_and_lines_to_salesforce() {
    let scene = Scene::between(["hubspot", "salesforce"], hubspot(), sample::bare("salesforce", 3).unwrap());
    let begun = Ground::new(scene);
    let mut ground = begun.copy();
    live(&mut ground, Selection::All);
    let world = ground.world("new");
    let drill = came(&world, "Product2", "old:products:701");
    assert_eq!(
        (&drill["Name"], &drill["ProductCode"], &drill["IsActive"]),
        (&json!("Drill"), &json!("D-1"), &json!(true))
    );
    assert_eq!(prices(&world, drill), [("EUR".to_owned(), 100.0, true)]);
    let deal = came(&world, "Opportunity", "old:deals:801");
    let lines = lines_in(&world, deal);
    assert_eq!(lines.len(), 2);
    let first = came(&world, "OpportunityLineItem", "old:line_items:901");
    assert_eq!(
        (first["Quantity"].as_f64(), first["UnitPrice"].as_f64()),
        (Some(3.0), Some(90.0)),
        "an amount off a piece"
    );
    assert_eq!(first["Product2Id"], drill["Id"]);
    let second = came(&world, "OpportunityLineItem", "old:line_items:902");
    assert_eq!((second["Discount"].as_f64(), &second["Description"]), (Some(10.0), &json!("twice a year")));
    assert_eq!(deal["Amount"].as_f64(), Some(450.0), "the sum of its products");
    let end = ground.end();
    let told = |line: &str| end.state.keys().any(|told| told.starts_with(line));
    assert!(told(&format!("line_items 903 {:?}", Outcome::Held)), "it has no product: {:?}", end.state);
    assert!(!told("line_items 904"), "excluded: {:?}", end.state);
    let named = |text: &str| ground.differences.iter().filter(|line| line.contains(text)).count();
    assert_eq!((named("801"), named("803")), (0, 1), "{:?}", ground.differences);
    assert_eq!(pass(&mut ground), Vec::<String>::new(), "nothing changed");
    later_changes(&mut ground);
}

/// A line and a price are changed; a deal with lines gets another amount and another name.
fn later_changes(ground: &mut Ground<'_>) {
    ground.now += SignedDuration::from_mins(30);
    let stamp = json!("2026-11-02T08:40:00.000Z");
    ground.change("old", |world| {
        let mut change = |object: &str, id: &str, name: &str, value: &str| {
            let records = world["objects"][object].as_array_mut().unwrap();
            let record = records.iter_mut().find(|record| record["id"] == id).unwrap();
            record["properties"][name] = json!(value);
            record["updatedAt"] = stamp.clone();
            let modified = "hs_lastmodifieddate";
            record["properties"][modified] = stamp.clone();
        };
        change("line_items", "902", "quantity", "5");
        change("products", "702", "price", "55");
        change("deals", "801", "amount", "500");
        change("deals", "801", "dealname", "Workshop, renamed");
    });
    pass(ground);
    let world = ground.world("new");
    assert_eq!(came(&world, "OpportunityLineItem", "old:line_items:902")["Quantity"].as_f64(), Some(5.0));
    assert_eq!(prices(&world, came(&world, "Product2", "old:products:702")), [("EUR".to_owned(), 55.0, true)]);
    let deal = came(&world, "Opportunity", "old:deals:801");
    assert_eq!(deal["Name"], "Workshop, renamed", "the name arrived");
    assert_eq!(deal["Amount"].as_f64(), Some(720.0), "the sum of its products");
    let held = ground.end().state.keys().any(|line| line.starts_with("deals 801 held"));
    assert!(held, "the amount waits for a person: {:?}", ground.end().state);
    assert_eq!(pass(ground), Vec::<String>::new(), "nothing changed again");
}

#[test]
fn prices_in_several_currencies_from_pipedrive() {
    let scene = Scene::between(["pipedrive", "salesforce"], pipedrive(), sample::bare("salesforce", 3).unwrap());
    let mut ground = Ground::new(scene);
    live(&mut ground, Selection::All);
    let world = ground.world("new");
    let drill = came(&world, "Product2", "old:products:1");
    assert_eq!(prices(&world, drill), [("EUR".to_owned(), 100.0, true), ("USD".to_owned(), 120.0, true)]);
    let kept = drill["handover_prices__c"].as_str().unwrap();
    assert!(kept.contains("EUR: cost: 40.5; price: 100"), "{kept}");
    let care = came(&world, "OpportunityLineItem", "old:deal_products:2:14");
    assert_eq!((&care["CurrencyIsoCode"], care["UnitPrice"].as_f64()), (&json!("USD"), Some(50.0)));
    let end = ground.end();
    let held = |line: &str| end.state.keys().any(|told| told.starts_with(line) && told.contains("held"));
    assert!(held("deal_products 1:12"), "its product was deleted: {:?}", end.state);
    assert_eq!(pass(&mut ground), Vec::<String>::new(), "nothing changed");
}

#[test]
fn a_product_without_a_price_in_the_currency_holds_its_lines() {
    let mut old = hubspot();
    old["objects"]["deals"][0]["properties"]["deal_currency_code"] = json!("USD");
    let scene = Scene::between(["hubspot", "salesforce"], old, sample::bare("salesforce", 3).unwrap());
    let mut ground = Ground::new(scene);
    live(&mut ground, Selection::All);
    let world = ground.world("new");
    assert_eq!(lines_in(&world, came(&world, "Opportunity", "old:deals:801")).len(), 0);
    let end = ground.end();
    let held = |line: &str| end.state.keys().any(|told| told.starts_with(line) && told.contains("no_price"));
    assert!(held("line_items 901 held") && held("line_items 902 held"), "{:?}", end.state);
    assert_eq!(lines_in(&world, came(&world, "Opportunity", "old:deals:803")).len(), 1, "the others arrive");
}

#[test]
fn dying_anywhere_makes_no_price_and_no_line_twice() {
    let begun =
        Ground::new(Scene::between(["hubspot", "salesforce"], hubspot(), sample::bare("salesforce", 3).unwrap()));
    let mut ground = begun.copy();
    let quick = |policies: &mut Policies| policies.sweep = SignedDuration::ZERO;
    let orders = Orders { policies: Some(quick), verify: false, ..orders(Selection::All) };
    assert!(matches!(ground.live_with(Death::No, &orders), Ended::Finished(_)));
    ground.die_everywhere(&begun, &orders);
}
