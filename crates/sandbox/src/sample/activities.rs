//! Activities of every type, done and open, timed and all-day.

use super::account::{DEPARTED, SELLERS, seller_for};
use super::calendar::{DAY, END, START, deletion, moment};
use super::dice::Dice;
use super::notes::Hooks;
use super::places;
use super::records::{Activity, DealRole, Parents, Role};
use super::scale::Scale;
use super::words;

#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    Usual,
    WithoutParent,
    Departed,
}

/// The activities with the deleted ones, ordered by creation.
pub(super) fn activities(seed: u64, scale: &Scale, hooks: &Hooks<'_>) -> Vec<Activity> {
    let mut dice = Dice::new(seed, "activities");
    let mut kinds = vec![Kind::WithoutParent; scale.activities_without_parent];
    kinds.resize(kinds.len() + scale.departed_activities, Kind::Departed);
    kinds.resize(scale.activities, Kind::Usual);
    let departed: Vec<usize> =
        (0..hooks.persons.len()).filter(|&place| hooks.persons[place].role == Role::Departed).collect();
    let departed_deals: Vec<usize> =
        (0..hooks.deals.len()).filter(|&place| hooks.deals[place].role == DealRole::Departed).collect();
    let mut activities: Vec<Activity> = Vec::with_capacity(kinds.len() + scale.deleted);
    for kind in kinds {
        let (parents, owner) = match kind {
            Kind::Usual => {
                let parents = parents(&mut dice, hooks);
                (parents, hooks.seller(&parents))
            }
            Kind::WithoutParent => (Parents::default(), seller_for(dice.below(100) as u32)),
            Kind::Departed if dice.chance(35) => (hooks.around(dice.pick_copy(&departed_deals)), DEPARTED),
            Kind::Departed => {
                let person = dice.pick_copy(&departed);
                let organization = hooks.persons[person].organization;
                (Parents { person: Some(person), organization, ..Parents::default() }, DEPARTED)
            }
        };
        activities.push(activity(&mut dice, hooks, parents, owner, false));
    }
    for _ in 0..scale.deleted {
        let parents = parents(&mut dice, hooks);
        activities.push(activity(&mut dice, hooks, parents, SELLERS[1].id, true));
    }
    activities.sort_by_key(|activity| activity.added);
    let mut id = 0;
    for activity in &mut activities {
        id += if dice.chance(10) { dice.between(2, 5) as u64 } else { 1 };
        activity.id = id;
    }
    activities
}

fn parents(dice: &mut Dice, hooks: &Hooks<'_>) -> Parents {
    match dice.below(100) {
        draw if draw < 55 => {
            let deal = hooks.deal(dice);
            hooks.around(deal)
        }
        draw if draw < 60 => {
            let deal = hooks.deal(dice);
            Parents { person: None, ..hooks.around(deal) }
        }
        draw if draw < 88 => {
            let person = hooks.person(dice);
            Parents { person: Some(person), organization: hooks.persons[person].organization, ..Parents::default() }
        }
        _ => Parents { organization: Some(hooks.organization(dice)), ..Parents::default() },
    }
    .or_any(dice, hooks)
}

impl Parents {
    /// A deal without person and organization is a parent all the same; nothing at all is not.
    fn or_any(self, dice: &mut Dice, hooks: &Hooks<'_>) -> Self {
        if self == Self::default() { Self { organization: Some(hooks.organization(dice)), ..self } } else { self }
    }
}

fn activity(dice: &mut Dice, hooks: &Hooks<'_>, parents: Parents, owner: u64, deleted: bool) -> Activity {
    let (kind, subjects, minutes): (_, _, &[i64]) = match dice.below(100) {
        draw if draw < 34 => ("call", words::CALL_SUBJECTS, &[10, 15, 30]),
        draw if draw < 56 => ("meeting", words::MEETING_SUBJECTS, &[30, 45, 60, 90, 480]),
        draw if draw < 76 => ("task", words::TASK_SUBJECTS, &[]),
        draw if draw < 83 => ("deadline", words::DEADLINE_SUBJECTS, &[]),
        draw if draw < 94 => ("email", words::EMAIL_SUBJECTS, &[5]),
        _ => ("lunch", words::LUNCH_SUBJECTS, &[60, 90]),
    };
    let template = dice.entry(subjects, ';');
    let since = hooks.since(&parents).max(START);
    let added = moment(dice, since, (since + 400 * DAY).min(END));
    let mut due = (added + dice.between(0, 45) * DAY).div_euclid(DAY) * DAY;
    let timed = if minutes.is_empty() { dice.chance(25) } else { dice.chance(85) };
    let past = due < END - 10 * DAY;
    let done = if past { dice.chance(94) } else { dice.chance(12) };
    if !past && done {
        due = due.min(END.div_euclid(DAY) * DAY);
    }
    let due_time = timed.then(|| dice.between(24, 68) * 900);
    let finished = (due + due_time.unwrap_or(9 * 3600) + dice.between(0, 8) * 3600).max(added).min(END);
    let mut participants = Vec::new();
    if matches!(kind, "meeting" | "lunch") && parents.person.is_some() && dice.chance(35) {
        participants = (0..dice.between(1, 3)).map(|_| hooks.person(dice)).collect();
        participants.retain(|&place| Some(place) != parents.person && hooks.persons[place].role.is_plain());
        participants.sort_unstable();
        participants.dedup();
    }
    let culture = parents.organization.map_or(&words::CULTURES[0], |place| hooks.organizations[place].culture);
    let noted = dice.chance(32);
    Activity {
        id: 0,
        kind,
        subject: hooks.fill(dice, &parents, template, false),
        participants,
        owner,
        due,
        due_time,
        minutes: if minutes.is_empty() || dice.chance(15) { None } else { Some(dice.pick_copy(minutes)) },
        done: done.then_some(finished),
        location: (matches!(kind, "meeting" | "lunch") && dice.chance(60)).then(|| places::address(dice, culture)),
        note: noted.then(|| hooks.fill(dice, &parents, "<p>Prepare {t}.<br>Ask {p} &amp; team.</p>", true)),
        public_description: (kind == "meeting" && dice.chance(25))
            .then(|| hooks.fill(dice, &parents, "Agenda: {t}", false)),
        attendees: kind == "meeting" && dice.chance(40),
        updated: match () {
            () if deleted => deletion(dice, added),
            () if done => finished,
            () => added,
        },
        parents,
        added,
        deleted,
    }
}
