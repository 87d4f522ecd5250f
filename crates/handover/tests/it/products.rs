//! Products and the lines of deals, there and in step: what is sold comes along, and a deal is worth the same.

use handover_engine::{Policies, Selection};
use handover_model::{Deletes, Outcome, Removals};
use handover_sandbox::sample;
use jiff::SignedDuration;
use serde_json::{Value as Json, json};

use crate::rig::{Death, Ended, Ground, Orders, Scene, Way, source_key};

fn open(policies: &mut Policies) {
    policies.sweep = SignedDuration::ZERO;
    policies.delete_count = 1_000;
    policies.delete_share = 1.0;
}

pub(crate) fn orders(selection: Selection) -> Orders {
    let removals = Removals { deletes: Deletes::Delete, ..Removals::default() };
    Orders { selection: Some(selection), removals, policies: Some(open), verify: true, ..Orders::default() }
}

pub(crate) fn live(ground: &mut Ground<'_>, selection: Selection) {
    match ground.live_with(Death::No, &orders(selection)) {
        Ended::Finished(_) => {}
        ended => panic!("{ended:?}"),
    }
}

/// A pass over changes; gives what it did in the new system, links apart.
pub(crate) fn pass(ground: &mut Ground<'_>) -> Vec<String> {
    let before = ground.end().new_journal.len();
    live(ground, Selection::Changes);
    let after = ground.end().new_journal;
    let changes = after[before..].iter().flat_map(|entry| &entry.changes);
    let records = changes.filter(|change| change.object != "associations");
    let mut done: Vec<String> = records.map(|change| format!("{:?} {}", change.action, change.object)).collect();
    done.sort();
    done
}

/// A line of a Pipedrive deal.
fn line(id: u64, deal: u64, product: u64, rest: Json) -> Json {
    let mut line = json!({
        "id": id, "deal_id": deal, "product_id": product, "name": format!("Product {product}"), "currency": "EUR",
        "quantity": 1, "item_price": 100, "discount": 0, "discount_type": "percentage", "tax": 0,
        "tax_method": "inclusive", "comments": "", "is_enabled": true, "is_deleted": false,
        "product_variation_id": null, "billing_frequency": "one-time", "billing_frequency_cycles": null,
        "billing_start_date": null, "add_time": "2026-01-05T10:00:00Z", "update_time": "2026-01-05T10:00:00Z", "sum": 0,
    });
    line.as_object_mut().unwrap().extend(rest.as_object().unwrap().clone());
    line
}

/// Two products and one that was deleted; a deal of three lines of which one does not count, one in another currency
/// with a subscription, one without products, and an archived one.
pub(crate) fn pipedrive() -> Json {
    let mut world = sample::bare("pipedrive", 3).unwrap();
    let product = |id: u64, name: &str, rest: Json| {
        let mut product = json!({"id": id, "name": name, "add_time": "2026-01-02T10:00:00Z",
            "update_time": "2026-01-02T10:00:00Z"});
        product.as_object_mut().unwrap().extend(rest.as_object().unwrap().clone());
        product
    };
    let prices = json!([{"currency": "EUR", "price": 100, "cost": 40.5, "direct_cost": 0},
        {"currency": "USD", "price": 120, "cost": 0, "direct_cost": 0}]);
    world["products"] = json!([
        product(1, "Drill", json!({"code": "D-1", "unit": "pcs", "tax": 19, "prices": prices})),
        product(
            2,
            "Service",
            json!({"code": "S-1", "billing_frequency": "monthly",
            "prices": [{"currency": "USD", "price": 50, "cost": 0, "direct_cost": 0}]})
        ),
        product(3, "Hammer", json!({"is_deleted": true, "prices": []})),
    ]);
    let deal = |id: u64, title: &str, currency: &str, value: Json, archived: bool| {
        json!({"id": id, "title": title, "currency": currency, "value": value, "is_archived": archived,
            "archive_time": if archived { json!("2026-02-01T00:00:00Z") } else { Json::Null },
            "add_time": "2026-01-03T10:00:00Z", "update_time": "2026-01-03T10:00:00Z"})
    };
    world["deals"] = json!([
        deal(1, "Workshop", "EUR", json!(410), false),
        deal(2, "Care", "USD", json!(50), false),
        deal(3, "Talk", "EUR", json!(77), false),
        deal(4, "Long ago", "EUR", json!(100), true),
    ]);
    world["deal_products"] = json!([
        line(11, 1, 1, json!({"quantity": 3, "discount": 10, "tax": 19, "comments": "blue"})),
        line(12, 1, 3, json!({"quantity": 2, "item_price": 80, "discount": 20, "discount_type": "amount"})),
        line(13, 1, 1, json!({"is_enabled": false})),
        line(
            14,
            2,
            2,
            json!({"item_price": 50, "currency": "USD", "billing_frequency": "semi-annually",
            "billing_start_date": "2026-03-01"})
        ),
        line(15, 4, 1, json!({})),
    ]);
    world
}

