//! The prices of a product: one for each currency (sheet: Pipedrive section 2.1 \[spec\]).
//!
//! A list to the API, a map to everybody else: `{"EUR": {"price": 10, "cost": 4}}`, so that a rule names the currency
//! and the order says nothing. Costs that are not told or zero are left out: what unset ones read as is not documented.

use std::collections::BTreeMap;

use handover_model::Value;
use serde_json::{Map, Value as Json, json};

use super::form::{number, number_json};

/// What may stand beside the currency.
const AMOUNTS: [&str; 3] = ["price", "cost", "direct_cost"];

/// The prices out of the list.
pub(super) fn read(json: &Json) -> Value {
    let rows = json.as_array().map(Vec::as_slice).unwrap_or_default();
    let mut prices: BTreeMap<String, Value> = BTreeMap::new();
    for row in rows {
        let Some(currency) = row.get("currency").and_then(Json::as_str) else { continue };
        let amounts = AMOUNTS.into_iter().filter_map(|name| {
            let amount = row.get(name).and_then(number)?;
            let is_told = name == "price" || amount != Value::Number(0.into());
            is_told.then(|| (name.to_owned(), amount))
        });
        prices.insert(currency.to_owned(), Value::Map(amounts.collect()));
    }
    if prices.is_empty() { Value::Null } else { Value::Map(prices) }
}

/// The list of the prices; a currency without amounts is left out.
///
/// # Errors
/// The word for what was expected.
pub(super) fn write(value: &Value) -> Result<Json, &'static str> {
    const EXPECTED: &str = "amounts (`price`, `cost`, `direct_cost`) by currency";
    let Value::Map(prices) = value else { return Err(EXPECTED) };
    let mut rows = Vec::new();
    for (currency, amounts) in prices {
        let Value::Map(amounts) = amounts else { return Err(EXPECTED) };
        let mut row = Map::from_iter([("currency".to_owned(), json!(currency))]);
        for (name, amount) in amounts {
            match amount {
                Value::Null => {}
                Value::Number(amount) if AMOUNTS.contains(&name.as_str()) => {
                    row.insert(name.clone(), number_json(*amount)?);
                }
                _ => return Err(EXPECTED),
            }
        }
        if row.len() > 1 {
            rows.push(Json::Object(row));
        }
    }
    Ok(Json::Array(rows))
}
