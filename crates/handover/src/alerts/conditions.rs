//! What deserves an alert at the end of a pass.

use std::time::Duration;

use handover_engine::{Looked, Report};
use handover_model::{FlowName, SystemName, Weight};
use handover_store::Pass;
use jiff::Timestamp;
use jiff::civil::Date;
use jiff::tz::TimeZone;

use super::Alert;
use crate::cli::standing::Good;
use crate::config::Alerts;
use crate::problem::{Exit, Problem};

/// What is known when a pass is over.
pub(crate) struct Facts<'f> {
    pub(crate) now: Timestamp,
    /// The report and the number of records held, or why the pass failed.
    pub(crate) ended: Result<(&'f Report, u64), &'f [Problem]>,
    /// The flows of the project.
    pub(crate) flows: &'f [FlowName],
    /// What ends some day.
    pub(crate) ends: Vec<Ends>,
    /// Every pass of the state, this one too.
    pub(crate) passes: &'f [Pass],
    /// Of each system with a limit per day: what is left, and what is allowed.
    pub(crate) calls: Vec<(SystemName, u64, u64)>,
}

/// A token or a version of an API that ends.
pub(crate) struct Ends {
    pub(crate) system: SystemName,
    /// The version; none for the token.
    pub(crate) version: Option<&'static str>,
    /// The first day without it.
    pub(crate) on: Date,
}

/// What was found.
#[derive(Clone, Debug, Default)]
pub(crate) struct Judged {
    pub(crate) alerts: Vec<Alert>,
    pub(crate) scope: Scope,
}

/// What is known to be over when it is not found.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Scope {
    /// All that a pass tells: it came to its end.
    #[default]
    Whole,
    /// What also a pass tells that failed.
    Failed,
    /// Alerts whose keys begin like this, and nothing else.
    Only(&'static str),
}

impl Judged {
    /// Whether such an alert would have been found.
    pub(crate) fn knows(&self, key: &str) -> bool {
        match self.scope {
            Scope::Whole => !key.starts_with(UNTOLD),
            Scope::Failed => [FAILED, QUIET, CALLS, LAG, HANGS].iter().any(|known| key.starts_with(known)),
            Scope::Only(known) => key.starts_with(known),
        }
    }
}

const FAILED: &str = "failed:";
const QUIET: &str = "quiet";
const CALLS: &str = "calls:";
const LAG: &str = "lag:";
const HANGS: &str = "hangs";
const UNTOLD: &str = "untold:";

/// Fewer changes are never too many.
const FEW: u64 = 50;

/// So many passes tell what is usual.
const USUAL: usize = 20;

/// In fewer records a field may well become blank.
const FEW_BLANK: u64 = 20;

/// Everything that deserves an alert.
pub(crate) fn judge(facts: &Facts<'_>, alerts: &Alerts) -> Judged {
    let mut found = Vec::new();
    found.extend(quiet(facts, alerts));
    found.extend(facts.flows.iter().filter_map(|flow| lag(flow, facts, alerts)));
    found.extend(facts.calls.iter().filter_map(|(system, left, allowed)| calls(system, *left, *allowed, alerts)));
    match facts.ended {
        Err(problems) => found.extend(problems.iter().filter(|one| one.weight == Weight::Error).map(failed)),
        Ok((report, held)) => {
            found.extend(held_above(held, alerts));
            found.extend(volume(report, facts.passes, alerts));
            found.extend(blank(report, alerts));
            found.extend(report.stopped.iter().map(|flow| {
                let text = "The schemas changed so that it cannot work. Its records wait; the other flows go on.";
                alert(format!("stopped:{flow}"), format!("the flow {flow} is stopped"), text)
            }));
            found.extend(duplicates(report, facts.passes, alerts));
            found.extend(facts.ends.iter().filter_map(|ends| ending(ends, facts.now, alerts)));
            found.extend(report.looked.iter().filter_map(differs));
            found.extend(noticed(report));
        }
    }
    let mut once: Vec<Alert> = Vec::new();
    for one in found {
        if !once.iter().any(|have| have.key == one.key) {
            once.push(one);
        }
    }
    Judged { alerts: once, scope: if facts.ended.is_err() { Scope::Failed } else { Scope::Whole } }
}

