//! The weeks themselves: passes at their times, people between and beside them, and quiet days at the end.

mod beside;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};

use handover_connect::{Clock, VirtualClock};
use handover_engine::{Report, Selection};
use handover_sandbox::faults::FaultPlan;
use handover_sandbox::journal::Entry;
use jiff::{SignedDuration, Timestamp};

use crate::claims;
use crate::deeds::{Society, lock};
use crate::dice::Dice;
use crate::guard::Guarded;
use crate::mishaps::{self, Death, Mishap};
use crate::oracle::{self, Answered, Case, NEW, OLD, Span};
use crate::people::{self, Deed, agenda};
use crate::process::{Ended, Place, Process};
use crate::project::{self, Dates};
use crate::scenario::Scenario;
use crate::scene::{Broken, Scene};

/// How often what happened.
#[derive(Clone, Debug, Default)]
pub struct Counted {
    /// Deeds by side (0: the old system).
    pub deeds: BTreeMap<(usize, Deed), u64>,
    /// Mishaps.
    pub mishaps: BTreeMap<Mishap, u64>,
    /// Passes that came to their end, and those that did not.
    pub passes: [u64; 2],
    /// Records that we wrote to the new system.
    pub written: u64,
    /// Passes that the guard stopped, and those in which a person let through what it had stopped.
    pub guarded: [u64; 2],
    /// Holds in the end, by the word of their cause.
    pub held: BTreeMap<String, u64>,
    /// Passes over what webhooks told that came to their end.
    pub told: u64,
    /// What was said to holds.
    pub answers: BTreeMap<&'static str, u64>,
}

impl Counted {
    /// Adds what happened elsewhere.
    pub fn add(&mut self, other: &Self) {
        other.deeds.iter().for_each(|(deed, n)| *self.deeds.entry(*deed).or_default() += n);
        other.mishaps.iter().for_each(|(mishap, n)| *self.mishaps.entry(*mishap).or_default() += n);
        self.passes.iter_mut().zip(other.passes).for_each(|(sum, n)| *sum += n);
        self.guarded.iter_mut().zip(other.guarded).for_each(|(sum, n)| *sum += n);
        self.written += other.written;
        self.told += other.told;
        other.held.iter().for_each(|(cause, n)| *self.held.entry(cause.clone()).or_default() += n);
        other.answers.iter().for_each(|(word, n)| *self.answers.entry(word).or_default() += n);
    }
}

/// A seed that was played.
#[derive(Clone, Debug)]
pub struct Played {
    /// The seed.
    pub seed: u64,
    /// What is wrong, one sentence each.
    pub wrong: Vec<String>,
    /// What happened.
    pub counted: Counted,
    /// A hash of both journals: equal where the same weeks were played.
    pub mark: String,
}

/// When the weeks begin: a Monday, seconds since 1970.
const MONDAY: i64 = 1_793_577_600;

/// Passes after everybody has gone, and the hours between them: the day's calls may be used up on the last day.
const QUIET: (usize, i64) = (9, 7);

/// Of a thousand webhooks so many begin a pass at once; the others wait for one.
const TOLD: u32 = 60;

/// Plays one seed.
pub fn play(seed: u64, scenario: &Scenario) -> Played {
    Weeks::new(seed, scenario).and_then(Weeks::play).unwrap_or_else(|error| Played {
        seed,
        wrong: vec![format!("the simulation itself failed: {error}")],
        counted: Counted::default(),
        mark: String::new(),
    })
}

struct Weeks<'s> {
    seed: u64,
    scenario: &'s Scenario,
    scene: &'static Scene,
    folder: tempfile::TempDir,
    clock: Arc<VirtualClock>,
    society: Arc<Mutex<Society>>,
    pace: Arc<Mutex<Dice>>,
    ahead: [SignedDuration; 2],
    lag: SignedDuration,
    /// Whether the new system's tokens end.
    oauth: bool,
    dates: Option<Dates>,
    /// What the old system grants for each day, where that is little.
    day: Option<u64>,
    start: Timestamp,
    process: Option<Process>,
    loaded: bool,
    passes: Vec<Span>,
    answered: Vec<Answered>,
    counted: Counted,
    last: Option<Box<Report>>,
    guard: Guarded,
    /// Whether everybody has gone.
    is_quiet: bool,
    telling: Dice,
    workers: Dice,
    answering: Dice,
    wrong: Vec<String>,
}

