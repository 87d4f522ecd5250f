//! How pairs are looked at again: `policies.reconcile` of the project file.

use handover_engine::Reconcile;
use jiff::SignedDuration;

use super::node::Node;
use super::reader::{File, Reading};

/// What is done unless the project says otherwise.
pub(crate) const USUAL: Reconcile = Reconcile {
    every: SignedDuration::from_hours(1),
    whole: SignedDuration::from_hours(7 * 24),
    lag: SignedDuration::from_mins(15),
    carry: false,
    now: false,
};

/// `off`, or `{every: TIME, whole: TIME, lag: TIME, repair: tell|carry}`.
pub(super) fn read(reading: &mut Reading, file: &File, node: &Node) -> Option<Reconcile> {
    if node.text() == Some("off") {
        return None;
    }
    let mut entries = reading.open(file, node, "reconcile")?;
    let mut time = |key: &'static str, otherwise: SignedDuration| {
        let time = entries.take(key).and_then(|node| reading.duration(file, node, key));
        time.and_then(|time| SignedDuration::try_from(time).ok()).unwrap_or(otherwise)
    };
    let (every, whole, lag) = (time("every", USUAL.every), time("whole", USUAL.whole), time("lag", USUAL.lag));
    let repair = entries.take("repair").and_then(|node| reading.word(file, node, "repair", &["tell", "carry"]));
    entries.finish(reading);
    if whole < every {
        let message = "`whole` is shorter than `every`: all pairs would be looked at more often than some of them";
        reading.complain(file, node.mark, "wrong_value", message);
    }
    Some(Reconcile { every, whole, lag, carry: repair.as_deref() == Some("carry"), now: false })
}
