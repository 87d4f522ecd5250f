//! The company as a Pipedrive account: a world file (sheet: Pipedrive sections 2.1 and 3 \[spec\]).

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Map, Value as Json, json};

use super::account::{self, ACTIVITY_TYPES, ADMIN, CURRENCIES, PIPELINES, SELLERS};
use super::calendar::{START, date, rfc3339, spaced};
use super::custom::{Field, Fields, Value, Values, clock, day};
use super::dice::Dice;
use super::mails;
use super::records::{Activity, Address, Books, Deal, File, Line, Note, Organization, Person, Status};

/// Pipedrive's company id of the sample.
const COMPANY: u64 = 13_480_226;

/// The account without records: users, tokens, pipelines, currencies, activity types.
///
/// `users` and `stages` say which of them exist.
fn account(seed: u64, users: fn(&account::Seller) -> bool, stages: fn(&account::Stage) -> bool) -> Map<String, Json> {
    let mut dice = Dice::new(seed, "pipedrive account");
    let mut tokens = Vec::new();
    for user in [ADMIN, SELLERS[1].id] {
        tokens.push(json!({"token": dice.hex(40), "user_id": user}));
    }
    let mut world = Map::new();
    let mut set = |key: &str, value: Json| world.insert(key.to_owned(), value);
    set("platform", json!("pipedrive"));
    set(
        "account",
        json!({
            "company_id": COMPANY, "company_name": "Handwerk Nord Systeme", "company_domain": "handwerk-nord",
            "plan": "growth", "seats": 12, "default_currency": CURRENCIES[0], "timezone": "Europe/Berlin", "api_tokens": tokens,
        }),
    );
    set("settings", json!({}));
    set("users", SELLERS.iter().filter(|seller| users(seller)).map(user).collect());
    set("currencies", json!(CURRENCIES));
    let pipelines = PIPELINES.iter().enumerate().map(|(order, pipeline)| {
        json!({"id": pipeline.id, "name": pipeline.name, "order_nr": order, "is_deleted": false,
            "is_deal_probability_enabled": false, "add_time": rfc3339(START), "update_time": rfc3339(START)})
    });
    set("pipelines", pipelines.collect());
    let stages = PIPELINES.iter().flat_map(|pipeline| {
        pipeline.stages.iter().filter(|stage| stages(stage)).enumerate().map(|(order, stage)| {
            json!({"id": stage.id, "order_nr": order, "name": stage.name, "is_deleted": false,
                "deal_probability": stage.probability, "pipeline_id": pipeline.id, "is_deal_rot_enabled": false,
                "days_to_rotten": null, "add_time": rfc3339(START), "update_time": rfc3339(START)})
        })
    });
    set("stages", stages.collect());
    let types = ACTIVITY_TYPES.iter().enumerate().map(|(order, (id, name, key))| {
        json!({"id": id, "order_nr": order, "name": name, "key_string": key, "icon_key": key, "active_flag": true,
            "color": "FFFFFF", "is_custom_flag": false, "add_time": spaced(START), "update_time": spaced(START)})
    });
    set("activity_types", types.collect());
    for lists in ["leads", "products", "webhooks"] {
        set(lists, json!([]));
    }
    world
}

/// An account with the company's active users, its pipelines and no record, as the target of a migration.
pub(super) fn empty(seed: u64) -> Json {
    let mut world = account(seed, |seller| seller.active, |stage| stage.counterpart.is_some());
    for list in [
        "organization_fields",
        "person_fields",
        "deal_fields",
        "organizations",
        "persons",
        "deals",
        "deal_participants",
        "organization_relationships",
        "activities",
        "notes",
        "files",
        "mail_messages",
    ] {
        world.insert(list.to_owned(), json!([]));
    }
    labels(&mut world);
    Json::Object(world)
}

fn labels(world: &mut Map<String, Json>) {
    let list =
        |labels: &[(u64, &str)]| labels.iter().map(|(id, label)| json!({"id": id, "label": label})).collect::<Json>();
    let labels = json!({
        "person": list(&account::PERSON_LABELS), "organization": list(&account::ORGANIZATION_LABELS),
        "deal": list(&account::DEAL_LABELS),
    });
    world.insert("labels".to_owned(), labels);
}

