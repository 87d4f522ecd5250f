//! Ten days of both systems in use: what people do on either side, and what each day's passes make of it.

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use handover_engine::{Report, Selection};
use handover_model::{Answer, Cause, Outcome};
use handover_store::{HoldFilter, Store};
use jiff::Timestamp;
use jiff::civil::Date;
use jiff::tz::TimeZone;
use serde_json::{Value as Json, json};

use super::deeds::{Cast, Deed, NEW, OLD, Pair, Place, Platform};
use super::{chapter, verify_it};
use crate::cli::output::plural;
use crate::cli::session::Session;
use crate::cli::{Global, Output, holds, queue, run, sync};
use crate::problem::Problem;

/// How many people are deleted by mistake: more than the guard lets through in a company of any size.
const SWEPT: usize = 21;
/// How many records of people the days need.
const PEOPLE: usize = SWEPT + 6;

/// The ten days, told as they pass; gives them as JSON.
pub(super) async fn ten_days(
    session: &mut Session,
    global: &Global,
    dir: &Path,
    output: &Output,
) -> Result<Json, Vec<Problem>> {
    chapter(output, 6, "ten days: both systems in use, a pass at noon and one in the evening");
    let people = open_both_ways(session, dir)?;
    output.say(&format!(
        "Every mapping says `direction: both_ways` now, mappings/{people} says `deletes: archive` besides, and\n\
         handover.yaml says `sweep: 36h`: so old a list of all records may get, for what no list of changes tells.\n\
         Nothing else is set up: the pairs, and what each side said last, are there since the load."
    ));
    session.read_anew(&global.project)?;
    let store = session.store().await?;
    let told = play(session, &store, global, output).await;
    let mut told = Session::closed(store, told).await?;
    chapter(output, 7, "verify: after ten days, both systems read anew, everything compared");
    told["verify"] = verify_it(session, global, dir, output).await?;
    Ok(told)
}

/// Lets every flow carry both ways, and the deletion of a person go into the new system's bin; gives the name of the
/// mapping that says so.
fn open_both_ways(session: &Session, dir: &Path) -> Result<String, Vec<Problem>> {
    let mappings = dir.join("mappings");
    let problem = |error: &std::io::Error| {
        vec![Problem::new("demo", format!("the project in {} cannot be changed", dir.display())).because(error)]
    };
    let people = format!("{}.yaml", Platform::of(session, OLD).people());
    for entry in std::fs::read_dir(&mappings).map_err(|error| problem(&error))? {
        let path = entry.map_err(|error| problem(&error))?.path();
        let text = std::fs::read_to_string(&path).map_err(|error| problem(&error))?;
        let removals = if path.ends_with(&people) { "\ndeletes: archive" } else { "" };
        let text = text.replace("\ndirection: one_way", &format!("{removals}\ndirection: both_ways"));
        std::fs::write(&path, text).map_err(|error| problem(&error))?;
    }
    let project = dir.join("handover.yaml");
    let text = std::fs::read_to_string(&project).map_err(|error| problem(&error))?;
    let text = text.replace("\npolicies:\n", "\npolicies:\n  sweep: 36h  # how old a list of all records may get\n");
    std::fs::write(&project, text).map_err(|error| problem(&error))?;
    Ok(people)
}

/// A day of the parallel period.
struct Day {
    title: &'static str,
    deeds: Vec<Deed>,
    /// A record that is held, and what somebody answers: as it is typed, and as it is meant.
    answer: Option<(Pair, &'static str, Answer)>,
}

impl Day {
    fn of(title: &'static str, deeds: Vec<Deed>) -> Self {
        Self { title, deeds, answer: None }
    }