/// What is told of a pass under way that has made no progress for so long.
pub(crate) fn hanging(idle: Duration) -> Judged {
    let text = format!(
        "It has had no answer of a system and written nothing for {} minutes. What it did is kept: end the process and \
         start it again, and the next pass goes on from there.",
        idle.as_secs() / 60
    );
    Judged { alerts: vec![alert(HANGS.to_owned(), "a pass hangs", text)], scope: Scope::Only(HANGS) }
}

/// What is told of systems that do not tell, at the project's address, so many kinds of changes which it waits for.
pub(crate) fn untold(systems: &[(SystemName, usize)]) -> Judged {
    let told = systems.iter().map(|(system, kinds)| {
        let text = format!(
            "{kinds} of what it should tell is registered nowhere: changes wait for the next pass that asks. `handover \
             webhooks register {system}` has them told."
        );
        alert(format!("{UNTOLD}{system}"), format!("webhooks of {system} are not registered"), text)
    });
    Judged { alerts: told.collect(), scope: Scope::Only(UNTOLD) }
}

fn alert(key: String, title: impl Into<String>, text: impl Into<String>) -> Alert {
    Alert { key, title: title.into(), text: text.into(), event: false }
}

fn failed(problem: &Problem) -> Alert {
    let title = match (problem.code.as_str(), problem.exit) {
        ("error_threshold", _) => "too many records could not be written",
        ("not_let_in" | "denied" | "no_credentials", _) => "a token is refused",
        (_, Exit::Guard) => "a guard stopped the pass",
        _ => "the pass failed",
    };
    let state = problem.state.as_deref().map(|state| format!("; {state}")).unwrap_or_default();
    // The causes may quote a system; the sentence is ours.
    alert(format!("{FAILED}{}", problem.code), title, format!("{} ({}){state}.", problem.message, problem.code))
}

/// No pass came to its end for too long, this one aside.
fn quiet(facts: &Facts<'_>, alerts: &Alerts) -> Option<Alert> {
    let this = facts.ended.ok().map(|(report, _)| report.pass);
    let ended = facts.passes.iter().filter(|pass| Some(pass.id) != this && is_finished(pass));
    let last = ended.filter_map(|pass| pass.ended).max()?;
    let silent = facts.now.duration_since(last);
    (silent > alerts.quiet).then(|| {
        let hours = silent.as_hours();
        alert(QUIET.to_owned(), "no pass came to its end for long", format!("The last one ended {hours} hours ago."))
    })
}

fn is_finished(pass: &Pass) -> bool {
    pass.status.as_deref() == Some("finished")
}

fn calls(system: &SystemName, left: u64, allowed: u64, alerts: &Alerts) -> Option<Alert> {
    #[expect(clippy::cast_precision_loss, reason = "both are far below 2^52")]
    let low = (left as f64) < allowed as f64 * alerts.calls_left;
    low.then(|| {
        let text = format!("{left} of {allowed} are left until the account's day ends. A pass that needs more waits.");
        alert(format!("{CALLS}{system}"), format!("the day's calls of {system} are nearly used up"), text)
    })
}

fn held_above(held: u64, alerts: &Alerts) -> Option<Alert> {
    let most = alerts.holds?;
    (held > most).then(|| {
        alert(
            "holds".to_owned(),
            "many records are held",
            format!("{held} records wait for an answer: `handover holds`."),
        )
    })
}

