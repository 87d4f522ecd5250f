//! Products of deals, from which a deal's value follows (sheet: Pipedrive sections 2.1 and 9 trap 6).

use serde_json::{Map, Value as Json, json};

use super::call::{Call, Commit, commit, item_change, sees};
use super::custom::{self, expected};
use super::kind::Kind;
use super::page::{plain_cursor, read_plain_cursor, v2_limit};
use super::refusal::{Answer, Refusal, one, page};
use super::time;
use super::webhooks;
use super::world::{Item, World};
use crate::journal::{Action, Change};

/// Lines that one bulk request may add.
const BULK: usize = 100;

fn deal_of(world: &World, call: &Call<'_>) -> Result<u64, Refusal> {
    let deal = world.table(Kind::Deal).live(call.id(0)?).ok_or_else(Refusal::not_found)?;
    if sees(world, &call.actor, Kind::Deal, deal) { Ok(deal.id) } else { Err(Refusal::not_found()) }
}

/// The sum of a deal's lines.
pub(super) fn value_of(world: &World, deal: u64) -> Json {
    let lines = world.deal_products.get(&deal).into_iter().flatten();
    let sum: f64 = lines.filter(|line| line.get("is_enabled") != Some(&json!(false))).map(line_sum).sum();
    // Whole sums read as integers, as they were written.
    if sum.fract() == 0.0 && sum.abs() < 9e15 { json!(sum as i64) } else { json!(sum) }
}

fn number(line: &Item, key: &str) -> f64 {
    line.get(key).and_then(Json::as_f64).unwrap_or_default()
}

fn line_sum(line: &Item) -> f64 {
    let gross = number(line, "item_price") * number(line, "quantity");
    let discounted = if line.get("discount_type") == Some(&json!("amount")) {
        gross - number(line, "discount")
    } else {
        gross * (1.0 - number(line, "discount") / 100.0)
    };
    let exclusive = line.get("tax_method") == Some(&json!("exclusive"));
    let sum = if exclusive { discounted * (1.0 + number(line, "tax") / 100.0) } else { discounted };
    (sum * 100.0).round() / 100.0
}

/// Checks a line as far as the body gives it.
fn draft(world: &World, body: &Map<String, Json>, creating: bool) -> Result<Item, Refusal> {
    let mut complaints = Vec::new();
    for (name, value) in body {
        let checked = match name.as_str() {
            "product_id" => match value.as_u64() {
                Some(id) if world.table(Kind::Product).live(id).is_some() => Ok(()),
                Some(id) => Err(format!("product {id} does not exist")),
                None => Err(expected("number", value)),
            },
            "item_price" | "quantity" | "tax" | "discount" => custom::number(value).map(|_| ()),
            "comments" => custom::text(value, 65_535).map(|_| ()),
            "discount_type" => one_of(value, &["percentage", "amount"]),
            "tax_method" => one_of(value, &["exclusive", "inclusive", "none"]),
            "billing_frequency" => {
                one_of(value, &["one-time", "weekly", "monthly", "quarterly", "semi-annually", "annually"])
            }
            "is_enabled" => value.is_boolean().then_some(()).ok_or_else(|| expected("boolean", value)),
            "product_variation_id" | "billing_frequency_cycles" if value.is_null() || value.is_u64() => Ok(()),
            "billing_start_date" if value.is_null() => Ok(()),
            "billing_start_date" => custom::date(value).map(|_| ()),
            _ => Err(format!("Parameter '{name}' is not allowed for this request")),
        };
        complaints.extend(checked.err().map(|why| (name.clone(), why)));
    }
    for name in ["product_id", "item_price", "quantity"] {
        if creating && !body.contains_key(name) {
            complaints.push((name.to_owned(), "Required".to_owned()));
        }
    }
    if complaints.is_empty() { Ok(body.clone()) } else { Err(Refusal::schema(&complaints)) }
}

fn one_of(value: &Json, choices: &[&str]) -> Result<(), String> {
    match value.as_str() {
        Some(text) if choices.contains(&text) => Ok(()),
        Some(text) => Err(format!("Invalid enum value, received '{text}'")),
        None => Err(expected("string", value)),
    }
}

