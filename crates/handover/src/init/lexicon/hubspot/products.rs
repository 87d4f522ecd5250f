//! Products and line items (sheet: HubSpot sections 2 and 9, trap 15).

use crate::init::lexicon::{Concept, Own, Scope, Thing, expr, take, tell, thing, told};

const BILLING: &str =
    "if .recurringbillingfrequency == \"per_six_months\" { \"semi-annually\" } else { .recurringbillingfrequency }";
const FREQUENCY: &str = "if {billing} == \"semi-annually\" { \"per_six_months\" } else { {billing} }";
const OF_PRODUCT: &str = "the product says it";

pub(super) const PRODUCTS: Thing = Thing {
    own_fields: Own::Plain,
    used_with: "products",
    keys: &[("text", "sku", &["hs_sku"]), ("text", "name", &["name"])],
    tells: &[
        tell("name", &["name"]),
        tell("sku", &["hs_sku"]),
        tell("description", &["description"]),
        tell("price", &["price"]),
        tell("cost", &["hs_cost_of_goods_sold"]),
        tell("product_type", &["hs_product_type"]),
        told("billing", &["recurringbillingfrequency"], BILLING),
        tell("owner", &["hubspot_owner_id"]),
        tell("created_at", &["createdate", "hs_createdate"]),
    ],
    takes: &[
        take("name", &["name"]),
        take("hs_sku", &["sku"]),
        take("description", &["description"]),
        take("price", &["price"]),
        take("hs_cost_of_goods_sold", &["cost"]),
        expr("recurringbillingfrequency", &["billing"], FREQUENCY),
        take("hubspot_owner_id", &["owner"]),
        take("createdate", &["created_at"]),
    ],
    left: &[("tax", "an amount; what it is of is not told")],
    ..thing(Concept::Product, "products", "products")
};

pub(super) const LINES: Thing = Thing {
    about: "Line items of quotes and the like, which hang on no deal, stay behind; `excluded` counts them.",
    scope: Scope::Where("!is_blank(.associations.deals)"),
    own_fields: Own::Plain,
    used_with: "line_items",
    tells: &[
        tell("deals", &["associations.deals"]),
        tell("product", &["hs_product_id"]),
        tell("name", &["name"]),
        tell("quantity", &["quantity"]),
        tell("price", &["price"]),
        tell("unit_discount", &["discount"]),
        tell("discount_rate", &["hs_discount_percentage"]),
        tell("description", &["description"]),
        tell("currency", &["hs_line_item_currency_code"]),
        told("billing", &["recurringbillingfrequency"], BILLING),
        tell("billing_start", &["hs_recurring_billing_start_date"]),
        tell("created_at", &["createdate", "hs_createdate"]),
    ],
    takes: &[
        take("associations.deals", &["deals"]),
        take("hs_product_id", &["product"]),
        take("name", &["name"]),
        take("quantity", &["quantity"]),
        take("price", &["price"]),
        take("discount", &["unit_discount"]),
        take("hs_discount_percentage", &["discount_rate"]),
        take("description", &["description"]),
        take("hs_line_item_currency_code", &["currency"]),
        expr("recurringbillingfrequency", &["billing"], FREQUENCY),
        take("hs_recurring_billing_start_date", &["billing_start"]),
        take("createdate", &["created_at"]),
    ],
    left: &[
        ("tax", "an amount; what it is of is not told"),
        ("name", "the product's name is shown"),
        ("hs_sku", OF_PRODUCT),
        ("hs_url", OF_PRODUCT),
        ("hs_product_type", OF_PRODUCT),
        ("hs_cost_of_goods_sold", OF_PRODUCT),
        ("hs_line_item_currency_code", "a line is in the currency of its deal"),
        ("hs_position_on_quote", "quotes are not moved"),
    ],
    ..thing(Concept::Line, "line_items", "line_items")
};