/// Many times as many changes as usual.
fn volume(report: &Report, passes: &[Pass], alerts: &Alerts) -> Option<Alert> {
    let changes = report.did.created + report.did.updated;
    let usual = passes.iter().rev().filter(|pass| pass.id != report.pass && pass.kind == "sync" && is_finished(pass));
    let number = |pass: &Pass| ["created", "updated"].iter().filter_map(|word| pass.note["did"][word].as_u64()).sum();
    let mut usual: Vec<u64> = usual.take(USUAL).map(number).collect();
    usual.sort_unstable();
    // Without a past there is nothing usual.
    let median = usual.get(usual.len() / 2).filter(|_| usual.len() >= 3)?;
    let most = alerts.volume.saturating_mul((*median).max(FEW / 10));
    (changes >= FEW && changes > most).then(|| {
        let text = format!("{changes} records were created or changed in one pass; {median} are usual.");
        alert("volume".to_owned(), "unusually many changes", text)
    })
}

/// The last pass that carried all changes of a flow began too long ago.
fn lag(flow: &FlowName, facts: &Facts<'_>, alerts: &Alerts) -> Option<Alert> {
    let lag = facts.now.duration_since(Good::last(facts.passes, flow)?.began);
    (lag > alerts.lag).then(|| {
        let text = format!("The last pass that carried all changes of {flow} began {} hours ago.", lag.as_hours());
        alert(format!("{LAG}{flow}"), format!("the flow {flow} lags behind"), text)
    })
}

/// Many records are held since the last pass because others are like them.
fn duplicates(report: &Report, passes: &[Pass], alerts: &Alerts) -> Option<Alert> {
    let mut counted = passes.iter().rev().filter(|pass| is_finished(pass));
    let number = |pass: &Pass| pass.note["duplicates"].as_u64();
    let now = counted.find(|pass| pass.id == report.pass).and_then(number)?;
    let more = now.saturating_sub(counted.find_map(number)?);
    (more >= alerts.duplicates).then(|| {
        let text = format!("{more} records more than before are held since others are like them: `handover holds`.");
        Alert { event: true, ..alert("duplicates".to_owned(), "duplicates appear", text) }
    })
}

/// A token or a version of an API is near its end.
fn ending(ends: &Ends, now: Timestamp, alerts: &Alerts) -> Option<Alert> {
    let Ends { system, version, on } = ends;
    let at = on.to_zoned(TimeZone::UTC).ok()?.timestamp();
    (at.duration_since(now) <= alerts.ends).then(|| match version {
        None => {
            let text = format!("The token of {system} ends on {on}: make a new one, and give it to the project.");
            alert(format!("token:{system}"), "a token is near its end", text)
        }
        Some(version) => {
            let text = format!(
                "The platform of {system} supports {version} until {on}. A newer release of this program may use another."
            );
            alert(format!("version:{system}:{version}"), "a version of an API is near its end", text)
        }
    })
}

/// Fields that became blank in most of what changed.
fn blank(report: &Report, alerts: &Alerts) -> Vec<Alert> {
    #[expect(clippy::cast_precision_loss, reason = "both are far below 2^52")]
    let most = |records: u64, of: u64| records as f64 > of as f64 * alerts.blank;
    let spikes = report.cleared.iter().filter(|one| one.records >= FEW_BLANK && most(one.records, one.of));
    let told = spikes.map(|one| {
        let text =
            format!("`{}` of {} became blank in {} of {} changed records.", one.field, one.flow, one.records, one.of);
        alert(format!("blank:{}.{}", one.flow, one.field), "a field became blank in many records", text)
    });
    told.collect()
}

/// Pairs of a flow differ although passes had the time to carry what was changed.
fn differs(looked: &Looked) -> Option<Alert> {
    let number: u64 = looked.open.values().sum();
    (number > 0).then(|| {
        let fields: Vec<String> = looked.open.keys().map(|field| format!("`{field}`")).collect();
        let text =
            format!("{number} in {}: {}. `handover status --json` names the records.", looked.flow, fields.join(", "));
        alert(format!("differs:{}", looked.flow), "both systems differ where they should not", text)
    })
}