impl<'s> Weeks<'s> {
    fn new(seed: u64, scenario: &'s Scenario) -> Result<Self, Broken> {
        let scene = Scene::of(scenario.pair, scenario.ways)?;
        let mut dice = Dice::new(seed, "weeks");
        let start = Timestamp::from_second(MONDAY)?;
        let mut skew = || if scenario.has(Mishap::Skew) { dice.seconds(-90, 90) } else { SignedDuration::ZERO };
        let ahead = [skew(), skew()];
        let lag = if scenario.has(Mishap::SearchLag) {
            SignedDuration::from_secs(dice.pick(&[0, 2, 20, 60]))
        } else {
            SignedDuration::ZERO
        };
        let renews = scenario.has(Mishap::TokenRenewed) && scenario.pair.0[NEW].tokens.is_some();
        let oauth = renews && seed.is_multiple_of(3);
        let day = if scenario.has(Mishap::DaySpent) && seed % 4 == 1 {
            u64::try_from(dice.between(560, 760)).ok()
        } else {
            None
        };
        let sandboxes = scene.sandboxes(seed, lag, day)?.map(|sandbox| Arc::new(Mutex::new(sandbox)));
        let society = Society::new((seed, scenario.pair), sandboxes, ahead, agenda(seed, scenario, start));
        Ok(Self {
            seed,
            scenario,
            scene,
            folder: folder()?,
            clock: Arc::new(VirtualClock::new(start)),
            society: Arc::new(Mutex::new(society)),
            pace: Arc::new(Mutex::new(Dice::new(seed, "pace"))),
            ahead,
            lag,
            oauth,
            dates: scenario.has(Mishap::Cohort).then(|| dates(seed, start)).flatten(),
            day,
            start,
            process: None,
            loaded: false,
            passes: Vec::new(),
            answered: Vec::new(),
            counted: Counted::default(),
            last: None,
            guard: Guarded::new(seed),
            is_quiet: false,
            telling: Dice::new(seed, "told"),
            workers: Dice::new(seed, "workers"),
            answering: Dice::new(seed, "answers"),
            wrong: Vec::new(),
        })
    }

    /// From now on things go wrong.
    fn begin_mishaps(&self) {
        for (side, sandbox) in lock(&self.society).sandboxes.iter().enumerate() {
            lock(sandbox).set_faults(mishaps::plan(self.seed, side, self.scenario, self.oauth));
        }
    }

    fn play(mut self) -> Result<Played, Broken> {
        if !self.seed.is_multiple_of(2) {
            self.begin_mishaps();
        }
        let mut dice = Dice::new(self.seed, "passes");
        for day in 0..self.scenario.days {
            for hour in [5, 9, 12, 16] {
                let at = self.start + SignedDuration::from_hours(i64::from(day) * 24 + hour) + dice.seconds(0, 5_000);
                self.people_until(at)?;
                if dice.chance(400) {
                    self.busy_moment(&mut dice);
                }
                if self.scenario.answers && hour == 16 && day % 3 == 2 {
                    self.answer();
                }
                if self.scenario.has(Mishap::Zombie) && self.workers.chance(20) {
                    self.succession()?;
                }
                let death = Death::draw(&mut dice, self.scenario);
                self.pass(death)?;
                if dice.chance(20) {
                    // Somebody restarts the machine.
                    self.process = None;
                }
            }
        }
        let end = self.start + SignedDuration::from_hours(i64::from(self.scenario.days) * 24 + 2);
        self.people_until(end)?;
        self.is_quiet = true;
        for sandbox in &lock(&self.society).sandboxes {
            lock(sandbox).set_faults(FaultPlan::default());
        }
        let quiet_since = self.clock.now();
        for _ in 0..QUIET.0 {
            self.people_until(self.clock.now() + SignedDuration::from_hours(QUIET.1))?;
            self.pass(Death::No)?;
        }
        self.process = None;
        self.end(quiet_since)
    }

    /// Somebody is at work while the pass that comes is.
    fn busy_moment(&self, dice: &mut Dice) {
        let mut society = lock(&self.society);
        let mut at = self.clock.now();
        for _ in 0..dice.between(1, 5) {
            at += SignedDuration::from_millis(dice.between(50, 2_500));
            let side = if dice.chance(700) { OLD } else { NEW };
            society.agenda.add(at, side, people::ordinary(dice, self.scenario, side), None);
        }
    }

