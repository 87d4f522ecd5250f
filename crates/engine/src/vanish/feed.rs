//! The feed: what was deleted, merged away or brought back since an earlier reading, by a token that it left.
//!
//! Invariants:
//! - A token is noted after what was found up to it.
//! - What is told shows late, or happens while it is told: a token is gone on from when a reading that began an overlap
//!   behind it has told once more what an older one tells. What comes twice is noticed once.
//! - Behind the first token lies a list that took its time: the next sweep finds what vanished meanwhile, and only then
//!   the feed suffices.
//! - Where a token counts no more, or nothing is told any more, a sweep is made at once.

use std::collections::HashSet;
use std::sync::Arc;

use handover_connect::{Cursor, Fault, FaultKind, ObjectCapabilities};
use handover_model::{End, Record, RecordId, Side};
use handover_store::Store;
use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

use crate::Error;
use crate::pass::Pass;
use crate::setup::Ready;

/// A quiet feed leaves a token that differs in nothing but its age: after this time it is noted all the same, long
/// before it ends.
const AGED: SignedDuration = SignedDuration::from_hours(1);

/// What is kept of an object's feed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Feed {
    /// It is followed.
    From {
        /// The token that the next reading goes on from,
        token: Cursor,
        /// and one that a later reading left, when it ended.
        later: Option<(Cursor, Timestamp)>,
        /// Whether a sweep was made behind the first token.
        swept: bool,
    },
    /// It is not told, as was found then.
    Refused(Timestamp),
}

/// What a pass did with an object's feed.
#[derive(Default)]
pub(super) struct Followed {
    known: Option<Feed>,
    now: Option<Feed>,
    /// Whether something may have happened that no feed will tell.
    pub(super) lost: bool,
}

impl Followed {
    /// Whether what vanishes is told.
    pub(super) fn suffices(&self) -> bool {
        matches!(self.now, Some(Feed::From { swept: true, .. }))
    }

    /// Takes note of a sweep.
    pub(super) fn swept(&mut self) {
        if let Some(Feed::From { swept, .. }) = &mut self.now {
            *swept = true;
        }
    }

    /// What is to be kept of it, if anything is new.
    pub(super) fn news(&self, end: &End) -> Option<(String, String)> {
        let feed = self.now.as_ref().filter(|_| self.now != self.known)?;
        // Plain data, which always has a JSON form.
        Some((name(end), serde_json::to_string(feed).unwrap_or_default()))
    }
}

/// The name under which it is kept.
fn name(end: &End) -> String {
    format!("feed of {}.{}", end.system, end.object)
}

impl Pass {
    /// Reads an object's feed from where the last reading left it: adds what is gone, and takes note of what is there
    /// again. Begins it where that was not done.
    pub(super) async fn follow_feed(
        self: &Arc<Self>,
        end: &End,
        places: &[(Arc<Ready>, Side)],
        can: &ObjectCapabilities,
        missing: &mut Vec<RecordId>,
    ) -> Result<Followed, Error> {
        if !can.feeds {
            return Ok(Followed::default());
        }
        let known = self.place.store.kept(&name(end)).await?.and_then(|text| serde_json::from_str(&text).ok());
        let began = self.place.clock.now();
        let (now, lost) = match &known {
            Some(Feed::Refused(then)) if began.duration_since(*then) < self.setup.project.policies.sweep => {
                (known.clone(), false)
            }
            None | Some(Feed::Refused(_)) => (Some(self.begin_feed(end).await?), false),
            Some(Feed::From { token, later, swept }) => {
                let mut there: HashSet<u64> = HashSet::new();
                let mut is_quiet = true;
                let take = |page: Vec<Record>| {
                    is_quiet &= page.is_empty();
                    for record in page {
                        if record.gone {
                            missing.push(record.id);
                        } else {
                            there.insert(Store::mark_of(&record.id));
                        }
                    }
                };
                match self.each_fed(end, Some(token), take).await? {
                    Ok(left) => {
                        if !there.is_empty() {
                            self.there_again(end, places, |id| there.contains(&Store::mark_of(id))).await?;
                        }
                        let left = left.map(|left| (left, self.place.clock.now()));
                        let (token, later) = self.gone_on((token, later), left, (began, is_quiet));
                        (Some(Feed::From { token, later, swept: *swept }), false)
                    }
                    Err(fault) => {
                        let (system, object) = (&end.system, &end.object);
                        tracing::warn!(%system, %object, %fault, "what vanished since is looked for in a list of all records");
                        (Some(self.begin_feed(end).await?), true)
                    }
                }
            }
        };
        Ok(Followed { known, now, lost })
    }

    /// The tokens behind a reading that began at `began` and left `left`.
    fn gone_on(
        &self,
        (token, later): (&Cursor, &Option<(Cursor, Timestamp)>),
        left: Option<(Cursor, Timestamp)>,
        (began, is_quiet): (Timestamp, bool),
    ) -> (Cursor, Option<(Cursor, Timestamp)>) {
        let overlap = self.setup.project.policies.overlap;
        match later {
            None => (token.clone(), left),
            Some((next, ended)) => {
                let age = began.duration_since(*ended);
                let goes_on = age >= if is_quiet { overlap.max(AGED) } else { overlap };
                // What cannot be true is begun anew: a clock was set back.
                let later = if goes_on || age.is_negative() { left } else { Some((next.clone(), *ended)) };
                (if goes_on { next } else { token }.clone(), later)
            }
        }
    }

    /// Reads all there is for the token behind it.
    async fn begin_feed(&self, end: &End) -> Result<Feed, Error> {
        let refused = || Feed::Refused(self.place.clock.now());
        Ok(match self.each_fed(end, None, drop).await? {
            Ok(Some(token)) => Feed::From { token, later: None, swept: false },
            Ok(None) => refused(),
            Err(fault) => {
                let (system, object) = (&end.system, &end.object);
                tracing::info!(%system, %object, %fault, "deleted records are found by lists of all records");
                refused()
            }
        })
    }

    /// Reads a feed to its end and gives the token that it left, or why it is not told.
    async fn each_fed(
        &self,
        end: &End,
        token: Option<&Cursor>,
        mut take: impl FnMut(Vec<Record>),
    ) -> Result<Result<Option<Cursor>, Fault>, Error> {
        let system = self.setup.project.system(&end.system)?;
        let mut cursor: Option<Cursor> = None;
        loop {
            self.go_on()?;
            match system.feed(&end.object, token, cursor.as_ref()).await {
                Ok(fed) => {
                    take(fed.records);
                    cursor = fed.next;
                    if cursor.is_none() {
                        return Ok(Ok(fed.token));
                    }
                }
                Err(fault) if is_refusal(&fault, token.is_some()) => return Ok(Err(fault)),
                Err(fault) => return Err(Error::system(&end.system, fault)),
            }
        }
    }
}

/// Whether a fault says that nothing is told: at all, to us, or since then.
fn is_refusal(fault: &Fault, with_token: bool) -> bool {
    match fault.kind {
        FaultKind::Unsupported | FaultKind::Denied => true,
        FaultKind::NotFound => with_token,
        FaultKind::Limited
        | FaultKind::Unavailable
        | FaultKind::Auth
        | FaultKind::Conflict
        | FaultKind::Invalid
        | FaultKind::Malformed => false,
    }
}