/// What the pass noticed: schemas that changed, clocks that were set.
fn noticed(report: &Report) -> Vec<Alert> {
    let told = report.findings.iter().filter(|finding| finding.weight == Weight::Warning).map(|finding| {
        let hash = blake3::hash(finding.message.as_bytes()).to_hex();
        let key = format!("noticed:{}:{}", finding.code, &hash.as_str()[..12]);
        let hint = finding.hint.as_deref().map(|hint| format!(" ({hint})")).unwrap_or_default();
        Alert { event: true, ..alert(key, "a system is not what it was", format!("{}{hint}.", finding.message)) }
    });
    told.collect()
}

/// The calls of systems with a limit per day, as far as they were used.
pub(crate) fn calls_of(
    spent: impl Iterator<Item = (SystemName, handover_connect::Spent)>,
) -> Vec<(SystemName, u64, u64)> {
    spent.filter_map(|(name, spent)| Some((name, spent.left_today?, spent.allowed_today?))).collect()
}

#[cfg(test)]
mod tests {
    use handover_engine::{Cleared, LinksDone, Looked, Report};
    use handover_model::Counts;
    use handover_store::Pass;
    use jiff::tz::TimeZone;
    use jiff::{SignedDuration, Timestamp};
    use serde_json::json;

    use super::{Ends, Facts, judge};
    use crate::config::Alerts;
    use crate::problem::{Exit, Problem};

    fn at(hours: i64) -> Timestamp {
        Timestamp::from_second(1_800_000_000 + hours * 3_600).unwrap()
    }

    fn alerts() -> Alerts {
        Alerts {
            webhook: None,
            email: None,
            silence: SignedDuration::from_hours(4),
            quiet: SignedDuration::from_hours(24),
            lag: SignedDuration::from_hours(6),
            duplicates: 5,
            ends: SignedDuration::from_hours(24),
            holds: Some(10),
            volume: 10,
            blank: 0.5,
            calls_left: 0.1,
        }
    }

    fn passes(changes: &[u64]) -> Vec<Pass> {
        let pass = |(id, changes): (usize, &u64)| Pass {
            id: id as i64 + 1,
            kind: "sync".to_owned(),
            began: at(id as i64),
            ended: Some(at(id as i64)),
            status: Some("finished".to_owned()),
            snapshot: String::new(),
            note: json!({"did": {"created": 0, "updated": changes}}),
        };
        changes.iter().enumerate().map(pass).collect()
    }

    fn report(updated: u64) -> Report {
        Report {
            pass: 100,
            objects: Vec::new(),
            did: Counts { updated, ..Counts::default() },
            links: LinksDone::default(),
            late: std::collections::BTreeMap::new(),
            adopted: std::collections::BTreeMap::new(),
            flipped: std::collections::BTreeMap::new(),
            links_waiting: 0,
            findings: Vec::new(),
            stopped: Vec::new(),
            vanishings: handover_engine::Vanishings::default(),
            cleared: Vec::new(),
            looked: Vec::new(),
        }
    }

    /// A token and a version that end on the fourth day after the first pass.
    fn ends() -> Vec<Ends> {
        let on = at(96).to_zoned(TimeZone::UTC).date();
        [None, Some("/v4")].map(|version| Ends { system: "new".into(), version, on }).into()
    }

    fn keys(now: i64, ended: Result<(&Report, u64), &[Problem]>, passes: &[Pass], left: u64) -> Vec<String> {
        let flows = ["persons".into()];
        let calls = vec![("old".into(), left, 1_000)];
        let facts = Facts { now: at(now), flows: &flows, ends: ends(), ended, passes, calls };
        judge(&facts, &alerts()).alerts.into_iter().map(|alert| alert.key).collect()
    }

