//! What each platform calls things: one table each, so that any two of them make a template.
//!
//! A *concept* is what companies keep in every CRM (a person, a deal, a note); a *term* is one thing that is known
//! of it (`last_name`, `close`). A platform's table says how it tells a term, from its own fields, and how it takes
//! one. Data only: [`super::compose`] puts two tables together. Where several lines say how a term is told, or what a
//! field is made of, the first whose fields the account has counts.
//!
//! Terms in use, beside those that speak for themselves:
//!
//! | term | what it is |
//! |---|---|
//! | `emails`, `phones` | all of them; `email`, `phone` the main one, `other_emails`, `other_phones` the rest |
//! | `persons`, `deals`, `organizations` | links to all; `person`, `deal`, `organization` to the main one |
//! | `close` | when a deal was closed, else when that is expected |
//! | `starts`, `ends` | instants; `day`, `clock` the parts of `starts` where a platform keeps two fields |
//! | `milliseconds` | how long something takes |
//! | `text` | what was written, with or without markup |
//! | `created`, `author` | when and by whom it was first written |
//! | `price`, `cost` | what one piece costs; of a product in the one currency of the platform that keeps only one |
//! | `unit_discount`, `discount_rate` | off one piece, or in percent; one of the two |
//! | `billing` | `weekly`, `monthly`, `quarterly`, `semi-annually`, `annually`; null for once |
//!
//! `CURRENCY` in an expression stands for the main currency of the other account.

mod activecampaign;
mod dynamics;
mod hubspot;
mod pipedrive;
mod salesforce;
mod terms;
mod zoho;

use handover_model::Schema;

pub(super) use terms::{Follows, following, is_quoted, label, saying};

/// What a company keeps in every CRM.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Concept {
    Organization,
    Person,
    /// Somebody who may become a customer and is no person of the company's yet.
    Lead,
    Deal,
    Product,
    /// A product within a deal, with its quantity and price.
    Line,
    /// What a customer asks for help with.
    Case,
    Call,
    Meeting,
    Task,
    Note,
    /// Bytes with a name.
    File,
    /// What a file hangs on, where files do not hang on records by themselves.
    FileNote,
    Email,
    /// What a customer made an object of.
    Made,
}

impl Concept {
    /// Whether one is something by itself, and does not hang on another record.
    pub(super) fn stands_alone(self) -> bool {
        matches!(
            self,
            Self::Organization | Self::Person | Self::Lead | Self::Deal | Self::Product | Self::Case | Self::Made
        )
    }
}

/// All that every CRM has, parents first.
pub(super) const CONCEPTS: [Concept; 14] = [
    Concept::Organization,
    Concept::Person,
    Concept::Lead,
    Concept::Deal,
    Concept::Product,
    Concept::Line,
    Concept::Case,
    Concept::Call,
    Concept::Meeting,
    Concept::Task,
    Concept::Note,
    Concept::File,
    Concept::FileNote,
    Concept::Email,
];

/// What every custom field that points to a record can point to, where the platform lets people choose.
const RECORDS: [Concept; 6] =
    [Concept::Organization, Concept::Person, Concept::Lead, Concept::Deal, Concept::Case, Concept::Made];

/// A platform's objects.
pub(super) struct Lexicon {
    /// What people call the platform.
    pub(super) title: &'static str,
    /// What its custom fields cannot hold.
    pub(super) lacks: &'static [Lack],
    /// What its custom fields can point to.
    pub(super) points_to: &'static [Concept],
    pub(super) things: &'static [Thing],
    /// What all objects that a customer made have; `None` where they cannot be carried.
    pub(super) made: Option<&'static Made>,
}

/// The objects that a platform's customers made.
pub(super) struct Made {
    /// The name of such an object or field without what the platform puts before or behind it.
    pub(super) bare: fn(&str) -> &str,
    /// What each of them tells and takes beside its name and the customer's fields; its object and flow are blank.
    pub(super) thing: Thing,
}

/// What a platform's custom fields cannot hold.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Lack {
    Html,
    Bool,
    /// Days and times of day in one.
    DateTime,
    Time,
    User,
}

