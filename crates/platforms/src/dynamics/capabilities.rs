//! What Dynamics can do, as the one table that the manual and the planner read.

use handover_connect::{
    Capabilities, Charge, Count, CustomObjects, Limit, Links, Lookup, Named, ObjectCapabilities, Span, Upsert,
};

use super::objects::{CUSTOM, OBJECTS, OWN, Object};

/// The limit on requests of a user in five minutes. Two more cannot be counted beforehand: 20 minutes of execution time
/// in the same span, and 52 requests at once (sheet: Dynamics section 6 \[doc\]). Whoever meets them waits as told.
pub(super) const REQUESTS: &str = "requests";
/// What any request costs; a batch costs what is in it.
pub(super) const CALL: [Charge; 1] = [Charge::of(REQUESTS, 1)];
/// Rows on one page (section 4 \[doc\]).
pub(super) const PAGE: u32 = 5_000;
/// Records of one retrieval by ids: their condition must fit into an address.
pub(super) const FETCHED: u32 = 300;
/// Rows of one batch. A thousand requests fit into one (section 5.3 \[doc\]), and a batch must be answered within two
/// minutes (\[unsure\]): a hundred rows are within any time-out here.
pub(super) const BATCH: u32 = 100;
/// Records whose pairs are read, or links that are written, in one call.
pub(super) const LINKS: u32 = 50;

/// The table.
pub(super) fn table() -> Capabilities {
    Capabilities {
        platform: "dynamics",
        objects: OBJECTS.iter().map(of_object).collect(),
        custom: Some(CustomObjects { named: Named::Between(CUSTOM), can: of_object(&OWN) }),
        limits: vec![Limit { name: REQUESTS, amount: 6_000, span: Span::Rolling(300_000) }],
        ending: Vec::new(),
        automations: false,
        create_fields: true,
    }
}

fn of_object(object: &Object<'_>) -> ObjectCapabilities {
    let batch = if object.is_document() { 1 } else { BATCH };
    ObjectCapabilities {
        object: object.name.into(),
        list_page: PAGE,
        list_charges: CALL.to_vec(),
        fetch_batch: FETCHED,
        fetch_charges: CALL.to_vec(),
        write_batch: batch,
        write_charges: vec![Charge::of(REQUESTS, batch)],
        bulk: None,
        upsert: if object.has_key { Upsert::ByIdOfKey } else { Upsert::None },
        // Queries read what was committed (section 4).
        lookup: if object.has_key { Lookup::ByKey { keyless_lag_ms: 0 } } else { Lookup::ByListing },
        count: Count::Told,
        links: Links::Inline,
        content: object.is_document(),
        delete_batch: 1,
        delete_charges: CALL.to_vec(),
        merge_charges: object.merges.then(|| CALL.to_vec()),
        people_merge: object.merges,
        // The table of the audit is not in the sheet.
        history_batch: 0,
        history_charges: Vec::new(),
        fetch_follows_merges: object.merges,
        merge_marks: None,
        // Where an administrator has switched the bin on; nothing tells whether.
        keeps_deleted: true,
        // Pairs are rows of a table between.
        links_touch: false,
        lists_deleted: false,
        // Where the table's change tracking is on (section 4 \[doc\]).
        feeds: true,
        bin_is_quiet: true,
        lists_since: true,
        through: &[],
        written_behind: &[],
    }
}
