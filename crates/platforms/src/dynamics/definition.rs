//! What the environment says of a table, gathered over several requests (sheet: Dynamics section 3 \[doc\]).
//!
//! The table with its columns, keys and relationships comes first; choices have a request for each kind of column;
//! then the currencies, where a row has one, and the sets of customers' tables to which lookups lead.

use std::collections::BTreeMap;

use handover_connect::{Fault, Reply, Request};
use serde::{Deserialize, Serialize};
use serde_json::Value as Json;

use super::faults;
use super::objects::{self, DATA, Object};
use super::query;
use crate::json::{body, flag_at, items, text_at};

/// The kinds of columns whose choices are asked for, one after the other.
const CHOICES: [&str; 4] = ["Picklist", "MultiSelectPicklist", "State", "Status"];

/// A table, as far as it is known.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub(super) struct Definition {
    /// How many requests were answered.
    pub(super) step: usize,
    /// What users call its records.
    pub(super) label: String,
    /// Its set.
    pub(super) set: String,
    /// The column of its id.
    pub(super) id: String,
    /// The column of its name, if it has one.
    #[serde(default)]
    pub(super) name: Option<String>,
    /// Whether its changes are tracked.
    #[serde(default)]
    pub(super) tracked: bool,
    /// Its columns.
    pub(super) columns: Vec<Column>,
    /// Columns that are a key by themselves, and whether its index works.
    pub(super) keys: BTreeMap<String, bool>,
    /// Where lookups lead.
    pub(super) lookups: Vec<Lookup>,
    /// Tables with which its rows are paired.
    pub(super) pairs: Vec<Pair>,
    /// Choices by column.
    pub(super) choices: BTreeMap<String, Vec<Choice>>,
    /// Ids of currencies by their codes.
    pub(super) currencies: BTreeMap<String, String>,
    /// Sets and ids of customers' tables.
    pub(super) sets: BTreeMap<String, (String, String)>,
}

/// A column.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct Column {
    pub(super) name: String,
    pub(super) label: String,
    /// `StringType` and the like.
    pub(super) kind: String,
    pub(super) create: bool,
    pub(super) update: bool,
    /// Whether the database refuses a row without it.
    pub(super) needed: bool,
    pub(super) custom: bool,
    pub(super) max: Option<u32>,
    /// `Email`, `Phone`.
    pub(super) format: String,
    /// Whether it holds days without a time.
    pub(super) day: bool,
}

/// One target of a lookup.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct Lookup {
    pub(super) column: String,
    pub(super) to: String,
    /// The navigation property: what it is written by.
    pub(super) nav: String,
}

/// A relationship of many to many.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct Pair {
    pub(super) nav: String,
    pub(super) to: String,
}

/// One of a list.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct Choice {
    pub(super) value: i64,
    pub(super) label: String,
    /// Of a status: its state.
    pub(super) state: Option<i64>,
}

/// The text of a label in the user's language.
pub(super) fn label(json: Option<&Json>) -> Option<String> {
    let json = json?;
    let own = json.pointer("/UserLocalizedLabel/Label").and_then(Json::as_str);
    let any = || text_at(items(json, "LocalizedLabels").first()?, "Label");
    own.or_else(any).filter(|text| !text.is_empty()).map(str::to_owned)
}

/// The address of a table's definition.
pub(super) fn path(table: &str) -> String {
    format!("{DATA}/EntityDefinitions(LogicalName='{table}')")
}

/// A request for definitions: what was changed a moment ago must show (section 2).
pub(super) fn ask(path: &str, query: &[(&str, &str)]) -> Request {
    let mut request = query::get(path, query);
    request.headers.push(("consistency".to_owned(), "Strong".to_owned()));
    // Names are no values.
    request.private_path = false;
    request
}

