//! What the sample company's people do in both systems after the load, in the words of each platform.

use std::collections::BTreeMap;
use std::sync::{Arc, PoisonError};

use handover_model::{FieldName, ObjectName, Outcome, ReadCost, RecordId, SystemName, Value};
use handover_sandbox::faults::{DisturbAction, Disturbance, Which};
use handover_store::{RecordRow, Store};
use jiff::Timestamp;
use serde_json::{Value as Json, json};

use crate::cli::failure;
use crate::cli::session::Session;
use crate::problem::Problem;

/// The system that the company comes from.
pub(super) const OLD: &str = "old";
/// The system that it moves to.
pub(super) const NEW: &str = "new";

/// Somebody does something in one of the systems.
pub(super) struct Deed {
    /// Which.
    pub(super) system: &'static str,
    /// In plain words.
    pub(super) says: String,
    does: Vec<Disturbance>,
}

impl Deed {
    /// One thing that is done to one record, or to many alike.
    pub(super) fn new(system: &'static str, says: impl Into<String>, does: Vec<Disturbance>) -> Self {
        Self { system, says: says.into(), does }
    }

    /// Lets it happen.
    pub(super) fn happen(&self, session: &Session, now: Timestamp) {
        if let Some(sandbox) = session.sandboxes.get(self.system) {
            let mut sandbox = sandbox.lock().unwrap_or_else(PoisonError::into_inner);
            for disturbance in &self.does {
                sandbox.disturb(disturbance, now);
            }
        }
    }
}

/// Somebody, or something, of which both systems have a record.
#[derive(Clone)]
pub(super) struct Pair {
    /// As the old system calls all of its kind, and its flow, and
    pub(super) object: &'static str,
    /// as the new one does.
    opposite: &'static str,
    pub(super) old: RecordId,
    new: RecordId,
}

/// As commands name a record of the old system.
impl std::fmt::Display for Pair {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}/{}", self.object, self.old)
    }
}

/// A platform in which people work, as far as its words differ.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Platform {
    Pipedrive,
    Hubspot,
}

impl Platform {
    pub(super) fn of(session: &Session, system: &str) -> Self {
        let platform = session.systems.get(system).map(|system| system.capabilities().platform);
        if platform == Some("hubspot") { Self::Hubspot } else { Self::Pipedrive }
    }

    /// All people; their flow has the name that they have in the old system.
    pub(super) const fn people(self) -> &'static str {
        match self {
            Self::Pipedrive => "persons",
            Self::Hubspot => "contacts",
        }
    }

    const fn organizations(self) -> &'static str {
        match self {
            Self::Pipedrive => "organizations",
            Self::Hubspot => "companies",
        }
    }

    /// The link of a deal to its organization, where it is no field of the deal.
    const fn customer(self) -> Option<&'static str> {
        match self {
            Self::Pipedrive => None,
            Self::Hubspot => Some("associations.primary_company"),
        }
    }

    /// The field of a person's whole name, where its parts are no fields.
    const fn whole_name(self) -> Option<&'static str> {
        match self {
            Self::Pipedrive => Some("name"),
            Self::Hubspot => None,
        }
    }

    /// What everybody but the merging person sees of a merge.
    pub(super) const fn shows_a_merge(self) -> &'static str {
        match self {
            Self::Pipedrive => "to its readers the platform shows a deletion",
            Self::Hubspot => "the record that stays names the other one",
        }
    }

    /// What the third of those who use the form leaves out, so that the other platform takes no such record.
    pub(super) const fn lacks(self) -> &'static str {
        match self {
            Self::Pipedrive => "a proper address",
            Self::Hubspot => "a name and an address",
        }
    }
}

/// A system in which people work.
#[derive(Clone, Copy)]
pub(super) struct Place {
    /// Its name.
    pub(super) system: &'static str,
    /// Its platform.
    pub(super) platform: Platform,
}

impl Place {
    fn name_of(self, pair: &Pair) -> (&'static str, &RecordId) {
        if self.system == OLD { (pair.object, &pair.old) } else { (pair.opposite, &pair.new) }
    }

    fn done_to(self, pair: &Pair, action: DisturbAction) -> Disturbance {
        let (object, id) = self.name_of(pair);
        Disturbance { object: object.to_owned(), which: Which::Id(id.to_string()), action }
    }

    fn changed(self, pair: &Pair, field: &str, value: Json) -> Disturbance {
        self.done_to(pair, DisturbAction::Change { field: field.to_owned(), value })
    }

    /// Somebody's phone number is typed in; Pipedrive has a list of them.
    pub(super) fn phone(self, who: &Pair, number: &str) -> Disturbance {
        match self.platform {
            Platform::Pipedrive => {
                self.changed(who, "phones", json!([{"value": number, "primary": true, "label": "work"}]))
            }
            Platform::Hubspot => self.changed(who, "phone", json!(number)),
        }
    }

