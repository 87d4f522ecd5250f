//! Stages of opportunities, prices, lines and their sums, the one primary contact role.

use std::collections::BTreeMap;

use serde_json::{Value as Json, json};

use super::{Draft, flag, status};
use crate::salesforce::instant::stamp;
use crate::salesforce::refusal::Fault;
use crate::salesforce::world::{Record, World, is_deleted, text};
use crate::salesforce::write::{self, Writer};

/// The stage sets probability and forecast unless they were sent; lines fix the amount (sheet: section 9).
pub(super) fn opportunity(world: &World, draft: &mut Draft<'_>) {
    let stage = status(world, "OpportunityStage", draft.text("StageName")).cloned();
    if draft.moved("StageName") {
        if !draft.gave("Probability")
            && let Some(probability) = stage.as_ref().and_then(|stage| stage.get("DefaultProbability"))
        {
            draft.set("Probability", probability.clone());
        }
        if !draft.gave("ForecastCategoryName")
            && let Some(name) = stage.as_ref().and_then(|stage| stage.get("ForecastCategoryName"))
        {
            draft.set("ForecastCategoryName", name.clone());
        }
        if draft.old.is_some() {
            draft.set("LastStageChangeDate", json!(stamp(draft.by.at)));
        }
    }
    let category = match draft.text("ForecastCategoryName") {
        "Best Case" => "BestCase",
        "Commit" => "Forecast",
        other => other,
    };
    draft.set("ForecastCategory", if category.is_empty() { Json::Null } else { json!(category) });
    draft.set("IsClosed", json!(flag(stage.as_ref(), "IsClosed")));
    draft.set("IsWon", json!(flag(stage.as_ref(), "IsWon")));
    // An attempt to write the amount of an opportunity with lines is ignored without a word.
    if !draft.by.system
        && let Some(old) = draft.old
        && flag(Some(old), "HasOpportunityLineItem")
    {
        draft.set("Amount", old.get("Amount").cloned().unwrap_or(Json::Null));
    }
    let expected =
        draft.number("Amount").zip(draft.number("Probability")).map(|(amount, percent)| amount * percent / 100.0);
    draft.set("ExpectedRevenue", expected.map_or(Json::Null, |expected| json!((expected * 100.0).round() / 100.0)));
}

/// A standard price comes first, and a product has one price in a price book (sheet: section 2).
pub(super) fn price(world: &World, draft: &mut Draft<'_>) -> Result<(), Fault> {
    if draft.old.is_some() {
        return Ok(());
    }
    let (book, product) = (draft.text("Pricebook2Id").to_owned(), draft.text("Product2Id").to_owned());
    let currency = draft.text("CurrencyIsoCode").to_owned();
    // One that a world file has stands there already while it is completed.
    let own = draft.text("Id").to_owned();
    let of_product = |book: &str| {
        world.rows("PricebookEntry").any(|(id, entry)| {
            *id != own
                && !is_deleted(entry)
                && text(entry, "Product2Id") == product
                && text(entry, "Pricebook2Id") == book
                && text(entry, "CurrencyIsoCode") == currency
        })
    };
    if of_product(&book) {
        return Err(Fault::row("DUPLICATE_VALUE", "This price definition already exists in this price book", &[]));
    }
    let standard = world.rows("Pricebook2").find(|(_, book)| flag(Some(book), "IsStandard")).map(|(id, _)| id.clone());
    if let Some(standard) = standard
        && standard != book
        && !of_product(&standard)
    {
        let message = "No standard price defined for this product";
        return Err(Fault::row("STANDARD_PRICE_NOT_DEFINED", message, &[]));
    }
    for (field, from) in [("Name", "Name"), ("ProductCode", "ProductCode")] {
        let value = world.get("Product2", &product).and_then(|product| product.get(from)).cloned();
        draft.set(field, value.unwrap_or(Json::Null));
    }
    Ok(())
}

/// The price book and the currency of an opportunity with lines stay (object reference: OpportunityLineItem).
pub(super) fn settled(draft: &Draft<'_>) -> Result<(), Fault> {
    if !flag(draft.old, "HasOpportunityLineItem") {
        return Ok(());
    }
    match ["Pricebook2Id", "CurrencyIsoCode"].into_iter().find(|field| draft.gave(field) && draft.moved(field)) {
        Some(field) => {
            let message = format!("{field} cannot be changed while the opportunity has products");
            Err(Fault::row("FIELD_INTEGRITY_EXCEPTION", message, &[field]))
        }
        None => Ok(()),
    }
}

