//! Columns that follow from others: names, amounts in the base currency, what owners bring along.

use serde_json::{Value as Json, json};

use super::instant::{self, Seconds};
use super::schema::{Entity, Kind};
use super::values::rounded;
use super::world::{Record, World, number, points, reference, text};
use super::write;

/// Fills in what follows from the rest of the row.
pub(super) fn columns(world: &World, entity: &Entity, before: Option<&Record>, row: &mut Record, at: Seconds) {
    match entity.name.as_str() {
        "contact" | "lead" | "systemuser" => full_name(row),
        "annotation" => file(row, "documentbody"),
        "activitymimeattachment" => file(row, "body"),
        "opportunityproduct" => line(world, row),
        "incident" if before.is_none() && !row.contains_key("ticketnumber") => {
            let number = world.next.get("incident").copied().unwrap_or(0);
            row.insert(
                "ticketnumber".to_owned(),
                json!(format!("CAS-{number:05}-{}", ticket_letters(world.seed, number))),
            );
        }
        "connection" => connection(world, row),
        "productpricelevel" => {
            let product = points(row, "productid").and_then(|(table, id)| world.get(table, id));
            let number = product.map(|product| text(product, "productnumber").to_owned()).unwrap_or_default();
            row.insert("productnumber".to_owned(), json!(number));
        }
        _ => {}
    }
    if entity.activity {
        activity(entity, row, at);
    }
    if entity.attribute("address1_line1").is_some() {
        addresses(row);
    }
    if entity.attribute("ownerid").is_some() {
        owner(world, row);
    }
    if entity.attribute("transactioncurrencyid").is_some_and(|column| column.kind.is_lookup()) {
        money(world, entity, row);
    }
}

fn set(row: &mut Record, column: &str, value: Option<Json>) {
    match value {
        Some(value) => drop(row.insert(column.to_owned(), value)),
        None => drop(row.remove(column)),
    }
}

fn full_name(row: &mut Record) {
    let parts = ["firstname", "middlename", "lastname"].map(|column| text(row, column).to_owned());
    let parts: Vec<String> = parts.into_iter().filter(|part| !part.is_empty()).collect();
    set(row, "fullname", (!parts.is_empty()).then(|| json!(parts.join(" "))));
}

/// Two letters and digits, as ticket numbers have them.
fn ticket_letters(seed: u64, number: u64) -> String {
    super::guid::mint(seed, "ticket", number).chars().take(6).collect::<String>().to_uppercase()
}

/// The size of a file, and what a note is attached to.
fn file(row: &mut Record, body: &str) {
    use base64::Engine as _;
    let bytes = base64::engine::general_purpose::STANDARD.decode(text(row, body)).map(|bytes| bytes.len());
    let size = row.contains_key(body).then(|| json!(bytes.unwrap_or(0)));
    set(row, "filesize", size);
    if body == "documentbody" {
        let table = points(row, "objectid").map(|(table, _)| json!(table));
        set(row, "objecttypecode", table);
        let is_file = row.contains_key("documentbody");
        row.insert("isdocument".to_owned(), json!(is_file));
    }
}

fn connection(world: &World, row: &mut Record) {
    for number in [1, 2] {
        let table = points(row, &format!("record{number}id")).map(|(table, _)| json!(table));
        set(row, &format!("record{number}objecttypecode"), table);
    }
    let name = points(row, "record2id").and_then(|(table, id)| super::view::name_of(world, table, id));
    set(row, "name", name.map(Json::String));
}

fn activity(entity: &Entity, row: &mut Record, at: Seconds) {
    if entity.attribute("activitytypecode").is_some() {
        row.insert("activitytypecode".to_owned(), json!(entity.name));
    }
    let time = |row: &Record, column: &str| row.get(column).and_then(Json::as_str).and_then(instant::read);
    if entity.attribute("scheduleddurationminutes").is_some() {
        let span = time(row, "scheduledstart").zip(time(row, "scheduledend")).map(|(from, to)| json!((to - from) / 60));
        set(row, "scheduleddurationminutes", span);
    }
    // A task or a call that is closed has an end.
    let closed = row.get("statecode").and_then(Json::as_i64) == Some(1);
    if closed && !row.contains_key("actualend") && entity.name != "email" {
        row.insert("actualend".to_owned(), json!(instant::stamp(at)));
    }
}

