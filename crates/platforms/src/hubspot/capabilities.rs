//! What HubSpot can do, as the one table that the manual and the planner read.

use handover_connect::{
    Capabilities, Charge, Count, CustomObjects, Ending, Limit, Links, Lookup, Named, ObjectCapabilities, Span, Upsert,
};
use jiff::civil::date;

use super::objects::{BEHIND_PORTAL, Family, OBJECTS, OWN, Object};
use super::{associations, history};

/// A call that is no search.
pub(super) const CALL: [Charge; 2] = [Charge::of("burst", 1), Charge::of("daily", 1)];
/// A search. It has a limit of its own and counts for the day; whether it also takes from the burst of a
/// private app is not said, so it is charged there too (sheet: HubSpot section 6 \[doc\]).
pub(super) const SEARCH: [Charge; 3] = [Charge::of("search", 1), Charge::of("burst", 1), Charge::of("daily", 1)];

/// How long the search index may lag behind writes: a connector's manual asks for 60 seconds after an
/// update, others found more (sheet: HubSpot section 4 \[obs\]).
const INDEX_LAG_MS: u64 = 90_000;

/// The table. Limits are those of the lowest tier; replies' headers tell the account's own (sheet: HubSpot
/// section 6 \[doc\]).
pub(super) fn table() -> Capabilities {
    Capabilities {
        platform: "hubspot",
        objects: OBJECTS.iter().map(of_object).collect(),
        custom: Some(CustomObjects { named: Named::Between(BEHIND_PORTAL), can: of_object(&OWN) }),
        limits: vec![
            Limit { name: "burst", amount: 100, span: Span::Rolling(10_000) },
            Limit { name: "daily", amount: 250_000, span: Span::Day },
            Limit { name: "search", amount: 5, span: Span::Rolling(1_000) },
        ],
        // The ends of v1 to v3 of the other calls are not announced (sheet: HubSpot section 0b \[doc\]).
        ending: vec![
            Ending { version: "/oauth/v1", on: date(2027, 2, 16), buys_tokens: true },
            Ending { version: "/crm/v4", on: date(2027, 3, 1), buys_tokens: false },
        ],
        automations: true,
        create_fields: true,
    }
}

fn of_object(object: &Object<'_>) -> ObjectCapabilities {
    let has_history = !matches!(object.family, Family::File | Family::Attachment);
    let common = ObjectCapabilities {
        object: object.name.into(),
        list_page: 100,
        list_charges: CALL.to_vec(),
        fetch_batch: 100,
        fetch_charges: CALL.to_vec(),
        write_batch: 100,
        write_charges: CALL.to_vec(),
        bulk: None,
        upsert: Upsert::None,
        lookup: Lookup::None,
        count: Count::Told,
        links: Links::Separate { per_call: associations::WRITE_BATCH },
        content: false,
        delete_batch: 100,
        delete_charges: CALL.to_vec(),
        merge_charges: object.merges().then(|| CALL.to_vec()),
        people_merge: object.family == Family::Record,
        // Fewer records come with their history than without (sheet: HubSpot section 4 [code]).
        history_batch: if has_history { history::BATCH } else { 0 },
        history_charges: if has_history { CALL.to_vec() } else { Vec::new() },
        fetch_follows_merges: false,
        merge_marks: None,
        // Archived records are restorable in the application for 90 days (sheet: HubSpot section 4 [spec]).
        keeps_deleted: true,
        // Associations are kept beside the records; none was seen to change the date of modification.
        links_touch: false,
        lists_deleted: true,
        feeds: false,
        bin_is_quiet: false,
        lists_since: true,
        through: &[],
        written_behind: &[],
    };
    match object.family {
        // Reading by a unique property is consistent, search is not (sheet: HubSpot sections 4, 5.2 [doc]).
        // Merged ids go on leading to the record that they became (section 4 [doc]).
        Family::Record => ObjectCapabilities {
            upsert: Upsert::ByUniqueField,
            lookup: Lookup::ByKey { keyless_lag_ms: INDEX_LAG_MS },
            fetch_follows_merges: true,
            // Its form is not certain (section 4 [unsure]); the ids in it are looked up.
            merge_marks: Some("hs_merged_object_ids"),
            ..common
        },
        // Unique custom properties on activities are not certain (sheet: HubSpot section 5.2 [unsure]), so
        // they are created and looked for at their parents or through the index.
        Family::Activity => ObjectCapabilities {
            lookup: Lookup::ByIndex { lag_ms: INDEX_LAG_MS },
            links: Links::InlineOnCreate { per_call: associations::WRITE_BATCH },
            ..common
        },
        Family::Item => of_item(common),
        Family::File => of_file(common),
        Family::Attachment => ObjectCapabilities {
            write_batch: 0,
            count: Count::NotTold,
            links: Links::Inline,
            content: true,
            delete_batch: 0,
            delete_charges: Vec::new(),
            keeps_deleted: false,
            lists_deleted: false,
            ..common
        },
    }
}

/// A product hangs on nothing, and a line item gets its deal when it is made; its product is a property. Lost creations
/// of line items are looked for at the deal, those of products through the index.
fn of_item(common: ObjectCapabilities) -> ObjectCapabilities {
    ObjectCapabilities { lookup: Lookup::ByIndex { lag_ms: INDEX_LAG_MS }, links: Links::Inline, ..common }
}

/// Files.
fn of_file(common: ObjectCapabilities) -> ObjectCapabilities {
    ObjectCapabilities {
        fetch_batch: 1,
        write_batch: 1,
        lookup: Lookup::ByListing,
        count: Count::NotTold,
        links: Links::Inline,
        content: true,
        delete_batch: 1,
        keeps_deleted: false,
        lists_deleted: false,
        lists_since: false,
        ..common
    }
}