    fn answering(title: &'static str, held: &Pair, typed: &'static str, answer: Answer) -> Self {
        Self { title, deeds: Vec::new(), answer: Some((held.clone(), typed, answer)) }
    }
}

/// People go on as they did.
fn old_habits(old: Place, rep: &Pair) -> Day {
    let lacks = old.platform.lacks();
    Day::of(
        "habits die hard",
        vec![
            Deed::new(
                OLD,
                format!("the browser still completes the old address: a rep corrects the phone number of {rep}"),
                vec![old.phone(rep, "+49 40 5550 1101")],
            ),
            Deed::new(
                OLD,
                format!("a form that everybody forgot sends three people, one of them without {lacks}"),
                vec![
                    old.receives(["Ilse", "Petersen", "ilse.petersen@werft-kiel.example"]),
                    old.receives(["Tomasz", "Nowak", "t.nowak@okna-gdansk.example"]),
                    old.receives(["Jo", "Smith", "n/a"]),
                ],
            ),
        ],
    )
}

/// Two people speak with the same customers.
fn one_customer(cast: &Cast, cem: &Pair, dora: &Pair) -> Day {
    let (old, new) = (cast.old, cast.new);
    Day::of(
        "two people, one customer",
        vec![
            Deed::new(OLD, format!("{cem} has a new phone number"), vec![old.phone(cem, "+49 40 5550 1103")]),
            Deed::new(
                NEW,
                format!("{cem} has another surname"),
                vec![new.surname(cem, &cast.first_name, "Aydin-Meyer")],
            ),
            Deed::new(OLD, format!("{dora} has a new phone number"), vec![old.phone(dora, "+49 40 5550 1104")]),
            Deed::new(NEW, format!("{dora} has another one here"), vec![new.phone(dora, "+49 40 5550 9904")]),
        ],
    )
}

/// What happens on each day.
fn script(cast: &Cast) -> Vec<Day> {
    let [ana, ben, cem, dora, twin, twice, swept @ ..] = cast.people.as_slice() else { return Vec::new() };
    let (old, new) = (cast.old, cast.new);
    let ([deal, won], [_, firm]) = (&cast.deals, &cast.organizations);
    let (many, shows) = (plural(swept.len() as u64, "person"), old.platform.shows_a_merge());
    let moved = old.hands_over(deal, cast.belongs_to.as_ref(), firm);
    vec![
        old_habits(old, ana),
        Day::of(
            "the first team works in the new system",
            vec![
                Deed::new(NEW, format!("the deal of {won} is worth more"), vec![new.amount(won, 48_500)]),
                Deed::new(NEW, format!("{ben} has a new phone number"), vec![new.phone(ben, "+49 40 5550 1102")]),
            ],
        ),
        one_customer(cast, cem, dora),
        Day::answering("somebody decides", dora, "--take target", holds::taken("target")),
        Day::of("a deal changes hands", vec![Deed::new(OLD, format!("{deal} belongs to {firm} now"), moved)]),
        Day::of(
            "somebody tidies up",
            vec![Deed::new(OLD, format!("{twice} is merged into {twin}; {shows}"), vec![old.merges(twice, twin)])],
        ),
        Day::answering("the question is answered", twice, "--merge", Answer::Merge),
        Day::of(
            "select all, delete",
            vec![Deed::new(
                OLD,
                format!("{many} are deleted by mistake"),
                swept.iter().map(|who| old.deletes(who)).collect(),
            )],
        ),
        Day::of(
            "the mistake is noticed",
            vec![Deed::new(
                OLD,
                "they are brought back",
                swept.iter().flat_map(|who| old.restores(who, &cast.hung)).collect(),
            )],
        ),
        Day::of("nobody does anything", Vec::new()),
    ]
}

async fn play(session: &Session, store: &Store, global: &Global, output: &Output) -> Result<Json, Vec<Problem>> {
    let script = script(&Cast::of(session, store, PEOPLE).await?);
    let (stop, today) = (run::stop_on_request(output), session.clock.now().to_zoned(TimeZone::UTC).date());
    let mut days = Days { session, store, global, output, stop, today };
    let mut told = Vec::new();
    for (number, day) in (1..).zip(script) {
        told.push(days.pass_by(number, day).await?);
    }
    Ok(json!({"days": told}))
}

/// The days as they pass.
struct Days<'a> {
    session: &'a Session,
    store: &'a Store,
    global: &'a Global,
    output: &'a Output,
    stop: Arc<AtomicBool>,
    today: Date,
}