impl Definition {
    /// The next request.
    pub(super) fn request(&self, object: &Object<'_>) -> Request {
        let table = path(object.table);
        if self.step == 0 {
            let select = "LogicalName,EntitySetName,PrimaryIdAttribute,PrimaryNameAttribute,DisplayName,DisplayCollectionName,\
                          ChangeTrackingEnabled";
            let expand = "Attributes,Keys,ManyToOneRelationships($select=ReferencedEntity,ReferencingAttribute,\
                          ReferencingEntityNavigationPropertyName),ManyToManyRelationships($select=Entity1LogicalName,\
                          Entity1NavigationPropertyName,Entity2LogicalName,Entity2NavigationPropertyName)";
            return ask(&table, &[("$select", select), ("$expand", expand)]);
        }
        if let Some(kind) = CHOICES.get(self.step - 1) {
            let path = format!("{table}/Attributes/Microsoft.Dynamics.CRM.{kind}AttributeMetadata");
            return ask(&path, &[("$select", "LogicalName"), ("$expand", "OptionSet,GlobalOptionSet")]);
        }
        if self.wants_currencies() && self.step == CHOICES.len() + 1 {
            return query::get(&format!("{DATA}/transactioncurrencies"), &[("$select", "isocurrencycode")]);
        }
        let query =
            [("$select", "LogicalName,EntitySetName,PrimaryIdAttribute"), ("$filter", "IsCustomEntity eq true")];
        ask(&format!("{DATA}/EntityDefinitions"), &query)
    }

    fn wants_currencies(&self) -> bool {
        self.columns.iter().any(|column| column.name == CURRENCY)
    }

    fn wants_sets(&self, object: &Object<'_>) -> bool {
        let mut to = self.lookups.iter().map(|lookup| &lookup.to).chain(self.pairs.iter().map(|pair| &pair.to));
        to.any(|to| *to != object.table && objects::is_custom(to))
    }

    /// Takes an answer in; false when nothing is left to be asked.
    pub(super) fn take(&mut self, object: &Object<'_>, reply: &Reply) -> Result<bool, Fault> {
        faults::check(reply)?;
        let body = body(reply)?;
        match self.step {
            0 => self.table(object, &body)?,
            step if step <= CHOICES.len() => self.options(&body),
            step if self.wants_currencies() && step == CHOICES.len() + 1 => self.money(&body),
            _ => self.sets = sets(&body),
        }
        self.step += 1;
        let more = usize::from(self.wants_currencies()) + usize::from(self.wants_sets(object));
        Ok(self.step < 1 + CHOICES.len() + more)
    }

    fn table(&mut self, object: &Object<'_>, body: &Json) -> Result<(), Fault> {
        let own = |name: &str| text_at(body, name).filter(|text| objects::is_name(text)).map(str::to_owned);
        let missing = || Fault::malformed("the table's definition names neither set nor id");
        self.set = own("EntitySetName").ok_or_else(missing)?;
        self.id = own("PrimaryIdAttribute").ok_or_else(missing)?;
        self.name = own("PrimaryNameAttribute");
        self.tracked = flag_at(body, "ChangeTrackingEnabled");
        self.label = label(body.get("DisplayCollectionName"))
            .or_else(|| label(body.get("DisplayName")))
            .unwrap_or_else(|| object.name.to_owned());
        self.columns = items(body, "Attributes").iter().filter_map(column).collect();
        if self.columns.is_empty() {
            return Err(Fault::malformed("the table's definition has no columns"));
        }
        for key in items(body, "Keys") {
            if let [column] = items(key, "KeyAttributes") {
                let is_active = text_at(key, "EntityKeyIndexStatus") == Some("Active");
                self.keys.insert(column.as_str().unwrap_or_default().to_owned(), is_active);
            }
        }
        for relation in items(body, "ManyToOneRelationships") {
            let text = |name| text_at(relation, name).filter(|text| objects::is_name(text)).map(str::to_owned);
            let (column, to) = (text("ReferencingAttribute"), text("ReferencedEntity"));
            if let (Some(column), Some(to), Some(nav)) = (column, to, text("ReferencingEntityNavigationPropertyName")) {
                self.lookups.push(Lookup { column, to, nav });
            }
        }
        for relation in items(body, "ManyToManyRelationships") {
            let text = |name| text_at(relation, name).filter(|text| objects::is_name(text));
            let (one, two) = (text("Entity1LogicalName"), text("Entity2LogicalName"));
            // Of a table that is paired with itself the two ends look alike from here.
            let end = match (one, two) {
                (Some(one), Some(two)) if one == object.table && two != object.table => {
                    Some((text("Entity1NavigationPropertyName"), two))
                }
                (Some(one), Some(two)) if two == object.table && one != object.table => {
                    Some((text("Entity2NavigationPropertyName"), one))
                }
                _ => None,
            };
            if let Some((Some(nav), to)) = end {
                self.pairs.push(Pair { nav: nav.to_owned(), to: to.to_owned() });
            }
        }
        Ok(())
    }