/// A line needs a price of its opportunity's price book and currency, and either a unit price or a total. An
/// opportunity without a price book gets that of its first line, if that is active (object reference:
/// OpportunityLineItem). The product cannot be named instead of the price: the reference calls its field read only.
pub(super) fn line(world: &World, draft: &mut Draft<'_>) -> Result<(), Fault> {
    let integrity = |message: &str, field: &str| Err(Fault::row("FIELD_INTEGRITY_EXCEPTION", message, &[field]));
    if draft.gave("UnitPrice") && draft.gave("TotalPrice") {
        return integrity("TotalPrice and UnitPrice cannot both be specified", "TotalPrice");
    }
    let deal = world.get("Opportunity", draft.text("OpportunityId"));
    let (book, currency) =
        ["Pricebook2Id", "CurrencyIsoCode"].map(|field| deal.map_or("", |deal| text(deal, field)).to_owned()).into();
    let entry = draft.text("PricebookEntryId");
    if entry.is_empty() {
        let message =
            "field integrity exception: PricebookEntryId (versions 3.0 and higher must specify pricebook entry id)";
        return integrity(message, "PricebookEntryId");
    }
    let is_on = |book: &str| flag(world.get("Pricebook2", book), "IsActive");
    let fits = |price: &Record| {
        let own = text(price, "Pricebook2Id");
        !is_deleted(price)
            && (own == book || book.is_empty() && is_on(own))
            && text(price, "CurrencyIsoCode") == currency
            // What was sold stays when its price is no longer offered.
            && (draft.old.is_some() || flag(Some(price), "IsActive"))
    };
    let Some((id, price)) = world.get("PricebookEntry", entry).filter(|price| fits(price)).map(|price| (entry, price))
    else {
        let message = "field integrity exception: PricebookEntryId (pricebook entry is in a different pricebook than the \
                       one assigned to the opportunity, in another currency, inactive or absent)";
        return integrity(message, "PricebookEntryId");
    };
    let (id, price) = (id.to_owned(), price.clone());
    if !currency.is_empty() {
        draft.set("CurrencyIsoCode", json!(currency));
    }
    draft.set("PricebookEntryId", json!(id));
    draft.set("Product2Id", json!(text(&price, "Product2Id")));
    draft.set("ListPrice", price.get("UnitPrice").cloned().unwrap_or(Json::Null));
    draft.set("ProductCode", price.get("ProductCode").cloned().unwrap_or(Json::Null));
    let quantity = draft.number("Quantity").unwrap_or(0.0);
    if quantity == 0.0 {
        return integrity("Quantity must be other than zero", "Quantity");
    }
    let part = 1.0 - draft.number("Discount").unwrap_or(0.0) / 100.0;
    let list = price.get("UnitPrice").and_then(Json::as_f64).unwrap_or(0.0);
    let unit = match draft.number("TotalPrice").filter(|_| draft.gave("TotalPrice")) {
        Some(total) if part != 0.0 => total / (quantity * part),
        _ => draft.number("UnitPrice").unwrap_or(list),
    };
    let cents = |amount: f64| json!((amount * 100.0).round() / 100.0);
    draft.set("UnitPrice", cents(unit));
    draft.set("TotalPrice", cents(unit * quantity * part));
    let deal = world.get("Opportunity", draft.text("OpportunityId")).map(|deal| text(deal, "Name")).unwrap_or("");
    let name = format!("{deal} {}", text(&price, "Name"));
    draft.set("Name", json!(name));
    Ok(())
}

/// The contact that an opportunity is created with has its primary role (object reference: Opportunity, `ContactId`).
pub(super) fn primary(world: &mut World, id: &str, by: &Writer) -> Result<(), Fault> {
    let contact = world.get("Opportunity", id).map(|deal| text(deal, "ContactId").to_owned()).unwrap_or_default();
    if contact.is_empty() {
        return Ok(());
    }
    let role = [("OpportunityId", json!(id)), ("ContactId", json!(contact)), ("IsPrimary", json!(true))];
    let role = role.into_iter().map(|(field, value)| (field.to_owned(), value)).collect();
    write::insert(world, "OpportunityContactRole", role, by)?;
    Ok(())
}

/// Only one contact role is the primary one (sheet: section 2); its contact is the opportunity's.
pub(super) fn one_primary(world: &mut World, id: &str, by: &Writer) -> Result<(), Fault> {
    let Some(record) = world.get("OpportunityContactRole", id) else { return Ok(()) };
    if !flag(Some(record), "IsPrimary") {
        return Ok(());
    }
    let (deal, contact) = (text(record, "OpportunityId").to_owned(), text(record, "ContactId").to_owned());
    if let Some(mut record) = world.live("Opportunity", &deal).cloned() {
        // It follows the role without being written itself.
        record.insert("ContactId".to_owned(), json!(contact));
        world.put("Opportunity", &deal, Some(record));
    }
    let mut others = world.pointing("OpportunityContactRole", "OpportunityId", &deal);
    others.retain(|other| other != id && flag(world.get("OpportunityContactRole", other), "IsPrimary"));
    for other in others {
        write::change(
            world,
            "OpportunityContactRole",
            &other,
            BTreeMap::from([("IsPrimary".to_owned(), json!(false))]),
            by,
        )?;
    }
    Ok(())
}

/// The amount of an opportunity with lines is their sum.
pub(super) fn roll_up(world: &mut World, line: &str, by: &Writer) -> Result<(), Fault> {
    let line = world.get("OpportunityLineItem", line);
    let [deal, entry] =
        ["OpportunityId", "PricebookEntryId"].map(|field| line.map_or("", |line| text(line, field)).to_owned());
    let book = world.get("PricebookEntry", &entry).map_or("", |entry| text(entry, "Pricebook2Id")).to_owned();
    if let Some(mut record) =
        world.live("Opportunity", &deal).filter(|deal| text(deal, "Pricebook2Id").is_empty()).cloned()
        && !book.is_empty()
    {
        // The first line says by which book an opportunity sells.
        record.insert("Pricebook2Id".to_owned(), json!(book));
        world.put("Opportunity", &deal, Some(record));
    }
    roll_up_opportunity(world, &deal, by)
}

pub(super) fn roll_up_opportunity(world: &mut World, deal: &str, by: &Writer) -> Result<(), Fault> {
    if world.live("Opportunity", deal).is_none() {
        return Ok(());
    }
    let lines = world.pointing("OpportunityLineItem", "OpportunityId", deal);
    let sum: f64 =
        lines.iter().filter_map(|line| world.get("OpportunityLineItem", line)?.get("TotalPrice")?.as_f64()).sum();
    let mut draft = BTreeMap::from([("HasOpportunityLineItem".to_owned(), json!(!lines.is_empty()))]);
    if !lines.is_empty() {
        draft.insert("Amount".to_owned(), json!((sum * 100.0).round() / 100.0));
    }
    write::change(world, "Opportunity", deal, draft, by)
}
