//! Products with their standard prices, and the products of opportunities (sheet: Salesforce section 2).

use super::VIEWED;
use crate::init::lexicon::{Concept, Make, Own, Thing, expr, make, take, tell, thing, told};

/// Of the prices of others the amounts that Salesforce has.
const PRICES: &str = "of_each({prices}, [\"price\"])";
const PRICE: &str = "if is_blank({price}) { null } else { {\"CURRENCY\": {\"price\": {price}}} }";
/// A discount is one in percent here: an amount off one piece lowers what the piece is sold for.
const UNIT_PRICE: &str =
    "if is_blank({unit_discount}) { {price} } else { round!((({price} - {unit_discount}) ?? 0), 2) }";
const OF_ENTRY: &str = "the price book says it";

pub(super) const PRODUCTS: Thing = Thing {
    own_fields: Own::Unique,
    used_with: "Product2",
    keys: &[("text", "sku", &["ProductCode"]), ("text", "name", &["Name"])],
    tells: &[
        tell("name", &["Name"]),
        tell("sku", &["ProductCode"]),
        tell("description", &["Description"]),
        tell("price", &["StandardPrice"]),
        told("price", &["StandardPrices"], ".StandardPrices.CURRENCY.price"),
        tell("prices", &["StandardPrices"]),
        tell("unit", &["QuantityUnitOfMeasure"]),
        tell("product_category", &["Family"]),
        tell("linkable", &["IsActive"]),
        tell("created_at", &["CreatedDate"]),
    ],
    takes: &[
        take("Name", &["name"]),
        take("ProductCode", &["sku"]),
        take("Description", &["description"]),
        take("StandardPrice", &["price"]),
        // What others keep beside the prices is kept in a field of its own.
        make("StandardPrices", Make::Part(&["prices"], PRICES)),
        expr("StandardPrices", &["price"], PRICE),
        take("IsActive", &["linkable"]),
        // Nothing is sold of a product that is not active.
        expr("IsActive", &["name"], "!is_blank({name})"),
        take("CreatedDate", &["created_at"]),
    ],
    left: &[("LastViewedDate", VIEWED), ("LastReferencedDate", VIEWED)],
    ..thing(Concept::Product, "Product2", "products")
};

pub(super) const LINES: Thing = Thing {
    about: "Salesforce sells by its standard price book here: a product needs an active price there in the currency of the\n\
        opportunity, whose amount becomes the sum of its products. Where another system says another amount,\n\
        `handover verify` names the opportunity.",
    own_fields: Own::Unique,
    used_with: "OpportunityLineItem",
    tells: &[
        tell("deal", &["OpportunityId"]),
        tell("product", &["Product2Id"]),
        tell("quantity", &["Quantity"]),
        tell("price", &["UnitPrice"]),
        tell("discount_rate", &["Discount"]),
        tell("description", &["Description"]),
        tell("currency", &["CurrencyIsoCode"]),
        tell("created_at", &["CreatedDate"]),
    ],
    takes: &[
        take("OpportunityId", &["deal"]),
        take("Product2Id", &["product"]),
        take("Quantity", &["quantity"]),
        expr("UnitPrice", &["price", "unit_discount"], UNIT_PRICE),
        take("UnitPrice", &["price"]),
        take("Discount", &["discount_rate"]),
        take("Description", &["description"]),
        take("CreatedDate", &["created_at"]),
    ],
    left: &[
        ("Name", "it is made of the opportunity and the product"),
        ("TotalPrice", "it follows from quantity, price and discount"),
        ("Subtotal", "it follows from quantity and price"),
        ("ListPrice", OF_ENTRY),
        ("PricebookEntryId", "the product says it"),
        ("ProductCode", "the product says it"),
        ("SortOrder", "the order on the page"),
        ("CurrencyIsoCode", "a line is in the currency of its opportunity"),
    ],
    ..thing(Concept::Line, "OpportunityLineItem", "line_items")
};