impl Days<'_> {
    async fn pass_by(&mut self, number: usize, day: Day) -> Result<Json, Vec<Problem>> {
        let Day { title, deeds, answer } = day;
        self.today = self.today.tomorrow().unwrap_or(self.today);
        self.output.say(&format!("\nDay {number}, {title}"));
        let morning = self.until(9).await;
        for deed in &deeds {
            self.output.say(&format!("  {}: {}", deed.system, deed.says));
            deed.happen(self.session, morning);
        }
        self.until(12).await;
        let noon = self.pass("noon").await?;
        self.until(14).await;
        let answered = match &answer {
            Some((held, typed, answer)) => self.answer(held, typed, answer).await?,
            None => Vec::new(),
        };
        self.until(18).await;
        let passes = [noon, self.pass("evening").await?];
        let deeds: Vec<Json> = deeds.iter().map(|deed| json!({"system": deed.system, "deed": deed.says})).collect();
        Ok(json!({"day": number, "title": title, "deeds": deeds, "answered": answered, "passes": passes}))
    }

    /// Lets it be this hour of today.
    async fn until(&self, hour: i8) -> Timestamp {
        let then = self.today.at(hour, 0, 0, 0).to_zoned(TimeZone::UTC).map(|then| then.timestamp());
        self.session.clock.sleep_until(then.unwrap_or_else(|_| self.session.clock.now())).await;
        self.session.clock.now()
    }

    /// Somebody answers what is held of a record.
    async fn answer(&self, held: &Pair, typed: &str, answer: &Answer) -> Result<Vec<String>, Vec<Problem>> {
        let filter =
            HoldFilter { flow: Some(held.object.into()), record: Some(held.old.clone()), ..HoldFilter::default() };
        let rows = queue::rows(self.store, &filter).await?;
        let mut said = Vec::new();
        for (row, _) in &rows {
            said.push(row.hold.cause.sentence());
            self.output.say(&format!("  held: {held}, {}", row.hold.cause.sentence()));
            if let (Cause::Conflict { there, .. }, Some(here)) = (&row.hold.cause, &row.hold.value) {
                self.output.say(&format!("        {OLD}: {}; {NEW}: {}", here.display(), there.display()));
            }
        }
        self.output.say(&format!("  answered: handover holds answer {held} {typed}"));
        let by = "answered by the demo".to_owned();
        let given = rows.into_iter().map(|(row, _)| (row, answer.clone(), by.clone())).collect();
        let (store, by) = (self.store.clone(), "demo".to_owned());
        let done = holds::carry_answers(self.session, self.global, store, given, by, false, self.output).await?;
        if let Some(report) = &done.report {
            self.output.say(&format!("  at once: {}", did(report)));
        }
        Ok(said)
    }

    /// A pass, told in a line or two; one that the guard stops is told as well.
    async fn pass(&self, when: &str) -> Result<Json, Vec<Problem>> {
        let before = self.calls();
        let (session, store, output) = (self.session, self.store, self.output);
        let done = run::work(session, store, output, ("sync", &Selection::Changes, &|_| {}), self.stop.clone()).await;
        let done = session.spent(store, done).await;
        let calls = self.calls() - before;
        match done {
            Ok(report) => {
                output.say(&format!("  {when}: {} ({})", did(&report), plural(calls, "call")));
                Ok(
                    json!({"when": when, "did": report.did, "links": report.links, "vanished": report.vanishings, "calls": calls, "guard": null}),
                )
            }
            Err(problems) if problems.iter().all(|problem| problem.code == "delete_guard") => {
                let why: Vec<&str> = problems.iter().map(|problem| problem.message.as_str()).collect();
                output.say(&format!("  {when}: stopped by the guard: {} ({})", why.join("; "), plural(calls, "call")));
                Ok(json!({"when": when, "did": null, "vanished": null, "calls": calls, "guard": why}))
            }
            Err(problems) => Err(problems),
        }
    }

    fn calls(&self) -> u64 {
        self.session.systems.values().map(|system| system.spent().calls).sum()
    }
}

/// What a pass did, in words.
fn did(report: &Report) -> String {
    let did = |outcome| (report.did.of(outcome), outcome.word());
    let mut parts = vec![
        ("", sync::numbered(&[Outcome::Created, Outcome::Updated, Outcome::Merged, Outcome::Held].map(did))),
        ("links: ", sync::links(report.links)),
        ("vanished records: ", sync::vanished(&report.vanishings)),
    ];
    parts.retain(|(_, done)| !done.is_empty());
    if parts.is_empty() {
        return "nothing to do, nothing written".to_owned();
    }
    let parts: Vec<String> = parts.into_iter().map(|(what, done)| format!("{what}{}", done.join(", "))).collect();
    parts.join("; ")
}
