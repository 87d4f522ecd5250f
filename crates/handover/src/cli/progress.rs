//! Progress on standard error: rate, remaining time, held records, calls left; without a terminal a line now and then.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use handover_connect::Connector;
use handover_engine::{Event, Observer};
use handover_model::SystemName;
use indicatif::{ProgressBar, ProgressState, ProgressStyle};
use tokio::task::AbortHandle;

use super::output::{count, remark};

/// How progress is told.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Telling {
    /// A bar that is drawn again and again: somebody looks at a terminal.
    Bar,
    /// A line now and then, for logs.
    Lines,
    Nothing,
}

/// How often a line is told.
const EVERY: Duration = Duration::from_secs(30);

/// Tells what is going on.
pub(crate) struct Progress {
    face: Face,
    systems: BTreeMap<SystemName, Arc<dyn Connector>>,
}

enum Face {
    Bar(Mutex<Option<(String, ProgressBar)>>),
    /// What is going on now, and who tells it.
    Lines(Arc<Mutex<Option<Now>>>, AbortHandle),
}

/// What is going on.
struct Now {
    label: String,
    done: u64,
    total: Option<u64>,
    note: String,
}

impl Now {
    /// As a line of a log: `moving persons: 1,200 of 4,200, 3 held`.
    fn line(&self) -> String {
        let of = self.total.map(|total| format!(" of {}", count(total))).unwrap_or_default();
        let note = if self.note.is_empty() { String::new() } else { format!(", {}", self.note) };
        format!("{}: {}{of}{note}", self.label, count(self.done))
    }
}

impl Progress {
    /// Progress as it is to be told.
    pub(crate) fn watch(telling: Telling, systems: &BTreeMap<SystemName, Arc<dyn Connector>>) -> Arc<dyn Observer> {
        let face = match telling {
            Telling::Nothing => return Arc::new(handover_engine::Unobserved),
            Telling::Bar => Face::Bar(Mutex::new(None)),
            Telling::Lines => {
                let now = Arc::new(Mutex::new(None));
                // What waits for a limit tells nothing by itself.
                let teller = tokio::spawn(tell_now_and_then(now.clone()));
                Face::Lines(now, teller.abort_handle())
            }
        };
        Arc::new(Self { face, systems: systems.clone() })
    }

    fn tell(&self, label: &str, done: u64, total: Option<u64>, note: &str) {
        match &self.face {
            Face::Bar(bar) => draw(bar, label, done, total, note),
            Face::Lines(now, _) => {
                let told = Now { label: label.to_owned(), done, total, note: note.to_owned() };
                *now.lock().unwrap_or_else(PoisonError::into_inner) = Some(told);
            }
        }
    }

    fn calls_left(&self) -> String {
        self.systems
            .iter()
            .filter_map(|(name, system)| {
                Some(format!("{name}: {} calls left today", count(system.spent().left_today?)))
            })
            .collect::<Vec<_>>()
            .join(", ")
    }
}

async fn tell_now_and_then(now: Arc<Mutex<Option<Now>>>) {
    loop {
        tokio::time::sleep(EVERY).await;
        let line = now.lock().unwrap_or_else(PoisonError::into_inner).as_ref().map(Now::line);
        line.iter().for_each(|line| remark(line));
    }
}

fn draw(bar: &Mutex<Option<(String, ProgressBar)>>, label: &str, done: u64, total: Option<u64>, note: &str) {
    let mut slot = bar.lock().unwrap_or_else(PoisonError::into_inner);
    if slot.as_ref().is_none_or(|(have, _)| have != label) {
        if let Some((_, bar)) = slot.take() {
            bar.finish_and_clear();
        }
        let bar = match total {
            Some(total) => ProgressBar::new(total)
                .with_style(style("{msg:28} {bar:24} {human_pos}/{human_len} {rate:>8} {eta:>5} left  {prefix}")),
            None => ProgressBar::new_spinner().with_style(style("{msg:28} {human_pos} {rate:>8}  {prefix}")),
        };
        bar.set_message(label.to_owned());
        *slot = Some((label.to_owned(), bar));
    }
    if let Some((_, bar)) = slot.as_ref() {
        bar.set_position(done);
        bar.set_prefix(note.to_owned());
        if total == Some(done) {
            bar.finish_and_clear();
        }
    }
}

fn style(template: &str) -> ProgressStyle {
    ProgressStyle::with_template(template).unwrap_or_else(|_| ProgressStyle::default_bar()).with_key("rate", rate)
}

/// Whole records a second; nothing while it would be a guess.
fn rate(state: &ProgressState, line: &mut dyn std::fmt::Write) {
    if state.elapsed() >= Duration::from_secs(1) {
        write!(line, "{:.0}/s", state.per_sec()).unwrap_or_default();
    }
}

impl Observer for Progress {
    fn on(&self, event: Event) {
        match event {
            Event::Reading { system, object, records, told, complete } => {
                let total = told.or(complete.then_some(records));
                self.tell(&format!("reading {system}.{object}"), records, total, &self.calls_left());
            }
            Event::Working { flow, done, total, held } => {
                let parts = [format!("{} held", count(held)), self.calls_left()];
                let note = parts.into_iter().filter(|part| !part.is_empty()).collect::<Vec<_>>().join(", ");
                self.tell(&format!("moving {flow}"), done, Some(total), &note);
            }
            Event::Linking { done } => self.tell("linking", done, None, &self.calls_left()),
            Event::LookingUp { flow, writes } => {
                self.tell(&format!("looking up {flow}"), 0, Some(writes), "answers were lost");
            }
        }
    }
}

impl Drop for Progress {
    fn drop(&mut self) {
        match &mut self.face {
            Face::Bar(bar) => {
                let slot = bar.get_mut().unwrap_or_else(PoisonError::into_inner);
                if let Some((_, bar)) = slot.take() {
                    bar.finish_and_clear();
                }
            }
            Face::Lines(_, teller) => teller.abort(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn told(telling: &Progress) -> Option<String> {
        let Face::Lines(now, _) = &telling.face else { return None };
        now.lock().unwrap_or_else(PoisonError::into_inner).as_ref().map(Now::line)
    }

    #[tokio::test]
    async fn a_log_is_told_what_is_going_on() {
        let now = Arc::new(Mutex::new(None));
        let teller = tokio::spawn(tell_now_and_then(now.clone())).abort_handle();
        let progress = Progress { face: Face::Lines(now, teller), systems: BTreeMap::new() };
        assert_eq!(told(&progress), None);
        progress.on(Event::Working { flow: "persons".into(), done: 1_200, total: 4_200, held: 3 });
        assert_eq!(told(&progress).as_deref(), Some("moving persons: 1,200 of 4,200, 3 held"));
        progress.on(Event::Linking { done: 7 });
        assert_eq!(told(&progress).as_deref(), Some("linking: 7"));
    }
}
