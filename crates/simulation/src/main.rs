//! `handover-simulation [--from PLATFORM] [--to PLATFORM] [--seeds N] [--first SEED] [--days N] [--both-ways] [--with old:DEED|new:DEED] [--without MISHAP|old:DEED|new:DEED] [--planted NAME] [--dump FOLDER]`: many seeds, and what they found. Started by
//! `cargo xtask simulate`, which builds it optimised.

use std::io::Write as _;
use std::process::ExitCode;
use std::str::FromStr;

use handover_simulation::oracle::Ways;
use handover_simulation::{Counted, Deed, Mishap, Planted, Played, Scenario, play_all};

const USAGE: &str = "usage: handover-simulation [--from PLATFORM] [--to PLATFORM] [--seeds N] [--first SEED] [--days N] [--both-ways] [--with old:DEED|new:DEED] [--without MISHAP|old:DEED|new:DEED] [--planted NAME] [--dump FOLDER]";

/// What was asked for.
struct Wanted {
    seeds: u64,
    first: u64,
    scenario: Scenario,
}

fn main() -> ExitCode {
    let wanted = match wanted(std::env::args().skip(1)) {
        Ok(wanted) => wanted,
        Err(why) => {
            drop(writeln!(std::io::stderr().lock(), "{why}\n{USAGE}"));
            return ExitCode::FAILURE;
        }
    };
    let seeds: Vec<u64> = (wanted.first..wanted.first.saturating_add(wanted.seeds)).collect();
    let mut totals = Totals::default();
    let mut out = std::io::stdout().lock();
    for some in seeds.chunks(200) {
        for played in play_all(some, &wanted.scenario) {
            if !played.wrong.is_empty() {
                drop(writeln!(
                    out,
                    "seed {} (replay: cargo xtask simulate {} --seeds 1 --first {0}):",
                    played.seed,
                    wanted.pair()
                ));
                played.wrong.iter().for_each(|wrong| drop(writeln!(out, "    {wrong}")));
            }
            totals.add(&played);
        }
        drop(writeln!(out, "{} seeds, {} wrong", totals.seeds, totals.wrong));
    }
    drop(write!(out, "{}", totals.shown()));
    let missing = totals.missing(&wanted.scenario);
    missing.iter().for_each(|missing| drop(writeln!(out, "never happened: {missing}")));
    if totals.wrong == 0 && (missing.is_empty() || wanted.seeds < 20) { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

fn wanted(words: impl Iterator<Item = String>) -> Result<Wanted, String> {
    let mut wanted = Wanted { seeds: 200, first: 1, scenario: Scenario::default() };
    let [mut old, mut new] = wanted.scenario.pair.names().map(str::to_owned);
    let mut words = words;
    while let Some(word) = words.next() {
        if word == "--both-ways" {
            wanted.scenario = wanted.scenario.both_ways();
            continue;
        }
        let value = words.next().ok_or_else(|| format!("{word} wants a value"))?;
        match word.as_str() {
            "--seeds" => wanted.seeds = number(&value)?,
            "--first" => wanted.first = number(&value)?,
            "--days" => wanted.scenario.days = i32::from_str(&value).map_err(|_| format!("{value} is no number"))?,
            "--from" => old = value,
            "--to" => new = value,
            "--dump" => wanted.scenario.dump = Some(value.into()),
            "--with" => {
                let (side, deed) = deed(&value)?;
                wanted.scenario = wanted.scenario.with(side, deed);
            }
            "--without" if value.contains(':') => {
                let (side, deed) = deed(&value)?;
                wanted.scenario = wanted.scenario.never(side, deed);
            }
            "--without" => {
                let mishap = Mishap::ALL.into_iter().find(|mishap| mishap.word() == value);
                wanted.scenario = wanted.scenario.without(mishap.ok_or_else(|| format!("{value} never happens"))?);
            }
            "--planted" => {
                let named = Planted::ALL.into_iter().find(|planted| format!("{planted:?}") == value);
                wanted.scenario.planted = named.ok_or_else(|| format!("{value} is not planted"))?;
            }
            _ => return Err(format!("{word} is not known")),
        }
    }
    wanted.scenario = wanted.scenario.between(&old, &new)?;
    Ok(wanted)
}

/// What is done on which side: `old:DEED`, `new:DEED`.
fn deed(text: &str) -> Result<(usize, Deed), String> {
    let (side, word) = text.split_once(':').ok_or_else(|| format!("{text} is not old:... or new:..."))?;
    let deed = Deed::ALL.into_iter().find(|deed| deed.word() == word);
    Ok((usize::from(side != "old"), deed.ok_or_else(|| format!("nobody does {word}"))?))
}

impl Wanted {
    /// The words that name what is played.
    fn pair(&self) -> String {
        let [old, new] = self.scenario.pair.names();
        let ways = if self.scenario.ways == Ways::Both { " --both-ways" } else { "" };
        format!("--from {old} --to {new} --days {}{ways}", self.scenario.days)
    }
}

fn number(text: &str) -> Result<u64, String> {
    u64::from_str(text).map_err(|_| format!("{text} is no number"))
}

/// Sums over all seeds.
#[derive(Default)]
struct Totals {
    seeds: u64,
    wrong: u64,
    counted: Counted,
}

impl Totals {
    fn add(&mut self, played: &Played) {
        self.seeds += 1;
        self.wrong += u64::from(!played.wrong.is_empty());
        self.counted.add(&played.counted);
    }

    fn shown(&self) -> String {
        let mut text = format!(
            "{} passes finished, {} did not, {} over what was told; {} were guarded, {} let through; {} changes written\n",
            self.counted.passes[0],
            self.counted.passes[1],
            self.counted.told,
            self.counted.guarded[0],
            self.counted.guarded[1],
            self.counted.written
        );
        for (side, name) in ["old", "new"].into_iter().enumerate() {
            let deeds = self.counted.deeds.iter().filter(|((at, _), _)| *at == side);
            let deeds: Vec<String> = deeds.map(|((_, deed), n)| format!("{} {n}", deed.word())).collect();
            text += &format!("{name}: {}\n", deeds.join(", "));
        }
        let mishaps: Vec<String> =
            self.counted.mishaps.iter().map(|(mishap, n)| format!("{} {n}", mishap.word())).collect();
        let held: Vec<String> = self.counted.held.iter().map(|(cause, n)| format!("{cause} {n}")).collect();
        let said: Vec<String> = self.counted.answers.iter().map(|(word, n)| format!("{word} {n}")).collect();
        text + &format!(
            "went wrong: {}\nheld: {}\nanswered: {}\n",
            mishaps.join(", "),
            held.join(", "),
            said.join(", ")
        )
    }

    /// What is switched on and never happened.
    fn missing(&self, scenario: &Scenario) -> Vec<String> {
        scenario.missing(&self.counted)
    }
}
