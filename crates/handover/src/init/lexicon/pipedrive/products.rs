//! Products, and the products of deals (sheet: Pipedrive section 2.1).

use super::VISIBILITY;
use crate::init::lexicon::{Concept, Own, Scope, Thing, expr, take, tell, thing, told};

const BILLING: &str =
    "if is_blank(.billing_frequency) || .billing_frequency == \"one-time\" { null } else { .billing_frequency }";
const PRICES: &str = "if is_blank({price}) && is_blank({cost}) { null }\n\
    else if is_blank({cost}) || {cost} == 0 { {\"CURRENCY\": {\"price\": {price}}} }\n\
    else if is_blank({price}) { {\"CURRENCY\": {\"cost\": {cost}}} }\n\
    else { {\"CURRENCY\": {\"price\": {price}, \"cost\": {cost}}} }";
const PRICE: &str = "if is_blank({price}) { null } else { {\"CURRENCY\": {\"price\": {price}}} }";
const UNIT_DISCOUNT: &str = "if .discount_type == \"amount\" { round!((.discount / .quantity) ?? 0, 6) } else { null }";
const RATE: &str = "if .discount_type == \"amount\" || .discount == 0 { null } else { .discount }";
/// A discount is one of the whole line here.
const DISCOUNT: &str = "if is_blank({discount_rate}) { round!((default({unit_discount}, 0) * default({quantity}, 0)) ?? 0, 2) } else { {discount_rate} }";
const DISCOUNT_TYPE: &str =
    "if is_blank({discount_rate}) && !is_blank({unit_discount}) { \"amount\" } else { \"percentage\" }";
/// Blank is a choice of its own here.
const ONCE: &str = "if {billing} == null { \"one-time\" } else { {billing} }";

pub(super) const PRODUCTS: Thing = Thing {
    own_fields: Own::Plain,
    used_with: "products",
    keys: &[("text", "sku", &["code"]), ("text", "name", &["name"])],
    tells: &[
        tell("name", &["name"]),
        tell("sku", &["code"]),
        tell("description", &["description"]),
        told("price", &["prices"], ".prices.CURRENCY.price"),
        told("cost", &["prices"], ".prices.CURRENCY.cost"),
        tell("prices", &["prices"]),
        tell("unit", &["unit"]),
        tell("tax_rate", &["tax"]),
        tell("product_category", &["category"]),
        tell("linkable", &["is_linkable"]),
        told("billing", &["billing_frequency"], BILLING),
        tell("billing_cycles", &["billing_frequency_cycles"]),
        tell("owner", &["owner_id"]),
        tell("created_at", &["add_time"]),
    ],
    takes: &[
        take("name", &["name"]),
        take("code", &["sku"]),
        take("description", &["description"]),
        take("prices", &["prices"]),
        expr("prices", &["price", "cost"], PRICES),
        expr("prices", &["price"], PRICE),
        take("unit", &["unit"]),
        take("tax", &["tax_rate"]),
        take("is_linkable", &["linkable"]),
        expr("billing_frequency", &["billing"], ONCE),
        take("billing_frequency_cycles", &["billing_cycles"]),
        take("owner_id", &["owner"]),
    ],
    left: &[VISIBILITY],
    ..thing(Concept::Product, "products", "products")
};

pub(super) const LINES: Thing = Thing {
    about: "Pipedrive makes the value of a deal the sum of its enabled products, tax included; products that are not\n\
        enabled stay behind. Where another system says another value, `handover verify` names the deal.",
    scope: Scope::Where(".is_enabled != false"),
    used_with: "products",
    tells: &[
        tell("deal", &["deal_id"]),
        tell("product", &["product_id"]),
        tell("name", &["name"]),
        tell("quantity", &["quantity"]),
        tell("price", &["item_price"]),
        told("unit_discount", &["discount", "discount_type", "quantity"], UNIT_DISCOUNT),
        told("discount_rate", &["discount", "discount_type"], RATE),
        tell("tax_rate", &["tax"]),
        tell("tax_method", &["tax_method"]),
        tell("description", &["comments"]),
        tell("currency", &["currency"]),
        told("billing", &["billing_frequency"], BILLING),
        tell("billing_cycles", &["billing_frequency_cycles"]),
        tell("billing_start", &["billing_start_date"]),
        tell("created_at", &["add_time"]),
    ],
    takes: &[
        take("deal_id", &["deal"]),
        take("product_id", &["product"]),
        take("quantity", &["quantity"]),
        take("item_price", &["price"]),
        expr("discount", &["discount_rate", "unit_discount"], DISCOUNT),
        expr("discount_type", &["discount_rate", "unit_discount"], DISCOUNT_TYPE),
        take("tax", &["tax_rate"]),
        take("tax_method", &["tax_method"]),
        take("comments", &["description"]),
        expr("billing_frequency", &["billing"], ONCE),
        take("billing_frequency_cycles", &["billing_cycles"]),
        take("billing_start_date", &["billing_start"]),
    ],
    left: &[
        ("is_enabled", "only enabled ones are moved: see `where`"),
        ("product_variation_id", "variations of products are not moved"),
    ],
    ..thing(Concept::Line, "deal_products", "deal_products")
};