/// An object of a platform, as one concept.
pub(super) struct Thing {
    pub(super) concept: Concept,
    /// The object.
    pub(super) object: &'static str,
    /// The name of a flow that reads it, also that of the mapping file.
    pub(super) flow: &'static str,
    /// What people should know before they read on.
    pub(super) about: &'static str,
    /// Which records of the object are of the concept.
    pub(super) scope: Scope,
    /// Why a flow is proposed switched off, with what it costs; on when empty.
    pub(super) opt_in: &'static str,
    /// Where many companies do not use it: the object that tells whether this one does; always proposed when empty.
    pub(super) used_with: &'static str,
    /// Whether it takes custom fields through the platform's API, and whether these can be unique.
    pub(super) own_fields: Own,
    /// Whether one hangs on another record always: what hangs on nothing is refused.
    pub(super) hangs: bool,
    /// Fields by which a record is found that is there already: the kind of the key, the term, the fields.
    pub(super) keys: &'static [(&'static str, &'static str, &'static [&'static str])],
    pub(super) tells: &'static [Tell],
    pub(super) takes: &'static [Take],
    /// For flows that go both ways: what it takes back where the rule of the way forth cannot be turned round.
    pub(super) back: &'static [Take],
    /// For deals and cases: where its stages are.
    pub(super) funnel: Option<Funnel>,
    /// Fields that are left out wherever it goes, and why.
    pub(super) left: &'static [(&'static str, &'static str)],
}

/// An object that tells and takes nothing yet.
const fn thing(concept: Concept, object: &'static str, flow: &'static str) -> Thing {
    Thing {
        concept,
        object,
        flow,
        about: "",
        scope: Scope::All,
        opt_in: "",
        used_with: "",
        own_fields: Own::No,
        hangs: false,
        keys: &[],
        tells: &[],
        takes: &[],
        back: &[],
        funnel: None,
        left: &[],
    }
}

/// Which records of an object are meant.
#[derive(Clone, Copy)]
pub(super) enum Scope {
    All,
    /// Those for which an expression is true.
    Where(&'static str),
    /// Those whose choice field has the option of this label.
    Option(&'static str, &'static str),
    /// Those whose choice field has none of the options of these labels.
    Others(&'static str, &'static [&'static str]),
}

/// Custom fields of an object.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Own {
    No,
    Plain,
    Unique,
}

/// How a term is told.
#[derive(Clone, Copy, PartialEq)]
pub(super) struct Tell {
    pub(super) term: &'static str,
    /// The fields that it needs; of plain ones any.
    pub(super) from: &'static [&'static str],
    pub(super) way: Way,
}

/// What is done to the fields of a term.
#[derive(Clone, Copy, PartialEq)]
pub(super) enum Way {
    /// As it is; of several the first that is not blank (of links all).
    Plain,
    /// A step over one field.
    Step(&'static str),
    /// An expression over the fields; of several lines the last one is the value.
    Expr(&'static str),
}

/// What a field is made of.
pub(super) struct Take {
    pub(super) field: &'static str,
    pub(super) make: Make,
}

/// How a field is made of terms.
pub(super) enum Make {
    /// The first of the terms that is told and not blank, with these keys in the rule.
    Of(&'static [&'static str], &'static str),
    /// An expression with terms in braces; those that are not told are null. It counts where all of the
    /// given terms are told. Texts come in the field's own markup.
    Expr(&'static [&'static str], &'static str),
    /// The same, of which some records make nothing: the last term is kept in a field of its own as well.
    Part(&'static [&'static str], &'static str),
    /// A constant.
    Value(&'static str),
    /// An option by its label, else by a table of this name; what the platform itself fills in for a blank, if it does.
    Choice(&'static str, &'static str, &'static str),
    /// The deal's stage, pipeline, status.
    Stage,
    Pipeline,
    Status,
    /// An expression over terms, in which `{won}` and `{lost}` are true for deals that are, with these keys.
    Ending(&'static str, &'static str),
    /// A text that begins with the day on which it was written, where the account does not let this field be set.
    Dated(&'static str),
}

/// Where a platform keeps how far a deal or a case has come.
#[derive(Clone, Copy)]
pub(super) struct Funnel {
    /// The tables that translate it.
    pub(super) tables: &'static Tables,
    /// The pipelines; none when empty.
    pub(super) pipeline: &'static str,
    /// The stages; of a pipeline where there are some.
    pub(super) stage: &'static str,
    /// Whether a deal is open, won or lost, where that is not told by the stage: the field, and the three values.
    pub(super) status: Option<(&'static str, [&'static str; 3])>,
}

/// Tables by which stages, their pipelines and what has ended are translated.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Tables {
    pub(super) stages: &'static str,
    pub(super) pipelines: &'static str,
    pub(super) status: &'static str,
}

/// Those of deals,
const OF_DEALS: Tables = Tables { stages: "deal_stages", pipelines: "deal_pipelines", status: "deal_status" };
/// and of cases.
const OF_CASES: Tables = Tables { stages: "case_stages", pipelines: "case_pipelines", status: "case_status" };

const fn tell(term: &'static str, from: &'static [&'static str]) -> Tell {
    Tell { term, from, way: Way::Plain }
}

const fn step(term: &'static str, from: &'static [&'static str], step: &'static str) -> Tell {
    Tell { term, from, way: Way::Step(step) }
}

const fn told(term: &'static str, from: &'static [&'static str], expr: &'static str) -> Tell {
    Tell { term, from, way: Way::Expr(expr) }
}

const fn take(field: &'static str, terms: &'static [&'static str]) -> Take {
    Take { field, make: Make::Of(terms, "") }
}

const fn with(field: &'static str, terms: &'static [&'static str], keys: &'static str) -> Take {
    Take { field, make: Make::Of(terms, keys) }
}

const fn expr(field: &'static str, needs: &'static [&'static str], expr: &'static str) -> Take {
    Take { field, make: Make::Expr(needs, expr) }
}

const fn value(field: &'static str, value: &'static str) -> Take {
    Take { field, make: Make::Value(value) }
}

const fn choice(field: &'static str, term: &'static str, table: &'static str) -> Take {
    Take { field, make: Make::Choice(term, table, "") }
}

/// The same where the platform fills in an option for a blank: written down, so that the plan shows it.
const fn choice_else(field: &'static str, term: &'static str, table: &'static str, default: &'static str) -> Take {
    Take { field, make: Make::Choice(term, table, default) }
}

const fn make(field: &'static str, make: Make) -> Take {
    Take { field, make }
}

/// Every platform that has a table.
const LEXICONS: [(&str, &Lexicon); 6] = [
    ("activecampaign", &activecampaign::LEXICON),
    ("dynamics", &dynamics::LEXICON),
    ("hubspot", &hubspot::LEXICON),
    ("pipedrive", &pipedrive::LEXICON),
    ("salesforce", &salesforce::LEXICON),
    ("zoho", &zoho::LEXICON),
];

/// A platform's table.
pub(super) fn of(platform: &str) -> Option<&'static Lexicon> {
    LEXICONS.iter().find(|(name, _)| *name == platform).map(|(_, lexicon)| *lexicon)
}

/// What custom fields of a platform cannot hold.
pub(super) fn lacks(platform: &str) -> &'static [Lack] {
    of(platform).map_or(&[], |lexicon| lexicon.lacks)
}

/// Whether custom fields of a platform can point to what a concept is there.
pub(super) fn points_to(platform: &str, concept: Concept) -> bool {
    of(platform).is_some_and(|lexicon| lexicon.points_to.contains(&concept))
}

/// What people call a platform.
pub(crate) fn title(platform: &str) -> &str {
    match (of(platform), platform) {
        (Some(lexicon), _) => lexicon.title,
        (None, "csv") => "The folder of files",
        (None, other) => other,
    }
}

impl Lexicon {
    /// The object that tells a concept, the first that the account has.
    pub(super) fn teller(&self, concept: Concept, schemas: &[Schema]) -> Option<&'static Thing> {
        self.tellers(concept).find(|thing| is_there(thing, schemas))
    }

    /// The object that takes a concept, the first that the account has.
    pub(super) fn taker(&self, concept: Concept, schemas: &[Schema]) -> Option<&'static Thing> {
        self.takers(concept).find(|thing| is_there(thing, schemas))
    }

    /// The object that tells a concept, whatever the account has.
    pub(super) fn tells(&self, concept: Concept) -> Option<&'static Thing> {
        self.tellers(concept).next()
    }

    /// The object that takes a concept, whatever the account has.
    pub(super) fn takes(&self, concept: Concept) -> Option<&'static Thing> {
        self.takers(concept).next()
    }

    fn tellers(&self, concept: Concept) -> impl Iterator<Item = &'static Thing> {
        // Who knows the file knows what it hangs on.
        let told = if concept == Concept::FileNote { Concept::File } else { concept };
        self.things.iter().filter(move |thing| thing.concept == told && !thing.tells.is_empty())
    }

    fn takers(&self, concept: Concept) -> impl Iterator<Item = &'static Thing> {
        self.things.iter().filter(move |thing| thing.concept == concept && !thing.takes.is_empty())
    }
}

fn is_there(thing: &Thing, schemas: &[Schema]) -> bool {
    schemas.iter().any(|schema| schema.object.as_str() == thing.object)
}
