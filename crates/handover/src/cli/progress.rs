//! Progress on standard error: rate, remaining time, held records, calls left.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use handover_connect::Connector;
use handover_engine::{Event, Observer};
use handover_model::SystemName;
use indicatif::{ProgressBar, ProgressState, ProgressStyle};

use super::output::count;

/// Draws one line that says what is going on.
pub(crate) struct Progress {
    bar: Mutex<Option<(String, ProgressBar)>>,
    systems: BTreeMap<SystemName, Arc<dyn Connector>>,
}

impl Progress {
    /// A progress line, or nothing when nobody watches.
    pub(crate) fn watch(shown: bool, systems: &BTreeMap<SystemName, Arc<dyn Connector>>) -> Arc<dyn Observer> {
        if shown {
            Arc::new(Self { bar: Mutex::new(None), systems: systems.clone() })
        } else {
            Arc::new(handover_engine::Unobserved)
        }
    }

    fn line(&self, label: &str, done: u64, total: Option<u64>, note: &str) {
        let mut slot = self.bar.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
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
                self.line(&format!("reading {system}.{object}"), records, total, &self.calls_left());
            }
            Event::Working { flow, done, total, held } => {
                let note = format!("{} held, {}", count(held), self.calls_left());
                self.line(&format!("moving {flow}"), done, Some(total), &note);
            }
            Event::Linking { done } => self.line("linking", done, None, &self.calls_left()),
            Event::LookingUp { flow, writes } => {
                self.line(&format!("looking up {flow}"), 0, Some(writes), "answers were lost");
            }
        }
    }
}

impl Drop for Progress {
    fn drop(&mut self) {
        if let Ok(slot) = self.bar.get_mut()
            && let Some((_, bar)) = slot.take()
        {
            bar.finish_and_clear();
        }
    }
}