fn put_line(world: &mut World, call: &mut Call<'_>, deal: u64, draft: Item) -> Item {
    let id = world.next_id("deal_product");
    let product = draft.get("product_id").and_then(Json::as_u64).unwrap_or_default();
    let name = world.table(Kind::Product).get(product).map_or(Json::Null, |product| product.get("name").clone());
    let currency = world.table(Kind::Deal).get(deal).map_or(Json::Null, |deal| deal.get("currency").clone());
    let mut line = super::defaults::object(json!({
        "id": id, "deal_id": deal, "name": name, "currency": currency, "sum": 0, "tax": 0, "comments": "",
        "discount": 0, "discount_type": "percentage", "tax_method": "inclusive", "is_enabled": true, "is_deleted": false,
        "product_variation_id": null, "billing_frequency": "one-time", "billing_frequency_cycles": null,
        "billing_start_date": null, "add_time": time::v2(call.at), "update_time": time::v2(call.at),
    }));
    line.extend(draft);
    line.insert("sum".to_owned(), json!(line_sum(&line)));
    call.changed(item_change("deal_product", id, None, &line));
    webhooks::announce_item(world, call, "deal_product", "create", id, None, Some(&line));
    world.deal_products.entry(deal).or_default().push(line.clone());
    line
}

/// Writes the value that follows from the lines into the deal.
fn settle(world: &mut World, call: &mut Call<'_>, deal: u64) {
    let value = value_of(world, deal);
    let Some(before) = world.table(Kind::Deal).get(deal).cloned() else { return };
    let mut after = before.clone();
    after.set("value", if value == json!(0) { Json::Null } else { value });
    after.updated = Some(call.at);
    commit(
        world,
        call,
        Commit { kind: Kind::Deal, before: Some(before), after, action: Action::Updated, merged: None },
    );
}

/// `GET /api/v2/deals/{id}/products`.
pub(super) fn list(world: &mut World, call: &mut Call<'_>) -> Answer {
    call.only_params(&["limit", "cursor", "sort_by", "sort_direction"])?;
    let deal = deal_of(world, call)?;
    let (limit, at) = (v2_limit(call)?, read_plain_cursor(call)?);
    let lines = world.deal_products.get(&deal).map_or(&[][..], Vec::as_slice);
    let data: Vec<Json> = lines.iter().skip(at).take(limit).cloned().map(Json::Object).collect();
    let next = (lines.len() > at + limit).then(|| plain_cursor(at + limit));
    Ok(page(data, next))
}

/// `GET /api/v2/deals/products?deal_ids=`: lines of up to 100 deals.
pub(super) fn list_many(world: &mut World, call: &mut Call<'_>) -> Answer {
    call.only_params(&["deal_ids", "limit", "cursor", "sort_by", "sort_direction"])?;
    let ids: Vec<u64> =
        call.param("deal_ids").unwrap_or_default().split(',').filter_map(|id| id.parse().ok()).collect();
    if ids.is_empty() || ids.len() > 100 {
        return Err(Refusal::key("deal_ids", "Array must contain between 1 and 100 element(s)"));
    }
    let (limit, at) = (v2_limit(call)?, read_plain_cursor(call)?);
    let visible =
        |id: &&u64| world.table(Kind::Deal).live(**id).is_some_and(|deal| sees(world, &call.actor, Kind::Deal, deal));
    let mut lines = ids.iter().filter(visible).filter_map(|id| world.deal_products.get(id)).flatten().skip(at);
    let data: Vec<Json> = lines.by_ref().take(limit).cloned().map(Json::Object).collect();
    let next = lines.next().is_some().then(|| plain_cursor(at + limit));
    Ok(page(data, next))
}

/// `POST /api/v2/deals/{id}/products`.
pub(super) fn add(world: &mut World, call: &mut Call<'_>) -> Answer {
    let deal = deal_of(world, call)?;
    let draft = draft(world, &call.body()?, true)?;
    let line = put_line(world, call, deal, draft);
    settle(world, call, deal);
    Ok(one(201, Json::Object(line)))
}