    fn options(&mut self, body: &Json) {
        for column in items(body, "value") {
            let Some(name) = text_at(column, "LogicalName") else { continue };
            let set = ["OptionSet", "GlobalOptionSet"]
                .into_iter()
                .find_map(|set| column.get(set).filter(|set| !set.is_null()));
            let choices = items(set.unwrap_or(&Json::Null), "Options").iter().filter_map(|option| {
                let value = option.get("Value")?.as_i64()?;
                let label = label(option.get("Label")).unwrap_or_else(|| value.to_string());
                Some(Choice { value, label, state: option.get("State").and_then(Json::as_i64) })
            });
            self.choices.insert(name.to_owned(), choices.collect());
        }
    }

    fn money(&mut self, body: &Json) {
        for currency in items(body, "value") {
            let (id, code) = (text_at(currency, "transactioncurrencyid"), text_at(currency, "isocurrencycode"));
            if let (Some(id), Some(code)) = (id, code) {
                self.currencies.insert(code.to_owned(), id.to_owned());
            }
        }
    }
}

/// The lookup to the currency of a row's sums (section 9).
pub(super) const CURRENCY: &str = "transactioncurrencyid";

fn sets(body: &Json) -> BTreeMap<String, (String, String)> {
    let one = |table: &Json| {
        let text = |name| text_at(table, name).filter(|text| objects::is_name(text)).map(str::to_owned);
        Some((text("LogicalName")?, (text("EntitySetName")?, text("PrimaryIdAttribute")?)))
    };
    items(body, "value").iter().filter_map(one).collect()
}

/// A column that can be read; none for what stands beside another with its label.
fn column(raw: &Json) -> Option<Column> {
    let name = text_at(raw, "LogicalName").filter(|name| objects::is_name(name))?;
    let is_beside = raw.get("AttributeOf").is_some_and(|of| !of.is_null());
    if is_beside || !flag_at(raw, "IsValidForRead") || flag_at(raw, "IsPrimaryId") {
        return None;
    }
    let level = raw.pointer("/RequiredLevel/Value").and_then(Json::as_str);
    let value = |name: &str| raw.get(name).and_then(|value| text_at(value, "Value")).unwrap_or_default();
    let is_computed = raw.get("SourceType").and_then(Json::as_i64).is_some_and(|source| source > 0);
    let has_default = ["DefaultValue", "DefaultFormValue"]
        .into_iter()
        .any(|name| raw.get(name).is_some_and(|value| !value.is_null() && value.as_i64() != Some(-1)));
    let max = raw.get("MaxLength").and_then(Json::as_u64).and_then(|max| u32::try_from(max).ok());
    Some(Column {
        name: name.to_owned(),
        label: label(raw.get("DisplayName")).unwrap_or_else(|| name.to_owned()),
        kind: value("AttributeTypeName").to_owned(),
        create: flag_at(raw, "IsValidForCreate") && !is_computed,
        update: flag_at(raw, "IsValidForUpdate") && !is_computed,
        // What only applications ask for is not asked of programs.
        needed: level == Some("SystemRequired") && !has_default,
        // The name comes with its table.
        custom: flag_at(raw, "IsCustomAttribute") && !flag_at(raw, "IsPrimaryName"),
        max: max.filter(|max| *max > 0),
        format: value("FormatName").to_owned(),
        day: value("DateTimeBehavior") == "DateOnly",
    })
}