/// The whole account.
pub(super) fn world(seed: u64, fields: &Fields, books: &Books) -> Json {
    let mut world = account(seed, |_| true, |_| true);
    labels(&mut world);
    let write = Writer { fields, books };
    let mut set = |key: &str, value: Json| world.insert(key.to_owned(), value);
    set("organization_fields", fields.organization.iter().map(field).collect());
    set("person_fields", fields.person.iter().map(field).collect());
    set("deal_fields", fields.deal.iter().map(field).collect());
    set("organizations", books.organizations.iter().map(|organization| write.organization(organization)).collect());
    set("persons", books.persons.iter().map(|person| write.person(person)).collect());
    set("deals", books.deals.iter().map(|deal| write.deal(deal)).collect());
    let participants = books.deals.iter().flat_map(|deal| {
        deal.participants.iter().map(|&place| json!({"deal_id": deal.id, "person_id": books.persons[place].id}))
    });
    set("deal_participants", participants.collect());
    // With type `parent`, the owner of the relationship is the parent and the linked organization is
    // the daughter (Pipedrive's reference of POST /v1/organizationRelationships).
    let relations = books.relations.iter().enumerate().map(|(place, &(parent, child))| {
        json!({"id": place + 1, "type": "parent", "rel_owner_org_id": books.organizations[parent].id,
            "rel_linked_org_id": books.organizations[child].id})
    });
    set("organization_relationships", relations.collect());
    set("activities", books.activities.iter().map(|activity| write.activity(activity)).collect());
    set("notes", books.notes.iter().map(|note| write.note(note)).collect());
    set("files", books.files.iter().map(|file| write.file(file)).collect());
    set("mail_messages", books.mails.iter().map(|mail| mails::in_pipedrive(mail, books)).collect());
    Json::Object(world)
}

fn user(seller: &account::Seller) -> Json {
    let access = if seller.admin {
        json!([{"app": "sales", "admin": true, "permission_set_id": "sales-admin"},
            {"app": "global", "admin": true, "permission_set_id": "global-admin"}])
    } else {
        json!([{"app": "sales", "admin": false, "permission_set_id": "sales-regular"}])
    };
    json!({
        "id": seller.id, "name": format!("{} {}", seller.first, seller.last), "email": seller.email,
        "active_flag": seller.active, "is_deleted": false, "activated": true, "timezone_name": seller.zone,
        "timezone_offset": "+01:00", "default_currency": "EUR", "locale": seller.locale, "lang": 1, "phone": null,
        "role_id": 1, "access": access, "created": spaced(START - 86_400), "modified": spaced(START + 86_400),
        "last_login": spaced(START + 86_400), "is_you": seller.admin,
    })
}

fn field(field: &Field) -> Json {
    let options: Vec<Json> = field.options.iter().map(|(id, label)| json!({"id": id, "label": label})).collect();
    json!({
        "field_name": field.design.name, "field_code": field.code, "description": null, "field_type": field.design.kind,
        "options": if options.is_empty() { Json::Null } else { Json::Array(options) }, "is_custom_field": true,
        "is_optional_response_field": false,
    })
}

fn address(address: &Address) -> Json {
    json!({
        "value": address.line(), "country": address.country, "admin_area_level_1": address.region,
        "admin_area_level_2": address.district, "locality": address.locality, "sublocality": address.sublocality,
        "route": address.route, "street_number": address.number, "subpremise": address.subpremise,
        "postal_code": address.postal_code,
    })
}

fn lines(lines: &[Line]) -> Json {
    let one = |(place, line): (usize, &Line)| json!({"value": line.value, "primary": place == 0, "label": line.label});
    lines.iter().enumerate().map(one).collect()
}

/// An amount of hundredths, as a whole number where it is one.
fn amount(cents: i64) -> Json {
    if cents % 100 == 0 { json!(cents / 100) } else { json!(cents as f64 / 100.0) }
}

/// The record with more keys. (Inside `json!` a value would be copied.)
fn with<const N: usize>(mut record: Json, more: [(&str, Json); N]) -> Json {
    if let Json::Object(map) = &mut record {
        map.extend(more.map(|(key, value)| (key.to_owned(), value)));
    }
    record
}

struct Writer<'a> {
    fields: &'a Fields,
    books: &'a Books,
}