/// The properties of a HubSpot record that came of this one.
pub(crate) fn made<'w>(world: &'w Json, object: &str, key: &str) -> &'w Json {
    let records = world["objects"][object].as_array().unwrap();
    let found = records.iter().find(|record| source_key(record) == Some(key));
    &found.unwrap_or_else(|| panic!("no {key}"))["properties"]
}

pub(crate) fn number(properties: &Json, name: &str) -> Option<f64> {
    properties[name].as_str().map(|text| text.parse().unwrap())
}

#[test]
fn products_and_lines_from_pipedrive() {
    let scene = Scene::between(Way::ToHubspot.platforms(), pipedrive(), sample::bare("hubspot", 3).unwrap());
    let names: Vec<&str> = scene.project.flows.iter().map(|flow| flow.name.as_str()).collect();
    assert!(names.contains(&"products") && names.contains(&"deal_products"), "{names:?}");
    let mut ground = Ground::new(scene);
    live(&mut ground, Selection::All);
    assert_eq!(ground.differences, Vec::<String>::new());
    let world = ground.world("new");
    let drill = made(&world, "products", "old:products:1");
    assert_eq!((&drill["name"], &drill["hs_sku"]), (&json!("Drill"), &json!("D-1")));
    assert_eq!((number(drill, "price"), number(drill, "hs_cost_of_goods_sold")), (Some(100.0), Some(40.5)));
    let prices = drill["handover_prices"].as_str().unwrap();
    assert!(prices.contains("EUR: cost: 40.5; price: 100") && prices.contains("USD: price: 120"), "{prices}");
    let service = made(&world, "products", "old:products:2");
    assert_eq!(number(service, "price"), None, "no price in the portal's currency");
    assert_eq!(service["handover_prices"], "USD: price: 50");
    assert_eq!(service["recurringbillingfrequency"], "monthly");
    assert_eq!(world["objects"]["line_items"].as_array().unwrap().len(), 4, "one line is not enabled");
    let first = made(&world, "line_items", "old:deal_products:1:11");
    assert_eq!((number(first, "quantity"), number(first, "price")), (Some(3.0), Some(100.0)));
    assert_eq!((number(first, "hs_discount_percentage"), &first["description"]), (Some(10.0), &json!("blue")));
    let id = |object: &str, key: &str| {
        let records = world["objects"][object].as_array().unwrap();
        records.iter().find(|record| source_key(record) == Some(key)).unwrap()["id"].clone()
    };
    assert_eq!(first["hs_product_id"], id("products", "old:products:1"));
    let gone = made(&world, "line_items", "old:deal_products:1:12");
    assert_eq!(gone["name"], "Product 3", "the line outlives its product");
    assert!(gone.get("hs_product_id").is_none_or(|id| id.is_null() || id == ""), "{gone}");
    assert_eq!((number(gone, "discount"), number(gone, "hs_discount_percentage")), (Some(10.0), None));
    let care = made(&world, "line_items", "old:deal_products:2:14");
    assert_eq!(care["recurringbillingfrequency"], "per_six_months");
    assert_eq!(care["hs_recurring_billing_start_date"], "2026-03-01");
    let links = world["associations"].as_array().unwrap().iter().filter(|link| {
        let ends = [link["fromType"].as_str().unwrap(), link["toType"].as_str().unwrap()];
        ends.contains(&"line_items") && ends.contains(&"deals")
    });
    assert_eq!(links.count(), 4, "each line in its deal");
    for (deal, amount) in [(1, 410.0), (2, 50.0), (3, 77.0), (4, 100.0)] {
        let made = made(&world, "deals", &format!("old:deals:{deal}"));
        assert_eq!(number(made, "amount"), Some(amount), "deal {deal}");
    }
    assert_eq!(pass(&mut ground), Vec::<String>::new(), "nothing changed");
    later_changes(&mut ground);
}

