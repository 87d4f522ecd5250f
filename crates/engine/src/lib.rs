//! The pass: extract, match, merge, transform, validate, write, confirm.
//!
//! The engine names no platform. It sees systems as [`handover_connect::Connector`]s, keeps its state in a
//! [`handover_store::Store`], and takes the time from a [`handover_connect::Clock`].

pub mod check;
pub mod transform;
pub mod verify;

mod announce;
mod back;
mod back_course;
mod base;
mod case;
mod change;
mod changes;
mod cleared;
mod cohorts;
mod content;
mod course;
mod decide;
mod drift;
mod error;
mod extract;
mod fingerprint;
mod flow;
mod hub;
mod link_sets;
mod linking;
mod links;
mod lookup;
mod merge;
mod new_pairs;
mod observe;
mod order;
mod overlay;
mod pairing;
mod pass;
mod people;
mod planted;
mod reconcile;
mod resolve;
mod returns;
mod send;
mod setup;
mod shed;
mod spending;
mod staged;
mod three_way;
mod threshold;
mod title;
mod told;
mod trail;
mod vanish;
mod verdict;
mod watermark;
mod write;
mod writer;

pub use announce::{Announced, Announcement, announce};
pub use back::Back;
pub use cleared::Cleared;
pub use drift::{Drift, Remembered};
pub use error::Error;
pub use hub::read_again;
pub use observe::{Event, Observer, Unobserved};
pub use overlay::{Overlay, Planned};
pub use pass::{LinksDone, ObjectReport, Pass, Report, Selection};
pub use people::People;
pub use planted::Planted;
pub use reconcile::{Different, Looked, Reconcile, Reconciled};
pub use setup::{LinkRule, Policies, Project, Ready, Schemas, Setup, Workplace};
pub use spending::{keep_spending, remember_spending};
pub use three_way::{Side, Verdict, Why, judge};
pub use title::title;
pub use told::Told;
pub use transform::{back_of, forth_of};
pub use vanish::{Tripped, Vanishings};
pub use watermark::{Clocks, Seen, Watermark};
