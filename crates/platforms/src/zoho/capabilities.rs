//! What Zoho CRM can do, as the one table that the manual and the planner read.

use handover_connect::{
    Capabilities, Charge, Count, CustomObjects, Limit, Links, Lookup, Named, ObjectCapabilities, Span, Upsert,
};

use super::coql::{self, QUERY};
use super::objects::{Family, OBJECTS, OWN, Object, PARENTS};

/// The limit on credits in 24 hours.
pub(super) const DAILY: &str = "daily";
/// Most requests cost one credit (sheet: Zoho section 6 \[doc\]).
pub(super) const CALL: [Charge; 1] = [Charge::of(DAILY, 1)];
/// Rows of one write or delete (sheet: Zoho section 5 \[doc\]).
pub(super) const BATCH: u32 = 100;
/// Records that one request by ids brings (sheet: Zoho section 2 \[unsure\]).
pub(super) const BY_IDS: u32 = 100;
/// Rows on one page of the records interface (sheet: Zoho section 4 \[doc\]).
pub(super) const PAGE: u32 = 200;
/// How long a query may lag behind a write, in milliseconds (sheet: Zoho section 4 \[unsure: seconds\]).
const LAG_MS: u64 = 60_000;

/// What a write of so many rows costs: one credit for ten (sheet: Zoho section 6 \[doc\]).
pub(super) fn of_rows(number: usize) -> Vec<Charge> {
    vec![Charge::of(DAILY, u32::try_from(number.div_ceil(10)).unwrap_or(u32::MAX).max(1))]
}

/// The table. The limit is that of the lowest edition; the organization tells its own. Credits roll over 24 hours;
/// what replies tell of them corrects the count by days. How many requests may be under way at once (5 to 25 for each
/// app, 10 for queries and large writes) is no limit of a span: the project's `concurrency` keeps it.
pub(super) fn table() -> Capabilities {
    Capabilities {
        platform: "zoho",
        objects: OBJECTS.iter().map(of_object).collect(),
        custom: Some(CustomObjects { named: Named::Any, can: of_object(&OWN) }),
        limits: vec![Limit { name: DAILY, amount: 5_000, span: Span::Day }],
        ending: Vec::new(),
        automations: false,
        create_fields: true,
    }
}

fn of_object(object: &Object<'_>) -> ObjectCapabilities {
    let rows = of_rows(BATCH as usize);
    let common = ObjectCapabilities {
        object: object.name.into(),
        list_page: coql::PAGE,
        list_charges: QUERY.to_vec(),
        fetch_batch: BY_IDS,
        fetch_charges: CALL.to_vec(),
        write_batch: if object.writes { BATCH } else { 0 },
        write_charges: if object.writes { rows } else { Vec::new() },
        bulk: None,
        upsert: if object.upserts() { Upsert::ByUniqueField } else { Upsert::None },
        lookup: Lookup::ByIndex { lag_ms: LAG_MS },
        count: Count::Told,
        links: Links::Inline,
        content: false,
        delete_batch: if object.writes { BATCH } else { 0 },
        delete_charges: if object.writes { CALL.to_vec() } else { Vec::new() },
        merge_charges: object.merges.then(|| CALL.to_vec()),
        people_merge: object.merges,
        // The timeline of a record is told in words and not by field: the sheet leaves it out.
        history_batch: 0,
        history_charges: Vec::new(),
        // The ids of merged records lead nowhere (sheet: Zoho section 2).
        fetch_follows_merges: false,
        merge_marks: None,
        // The bin keeps records for 60 days.
        keeps_deleted: true,
        // Contact roles need not move the deal's time (sheet: Zoho section 4 [unsure]).
        links_touch: object.name != "Deals",
        lists_deleted: true,
        feeds: false,
        // Whether a merged record is in the list of deleted ones is [unsure] (section 4); of what comes back, and of what
        // pointed to either, the sheet is silent.
        bin_is_quiet: true,
        lists_since: true,
        through: &[],
        written_behind: &[],
    };
    match object.family {
        Family::Plain => common,
        Family::Activity => ObjectCapabilities {
            list_page: BY_IDS,
            // Its own request, and a part of the query for ids.
            list_charges: vec![Charge::of(DAILY, 2)],
            ..common
        },
        Family::Note => ObjectCapabilities {
            list_page: PAGE,
            // Each page behind the first is checked by reading the one before again.
            list_charges: vec![Charge::of(DAILY, 2)],
            lookup: Lookup::ByListing,
            count: Count::NotTold,
            ..common
        },
        Family::Attachment => ObjectCapabilities {
            list_page: PAGE,
            list_charges: CALL.to_vec(),
            fetch_batch: 1,
            write_batch: 1,
            write_charges: CALL.to_vec(),
            lookup: Lookup::ByListing,
            count: Count::NotTold,
            content: true,
            delete_batch: 1,
            lists_deleted: false,
            lists_since: false,
            through: &PARENTS,
            ..common
        },
    }
}
