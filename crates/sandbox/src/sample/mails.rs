//! Synced e-mail: threads with customers, most of them at a deal, sent and received in turns.
//!
//! Only people and deals that nothing keeps from being carried over have mail, so that every message but a
//! draft can be carried. The same messages stand in both platforms; drafts stand in Pipedrive alone.

use std::collections::BTreeMap;

use serde_json::{Value as Json, json};

use super::account::{DEPARTED, SELLERS, Seller};
use super::calendar::{DAY, END, millis, moment, rfc3339};
use super::dice::Dice;
use super::notes::Hooks;
use super::records::{Books, DealRole, Mail, Parents, Person};
use super::scale::Scale;
use super::words;

/// The messages, ordered by the time at which they were sent. Messages of one thread have one subject.
pub(super) fn mails(seed: u64, scale: &Scale, hooks: &Hooks<'_>) -> Vec<Mail> {
    let mut dice = Dice::new(seed, "mails");
    let writes = |person: &Person| {
        !person.deleted && person.role.is_plain() && person.owner != DEPARTED && !person.emails.is_empty()
    };
    let persons: Vec<usize> = (0..hooks.persons.len()).filter(|&place| writes(&hooks.persons[place])).collect();
    let fit = |place: &usize| {
        let deal = &hooks.deals[*place];
        let person = deal.person.is_some_and(|person| writes(&hooks.persons[person]));
        !deal.deleted && matches!(deal.role, DealRole::Plain | DealRole::Archived) && person
    };
    let deals: Vec<usize> = (0..hooks.deals.len()).filter(fit).collect();
    let mut mails: Vec<Mail> = Vec::with_capacity(scale.mails);
    let mut thread = 0;
    while mails.len() < scale.mails && !persons.is_empty() {
        thread += 1;
        let deal = Some(deals.as_slice()).filter(|deals| !deals.is_empty() && dice.chance(65));
        let deal = deal.map(|deals| dice.pick_copy(deals));
        let main = deal.and_then(|deal| hooks.deals[deal].person).unwrap_or_else(|| dice.pick_copy(&persons));
        let colleague = Some(dice.pick_copy(&persons)).filter(|other| *other != main && dice.chance(30));
        let parents = Parents { deal, person: Some(main), ..Parents::default() };
        let subject = subject(&mut dice, hooks, &parents);
        let user = hooks.seller(&parents);
        let mut at = moment(&mut dice, (hooks.since(&parents)).max(END - 500 * DAY), END - 20 * DAY);
        for turn in 0..dice.between(1, 4) {
            if mails.len() == scale.mails {
                break;
            }
            mails.push(Mail {
                id: 0,
                thread,
                subject: if turn == 0 { subject.clone() } else { format!("Re: {subject}") },
                html: text(&mut dice, hooks, &parents),
                sent: turn % 2 == 0,
                user,
                // An address that nobody is known by: the message hangs on the deal alone.
                person: Some(main).filter(|_| deal.is_none() || thread % 9 != 0),
                colleague,
                deal,
                draft: false,
                at,
            });
            at += dice.between(3_600, 4 * DAY);
        }
    }
    mails.sort_by_key(|mail| mail.at);
    if let Some(last) = mails.last_mut() {
        (last.draft, last.sent) = (true, true);
    }
    let mut id = 300;
    for mail in &mut mails {
        id += dice.between(1, 7) as u64;
        mail.id = id;
    }
    mails
}

fn subject(dice: &mut Dice, hooks: &Hooks<'_>, parents: &Parents) -> String {
    let template = dice.entry(words::EMAIL_SUBJECTS, ';');
    hooks.fill(dice, parents, template, false)
}

fn text(dice: &mut Dice, hooks: &Hooks<'_>, parents: &Parents) -> String {
    let mut html = String::new();
    for _ in 0..dice.between(1, 3) {
        let template = dice.entry(words::SENTENCES, '|');
        html.push_str(&format!("<p>{}</p>", hooks.fill(dice, parents, template, true)));
    }
    if dice.chance(25) {
        // What mail programs send along.
        html = format!(
            "<html><head><style>p.x {{margin: 0}}</style></head><body lang=\"EN\"><!--[if mso]><p>only here</p><![endif]-->\
             <div class=\"x\" style=\"color: black\">{html}<p><a href=\"https://www.handwerk-nord.example/\">handwerk-nord.example</a></p></div></body></html>"
        );
    }
    html
}

/// A name and an address, and the person that they belong to.
struct Party<'b> {
    name: String,
    address: &'b str,
    person: Option<&'b Person>,
}

/// Who sent a message, who got it and who got a copy.
struct Parties<'b> {
    from: Vec<Party<'b>>,
    to: Vec<Party<'b>>,
    cc: Vec<Party<'b>>,
}