/// A line that is changed and one that is taken away.
fn later_changes(ground: &mut Ground<'_>) {
    ground.now += SignedDuration::from_mins(30);
    ground.change("old", |world| {
        let lines = world["deal_products"].as_array_mut().unwrap();
        let line = lines.iter_mut().find(|line| line["id"] == 14).unwrap();
        line["quantity"] = json!(2);
        line["update_time"] = json!("2026-11-02T08:40:00Z");
        let deal = world["deals"].as_array_mut().unwrap().iter_mut().find(|deal| deal["id"] == 2).unwrap();
        deal["value"] = json!(100);
        deal["update_time"] = json!("2026-11-02T08:40:00Z");
    });
    assert_eq!(pass(ground), ["Updated deals", "Updated line_items"]);
    assert_eq!(ground.differences, Vec::<String>::new());
    let world = ground.world("new");
    assert_eq!(number(made(&world, "line_items", "old:deal_products:2:14"), "quantity"), Some(2.0));
    ground.now += SignedDuration::from_mins(30);
    ground.change("old", |world| {
        world["deal_products"].as_array_mut().unwrap().retain(|line| line["id"] != 15);
    });
    let mut done = Vec::new();
    for _ in 0..3 {
        done.extend(pass(ground));
        ground.now += SignedDuration::from_hours(24);
    }
    assert_eq!(done, ["Deleted line_items"], "noticed, confirmed and carried");
    assert_eq!(ground.differences, Vec::<String>::new());
}

/// A HubSpot portal that sells: two products, and lines with a percentage, an amount off, without a product, of a quote.
pub(crate) fn hubspot() -> Json {
    let mut world = sample::bare("hubspot", 3).unwrap();
    let record = |id: u64, properties: Json| {
        json!({"id": id.to_string(), "properties": properties, "createdAt": "2026-01-01T10:00:00.000Z",
            "updatedAt": "2026-01-01T10:00:00.000Z"})
    };
    let pipeline = world["pipelines"]["deals"][0].clone();
    let deal = |id: u64, name: &str, amount: &str| {
        record(
            id,
            json!({"dealname": name, "amount": amount, "deal_currency_code": "EUR",
            "pipeline": pipeline["id"], "dealstage": pipeline["stages"][0]["id"]}),
        )
    };
    world["objects"]["products"] = json!([
        record(701, json!({"name": "Drill", "price": "100", "hs_sku": "D-1", "hs_cost_of_goods_sold": "40.5"})),
        record(702, json!({"name": "Care", "price": "50", "recurringbillingfrequency": "per_six_months"})),
    ]);
    world["objects"]["deals"] =
        json!([deal(801, "Workshop", "450"), deal(802, "Talk", "30"), deal(803, "Rounded", "99")]);
    let line = |id: u64, rest: Json| {
        let mut properties = json!({"name": "A line", "quantity": "1", "price": "100"});
        properties.as_object_mut().unwrap().extend(rest.as_object().unwrap().clone());
        record(id, properties)
    };
    world["objects"]["line_items"] = json!([
        line(901, json!({"hs_product_id": "701", "quantity": "3", "discount": "10"})),
        line(
            902,
            json!({"hs_product_id": "702", "quantity": "2", "hs_discount_percentage": "10",
            "recurringbillingfrequency": "per_six_months", "description": "twice a year"})
        ),
        line(903, json!({"price": "30"})),
        line(904, json!({"hs_product_id": "701"})),
        line(905, json!({"hs_product_id": "701"})),
    ]);
    let link = |line: u64, deal: u64| {
        json!({"fromType": "line_items", "fromId": line.to_string(), "toType": "deals", "toId": deal.to_string(),
            "types": [{"category": "HUBSPOT_DEFINED", "typeId": 20}]})
    };
    world["associations"] = json!([link(901, 801), link(902, 801), link(903, 802), link(905, 803)]);
    world
}

