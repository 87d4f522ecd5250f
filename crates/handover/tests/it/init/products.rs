//! Products are proposed where there are some, and what nothing moves is named.

use std::collections::BTreeMap;

use handover::init::SystemView;

use super::accounts::{schema, view};
use super::{check_compiles, check_whole, propose, proposed};

const USERS: [(&str, &str, bool); 1] = [("1", "ana@acme.example", true)];
const PIPEDRIVE: &str = "name | Name | text | required\ncode | Code | text |\ndescription | Description | text |\n\
    prices | Prices | opaque |\nunit | Unit | text |\ntax | Tax | number |\nowner_id | Owner | user |\n\
    billing_frequency | Billing frequency | [one-time=One-time;monthly=Monthly] |";
const HUBSPOT: &str = "name | Name | text | required\nhs_sku | SKU | text |\ndescription | Description | text |\n\
    price | Unit price | number |\nhs_cost_of_goods_sold | Unit cost | number |\ntax | Tax | number |";
const ZOHO: &str = "Product_Name | Product Name | text | required\nProduct_Code | Product Code | text |\n\
    Description | Description | text |\nUnit_Price | Unit Price | number |\nOwner | Product Owner | user |";

fn account(name: &str, platform: &str, objects: &[(&str, &str)]) -> SystemView {
    let schemas = objects.iter().map(|(object, lines)| schema(object, lines)).collect();
    SystemView { counts: BTreeMap::new(), ..view(name, platform, schemas, &USERS) }
}

#[test]
fn the_price_is_that_in_the_main_currency_of_the_other_account() {
    let lines = "deal_id | Deal | >deals | required\nproduct_id | Product | >products | required";
    let old = account("old", "pipedrive", &[("products", PIPEDRIVE), ("deal_products", lines)]);
    for (platform, object, lines, price) in
        [("hubspot", "products", HUBSPOT, "price"), ("zoho", "Products", ZOHO, "Unit_Price")]
    {
        let mut new = account("new", platform, &[(object, lines)]);
        new.account.currencies = vec!["CHF".to_owned(), "EUR".to_owned()];
        let there = proposed(&old, &new);
        check_whole(&there, &old, &new);
        check_compiles(&there, &old, &new);
        let mapping = there.file("mappings/products.yaml");
        assert!(mapping.contains(".prices.CHF.price"), "{mapping}");
        assert_eq!(there.rule("products", price).target, *price);
        assert_eq!(there.from("products", "handover_prices"), ["prices"], "all of them are kept");
        assert!(!mapping.contains("CURRENCY"), "{mapping}");
        assert!(there.codes().contains(&"object_not_moved"), "the lines have nowhere to go");
        let mut back = account("old", platform, &[(object, lines)]);
        back.account.currencies = vec!["CHF".to_owned()];
        let target = SystemView { name: "new".into(), ..old.clone() };
        let back_again = proposed(&back, &target);
        check_whole(&back_again, &back, &target);
        check_compiles(&back_again, &back, &target);
        let mapping = back_again.file("mappings/products.yaml");
        assert!(mapping.contains("{\"CHF\": {\"price\": "), "{mapping}");
        // HubSpot's tax is an amount: one name is not one thing.
        assert!(platform != "hubspot" || mapping.contains("\n  tax: an amount"), "{mapping}");
    }
}

#[test]
fn who_has_none_is_asked_nothing() {
    let mut old = account("old", "pipedrive", &[("products", PIPEDRIVE)]);
    old.counts.extend(["products", "deal_products"].map(|object| (object.into(), 0)));
    let made = propose(&old, &account("new", "hubspot", &[("products", HUBSPOT)]));
    assert!(!made.files.keys().any(|file| file.ends_with("products.yaml")));
    let said = made.findings.iter().map(|finding| finding.message.as_str());
    let said: Vec<&str> = said.filter(|message| message.contains("product")).collect();
    assert_eq!(said, Vec::<&str>::new());
}