fn seller(user: u64) -> &'static Seller {
    SELLERS.iter().find(|seller| seller.id == user).unwrap_or(&SELLERS[0])
}

fn parties<'b>(mail: &Mail, books: &'b Books) -> Parties<'b> {
    let seller = seller(mail.user);
    let ours = Party { name: format!("{} {}", seller.first, seller.last), address: seller.email, person: None };
    let theirs = |place: usize| {
        let person = &books.persons[place];
        let address = person.emails.first().map_or("unknown@mail.test", |line| line.value.as_str());
        Party { name: person.name.trim_end().to_owned(), address, person: Some(person) }
    };
    let customer = mail
        .person
        .map_or(Party { name: "Reception".to_owned(), address: "reception@mail.test", person: None }, theirs);
    let (from, to) = if mail.sent { (ours, customer) } else { (customer, ours) };
    Parties { from: vec![from], to: vec![to], cc: mail.colleague.map(theirs).into_iter().collect() }
}

/// The message in Pipedrive's v1 shape, with the text and the deal that only single reads and lists tell.
pub(super) fn in_pipedrive(mail: &Mail, books: &Books) -> Json {
    let list = |parties: &[Party<'_>]| -> Json {
        parties
            .iter()
            .map(|party| {
                json!({"email_address": party.address, "name": party.name,
                    "linked_person_id": party.person.map(|person| person.id),
                    "linked_person_name": party.person.map(|person| person.name.trim_end())})
            })
            .collect()
    };
    let Parties { from, to, cc } = parties(mail, books);
    let flag = |is: bool| u8::from(is);
    let mut message = json!({
        "id": mail.id, "account_id": format!("account-{}", mail.user), "user_id": mail.user,
        "mail_thread_id": mail.thread, "subject": mail.subject, "snippet": snippet(&mail.html),
        "mail_tracking_status": null, "mail_link_tracking_enabled_flag": 0, "read_flag": 1,
        "draft_flag": flag(mail.draft), "synced_flag": flag(!mail.draft), "deleted_flag": 0,
        "sent_flag": flag(mail.sent), "sent_from_pipedrive_flag": 0, "smart_bcc_flag": 0,
        "message_time": millis(mail.at), "add_time": millis(mail.at + 60), "update_time": millis(mail.at + 60),
        "has_attachments_flag": 0, "has_inline_attachments_flag": 0, "has_real_attachments_flag": 0,
        "deal_id": mail.deal.map(|place| books.deals[place].id), "body": mail.html,
    });
    for (name, parties) in [("from", from), ("to", to), ("cc", cc), ("bcc", Vec::new())] {
        message[name] = list(&parties);
    }
    message
}

/// The properties of the message as a HubSpot e-mail; those of the participants follow from the headers
/// (sheet: HubSpot section 2.4 \[doc\]).
pub(super) fn in_hubspot(mail: &Mail, books: &Books, owner: String) -> BTreeMap<&'static str, String> {
    let list = |parties: &[Party<'_>]| -> Json {
        parties
            .iter()
            .map(|party| {
                let (first, last) = party.name.split_once(' ').unwrap_or(("", &party.name));
                json!({"email": party.address, "firstName": first, "lastName": last})
            })
            .collect()
    };
    let addresses = |parties: &[Party<'_>]| parties.iter().map(|party| party.address).collect::<Vec<_>>().join(";");
    let Parties { from, to, cc } = parties(mail, books);
    let headers = json!({"from": list(&from)[0], "to": list(&to), "cc": list(&cc), "bcc": []});
    let mut properties = BTreeMap::from([
        ("hs_timestamp", rfc3339(mail.at)),
        ("hs_email_direction", if mail.sent { "EMAIL" } else { "INCOMING_EMAIL" }.to_owned()),
        ("hs_email_status", "SENT".to_owned()),
        ("hs_email_subject", mail.subject.clone()),
        ("hs_email_html", mail.html.clone()),
        ("hs_email_text", snippet(&mail.html)),
        ("hs_email_headers", headers.to_string()),
        ("hs_email_from_email", addresses(&from)),
        ("hs_email_to_email", addresses(&to)),
        ("hubspot_owner_id", owner),
    ]);
    if !cc.is_empty() {
        properties.insert("hs_email_cc_email", addresses(&cc));
    }
    properties
}

/// The beginning of the text, without tags and entities.
fn snippet(html: &str) -> String {
    let mut text = String::new();
    let mut inside = false;
    for letter in html.chars() {
        match letter {
            '<' => inside = true,
            '>' => {
                inside = false;
                text.push(' ');
            }
            _ if inside => {}
            letter => text.push(letter),
        }
    }
    let words: Vec<&str> = text.split_whitespace().filter(|word| !word.contains('&')).collect();
    words.join(" ").chars().take(200).collect::<String>().trim_end().to_owned()
}