    /// People work until then and webhooks come; of passes there are those that webhooks begin.
    fn people_until(&mut self, until: Timestamp) -> Result<(), Broken> {
        loop {
            let mut society = lock(&self.society);
            let next = society.agenda.next().into_iter().chain(society.post.next()).min();
            let Some(next) = next.filter(|next| *next <= until) else { break };
            let now = next.max(self.clock.now());
            self.clock.set(now);
            society.act_until(now);
            let letter = society.post.due(now);
            drop(society);
            if let Some(letter) = letter
                && self.deliver(letter)
                && self.telling.chance(TOLD)
            {
                self.told()?;
            }
        }
        self.clock.set(until.max(self.clock.now()));
        Ok(())
    }

    /// One pass, in the process that lives or in a new one.
    fn pass(&mut self, death: Death) -> Result<(), Broken> {
        let began = self.clock.now();
        let confirmed = self.guard.confirmed(&mut self.process);
        let ended = self.work(death, &confirmed)?;
        let whole = matches!(ended, Ended::Finished(_) | Ended::Guarded(_));
        let mut tripped = BTreeMap::new();
        self.counted.passes[usize::from(!whole)] += 1;
        match ended {
            Ended::Finished(report) => {
                self.loaded = true;
                self.last = Some(report);
            }
            Ended::Guarded(flows) => {
                self.loaded = true;
                self.last = None;
                tripped = flows;
            }
            Ended::Failed(error) => self.explain(&error),
            Ended::Died => self.died(death),
        }
        let entries = [OLD, NEW].map(|side| lock(&lock(&self.society).sandboxes[side]).journal().len());
        self.counted.guarded[0] += u64::from(!tripped.is_empty());
        self.counted.guarded[1] += u64::from(!confirmed.is_empty());
        self.guard.tells(&tripped, &confirmed, &mut self.process);
        self.passes.push(Span { began, ended: self.clock.now(), whole, entries, confirmed, tripped });
        Ok(())
    }

    fn place<'p>(&'p self, confirmed: &'p BTreeMap<String, u64>) -> Place<'p> {
        Place {
            scene: self.scene,
            dir: self.folder.path(),
            clock: &self.clock,
            society: &self.society,
            pace: &self.pace,
            ahead: self.ahead,
            oauth: self.oauth,
            dates: self.dates,
            ways: self.scenario.ways,
            planted: self.scenario.planted,
            confirmed,
        }
    }

    fn work(&mut self, death: Death, confirmed: &BTreeMap<String, u64>) -> Result<Ended, Broken> {
        let process = match self.process.take() {
            Some(process) => process,
            None => match Process::start(&self.place(confirmed), None)? {
                Ok(process) => process,
                Err(error) => return Ok(Ended::Failed(error)),
            },
        };
        // Half of the seeds load at one go and undisturbed, the others as things are.
        let calm = !self.loaded && self.seed.is_multiple_of(2);
        let ended = if calm { process.pass(&Selection::All, Death::No) } else { process.changes(death) };
        if calm {
            self.begin_mishaps();
        }
        self.process = Some(process);
        Ok(ended)
    }

    /// A pass may fail when a system does; everything else is a fault of ours.
    fn explain(&mut self, error: &handover_engine::Error) {
        use handover_engine::Error;
        let text = match error {
            // Some calls tell it as the system does.
            Error::System { fault, .. } | Error::DayIsSpent { fault, .. }
                if self.day.is_some() && fault.is_daily_limit() =>
            {
                *self.counted.mishaps.entry(Mishap::DaySpent).or_default() += 1;
                return;
            }
            Error::System { .. } | Error::DayIsSpent { .. } if !self.is_quiet => return,
            Error::Findings(found) => format!("{found:?}"),
            other => format!("{other}: {other:?}"),
        };
        self.wrong.push(format!("a pass stopped: {text}"));
    }