#[test]
fn products_and_lines_from_hubspot() {
    let scene = Scene::between(Way::ToPipedrive.platforms(), hubspot(), sample::bare("pipedrive", 3).unwrap());
    let begun = Ground::new(scene);
    let mut ground = begun.copy();
    live(&mut ground, Selection::All);
    let world = ground.world("new");
    let products = world["products"].as_array().unwrap();
    let drill = products.iter().find(|product| product["name"] == "Drill").unwrap();
    assert_eq!(drill["prices"], json!([{"currency": "EUR", "cost": 40.5, "price": 100}]));
    let care = products.iter().find(|product| product["name"] == "Care").unwrap();
    assert_eq!(care["billing_frequency"], "semi-annually");
    let lines = world["deal_products"].as_array().unwrap();
    assert_eq!(lines.len(), 3, "one has no product, one no deal");
    let deal =
        |title: &str| world["deals"].as_array().unwrap().iter().find(|deal| deal["title"] == title).unwrap().clone();
    let of = |title: &str, product: &Json| {
        let deal = deal(title)["id"].clone();
        lines.iter().find(|line| line["deal_id"] == deal && line["product_id"] == product["id"]).unwrap()
    };
    let first = of("Workshop", drill);
    assert_eq!((&first["discount"], &first["discount_type"]), (&json!(30), &json!("amount")), "of the whole line");
    let second = of("Workshop", care);
    assert_eq!((&second["discount"], &second["discount_type"]), (&json!(10), &json!("percentage")));
    assert_eq!((&second["billing_frequency"], &second["comments"]), (&json!("semi-annually"), &json!("twice a year")));
    assert_eq!((&deal("Workshop")["value"], &deal("Talk")["value"]), (&json!(450), &json!(30)));
    assert_eq!(deal("Rounded")["value"], 100, "Pipedrive makes it the sum of the products");
    let [one, total] = ground.differences.as_slice() else { panic!("{:?}", ground.differences) };
    assert!(one.contains("803") && one.contains("\"value\""), "nobody keeps it quiet: {one}");
    assert!(total.contains("sum EUR: 579"), "{total}");
    let end = ground.end();
    let told = |line: &str| end.state.keys().any(|told| told.starts_with(line));
    assert!(told(&format!("line_items 903 {:?}", Outcome::Held)), "{:?}", end.state);
    assert!(!told("line_items 904"), "excluded: {:?}", end.state);
    assert_eq!(pass(&mut ground), Vec::<String>::new(), "nothing changed");
    value_is_not_written_over(&mut ground);
}

/// The value of a deal with products follows from them: what HubSpot says then is held, everything else arrives.
fn value_is_not_written_over(ground: &mut Ground<'_>) {
    ground.now += SignedDuration::from_mins(30);
    ground.change("old", |world| {
        let deals = world["objects"]["deals"].as_array_mut().unwrap();
        let deal = deals.iter_mut().find(|deal| deal["id"] == "801").unwrap();
        deal["properties"]["amount"] = json!("500");
        deal["properties"]["dealname"] = json!("Workshop, renamed");
        deal["updatedAt"] = json!("2026-11-02T08:40:00.000Z");
        deal["properties"]["hs_lastmodifieddate"] = json!("2026-11-02T08:40:00.000Z");
    });
    pass(ground);
    let world = ground.world("new");
    let deals = world["deals"].as_array().unwrap();
    let deal = deals.iter().find(|deal| deal["title"] == "Workshop, renamed").expect("the name arrived");
    assert_eq!(deal["value"], 450);
    let held = ground.end().state.keys().any(|line| line.starts_with("deals 801 held"));
    assert!(held, "the value waits for a person");
}

#[test]
fn dying_anywhere_makes_no_line_twice() {
    for (way, old, new) in [
        (Way::ToHubspot, pipedrive(), sample::bare("hubspot", 3).unwrap()),
        (Way::ToPipedrive, hubspot(), sample::bare("pipedrive", 3).unwrap()),
    ] {
        let begun = Ground::new(Scene::between(way.platforms(), old, new));
        let mut ground = begun.copy();
        let orders = Orders { verify: false, ..orders(Selection::All) };
        assert!(matches!(ground.live_with(Death::No, &orders), Ended::Finished(_)));
        ground.die_everywhere(&begun, &orders);
    }
}
