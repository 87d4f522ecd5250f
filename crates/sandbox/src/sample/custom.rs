//! Custom fields: one of every Pipedrive type on organizations, persons and deals.

use super::account;
use super::calendar::{self, DAY, END, START};
use super::dice::Dice;
use super::phones::Exchange;
use super::places;
use super::records::Address;
use super::words::{self, Culture};

/// A value of a custom field.
#[derive(Clone, Debug)]
pub(super) enum Value {
    Text(String),
    Number(f64),
    /// Whole units and the currency.
    Money(i64, &'static str),
    Date(i64),
    Dates(i64, i64),
    /// Minutes after midnight and the time zone.
    Time(i64, &'static str),
    Times(i64, i64, &'static str),
    /// Option ids.
    Set(Vec<u64>),
    Enum(u64),
    User(u64),
    /// The place of an organization.
    Organization(usize),
    /// The place of a person.
    Person(usize),
    Address(Address),
}

/// Values by the place of their field in [`Fields`].
pub(super) type Values = Vec<(usize, Value)>;

/// A field before its account gives it a code.
pub(super) struct Design {
    pub(super) name: &'static str,
    pub(super) kind: &'static str,
    /// How many of 100 records have a value.
    rate: u32,
    /// Options, or the words that a text is made of.
    words: &'static str,
}

const fn design(name: &'static str, kind: &'static str, rate: u32, words: &'static str) -> Design {
    Design { name, kind, rate, words }
}

/// Fields of organizations.
const ORGANIZATION: [Design; 16] = [
    design("Customer number", "varchar", 62, "K-"),
    design("ERP system", "varchar_auto", 35, words::SYSTEMS),
    design(
        "About the company",
        "text",
        22,
        "Family business, third generation.;Runs two plants.;Grows by acquisitions.\nAsk for the group.",
    ),
    design("Energy use (GWh a year)", "double", 18, ""),
    design("Yearly budget", "monetary", 40, ""),
    design("Customer since", "date", 48, ""),
    design("Framework contract", "daterange", 15, ""),
    design("Goods-in opens at", "time", 12, ""),
    design("Support hours", "timerange", 10, ""),
    design("Product lines", "set", 44, "Machines;Spare parts;Service;Training;Software"),
    design(
        "Industry sector",
        "enum",
        71,
        "Manufacturing;Logistics;Healthcare;Food & drink;Energy;Public sector;Other / unknown",
    ),
    design("Technical contact at ours", "user", 20, ""),
    design("Reseller", "org", 9, ""),
    design("Main contact", "people", 30, ""),
    design("Switchboard", "phone", 38, ""),
    design("Delivery address", "address", 25, ""),
];

/// Fields of persons. `Position` is the job title: Pipedrive's own needs contact sync.
const PERSON: [Design; 16] = [
    design("Position", "varchar", 68, words::POSITIONS),
    design("Department", "varchar_auto", 40, words::DEPARTMENTS),
    design(
        "Background",
        "text",
        15,
        "Met at the fair.;Knows our founder.\nPrefers calls before nine.;Moved over from a competitor.",
    ),
    design("Influence (0 to 10)", "double", 17, ""),
    design("Signs up to", "monetary", 9, ""),
    design("Birthday", "date", 21, ""),
    design("Away", "daterange", 4, ""),
    design("Best time to call", "time", 8, ""),
    design("Office hours", "timerange", 6, ""),
    design("Interests", "set", 19, "Webinars;Trade fair;Newsletter;Beta programme"),
    design("Buying role", "enum", 37, "Decision maker;Influencer;User;Gatekeeper;Champion"),
    design("Relationship kept by", "user", 11, ""),
    design("Earlier employer", "org", 5, ""),
    design("Reports to", "people", 12, ""),
    design("Assistant's phone", "phone", 6, ""),
    design("Home office", "address", 5, ""),
];

/// Fields of deals.
const DEAL: [Design; 16] = [
    design("Purchase order", "varchar", 42, "PO-"),
    design("Competitor", "varchar_auto", 28, words::COMPETITORS),
    design(
        "Requirements",
        "text",
        26,
        "Must run on site.\nTwo languages.;Interface to the ERP, export as CSV.;See tender, chapter 4.",
    ),
    design("Licences", "double", 55, ""),
    design("Set-up fee", "monetary", 33, ""),
    design("Go-live", "date", 38, ""),
    design("Contract term", "daterange", 27, ""),
    design("Weekly call at", "time", 7, ""),
    design("Maintenance window", "timerange", 6, ""),
    design("Modules", "set", 49, "Core;Planning;Mobile;Reporting;Interfaces"),
    design("Deal source", "enum", 74, "Inbound;Outbound;Partner;Trade fair;Referral"),
    design("Solution engineer", "user", 31, ""),
    design("Brought by partner", "org", 8, ""),
    design("Economic buyer", "people", 22, ""),
    design("Billing phone", "phone", 5, ""),
    design("Installed at", "address", 13, ""),
];

/// A field of the account.
pub(super) struct Field {
    pub(super) design: &'static Design,
    /// 40 hexadecimal digits.
    pub(super) code: String,
    /// Options with their ids.
    pub(super) options: Vec<(u64, &'static str)>,
}

/// The fields of the account.
pub(super) struct Fields {
    pub(super) organization: Vec<Field>,
    pub(super) person: Vec<Field>,
    pub(super) deal: Vec<Field>,
}

impl Fields {
    /// No fields of one's own.
    pub(super) fn none() -> Self {
        Self { organization: Vec::new(), person: Vec::new(), deal: Vec::new() }
    }

    pub(super) fn new(seed: u64) -> Self {
        let mut dice = Dice::new(seed, "fields");
        // Labels have the ids below 100.
        let mut next_option = 100;
        let mut fields = |designs: &'static [Design]| -> Vec<Field> {
            designs
                .iter()
                .map(|design| {
                    let labels =
                        if matches!(design.kind, "set" | "enum") { words::list(design.words) } else { Vec::new() };
                    let first = next_option;
                    next_option += labels.len() as u64;
                    Field { design, code: dice.hex(40), options: (first..).zip(labels).collect() }
                })
                .collect()
        };
        Self { organization: fields(&ORGANIZATION), person: fields(&PERSON), deal: fields(&DEAL) }
    }
}

/// What values may refer to, for one record.
pub(super) struct Scope<'a> {
    pub(super) culture: &'static Culture,
    /// Places of organizations that may stand in `org` fields; empty: none.
    pub(super) organizations: &'a [usize],
    /// Places of persons that may stand in `people` fields; empty: none.
    pub(super) persons: &'a [usize],
    /// The first field's value where the record knows it already.
    pub(super) first: Option<String>,
}

/// Values for one record, at the fields' rates.
pub(super) fn values(fields: &[Field], dice: &mut Dice, exchange: &mut Exchange, scope: &Scope<'_>) -> Values {
    let mut values = Values::new();
    for (place, field) in fields.iter().enumerate() {
        if place == 0 && scope.first.is_some() {
            values.extend(scope.first.clone().map(|text| (0, Value::Text(text))));
        } else if dice.chance(field.design.rate) {
            values.extend(value(field, dice, exchange, scope).map(|value| (place, value)));
        }
    }
    values
}

fn value(field: &Field, dice: &mut Dice, exchange: &mut Exchange, scope: &Scope<'_>) -> Option<Value> {
    let day = |dice: &mut Dice| dice.between(START / DAY, END / DAY) * DAY;
    Some(match field.design.kind {
        "varchar" if field.design.words.ends_with('-') => {
            Value::Text(format!("{}{}", field.design.words, dice.between(10_000, 99_999)))
        }
        "varchar" | "varchar_auto" | "text" => Value::Text(dice.entry(field.design.words, ';').to_owned()),
        "double" => Value::Number(dice.between(0, 400) as f64 / 4.0),
        "monetary" => Value::Money(dice.between(5, 900) * 100, scope.culture.currency),
        "date" if field.design.name == "Birthday" => Value::Date(dice.between(-5_000, 13_000) * DAY),
        "date" => Value::Date(day(dice)),
        "daterange" => {
            let from = day(dice);
            Value::Dates(from, from + dice.between(7, 1_100) * DAY)
        }
        "time" => Value::Time(dice.between(28, 72) * 15, scope.culture.zone),
        "timerange" => {
            let from = dice.between(24, 40) * 15;
            Value::Times(from, from + dice.between(8, 40) * 15, scope.culture.zone)
        }
        "set" => {
            let mut options: Vec<u64> = field.options.iter().map(|option| option.0).collect();
            dice.shuffle(&mut options);
            options.truncate(dice.between(1, 3) as usize);
            options.sort_unstable();
            Value::Set(options)
        }
        "enum" => Value::Enum(dice.pick_copy(&field.options).0),
        "user" => Value::User(account::seller_for(dice.below(100) as u32)),
        "org" => Value::Organization(pick(dice, scope.organizations)?),
        "people" => Value::Person(pick(dice, scope.persons)?),
        "phone" => Value::Text(exchange.number(dice, scope.culture.code).any_form(dice)),
        _ => Value::Address(places::address(dice, scope.culture)),
    })
}

fn pick(dice: &mut Dice, places: &[usize]) -> Option<usize> {
    (!places.is_empty()).then(|| dice.pick_copy(places))
}

/// `09:15:00` for minutes after midnight.
pub(super) fn clock(minutes: i64) -> String {
    format!("{:02}:{:02}:00", minutes / 60, minutes % 60)
}

/// A date value as both platforms write it.
pub(super) fn day(second: i64) -> String {
    calendar::date(second)
}
