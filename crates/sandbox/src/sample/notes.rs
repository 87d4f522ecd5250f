//! Notes: HTML as people paste it.

use super::account::ADMIN;
use super::calendar::{DAY, END, deletion, moment};
use super::dice::Dice;
use super::records::{Deal, DealRole, Note, Organization, Parents, Person, Role, live};
use super::scale::Scale;
use super::words;

/// Visible characters of the note that is too long for HubSpot.
const OVERSIZED: usize = 72_000;

/// The records that notes, activities and files hang on.
pub(super) struct Hooks<'a> {
    pub(super) organizations: &'a [Organization],
    pub(super) persons: &'a [Person],
    pub(super) deals: &'a [Deal],
    live_organizations: Vec<usize>,
    live_persons: Vec<usize>,
    live_deals: Vec<usize>,
}

impl<'a> Hooks<'a> {
    /// Over live records; nothing hangs on the departed user's ones unless asked for.
    pub(super) fn new(organizations: &'a [Organization], persons: &'a [Person], deals: &'a [Deal]) -> Self {
        Self {
            organizations,
            persons,
            deals,
            live_organizations: live(organizations, |organization| organization.deleted),
            live_persons: live(persons, |person| person.deleted),
            live_deals: live(deals, |deal| deal.deleted),
        }
    }

    pub(super) fn deal(&self, dice: &mut Dice) -> usize {
        dice.pick_copy(&self.live_deals)
    }

    pub(super) fn person(&self, dice: &mut Dice) -> usize {
        dice.pick_copy(&self.live_persons)
    }

    pub(super) fn organization(&self, dice: &mut Dice) -> usize {
        dice.pick_copy(&self.live_organizations)
    }

    /// A deal and the person and organization behind it.
    pub(super) fn around(&self, deal: usize) -> Parents {
        let record = &self.deals[deal];
        Parents { deal: Some(deal), person: record.person, organization: record.organization, activity: None }
    }

    /// The youngest parent's creation; START-like past for none.
    pub(super) fn since(&self, parents: &Parents) -> i64 {
        let times = [
            parents.deal.map(|place| self.deals[place].added),
            parents.person.map(|place| self.persons[place].added),
            parents.organization.map(|place| self.organizations[place].added),
        ];
        times.into_iter().flatten().max().unwrap_or(END - 700 * DAY)
    }

    /// Who works on it: the owner of the nearest parent. The departed user's records are taken care of
    /// by the administrator here.
    pub(super) fn seller(&self, parents: &Parents) -> u64 {
        let owner = parents
            .deal
            .map(|place| self.deals[place].owner)
            .or(parents.person.map(|place| self.persons[place].owner))
            .or(parents.organization.map(|place| self.organizations[place].owner));
        owner.filter(|&owner| owner != super::account::DEPARTED).unwrap_or(super::account::SELLERS[1].id)
    }

    /// Fills `{p}`, `{o}` and `{t}`; names are escaped when the text is HTML.
    pub(super) fn fill(&self, dice: &mut Dice, parents: &Parents, template: &str, html: bool) -> String {
        // A note at a deal alone still speaks of its people.
        let deal = parents.deal.map(|place| &self.deals[place]);
        let person = parents.person.or(deal.and_then(|deal| deal.person));
        let organization = parents.organization.or(deal.and_then(|deal| deal.organization));
        let person = person.map_or("Someone", |place| self.persons[place].name.trim_end());
        let organization = organization.map_or("The customer", |place| self.organizations[place].name.trim_end());
        let escape = |text: &str| if html { text.replace('&', "&amp;") } else { text.to_owned() };
        let mut text = template.to_owned();
        if text.contains("{t}") {
            text = text.replace("{t}", dice.entry(words::TOPICS, ';'));
        }
        if text.contains('{') {
            text = text.replace("{p}", &escape(person)).replace("{o}", &escape(organization));
        }
        text
    }
}