    /// Somebody has another surname; Pipedrive takes a name as a whole.
    pub(super) fn surname(self, who: &Pair, first: &str, last: &str) -> Disturbance {
        match self.platform {
            Platform::Pipedrive => self.changed(who, "name", json!(format!("{first} {last}").trim())),
            Platform::Hubspot => self.changed(who, "lastname", json!(last)),
        }
    }

    pub(super) fn amount(self, deal: &Pair, amount: u32) -> Disturbance {
        match self.platform {
            Platform::Pipedrive => self.changed(deal, "value", json!(amount)),
            Platform::Hubspot => self.changed(deal, "amount", json!(amount.to_string())),
        }
    }

    /// A deal of the old system gets another organization: a field in Pipedrive, a link in HubSpot.
    pub(super) fn hands_over(self, deal: &Pair, from: Option<&RecordId>, to: &Pair) -> Vec<Disturbance> {
        let object = || to.object.to_owned();
        match self.platform {
            Platform::Pipedrive => {
                let id: Json = to.old.as_str().parse::<u64>().map_or(Json::Null, Json::from);
                vec![self.changed(deal, "org_id", id)]
            }
            Platform::Hubspot => from
                .map(|from| DisturbAction::Unlink { object: object(), to: from.to_string() })
                .into_iter()
                .chain([DisturbAction::Link { object: object(), to: to.old.to_string() }])
                .map(|action| self.done_to(deal, action))
                .collect(),
        }
    }

    pub(super) fn merges(self, who: &Pair, into: &Pair) -> Disturbance {
        self.done_to(who, DisturbAction::Merge { into: into.old.to_string() })
    }

    pub(super) fn deletes(self, who: &Pair) -> Disturbance {
        self.done_to(who, DisturbAction::Delete)
    }

    /// Somebody is brought back, with what hung on them.
    pub(super) fn restores(self, who: &Pair, hung: &Hung) -> Vec<Disturbance> {
        let links = hung.get(who.old.as_str()).into_iter().flatten();
        let links = links.map(|(object, to)| DisturbAction::Link { object: object.clone(), to: to.clone() });
        [DisturbAction::Restore].into_iter().chain(links).map(|action| self.done_to(who, action)).collect()
    }

    /// A form on the web page sends what was typed into it: first name, surname and address.
    pub(super) fn receives(self, [first, last, address]: [&str; 3]) -> Disturbance {
        let fields = match self.platform {
            Platform::Pipedrive => json!({
                "name": format!("{first} {last}"),
                "emails": [{"value": address, "primary": true, "label": "work"}],
            }),
            Platform::Hubspot if address.contains('@') => {
                json!({"firstname": first, "lastname": last, "email": address})
            }
            Platform::Hubspot => json!({"message": "please call back"}),
        };
        let object = self.platform.people().to_owned();
        Disturbance { object, which: Which::default(), action: DisturbAction::Create { fields } }
    }
}

/// The systems, and the records that people work on in them: some of those that the load created and of which nothing is
/// held.
pub(super) struct Cast {
    pub(super) old: Place,
    pub(super) new: Place,
    pub(super) people: Vec<Pair>,
    pub(super) deals: [Pair; 2],
    pub(super) organizations: [Pair; 2],
    /// To whom the first deal belongs in the old system, where that is no field of it.
    pub(super) belongs_to: Option<RecordId>,
    /// What hangs on people of the old system, where a platform lets go of it with them.
    pub(super) hung: Hung,
    /// The first name of the third person, where names are one field.
    pub(super) first_name: String,
}

impl Cast {
    /// Chooses them: so many people, two deals and two organizations.
    pub(super) async fn of(session: &Session, store: &Store, people: usize) -> Result<Self, Vec<Problem>> {
        let place = |system: &'static str| Place { system, platform: Platform::of(session, system) };
        let (old, new) = (place(OLD), place(NEW));
        let names = |name: fn(Platform) -> &'static str| (name(old.platform), name(new.platform));
        let all = |_: &RecordId| true;
        let hung = hung(session, old);
        let deals = two(pairs(session, store, names(|_| "deals"), 2, all).await?)?;
        // Of those who share a deal, one would take the place of another that is gone for a day.
        let alone = |id: &RecordId| !shares_a_deal(&hung, id.as_str());
        let people = pairs(session, store, names(Platform::people), people, alone).await?;
        let says = |place, pair: Option<&Pair>, field| said(session, place, pair.cloned(), field);
        let company = says(old, deals.first(), old.platform.customer()).await?;
        let name = says(new, people.get(2), new.platform.whole_name()).await?;
        Ok(Self {
            belongs_to: company.and_then(|company| company.ids().first().map(|id| RecordId::from(*id))),
            hung,
            first_name: name.map(|name| first_of(&name.display())).unwrap_or_default(),
            organizations: two(pairs(session, store, names(Platform::organizations), 2, all).await?)?,
            old,
            new,
            people,
            deals,
        })
    }
}

