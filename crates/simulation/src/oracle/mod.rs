//! The oracle: what is right, told from what the systems themselves wrote down.
//!
//! It knows the sandboxes' journals, the rules of the project as data of its own, and what the state claims. It
//! knows nothing of the engine: no type of it is used here, and a test reads this folder to prove it.
//!
//! Each complaint begins with the name of the invariant that is broken:
//! `convergence`, `termination`, `no loss`, `no invention`, `no duplicate`, `no orphan`, `ownership`, `limits`,
//! `outcomes`, `holds`, `answers`, `chain`.

mod answers;
mod beside;
mod cohorts;
mod fields;
mod holds;
mod lineage;
mod links;
mod replay;
mod rules;
mod ties;
mod vanished;

use std::collections::{BTreeMap, BTreeSet};

use handover_sandbox::journal::{Action, Entry};
use jiff::{SignedDuration, Timestamp};
use serde_json::Value as Json;
use ties::Tie;

pub use answers::{Answered, Word};
pub use replay::{By, Edit, Fate, Life, Side};
pub use rules::{
    CohortRule, Conflict, Deletes, FieldRule, FlowRule, Form, Guard, NEW, OLD, Owner, Rules, Stands, Ways,
};

/// One pass, as the clock saw it.
#[derive(Clone, Debug)]
pub struct Span {
    /// When it began.
    pub began: Timestamp,
    /// When it ended, whatever ended it.
    pub ended: Timestamp,
    /// Whether it came to its end.
    pub whole: bool,
    /// How many entries each journal had when it ended.
    pub entries: [u64; 2],
    /// By flow: how many deletions a person let through in it.
    pub confirmed: BTreeMap<String, u64>,
    /// The flows of which it carried out nothing because too much was due, with the number.
    pub tripped: BTreeMap<String, u64>,
}

/// Something that the ledger tells of a record that is gone.
#[derive(Clone, Debug)]
pub struct Story {
    /// The word for it: `vanished`, `removing`, `removed`, `returned`, `followed`, `kept`; `brought` where a target
    /// record went back to it.
    pub kind: String,
    /// When.
    pub at: Timestamp,
    /// The flow.
    pub flow: String,
    /// The source record.
    pub record: String,
    /// How it was removed, if it was.
    pub how: String,
    /// The record that it is about.
    pub other: String,
}

/// Something that the state says is kept back.
#[derive(Clone, Debug)]
pub struct Held {
    /// The flow.
    pub flow: String,
    /// The source record.
    pub record: String,
    /// The word of the cause.
    pub cause: String,
    /// The target field that it is about, if it is about one.
    pub field: Option<String>,
    /// The record that it is about, if it is about another one.
    pub other: Option<String>,
    /// What tells it from a later one of the same field, if anything does.
    pub mark: Option<String>,
}

/// Two records that the state says are one.
#[derive(Clone, Debug)]
pub struct Paired {
    /// The flow.
    pub flow: String,
    /// The source record.
    pub source: String,
    /// The target record.
    pub target: String,
}

/// A value that the ledger says was overwritten.
#[derive(Clone, Debug)]
pub struct Told {
    /// The flow.
    pub flow: String,
    /// The source record.
    pub record: String,
    /// The target field.
    pub field: String,
    /// What it said before.
    pub before: Json,
}

/// What became of an object's records, as the state counts them.
#[derive(Clone, Debug)]
pub struct Sum {
    /// Which side's.
    pub side: usize,
    /// The object, in the plural.
    pub object: String,
    /// Records read.
    pub read: u64,
    /// The sum of all outcomes.
    pub outcomes: u64,
    /// Of those, pending.
    pub pending: u64,
}

/// What the state claims.
#[derive(Clone, Debug, Default)]
pub struct Claims {
    /// Holds.
    pub held: Vec<Held>,
    /// Pairs: believed of target records that do not say themselves which source record they are.
    pub pairs: Vec<Paired>,
    /// Values that were overwritten.
    pub told: Vec<Told>,
    /// What became of records that are gone.
    pub stories: Vec<Story>,
    /// Outcomes.
    pub sums: Vec<Sum>,
    /// Writes whose outcome is not known.
    pub open: usize,
    /// Why the ledger does not verify, if so.
    pub broken_chain: Option<String>,
}

