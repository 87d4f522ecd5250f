//! Forty people and three forgotten integrations: when they work, and what they are about to do.
//!
//! Each has hours, a side, and habits. What exactly they change is decided when the moment has come, from what
//! is there then (see [`crate::deeds`]).

use std::collections::BTreeMap;

use jiff::civil::{Date, Weekday};
use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp, ToSpan};

use crate::accounts::{DEAL, ORGANIZATION, PERSON, TASK};
use crate::dice::Dice;
use crate::oracle::{NEW, OLD};
use crate::scenario::Scenario;

/// What somebody does to a system.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Deed {
    /// A new record.
    Create,
    /// One field gets another value.
    Edit,
    /// One field is emptied.
    Clear,
    /// Two people change one record within a minute.
    SameMinute,
    /// A record is pointed at another one.
    Associate,
    /// It points to nothing any more.
    Unlink,
    /// Two records become one.
    Merge,
    /// A record is thrown away.
    Delete,
    /// A record is taken out of the bin.
    Restore,
    /// Many records at one moment, from a file.
    Import,
    /// A form's post: a contact whose address may be known already.
    Post,
    /// A record is saved unchanged.
    Touch,
}

impl Deed {
    /// Every deed.
    pub const ALL: [Self; 12] = [
        Self::Create,
        Self::Edit,
        Self::Clear,
        Self::SameMinute,
        Self::Associate,
        Self::Unlink,
        Self::Merge,
        Self::Delete,
        Self::Restore,
        Self::Import,
        Self::Post,
        Self::Touch,
    ];

    /// The word for it.
    pub fn word(self) -> &'static str {
        match self {
            Self::Create => "create",
            Self::Edit => "edit",
            Self::Clear => "clear",
            Self::SameMinute => "same minute",
            Self::Associate => "associate",
            Self::Unlink => "unlink",
            Self::Merge => "merge",
            Self::Delete => "delete",
            Self::Restore => "restore",
            Self::Import => "import",
            Self::Post => "post",
            Self::Touch => "touch",
        }
    }
}

/// Something that somebody will do.
#[derive(Clone, Debug)]
pub(crate) struct Appointment {
    /// In which system.
    pub(crate) side: usize,
    pub(crate) deed: Deed,
    /// Which record, when it is decided already: its kind and id; without an id only the kind.
    pub(crate) record: Option<(usize, String)>,
    /// What its dice are called.
    pub(crate) number: u64,
}

/// What will be done, in order.
#[derive(Clone, Debug, Default)]
pub(crate) struct Agenda {
    all: BTreeMap<(Timestamp, u64), Appointment>,
    numbered: u64,
}

impl Agenda {
    pub(crate) fn add(&mut self, at: Timestamp, side: usize, deed: Deed, record: Option<(usize, String)>) {
        self.numbered += 1;
        let number = self.numbered;
        self.all.insert((at, number), Appointment { side, deed, record, number });
    }

    /// When the next thing happens.
    pub(crate) fn next(&self) -> Option<Timestamp> {
        self.all.keys().next().map(|(at, _)| *at)
    }

    /// Takes the next thing that is due.
    pub(crate) fn due(&mut self, now: Timestamp) -> Option<Appointment> {
        let first = self.all.first_entry().filter(|first| first.key().0 <= now)?;
        Some(first.remove())
    }
}

/// How many people work here.
pub const PEOPLE: usize = 40;

/// One of them.
struct Person {
    side: usize,
    /// Hours of the day.
    begins: i64,
    ends: i64,
    /// Chances of a thousand to do something in an hour.
    busy: u32,
    /// Chances of a thousand for a burst instead.
    bursts: u32,
    weekends: bool,
}

/// What people do on an ordinary day, with its weight.
const ORDINARY: [(Deed, i64); 10] = [
    (Deed::Edit, 52),
    (Deed::Create, 7),
    (Deed::Clear, 5),
    (Deed::SameMinute, 9),
    (Deed::Associate, 9),
    (Deed::Touch, 7),
    (Deed::Unlink, 3),
    (Deed::Merge, 2),
    (Deed::Delete, 3),
    (Deed::Restore, 3),
];