    fn end(mut self, quiet_since: Timestamp) -> Result<Played, Broken> {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
        let location = handover_store::Location::Sqlite(self.folder.path().join("state.db"));
        let rules = project::rules(&self.scene.places, self.scenario.ways, self.dates);
        let flows: Vec<&str> = rules.flows.iter().map(|flow| flow.name).collect();
        let claims = runtime.block_on(claims::read(&location, &flows, self.last.as_deref()))?;
        let society = lock(&self.society);
        let sandboxes = [OLD, NEW].map(|side| lock(&society.sandboxes[side]));
        let journals = [OLD, NEW].map(|side| sandboxes[side].journal().entries());
        let worlds = [OLD, NEW].map(|side| sandboxes[side].platform().world());
        self.wrong.extend(oracle::judge(&Case {
            rules: &rules,
            journals,
            worlds: [&worlds[OLD], &worlds[NEW]],
            ahead: self.ahead,
            lag: self.lag,
            passes: &self.passes,
            quiet_since,
            answered: &self.answered,
            claims: &claims,
        }));
        self.counted.deeds.clone_from(&society.done);
        self.counted.mishaps.extend(&society.post.counted);
        let counted = &mut self.counted;
        let tokens = self.scenario.pair.0[NEW].tokens;
        for entry in journals.into_iter().flatten() {
            let mishap = Mishap::ALL.into_iter().find(|mishap| entry.rule.as_deref() == Some(mishap.word()));
            let renewed = tokens == Some(entry.path.as_str()) && entry.status == Some(200);
            if let Some(mishap) = mishap.or(renewed.then_some(Mishap::TokenRenewed)) {
                *counted.mishaps.entry(mishap).or_default() += 1;
            }
            counted.written += if entry.method == "DISTURB" { 0 } else { entry.changes.len() as u64 };
        }
        for (mishap, is) in [
            (Mishap::SearchLag, !self.lag.is_zero()),
            (Mishap::Skew, self.ahead != [SignedDuration::ZERO; 2]),
            (Mishap::Cohort, self.dates.is_some()),
        ] {
            *counted.mishaps.entry(mishap).or_default() += u64::from(is);
        }
        for hold in &claims.held {
            *counted.held.entry(hold.cause.clone()).or_default() += 1;
        }
        if let Some(folder) = &self.scenario.dump {
            self.dump(folder, journals)?;
            let told = runtime.block_on(claims::told(&location))?;
            std::fs::write(folder.join(format!("{}-ledger.jsonl", self.seed)), told)?;
        }
        let mark = mark(journals);
        drop(sandboxes);
        drop(society);
        Ok(Played { seed: self.seed, wrong: self.wrong, counted: self.counted, mark })
    }
}

impl Weeks<'_> {
    /// Both journals, the passes and the state, for whoever wants to know what happened.
    fn dump(&self, folder: &Path, journals: [&[Entry]; 2]) -> Result<(), Broken> {
        std::fs::create_dir_all(folder)?;
        for (name, journal) in ["old", "new"].into_iter().zip(journals) {
            let lines = journal.iter().map(serde_json::to_string).collect::<Result<Vec<_>, _>>()?;
            std::fs::write(folder.join(format!("{}-{name}.jsonl", self.seed)), lines.join("\n"))?;
        }
        let passes: Vec<String> = self.passes.iter().map(|pass| format!("{pass:?}")).collect();
        std::fs::write(folder.join(format!("{}-passes.txt", self.seed)), passes.join("\n"))?;
        for end in ["", "-wal"].into_iter().filter(|end| self.folder.path().join(format!("state.db{end}")).exists()) {
            let to = folder.join(format!("{}-state.db{end}", self.seed));
            std::fs::copy(self.folder.path().join(format!("state.db{end}")), to)?;
        }
        Ok(())
    }
}

/// The days on which the cohort begins and moves; half of the seeds have none.
fn dates(seed: u64, start: Timestamp) -> Option<Dates> {
    let mut dice = Dice::new(seed, "cohort");
    if dice.chance(500) {
        return None;
    }
    // The first day is a midnight.
    let mut day = |from, to| start + SignedDuration::from_hours(24 * dice.between(from, to));
    Some(Dates { begins: day(4, 14), moves: day(18, 32) })
}

/// A hash of everything that happened in both systems.
fn mark(journals: [&[Entry]; 2]) -> String {
    let mut hasher = blake3::Hasher::new();
    for entry in journals.into_iter().flatten() {
        hasher.update(serde_json::to_string(entry).unwrap_or_default().as_bytes());
    }
    hasher.finalize().to_hex().as_str()[..16].to_owned()
}

/// A folder for the state; in memory where the machine has a place for that.
fn folder() -> std::io::Result<tempfile::TempDir> {
    let memory = PathBuf::from("/dev/shm");
    let mut builder = tempfile::Builder::new();
    builder.prefix("handover-simulation-");
    builder.tempdir_in(&memory).or_else(|_| builder.tempdir())
}
