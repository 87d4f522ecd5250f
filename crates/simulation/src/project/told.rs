//! The project in the oracle's words.

use jiff::SignedDuration;

use super::{Dates, Places};
use crate::accounts::Concept::{
    Amount, Close, Contact, Deal, Due, Firm, First, Last, Mail, Name, Phone, Site, Sort, Staff, Stage, Subject, Title,
    Whole,
};
use crate::accounts::{Concept, DEAL, ORGANIZATION, PERSON, TASK};
use crate::oracle::{
    CohortRule, Conflict, Deletes, FieldRule, FlowRule, Form, Guard, NEW, OLD, Owner, Rules, Stands, Ways,
};

/// A flow's name, and that of its way back.
const FLOWS: [[&str; 2]; 4] = [
    ["organizations", "organizations.back"],
    ["persons", "persons.back"],
    ["deals", "deals.back"],
    ["tasks", "tasks.back"],
];

/// The rules by which the weeks are judged.
pub(crate) fn rules(places: &Places, ways: Ways, dates: Option<Dates>) -> Rules {
    let said = Said { places, ways };
    let link = |flow| Form::Link { flow, stands: [Stands::Field; 2] };
    let organizations = [
        said.owned(ORGANIZATION, Name, Form::Text),
        said.owned(ORGANIZATION, Site, Form::Text),
        said.owned(ORGANIZATION, Staff, Form::Number),
    ];
    let mut persons = vec![said.owned(PERSON, Mail, Form::Email)];
    persons.extend(said.names());
    persons.push(said.owned(PERSON, Phone, Form::Phone));
    persons.push(said.owned(PERSON, Firm, link("organizations")));
    let deals = [
        said.owned(DEAL, Title, Form::Text),
        said.owned(DEAL, Amount, Form::Number),
        said.owned(DEAL, Stage, Form::Option(said.stages())),
        said.owned(DEAL, Close, Form::Day),
        said.owned(DEAL, Firm, link("organizations")),
        said.owned(DEAL, Contact, link("persons")),
    ];
    let tasks = [
        said.owned(TASK, Subject, Form::Text),
        said.owned(TASK, Due, Form::Day),
        said.owned(TASK, Deal, link("deals")),
    ];
    let fields = [organizations.to_vec(), persons, deals.to_vec(), tasks.to_vec()];
    let mut flows: Vec<FlowRule> =
        fields.into_iter().enumerate().map(|(kind, fields)| said.flow(kind, fields)).collect();
    let sort = places.pair.0[OLD].objects[DEAL].field(Sort);
    let late = sort.and_then(|sort| Some((sort.journal, *sort.options().get(1)?)));
    flows[DEAL].cohort =
        dates.zip(late).map(|(Dates { begins, moves }, (field, value))| CohortRule { field, value, begins, moves });
    Rules { flows, ways, guard: Guard { count: 20, share: 0.02 }, sweep: SignedDuration::from_hours(24) }
}

struct Said<'p> {
    places: &'p Places,
    ways: Ways,
}

impl Said<'_> {
    /// A field of both systems; nothing where one of them lacks it.
    fn owned(&self, kind: usize, concept: Concept, form: Form) -> Option<FieldRule> {
        let [old, new] = self.places.pair.both(kind, concept)?;
        let form = match form {
            Form::Link { flow, .. } => Form::Link { flow, stands: [old.stands(), new.stands()] },
            other => other,
        };
        // Which of several links was the first cannot be turned round.
        let returns = !matches!(form, Form::Link { stands: [Stands::Association(None), Stands::Field], .. });
        let both = self.ways == Ways::Both && returns;
        let owner = if both { Owner::Both(Conflict::Ask) } else { Owner::OldOnceChanged };
        let (names, needed) = ([old.journal, new.journal], [old.required, new.required]);
        Some(FieldRule { names, form, owner, part_of: None, needed })
    }

    /// A person's names: two, or one where the new system writes both as one.
    fn names(&self) -> Vec<Option<FieldRule>> {
        let [old, new] = self.places.pair.0.map(|account| account.objects[PERSON]);
        if new.writable(Whole).is_some() {
            return vec![self.owned(PERSON, Whole, Form::Text)];
        }
        let whole = old.writable(Whole).map(|field| field.journal);
        let part = |concept| Some(FieldRule { part_of: whole, ..self.owned(PERSON, concept, Form::Text)? });
        vec![part(First), part(Last)]
    }

    /// The stages that are translated: all but the old system's fifth.
    fn stages(&self) -> Vec<(&'static str, &'static str)> {
        let options =
            |side: usize| self.places.pair.0[side].objects[DEAL].field(Stage).map_or(&[][..], |f| f.options());
        options(OLD).iter().copied().zip(options(NEW).iter().copied()).take(4).collect()
    }

    fn flow(&self, kind: usize, fields: Vec<Option<FieldRule>>) -> FlowRule {
        let objects = self.places.pair.0.map(|account| account.objects[kind]);
        let [name, back] = FLOWS[kind];
        let plural = objects[OLD].api;
        let deletes = match kind {
            PERSON | DEAL => Deletes::Delete,
            TASK if self.ways == Ways::Both => Deletes::Ignore,
            TASK => objects[NEW].mark.map_or(Deletes::Ask, |(field, value)| Deletes::Mark(field, value)),
            _ => Deletes::Ask,
        };
        FlowRule {
            name,
            back,
            objects: objects.map(|object| object.journal),
            plural,
            key: self.places.keys[kind].clone(),
            key_head: format!("old:{plural}:"),
            fields: fields.into_iter().flatten().collect(),
            found_by: (kind == ORGANIZATION || kind == PERSON).then_some(0),
            deletes,
            merges: kind == PERSON,
            cohort: None,
        }
    }
}