/// Everything that a judgement is made of. The first of each pair is the old system.
pub struct Case<'c> {
    /// The rules.
    pub rules: &'c Rules,
    /// What the systems wrote down.
    pub journals: [&'c [Entry]; 2],
    /// What they have in the end.
    pub worlds: [&'c Json; 2],
    /// How far their clocks are ahead.
    pub ahead: [SignedDuration; 2],
    /// How long a change takes to show.
    pub lag: SignedDuration,
    /// The passes, in order.
    pub passes: &'c [Span],
    /// When the last person went home.
    pub quiet_since: Timestamp,
    /// What people answered to what was held, in order.
    pub answered: &'c [Answered],
    /// What the state claims.
    pub claims: &'c Claims,
}

/// A source record with its counterparts.
pub(crate) struct Pair<'c> {
    pub(crate) flow: &'c FlowRule,
    pub(crate) source: &'c Life,
    /// Living or not.
    pub(crate) targets: Vec<&'c Life>,
    /// Those that stood for it before they stood for another one.
    pub(crate) former: Vec<&'c Life>,
    /// Those that people brought back when another one had taken their place: theirs now.
    pub(crate) beside: Vec<&'c Life>,
}

/// Whether people brought a record back while another one stood in its place.
fn came_back_beside(life: &Life, all: &[&Life]) -> bool {
    let Some((at, By::People, Fate::Living)) = life.fates.last() else { return false };
    let stood = |other: &&Life| other.id != life.id && other.born < *at && !other.was_dead(*at, *at);
    all.iter().any(stood)
}

impl<'c> Pair<'c> {
    /// Everything that ever stood for it.
    pub(crate) fn ever(&self) -> impl Iterator<Item = &'c Life> {
        self.targets.iter().chain(&self.former).chain(&self.beside).copied()
    }
}

/// Both sides replayed, paired by the key that stands on the target's records.
pub(crate) struct Judged<'c> {
    pub(crate) case: &'c Case<'c>,
    pub(crate) sides: &'c [Side; 2],
    pub(crate) pairs: Vec<Pair<'c>>,
    /// By flow and target record: what it stood for.
    ties: BTreeMap<(&'c str, &'c str), Vec<Tie>>,
    /// Holds by flow and source record.
    pub(crate) held: BTreeMap<(&'c str, &'c str), Vec<&'c Held>>,
}

/// What is wrong, one sentence each; nothing when all is right.
pub fn judge(case: &Case<'_>) -> Vec<String> {
    let sides = [OLD, NEW].map(|side| {
        let beside = beside::Beside::of(case.rules, side);
        replay::replay(case.journals[side], case.ahead[side], &beside)
    });
    let judged = Judged::of(case, &sides);
    let mut wrong = Vec::new();
    judged.records(&mut wrong);
    judged.orphans(&mut wrong);
    cohorts::check(&judged, &mut wrong);
    fields::check(&judged, &mut wrong);
    links::check(&judged, &mut wrong);
    holds::check(&judged, &mut wrong);
    vanished::check(&judged, &mut wrong);
    answers::check(&judged, &mut wrong);
    judged.writes(&mut wrong);
    judged.claims(&mut wrong);
    wrong
}

impl<'c> Judged<'c> {
    fn of(case: &'c Case<'c>, sides: &'c [Side; 2]) -> Self {
        let mut pairs = Vec::new();
        let mut ties = BTreeMap::new();
        for flow in &case.rules.flows {
            let mut targets: BTreeMap<String, Vec<&Life>> = BTreeMap::new();
            let mut former: BTreeMap<String, Vec<&Life>> = BTreeMap::new();
            for life in sides[NEW].of(flow.objects[NEW]) {
                let all = ties::of(case, sides, flow, life);
                let Some((last, earlier)) = all.split_last() else { continue };
                targets.entry(last.source.clone()).or_default().push(life);
                let earlier: BTreeSet<&String> =
                    earlier.iter().map(|tie| &tie.source).filter(|source| **source != last.source).collect();
                earlier.into_iter().for_each(|source| former.entry(source.clone()).or_default().push(life));
                ties.insert((flow.name, life.id.as_str()), all);
            }
            for source in sides[OLD].of(flow.objects[OLD]) {
                let all = targets.remove(source.id.as_str()).unwrap_or_default();
                let (beside, targets) = all.iter().copied().partition(|life| came_back_beside(life, &all));
                let former = former.remove(source.id.as_str()).unwrap_or_default();
                pairs.push(Pair { flow, source, targets, former, beside });
            }
        }
        let mut held: BTreeMap<(&str, &str), Vec<&Held>> = BTreeMap::new();
        for hold in &case.claims.held {
            held.entry((&hold.flow, &hold.record)).or_default().push(hold);
        }
        Self { case, sides, pairs, ties, held }
    }