/// The notes with the deleted ones, ordered by creation, and the place of the oversized one.
pub(super) fn notes(seed: u64, scale: &Scale, hooks: &Hooks<'_>) -> (Vec<Note>, usize) {
    let mut dice = Dice::new(seed, "notes");
    let mut notes: Vec<Note> =
        (0..scale.notes + scale.deleted).map(|count| note(&mut dice, hooks, count >= scale.notes)).collect();
    notes.sort_by_key(|note| note.added);
    let mut id = 0;
    for note in &mut notes {
        id += if dice.chance(10) { dice.between(2, 5) as u64 } else { 1 };
        note.id = id;
    }
    // The minutes of a long workshop, at a deal that nothing else holds back.
    let fit = |note: &Note| {
        let plain = |place: usize| hooks.deals[place].role == DealRole::Plain;
        let person = |place: usize| hooks.persons[place].role == Role::Plain;
        !note.deleted
            && note.parents.deal.is_some_and(|place| plain(place) && hooks.deals[place].person.is_none_or(person))
            && note.parents.person.is_none_or(person)
    };
    let candidates: Vec<usize> = (0..notes.len()).filter(|&place| fit(&notes[place])).collect();
    let oversized = candidates.get(dice.below(candidates.len())).copied().unwrap_or(0);
    notes[oversized].content = minutes_of_a_workshop(&mut dice, hooks, &notes[oversized].parents);
    (notes, oversized)
}

fn note(dice: &mut Dice, hooks: &Hooks<'_>, deleted: bool) -> Note {
    let parents = match dice.below(100) {
        draw if draw < 35 => Parents { deal: Some(hooks.deal(dice)), ..Parents::default() },
        draw if draw < 52 => {
            let deal = hooks.deal(dice);
            hooks.around(deal)
        }
        draw if draw < 78 => Parents { person: Some(hooks.person(dice)), ..Parents::default() },
        draw if draw < 86 => {
            let person = hooks.person(dice);
            Parents { person: Some(person), organization: hooks.persons[person].organization, ..Parents::default() }
        }
        _ => Parents { organization: Some(hooks.organization(dice)), ..Parents::default() },
    };
    let since = hooks.since(&parents);
    let added = moment(dice, since, (since + 500 * DAY).min(END));
    let user = if dice.chance(6) { ADMIN } else { hooks.seller(&parents) };
    Note {
        id: 0,
        content: content(dice, hooks, &parents),
        parents,
        user,
        pinned: dice.chance(3),
        updated: match () {
            () if deleted => deletion(dice, added),
            () if dice.chance(20) => moment(dice, added, END),
            () => added,
        },
        added,
        deleted,
    }
}

fn sentence(dice: &mut Dice, hooks: &Hooks<'_>, parents: &Parents) -> String {
    let template = dice.entry(words::SENTENCES, '|');
    hooks.fill(dice, parents, template, true)
}

fn content(dice: &mut Dice, hooks: &Hooks<'_>, parents: &Parents) -> String {
    // What the web editor writes, what older clients wrote, and plain text from the API.
    match dice.below(10) {
        0 => return sentence(dice, hooks, parents),
        1 | 2 => {
            return format!(
                "{}<br>{}<br /><br>{}",
                sentence(dice, hooks, parents),
                sentence(dice, hooks, parents),
                sentence(dice, hooks, parents)
            );
        }
        _ => {}
    }
    let mut html = String::new();
    for _ in 0..dice.between(1, 3) {
        html.push_str("<p>");
        html.push_str(&sentence(dice, hooks, parents));
        if dice.chance(40) {
            html.push_str("<br>");
            html.push_str(&sentence(dice, hooks, parents));
        }
        html.push_str("</p>");
    }
    if dice.chance(30) {
        let tag = if dice.chance(70) { "ul" } else { "ol" };
        html.push_str(&format!("<{tag}>"));
        for _ in 0..dice.between(2, 4) {
            let point = dice.entry(words::POINTS, '|');
            html.push_str(&format!("<li>{}</li>", hooks.fill(dice, parents, point, true)));
        }
        html.push_str(&format!("</{tag}>"));
    }
    if dice.chance(15) {
        let page = dice.between(100, 999);
        html.push_str(&format!(
            "<p>See <a href=\"https://wiki.handwerk-nord.example/page?id={page}&amp;lang=de\" target=\"_blank\">page {page}</a></p>"
        ));
    }
    html
}

fn minutes_of_a_workshop(dice: &mut Dice, hooks: &Hooks<'_>, parents: &Parents) -> String {
    let mut html = String::from("<h2>Minutes of the workshop</h2>");
    let mut visible = 0;
    let mut point = 0;
    while visible < OVERSIZED {
        point += 1;
        let text = format!(
            "{point}. About {}: {}",
            dice.entry(words::TOPICS, ';'),
            hooks.fill(dice, parents, "{o} asks for a written answer on {t}.", true)
        );
        let text = format!("{text} The answer of the last workshop was read out again and found to be complete.");
        visible += text.chars().count();
        html.push_str(&format!("<p>{text}</p>"));
    }
    html
}
