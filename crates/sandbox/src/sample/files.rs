//! Files: small documents of several kinds with the first bytes that their kind has.

use super::calendar::{DAY, END, moment};
use super::dice::Dice;
use super::notes::Hooks;
use super::records::{Activity, DealRole, File, Parents, Role};
use super::scale::Scale;

/// Extension, Pipedrive's `file_type`, first bytes, and whether the rest is text.
const KINDS: [(&str, &str, &[u8], bool); 8] = [
    ("pdf", "pdf", b"%PDF-1.4\n", false),
    ("png", "img", b"\x89PNG\r\n\x1a\n", false),
    ("jpg", "img", b"\xff\xd8\xff\xe0", false),
    ("docx", "docx", b"PK\x03\x04", false),
    ("xlsx", "xlsx", b"PK\x03\x04", false),
    ("txt", "txt", b"Notes\n", true),
    ("csv", "csv", b"item;amount\n", true),
    ("eml", "eml", b"Subject: Offer\r\n\r\n", true),
];

const NAMES: [&str; 10] = [
    "Offer",
    "Angebot März",
    "Contract (signed)",
    "floor plan",
    "Protokoll",
    "price_list-2026",
    "NDA",
    "Fragebogen Datenschutz",
    "見積書",
    "Презентація",
];

/// The files with the deleted ones, ordered by creation. At most 4,000,000 bytes in all for 200 files.
pub(super) fn files(seed: u64, scale: &Scale, hooks: &Hooks<'_>, activities: &[Activity]) -> Vec<File> {
    let mut dice = Dice::new(seed, "files");
    let live: Vec<usize> = super::records::live(activities, |activity| activity.deleted);
    let mut files: Vec<File> = (0..scale.files + scale.deleted)
        .map(|count| {
            let (parents, since) = match dice.below(10) {
                0..=4 => {
                    let parents = Parents { deal: Some(hooks.deal(&mut dice)), ..Parents::default() };
                    (parents, hooks.since(&parents))
                }
                5 | 6 => {
                    let parents = Parents { person: Some(hooks.person(&mut dice)), ..Parents::default() };
                    (parents, hooks.since(&parents))
                }
                7 => {
                    let parents = Parents { organization: Some(hooks.organization(&mut dice)), ..Parents::default() };
                    (parents, hooks.since(&parents))
                }
                _ => {
                    let place = dice.pick_copy(&live);
                    (Parents { activity: Some(place), ..Parents::default() }, activities[place].added)
                }
            };
            file(&mut dice, hooks, parents, since, count >= scale.files)
        })
        .collect();
    files.sort_by_key(|file| file.added);
    let mut id = 0;
    for file in &mut files {
        id += if dice.chance(10) { dice.between(2, 5) as u64 } else { 1 };
        file.id = id;
    }
    let plain = |file: &&mut File| {
        let deal = file.parents.deal.is_none_or(|place| hooks.deals[place].role == DealRole::Plain);
        let person = file.parents.person.is_none_or(|place| hooks.persons[place].role == Role::Plain);
        !file.deleted && file.parents.activity.is_none() && deal && person
    };
    if let Some(gone) = files.iter_mut().find(plain) {
        gone.gone = true;
    }
    files
}

fn file(dice: &mut Dice, hooks: &Hooks<'_>, parents: Parents, since: i64, deleted: bool) -> File {
    let (extension, kind, head, text) = dice.pick_copy(&KINDS);
    // Many small ones, few large ones.
    let size = match dice.below(20) {
        0 => dice.between(60_000, 120_000),
        1..=6 => dice.between(8_000, 30_000),
        _ => dice.between(120, 6_000),
    };
    let mut bytes = vec![0; size as usize];
    dice.fill(&mut bytes);
    if text {
        for byte in &mut bytes {
            *byte = if byte.is_multiple_of(37) { b'\n' } else { b'a' + *byte % 26 };
        }
    }
    for (byte, first) in bytes.iter_mut().zip(head) {
        *byte = *first;
    }
    File {
        id: 0,
        name: format!("{} {}.{extension}", dice.pick(&NAMES), dice.between(1, 60)),
        kind,
        user: hooks.seller(&parents),
        parents,
        bytes,
        gone: false,
        added: moment(dice, since, (since + 300 * DAY).min(END)),
        deleted,
    }
}