    #[test]
    fn what_deserves_an_alert() {
        let usual = passes(&[3, 0, 900, 4, 5]);
        let none: Vec<String> = Vec::new();
        let fine = report(12);
        assert_eq!(keys(5, Ok((&fine, 10)), &usual, 100), none);
        assert_eq!(keys(5, Ok((&fine, 11)), &usual, 100), ["holds"]);
        assert_eq!(keys(5, Ok((&fine, 0)), &usual, 99), ["calls:old"]);
        assert_eq!(keys(29, Ok((&fine, 0)), &usual, 100), ["quiet"]);
        assert_eq!(keys(5, Ok((&report(50), 0)), &usual, 100), none, "ten times what is usual");
        assert_eq!(keys(5, Ok((&report(51), 0)), &usual, 100), ["volume"]);
        assert_eq!(keys(5, Ok((&report(51), 0)), &usual[..2], 100), none, "nothing is usual yet");
        let cleared = |records, of| Report {
            cleared: vec![Cleared { flow: "persons".into(), field: "phone".into(), records, of }],
            ..report(12)
        };
        assert_eq!(keys(5, Ok((&cleared(20, 39), 0)), &usual, 100), ["blank:persons.phone"]);
        assert_eq!(keys(5, Ok((&cleared(20, 40), 0)), &usual, 100), none);
        assert_eq!(keys(5, Ok((&cleared(19, 19), 0)), &usual, 100), none);
        let looked = |open: &[(&str, u64)]| {
            let open = open.iter().map(|(field, number)| ((*field).to_owned(), *number)).collect();
            let looked = Looked { flow: "persons".into(), pairs: 9, counted: 0, over: 0, sent: 0, open };
            Report { looked: vec![looked], ..report(0) }
        };
        assert_eq!(keys(5, Ok((&looked(&[]), 0)), &usual, 100), none);
        assert_eq!(keys(5, Ok((&looked(&[("phone", 2)]), 0)), &usual, 100), ["differs:persons"]);
        let mut all = passes(&[3, 0, 4]);
        all[2].note["flows"] = json!(["persons"]);
        assert_eq!(keys(8, Ok((&fine, 0)), &all, 100), none);
        assert_eq!(keys(9, Ok((&fine, 0)), &all, 100), ["lag:persons"], "it began seven hours ago");
        (all[0].note["duplicates"], all[2].note["duplicates"], all[2].id) = (json!(4), json!(8), 100);
        assert_eq!(keys(3, Ok((&fine, 0)), &all, 100), none);
        all[2].note["duplicates"] = json!(9);
        assert_eq!(keys(3, Ok((&fine, 0)), &all, 100), ["duplicates"]);
        all[0].note["duplicates"] = json!(null);
        assert_eq!(keys(3, Ok((&fine, 0)), &all, 100), none, "nothing is known of before");
        // The days begin at midnight, the first pass did not.
        let late = passes(&[3; 96]);
        assert_eq!(keys(48, Ok((&fine, 0)), &late, 100), none);
        assert_eq!(keys(95, Ok((&fine, 0)), &late, 100), ["token:new", "version:new:/v4"]);
        let stopped = Report { stopped: vec!["deals".into()], ..report(0) };
        assert_eq!(keys(5, Ok((&stopped, 0)), &usual, 100), ["stopped:deals"]);
        let problem = |code| Problem::new(code, "a sentence").exit(Exit::Guard).cause("what somebody else said");
        let failed = [problem("day_is_spent"), problem("day_is_spent"), problem("not_let_in")];
        assert_eq!(keys(5, Err(&failed), &usual, 100), ["failed:day_is_spent", "failed:not_let_in"]);
        let facts =
            Facts { now: at(5), flows: &[], ends: ends(), ended: Err(&failed), passes: &usual, calls: Vec::new() };
        let judged = judge(&facts, &alerts());
        assert!(judged.alerts.iter().all(|alert| !alert.text.contains("somebody else")));
        assert!(judged.knows("failed:other") && !judged.knows("volume"), "only a whole pass tells of its volume");
    }
}