/// `POST /api/v2/deals/{id}/products/bulk`: all lines or none.
pub(super) fn add_many(world: &mut World, call: &mut Call<'_>) -> Answer {
    let deal = deal_of(world, call)?;
    let body = call.body()?;
    let list = body.get("data").and_then(Json::as_array).ok_or_else(|| Refusal::key("data", "Required"))?;
    if list.is_empty() || list.len() > BULK {
        return Err(Refusal::key("data", format!("Array must contain between 1 and {BULK} element(s)")));
    }
    let mut drafts = Vec::with_capacity(list.len());
    for item in list {
        let map = item.as_object().ok_or_else(|| Refusal::key("data", expected("object", item)))?;
        drafts.push(draft(world, map, true)?);
    }
    // A fault plan may want only a part applied before the answer is lost.
    drafts.truncate(call.interference.apply_only.unwrap_or(BULK));
    let lines: Vec<Json> = drafts.into_iter().map(|draft| Json::Object(put_line(world, call, deal, draft))).collect();
    settle(world, call, deal);
    Ok(one(201, Json::Array(lines)))
}

fn place(world: &World, call: &Call<'_>, deal: u64) -> Result<usize, Refusal> {
    let id = json!(call.id(1)?);
    let lines = world.deal_products.get(&deal).ok_or_else(Refusal::not_found)?;
    lines.iter().position(|line| line.get("id") == Some(&id)).ok_or_else(Refusal::not_found)
}

/// `PATCH /api/v2/deals/{id}/products/{line}`.
pub(super) fn update(world: &mut World, call: &mut Call<'_>) -> Answer {
    let deal = deal_of(world, call)?;
    let at = place(world, call, deal)?;
    let draft = draft(world, &call.body()?, false)?;
    let lines = world.deal_products.entry(deal).or_default();
    let line = lines.get_mut(at).ok_or_else(Refusal::not_found)?;
    let before = line.clone();
    line.extend(draft);
    line.insert("sum".to_owned(), json!(line_sum(line)));
    line.insert("update_time".to_owned(), json!(time::v2(call.at)));
    let after = line.clone();
    let id = call.id(1)?;
    call.changed(item_change("deal_product", id, Some(&before), &after));
    webhooks::announce_item(world, call, "deal_product", "change", id, Some(&before), Some(&after));
    settle(world, call, deal);
    Ok(one(200, Json::Object(after)))
}

/// `DELETE /api/v2/deals/{id}/products/{line}`.
pub(super) fn delete(world: &mut World, call: &mut Call<'_>) -> Answer {
    let deal = deal_of(world, call)?;
    let at = place(world, call, deal)?;
    let id = call.id(1)?;
    drop_lines(world, call, deal, &[at]);
    Ok(one(200, json!({"id": id})))
}

/// `DELETE /api/v2/deals/{id}/products?ids=`: those lines, or all.
pub(super) fn delete_many(world: &mut World, call: &mut Call<'_>) -> Answer {
    call.only_params(&["ids"])?;
    let deal = deal_of(world, call)?;
    let wanted: Option<Vec<u64>> =
        call.param("ids").map(|text| text.split(',').filter_map(|id| id.parse().ok()).collect());
    let lines = world.deal_products.get(&deal).map_or(&[][..], Vec::as_slice);
    let id_of = |line: &Item| line.get("id").and_then(Json::as_u64).unwrap_or_default();
    let places: Vec<usize> = (0..lines.len())
        .filter(|at| {
            let id = lines.get(*at).map(id_of).unwrap_or_default();
            wanted.as_ref().is_none_or(|wanted| wanted.contains(&id))
        })
        .take(BULK)
        .collect();
    let ids: Vec<u64> = places.iter().filter_map(|at| lines.get(*at)).map(id_of).collect();
    drop_lines(world, call, deal, &places);
    Ok(one(200, json!({"ids": ids, "more_items_in_collection": false})))
}

fn drop_lines(world: &mut World, call: &mut Call<'_>, deal: u64, places: &[usize]) {
    let lines = world.deal_products.entry(deal).or_default();
    let mut gone = Vec::new();
    for at in places.iter().rev() {
        if *at < lines.len() {
            gone.push(lines.remove(*at));
        }
    }
    for line in gone {
        let id = line.get("id").and_then(Json::as_u64).unwrap_or_default();
        call.changed(Change::new("deal_product", id, Action::Deleted));
        webhooks::announce_item(world, call, "deal_product", "delete", id, Some(&line), None);
    }
    settle(world, call, deal);
}