impl Writer<'_> {
    fn organization_id(&self, place: Option<usize>) -> Option<u64> {
        place.map(|place| self.books.organizations[place].id)
    }

    fn person_id(&self, place: Option<usize>) -> Option<u64> {
        place.map(|place| self.books.persons[place].id)
    }

    fn deal_id(&self, place: Option<usize>) -> Option<u64> {
        place.map(|place| self.books.deals[place].id)
    }

    fn custom(&self, fields: &[Field], values: &Values) -> Json {
        let one = |(place, value): &(usize, Value)| (fields[*place].code.clone(), self.value(value));
        Json::Object(values.iter().map(one).collect())
    }

    fn value(&self, value: &Value) -> Json {
        match value {
            Value::Text(text) => json!(text),
            Value::Number(number) => json!(number),
            Value::Money(amount, currency) => json!({"value": amount, "currency": currency}),
            Value::Date(second) => json!(day(*second)),
            Value::Dates(from, until) => json!({"value": day(*from), "until": day(*until)}),
            Value::Time(minutes, zone) => json!({"value": clock(*minutes), "timezone_name": zone}),
            Value::Times(from, until, zone) => {
                json!({"value": clock(*from), "until": clock(*until), "timezone_name": zone})
            }
            Value::Set(options) => json!(options),
            Value::Enum(id) | Value::User(id) => json!(id),
            Value::Organization(place) => json!(self.books.organizations[*place].id),
            Value::Person(place) => json!(self.books.persons[*place].id),
            Value::Address(value) => address(value),
        }
    }

    fn organization(&self, organization: &Organization) -> Json {
        let record = json!({
            "id": organization.id, "name": organization.name, "owner_id": organization.owner,
            "add_time": rfc3339(organization.added), "update_time": rfc3339(organization.updated),
            "is_deleted": organization.deleted,
            "visible_to": organization.visible_to, "label_ids": organization.labels, "website": organization.website,
            "linkedin": null, "industry": null, "annual_revenue": organization.revenue,
            "employee_count": organization.employees,
        });
        with(
            record,
            [
                ("custom_fields", self.custom(&self.fields.organization, &organization.custom)),
                ("address", organization.address.as_ref().map_or(Json::Null, address)),
            ],
        )
    }

    fn person(&self, person: &Person) -> Json {
        // Pipedrive derives both from the name by its first space, whatever order the language has
        // (sheet: section 9 trap 7: heuristic).
        let (first, last) = person.name.trim_end().split_once(' ').unwrap_or((&person.name, ""));
        let record = json!({
            "id": person.id, "name": person.name, "first_name": first, "last_name": last, "owner_id": person.owner,
            "org_id": self.organization_id(person.organization), "add_time": rfc3339(person.added),
            "update_time": rfc3339(person.updated),
            "is_deleted": person.deleted, "visible_to": person.visible_to, "label_ids": person.labels, "picture_id": null,
        });
        with(
            record,
            [
                ("custom_fields", self.custom(&self.fields.person, &person.custom)),
                ("emails", lines(&person.emails)),
                ("phones", lines(&person.phones)),
            ],
        )
    }

    fn deal(&self, deal: &Deal) -> Json {
        let pipeline = account::stage(deal.stage).map(|(pipeline, _)| pipeline.id);
        let won = deal.closed.filter(|_| deal.status == Status::Won);
        let lost = deal.closed.filter(|_| deal.status == Status::Lost);
        let status = match deal.status {
            Status::Open => "open",
            Status::Won => "won",
            Status::Lost => "lost",
        };
        let record = json!({
            "id": deal.id, "title": deal.title, "creator_user_id": deal.creator, "owner_id": deal.owner,
            "value": amount(deal.cents), "currency": deal.currency, "person_id": self.person_id(deal.person),
            "org_id": self.organization_id(deal.organization), "stage_id": deal.stage, "pipeline_id": pipeline,
            "status": status, "is_archived": deal.archived.is_some(), "archive_time": deal.archived.map(rfc3339),
            "is_deleted": deal.deleted, "probability": deal.probability, "lost_reason": deal.lost_reason,
            "visible_to": deal.visible_to, "add_time": rfc3339(deal.added), "update_time": rfc3339(deal.updated),
            "stage_change_time": rfc3339(deal.added), "close_time": deal.closed.map(rfc3339), "won_time": won.map(rfc3339),
            "lost_time": lost.map(rfc3339), "local_won_date": won.map(date), "local_lost_date": lost.map(date),
            "local_close_date": deal.closed.map(date), "expected_close_date": deal.expected_close.map(date),
            "label_ids": deal.labels, "origin": "ManuallyCreated", "origin_id": null, "channel": null, "channel_id": null,
            "source_lead_id": null, "acv": null, "arr": null, "mrr": null,
        });
        with(record, [("custom_fields", self.custom(&self.fields.deal, &deal.custom))])
    }

    fn activity(&self, activity: &Activity) -> Json {
        let person = self.person_id(activity.parents.person);
        let mut participants: Vec<Json> = person.iter().map(|id| json!({"person_id": id, "primary": true})).collect();
        participants.extend(
            activity
                .participants
                .iter()
                .map(|&place| json!({"person_id": self.books.persons[place].id, "primary": false})),
        );
        let record = json!({
            "id": activity.id, "subject": activity.subject, "type": activity.kind, "owner_id": activity.owner,
            "creator_user_id": activity.owner, "is_deleted": activity.deleted, "add_time": rfc3339(activity.added),
            "update_time": rfc3339(activity.updated), "deal_id": self.deal_id(activity.parents.deal), "lead_id": null,
            "person_id": person, "org_id": self.organization_id(activity.parents.organization), "project_id": null,
            "due_date": date(activity.due), "due_time": activity.due_time.map(|second| clock(second / 60)),
            "duration": activity.minutes.map(clock), "busy": activity.due_time.is_some(),
            "done": activity.done.is_some(), "marked_as_done_time": activity.done.map(rfc3339),
            "conference_meeting_client": null, "conference_meeting_url": null,
            "conference_meeting_id": null, "public_description": activity.public_description, "priority": null,
            "outcome": null, "note": activity.note,
        });
        let location = activity.location.as_ref().map_or(Json::Null, address);
        let people = [("participants", Json::Array(participants)), ("attendees", self.attendees(activity))];
        with(with(record, people), [("location", location)])
    }

    fn attendees(&self, activity: &Activity) -> Json {
        let Some(person) =
            activity.parents.person.filter(|_| activity.attendees).map(|place| &self.books.persons[place])
        else {
            return json!([]);
        };
        let invited = person.emails.first().map(|email| {
            json!({"email": email.value, "name": person.name.trim_end(), "status": "accepted", "is_organizer": false,
                "person_id": person.id, "user_id": null})
        });
        let seller = SELLERS.iter().find(|seller| seller.id == activity.owner).map(|seller| {
            json!({"email": seller.email, "name": format!("{} {}", seller.first, seller.last), "status": "accepted",
                "is_organizer": true, "person_id": null, "user_id": seller.id})
        });
        seller.into_iter().chain(invited).collect()
    }

    fn note(&self, note: &Note) -> Json {
        let parents = &note.parents;
        let pinned = |parent: Option<usize>| note.pinned && parent.is_some();
        json!({
            "id": note.id, "active_flag": !note.deleted, "add_time": spaced(note.added), "update_time": spaced(note.updated),
            "content": note.content, "deal_id": self.deal_id(parents.deal), "person_id": self.person_id(parents.person),
            "org_id": self.organization_id(parents.organization), "lead_id": null, "project_id": null,
            "pinned_to_deal_flag": pinned(parents.deal), "pinned_to_person_flag": pinned(parents.person),
            "pinned_to_organization_flag": pinned(parents.organization), "pinned_to_lead_flag": false,
            "pinned_to_project_flag": false, "user_id": note.user, "last_update_user_id": note.user,
        })
    }

    fn file(&self, file: &File) -> Json {
        let activity = file.parents.activity.map(|place| self.books.activities[place].id);
        let record = json!({
            "id": file.id, "user_id": file.user, "deal_id": self.deal_id(file.parents.deal),
            "person_id": self.person_id(file.parents.person), "org_id": self.organization_id(file.parents.organization),
            "product_id": null, "activity_id": activity, "lead_id": null, "project_id": null, "add_time": spaced(file.added),
            "update_time": spaced(file.added), "file_name": file.name, "file_type": file.kind, "file_size": file.bytes.len(),
            "active_flag": !file.deleted, "inline_flag": false, "remote_location": "s3", "remote_id": null, "cid": null,
            "mail_message_id": null, "name": file.name, "description": null,
            "url": format!("https://handwerk-nord.pipedrive.com/v1/files/{}/download", file.id),
        });
        let content = if file.gone { Json::Null } else { Json::String(STANDARD.encode(&file.bytes)) };
        with(record, [("content_base64", content)])
    }
}