    /// From when on a target record stands for what it stands for in the end.
    pub(crate) fn tied_at(&self, flow: &FlowRule, target: &Life) -> Option<Timestamp> {
        Some(self.ties.get(&(flow.name, target.id.as_str()))?.last()?.at)
    }

    /// Every source record that a target record ever stood for.
    pub(crate) fn sources_of(&self, flow: &FlowRule, target: &Life) -> Vec<&'c Life> {
        let ties = self.ties.get(&(flow.name, target.id.as_str()));
        let is_one = |life: &&Life| ties.is_some_and(|ties| ties.iter().any(|tie| tie.source == life.id));
        self.sides[OLD].of(flow.objects[OLD]).filter(is_one).collect()
    }

    /// The same of a target record and of all that became part of it: what was written to those it has now.
    pub(crate) fn sources_with_merged<'t>(&'t self, flow: &FlowRule, target: &'t Life) -> Vec<&'t Life> {
        let mut lives = vec![target];
        let mut at = 0;
        while let Some(life) = lives.get(at).copied() {
            let others = self.sides[NEW].of(flow.objects[NEW]);
            lives.extend(others.filter(|other| matches!(&other.fate, Fate::Merged(into) if *into == life.id)));
            at += 1;
        }
        lives.into_iter().flat_map(|life| self.sources_of(flow, life)).collect()
    }

    /// The holds of a source record.
    pub(crate) fn holds_of(&self, flow: &FlowRule, source: &Life) -> Vec<&'c Held> {
        self.held.get(&(flow.name, source.id.as_str())).cloned().unwrap_or_default()
    }

    /// The holds of a record of the new system on its way back.
    pub(crate) fn holds_back_of(&self, flow: &FlowRule, target: &Life) -> Vec<&'c Held> {
        self.held.get(&(flow.back, target.id.as_str())).cloned().unwrap_or_default()
    }

    /// The living counterpart of a source record, if it has one.
    pub(crate) fn counterpart(&self, flow: &str, source: &str) -> Option<&'c Life> {
        let pair = self.pairs.iter().find(|pair| pair.flow.name == flow && pair.source.id == source)?;
        pair.targets.iter().copied().find(|target| target.fate == Fate::Living)
    }

    /// Each living source record has one counterpart, or is held.
    fn records(&self, wrong: &mut Vec<String>) {
        for Pair { flow, source, targets, .. } in &self.pairs {
            let name = format!("{} {}", flow.objects[OLD], source.id);
            let made: Vec<&Life> = targets.iter().copied().filter(|life| life.made_by == By::Client).collect();
            // Whoever is gone may be made anew.
            let beside = |life: &&&Life| {
                made.iter().any(|other| {
                    other.id != life.id && !other.was_dead(life.born, life.born) && other.born <= life.born
                })
            };
            if made.iter().any(|life| beside(&life)) {
                let made: Vec<&str> = made.iter().map(|life| life.id.as_str()).collect();
                wrong.push(format!("no duplicate: {name} was created {} times: {}", made.len(), made.join(", ")));
            }
            let living = targets.iter().filter(|life| life.fate == Fate::Living).count();
            if living > 1 {
                wrong.push(format!("no duplicate: {name} has {living} living counterparts"));
            }
            let is_left = || vanished::is_left(self, flow, source, targets);
            // It is to go as its counterpart did, when somebody lets that through.
            let waits = || !targets.is_empty() && vanished::is_stopped(self, flow);
            let explained = || !self.holds_of(flow, source).is_empty() || is_left() || waits();
            if source.fate == Fate::Living && living == 0 && !explained() {
                wrong.push(format!("no loss: {name} has no counterpart and is not held"));
            }
        }
    }

    /// Each record that we made stands for a source record; none was made beside one that was there.
    fn orphans(&self, wrong: &mut Vec<String>) {
        for flow in &self.case.rules.flows {
            let sources: BTreeSet<&str> = self.sides[OLD].of(flow.objects[OLD]).map(|life| life.id.as_str()).collect();
            for life in self.sides[NEW].of(flow.objects[NEW]).filter(|life| life.made_by == By::Client) {
                let stands = match (&flow.key, life.key(flow)) {
                    (Some(_), key) => key.is_some_and(|key| sources.contains(key)),
                    (None, _) => self.sources_of(flow, life).iter().any(|source| sources.contains(source.id.as_str())),
                };
                if !stands {
                    wrong.push(format!("no orphan: {} {} stands for nothing", flow.objects[NEW], life.id));
                }
            }
        }
        if self.case.rules.ways == Ways::Both {
            self.returned(wrong);
        } else {
            for life in self.sides[OLD].lives.values().filter(|life| life.made_by == By::Client) {
                wrong.push(format!("ownership: {} {} was made in the system of record", life.object, life.id));
            }
        }
    }

    /// The same for what came back: each record of the new system has its counterpart, and each that we made in the
    /// old one stands for one.
    ///
    /// What the new system had before the first load, and nobody touched since, is its own and stays where it is.
    fn returned(&self, wrong: &mut Vec<String>) {
        let load =
            self.case.passes.iter().find(|pass| pass.whole).map(|pass| pass.began + SignedDuration::from_secs(2));
        for flow in &self.case.rules.flows {
            let pairs = || self.pairs.iter().filter(|pair| pair.flow.name == flow.name);
            for life in self.sides[NEW].of(flow.objects[NEW]).filter(|life| life.fate == Fate::Living) {
                let is_it = |other: &&Life| other.id == life.id;
                let paired = pairs().any(|pair| pair.targets.iter().chain(&pair.beside).any(is_it));
                let waits =
                    self.held.contains_key(&(flow.back, life.id.as_str())) || holds::is_in_question(self, flow, life);
                let stays = load.is_none_or(|load| life.touched < load);
                if !paired && !waits && !stays {
                    wrong.push(format!("no loss: {} {} has no counterpart and is not held", life.object, life.id));
                }
            }
            for pair in pairs().filter(|pair| pair.source.made_by == By::Client && pair.ever().next().is_none()) {
                wrong.push(format!("no orphan: {} {} stands for nothing", pair.source.object, pair.source.id));
            }
        }
    }

    /// Our writes end, and none was refused for being too many.
    fn writes(&self, wrong: &mut Vec<String>) {
        let quiet: Vec<&Span> = self.case.passes.iter().filter(|pass| pass.began > self.case.quiet_since).collect();
        // The first quiet passes carry what the last day left, and whatever a lost answer left to them.
        let settled = quiet.iter().rev().take(2).next_back().map(|pass| pass.began);
        for side in [OLD, NEW] {
            let ahead = self.case.ahead[side];
            for entry in self.case.journals[side].iter().filter(|entry| entry.method != "DISTURB") {
                let at = entry.at - ahead;
                if entry.status == Some(429) && entry.rule.is_none() {
                    wrong.push(format!("limits: request {} of {} was one too many", entry.n, SIDES[side]));
                }
                // What a person lets through then is no doing of ours.
                let let_through = |pass: &&Span| !pass.confirmed.is_empty() && (pass.began..=pass.ended).contains(&at);
                if settled.is_some_and(|settled| at >= settled) && !quiet.iter().copied().any(|pass| let_through(&pass))
                {
                    for change in entry.changes.iter().filter(|change| change.action != Action::Purged) {
                        wrong.push(format!(
                            "termination: {} {} was still {:?} after everybody had gone",
                            change.object, change.id, change.action
                        ));
                    }
                }
            }
        }
    }

    fn claims(&self, wrong: &mut Vec<String>) {
        let claims = self.case.claims;
        if claims.open > 0 {
            wrong.push(format!("outcomes: {} writes without an outcome", claims.open));
        }
        if let Some(why) = &claims.broken_chain {
            wrong.push(format!("chain: {why}"));
        }
        for sum in &claims.sums {
            if sum.read != sum.outcomes {
                wrong.push(format!("outcomes: {}: {} read, {} outcomes", sum.object, sum.read, sum.outcomes));
            }
            if sum.pending > 0 {
                wrong.push(format!("outcomes: {}: {} pending", sum.object, sum.pending));
            }
            let lived =
                self.case.rules.flows.iter().filter(|flow| sum.side == OLD && flow.plural == sum.object).map(|flow| {
                    let lives = self.sides[OLD].of(flow.objects[OLD]);
                    lives.filter(|life| life.fate == Fate::Living).count() as u64
                });
            // Who died may have been read before; who lives must have been.
            if let Some(living) = lived.max().filter(|living| sum.read < *living) {
                wrong.push(format!("outcomes: {}: {} read of {living} that live", sum.object, sum.read));
            }
        }
    }
}

/// What the systems are called in complaints.
pub(crate) const SIDES: [&str; 2] = ["the old system", "the new system"];