/// What is done in the weeks that begin at `start`.
pub(crate) fn agenda(seed: u64, scenario: &Scenario, start: Timestamp) -> Agenda {
    let mut agenda = Agenda::default();
    furnish(&mut agenda, start);
    let mut dice = Dice::new(seed, "people");
    let people: Vec<Person> = (0..PEOPLE).map(|number| person(&mut dice, number)).collect();
    let first = start.to_zoned(TimeZone::UTC).date();
    for day in 0..scenario.days {
        let Ok(date) = first.checked_add(day.days()) else { continue };
        let weekend = matches!(date.weekday(), Weekday::Saturday | Weekday::Sunday);
        for person in people.iter().filter(|person| person.weekends || !weekend) {
            for hour in person.begins..person.ends {
                if dice.chance(person.busy) {
                    let burst = if dice.chance(person.bursts) { dice.between(3, 6) } else { 1 };
                    let mut at = moment(date, hour) + dice.seconds(0, 3_599);
                    for _ in 0..burst {
                        let deed = ordinary(&mut dice, scenario, person.side);
                        agenda.add(at, person.side, deed, None);
                        at += dice.seconds(0, 40);
                    }
                }
            }
        }
        integrations(&mut agenda, &mut dice, scenario, date, day);
    }
    agenda
}

/// What both systems have before anybody thinks of moving.
fn furnish(agenda: &mut Agenda, start: Timestamp) {
    let mut at = start - SignedDuration::from_hours(20);
    for (kind, old, new) in [(ORGANIZATION, 9, 5), (PERSON, 14, 6), (DEAL, 8, 0), (TASK, 6, 0)] {
        for (side, number) in [(OLD, old), (NEW, new)] {
            for _ in 0..number {
                agenda.add(at, side, Deed::Create, Some((kind, String::new())));
                at += SignedDuration::from_secs(61);
            }
        }
    }
}

fn person(dice: &mut Dice, number: usize) -> Person {
    let begins = dice.between(6, 10);
    Person {
        side: if number % 5 < 3 { OLD } else { NEW },
        begins,
        ends: begins + dice.between(4, 9),
        busy: u32::try_from(dice.between(8, 60)).unwrap_or(30),
        bursts: u32::try_from(dice.between(20, 200)).unwrap_or(50),
        weekends: number.is_multiple_of(8),
    }
}

/// What somebody does on a side.
pub(crate) fn ordinary(dice: &mut Dice, scenario: &Scenario, side: usize) -> Deed {
    let may: Vec<(Deed, i64)> = ORDINARY.into_iter().filter(|(deed, _)| scenario.does(side, *deed)).collect();
    let mut draw = dice.between(0, may.iter().map(|(_, weight)| weight).sum::<i64>() - 1);
    for (deed, weight) in may {
        if draw < weight {
            return deed;
        }
        draw -= weight;
    }
    Deed::Edit
}

/// A form on an old page, a file that accounting sends, a list that marketing buys.
fn integrations(agenda: &mut Agenda, dice: &mut Dice, scenario: &Scenario, date: Date, day: i32) {
    if dice.chance(350) && scenario.does(OLD, Deed::Post) {
        agenda.add(moment(date, dice.between(0, 23)) + dice.seconds(0, 3_599), OLD, Deed::Post, None);
    }
    // Accounting writes at night, all records in the same second.
    if day % 3 == 1 {
        let at = moment(date, 2);
        for _ in 0..5 {
            agenda.add(
                at,
                OLD,
                if dice.chance(300) { Deed::Touch } else { Deed::Edit },
                Some((ORGANIZATION, String::new())),
            );
        }
    }
    if day % 14 == 9 && scenario.does(OLD, Deed::Import) {
        agenda.add(moment(date, 11) + dice.seconds(0, 600), OLD, Deed::Import, None);
    }
}

fn moment(date: Date, hour: i64) -> Timestamp {
    let midnight = date.to_zoned(TimeZone::UTC).map(|zoned| zoned.timestamp()).unwrap_or(Timestamp::UNIX_EPOCH);
    midnight + SignedDuration::from_hours(hour)
}