/// What a record says in a field now, if the platform has such a field.
async fn said(
    session: &Session,
    place: Place,
    pair: Option<Pair>,
    field: Option<&'static str>,
) -> Result<Option<Value>, Vec<Problem>> {
    let system = session.systems.get(place.system);
    let (Some(pair), Some(name), Some(system)) = (pair, field, system) else { return Ok(None) };
    let (object, id) = place.name_of(&pair);
    let (object, name, ids) = (ObjectName::from(object), FieldName::from(name), [id.clone()]);
    let schema = system.describe(&object).await;
    let found = match schema {
        Ok(schema) if matches!(schema.field(name.as_str()).map(|field| &field.read), Some(ReadCost::Extra { .. })) => {
            system.enrich(&object, &name, &ids).await
        }
        Ok(_) => system.fetch(&object, &Arc::from([name.clone()]), &ids).await,
        Err(fault) => Err(fault),
    };
    let found = found.map_err(|fault| vec![failure::system(&SystemName::from(place.system), &fault)])?;
    Ok(found.first().and_then(|record| record.fields.get(name.as_str())).cloned())
}

/// By person what is linked to them: objects and ids, the links that say most first.
pub(super) type Hung = BTreeMap<String, Vec<(String, String)>>;

/// The links of all people of the old system, if that is HubSpot: it brings activities back with a record (its manual
/// says so), and the sandbox brings back the record alone, as the stricter reading.
fn hung(session: &Session, old: Place) -> Hung {
    let mut hung = Hung::new();
    let Some(sandbox) = session.sandboxes.get(OLD).filter(|_| old.platform == Platform::Hubspot) else { return hung };
    let world = sandbox.lock().unwrap_or_else(PoisonError::into_inner).platform().world();
    let mut links: Vec<&Json> = world["associations"].as_array().into_iter().flatten().collect();
    links.sort_by_key(|link| std::cmp::Reverse(link["types"].as_array().map_or(0, Vec::len)));
    for link in links {
        let end = |which: &str| {
            let word = |part: &str| link[format!("{which}{part}")].as_str().unwrap_or_default().to_owned();
            (word("Type"), word("Id"))
        };
        for ((object, id), other) in [(end("from"), end("to")), (end("to"), end("from"))] {
            if object == old.platform.people() {
                hung.entry(id).or_default().push(other);
            }
        }
    }
    hung
}

fn shares_a_deal(hung: &Hung, person: &str) -> bool {
    let deals = |person: &String| hung.get(person).into_iter().flatten().filter(|(object, _)| object == "deals");
    let own: Vec<_> = deals(&person.to_owned()).collect();
    !own.is_empty() && hung.keys().any(|other| other != person && deals(other).any(|deal| own.contains(&deal)))
}

/// All but the last word of a name.
fn first_of(name: &str) -> String {
    name.rsplit_once(' ').map_or_else(String::new, |(first, _)| first.to_owned())
}

fn two(pairs: Vec<Pair>) -> Result<[Pair; 2], Vec<Problem>> {
    <[Pair; 2]>::try_from(pairs).map_err(|_| vec![Problem::ours("demo", "two records were to be chosen")])
}

/// So many pairs of an object, which is named as the old system and as the new one does.
async fn pairs(
    session: &Session,
    store: &Store,
    (object, opposite): (&'static str, &'static str),
    wanted: usize,
    fits: impl Fn(&RecordId) -> bool,
) -> Result<Vec<Pair>, Vec<Problem>> {
    let failed = |error: handover_store::Error| vec![failure::store(&error)];
    let flow = session.project.flows.iter().find(|flow| flow.source.object.as_str() == object);
    let flow = flow.ok_or_else(|| vec![Problem::ours("demo", format!("no flow carries `{object}`"))])?;
    // A few more than wanted: some of them wait for an answer.
    let rows = store.rows_page(&flow.name, Some(Outcome::Created), None, wanted * 2 + 20).await.map_err(failed)?;
    let ids: Vec<RecordId> = rows.iter().map(|row| row.record.clone()).collect();
    let held = store.held_among(&flow.name, &ids).await.map_err(failed)?;
    let pair = |row: RecordRow| row.target.map(|new| Pair { object, opposite, old: row.record, new });
    let found: Vec<Pair> = rows
        .into_iter()
        .filter(|row| !held.contains(&row.record) && fits(&row.record))
        .filter_map(pair)
        .take(wanted)
        .collect();
    if found.len() < wanted {
        return Err(vec![Problem::ours("demo", format!("the sample has too few `{object}` for these ten days"))]);
    }
    Ok(found)
}