/// Street, place and country in one text.
fn addresses(row: &mut Record) {
    for number in [1, 2] {
        let part = |name: &str| text(row, &format!("address{number}_{name}")).to_owned();
        let place = [part("city"), part("stateorprovince"), part("postalcode")];
        let place: Vec<String> = place.into_iter().filter(|part| !part.is_empty()).collect();
        let lines = [part("line1"), part("line2"), part("line3"), place.join(" "), part("country")];
        let lines: Vec<String> = lines.into_iter().filter(|part| !part.is_empty()).collect();
        let composite = (!lines.is_empty()).then(|| json!(lines.join("\r\n")));
        set(row, &format!("address{number}_composite"), composite);
    }
}

fn owner(world: &World, row: &mut Record) {
    let Some((table, id)) = points(row, "ownerid") else { return };
    let (table, id) = (table.to_owned(), id.to_owned());
    let as_user = (table == "systemuser").then(|| reference("systemuser", &id));
    let as_team = (table == "team").then(|| reference("team", &id));
    set(row, "owninguser", as_user);
    set(row, "owningteam", as_team);
    set(row, "owningbusinessunit", write::business_unit(world, &table, &id));
}

/// Amounts round to the currency's digits, and stand in the base currency too (sheet: section 9).
fn money(world: &World, entity: &Entity, row: &mut Record) {
    let amounts: Vec<_> =
        entity.attributes.iter().filter(|one| one.kind == Kind::Money && one.base_of.is_none()).collect();
    if !row.contains_key("transactioncurrencyid") {
        if !amounts.iter().any(|one| row.contains_key(&one.name)) && entity.name != "opportunity" {
            return;
        }
        let base = write::id_of(world, "transactioncurrency", "isocurrencycode", &world.org.currency);
        set(row, "transactioncurrencyid", base.map(|id| reference("transactioncurrency", &id)));
    }
    let currency = points(row, "transactioncurrencyid").and_then(|(table, id)| world.get(table, id));
    let rate = currency.and_then(|row| number(row, "exchangerate")).filter(|rate| *rate > 0.0).unwrap_or(1.0);
    let digits = currency.and_then(|row| number(row, "currencyprecision")).unwrap_or(2.0);
    row.insert("exchangerate".to_owned(), json!(rate));
    for attribute in amounts {
        // Digits of currencies are 0 to 4.
        let digits = if attribute.precision_source == 2 {
            [0, 1, 2, 3, 4].into_iter().find(|one| f64::from(*one) >= digits).unwrap_or(4)
        } else {
            attribute.precision
        };
        let amount = number(row, &attribute.name).map(|amount| rounded(amount, digits));
        set(row, &attribute.name, amount.map(|amount| json!(amount)));
        set(row, &format!("{}_base", attribute.name), amount.map(|amount| json!(rounded(amount / rate, 4))));
    }
}

/// A line's amounts (sheet: section 9).
fn line(world: &World, row: &mut Record) {
    let product = points(row, "productid").and_then(|(table, id)| world.get(table, id));
    let name = match product {
        Some(product) => text(product, "name").to_owned(),
        None => text(row, "productdescription").to_owned(),
    };
    set(row, "productname", (!name.is_empty()).then(|| json!(name)));
    set(row, "opportunityproductname", (!name.is_empty()).then(|| json!(name)));
    let listed = list_price(world, row);
    let overridden = super::world::flag(row, "ispriceoverridden") || super::world::flag(row, "isproductoverridden");
    if !overridden && let Some(price) = listed {
        row.insert("priceperunit".to_owned(), json!(price));
    }
    let amount = |row: &Record, column: &str| number(row, column).unwrap_or(0.0);
    let base = amount(row, "priceperunit") * amount(row, "quantity");
    row.insert("baseamount".to_owned(), json!(base));
    let extended = base - amount(row, "manualdiscountamount") + amount(row, "tax");
    row.insert("extendedamount".to_owned(), json!(extended));
}

/// The price of a line's product in the price list of its opportunity.
pub(super) fn list_price(world: &World, row: &Record) -> Option<f64> {
    let (_, opportunity) = points(row, "opportunityid")?;
    let (_, list) = points(world.get("opportunity", opportunity)?, "pricelevelid")?;
    let (_, product) = points(row, "productid")?;
    let items = world.pointing("productpricelevel", "pricelevelid", "pricelevel", list);
    let fits = |id: &String| {
        let item = world.get("productpricelevel", id)?;
        (points(item, "productid")?.1 == product && item.get("uomid") == row.get("uomid"))
            .then(|| number(item, "amount"))
            .flatten()
    };
    items.iter().find_map(fits)
}
