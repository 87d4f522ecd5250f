//! What Salesforce can do, as the one table that the manual and the planner read.

use handover_connect::{
    Bulk, Capabilities, Charge, Count, CustomObjects, Limit, Links, Lookup, Named, ObjectCapabilities, Span, Upsert,
};

use super::links::Junction;
use super::objects::{CUSTOM, Family, OBJECTS, OWN, Object, PRODUCT};
use super::prices;
use super::soql::IDS;

/// The limit on requests in 24 hours.
pub(super) const DAILY: &str = "daily";
/// Any request costs one, whatever it carries (sheet: Salesforce sections 5.2, 6 \[doc\]).
pub(super) const CALL: [Charge; 1] = [Charge::of(DAILY, 1)];
/// Rows on one page of a query (sheet: Salesforce section 4).
pub(super) const PAGE: u32 = 2_000;
/// Records of one retrieval by ids (sheet: Salesforce section 5.2 \[unsure\]; the vendor's guide says the same).
pub(super) const RETRIEVED: u32 = 2_000;
/// Rows of one collection (sheet: Salesforce section 5.2 \[doc\]).
pub(super) const COLLECTION: u32 = 200;

/// Large batches, as jobs of the Bulk API 2.0. Below 2,000 rows collections take no more calls (sheet: Salesforce section
/// 5.5). One job has half as many rows as the platform works on together, which is what its daily allowance counts: more
/// would take more memory than the calls are worth. It is begun, filled and closed, asked for two or three times, and its
/// results are two more calls.
pub(super) const BULK: Bulk = Bulk { least: 2_000, most: 5_000, bytes: 4 << 20, calls: 7 };

/// The table. The limit is that of the lowest edition; every reply tells the organization's own. It rolls over 24
/// hours; what is told of it corrects the count by days (sheet: Salesforce section 6 \[doc\]).
pub(super) fn table() -> Capabilities {
    Capabilities {
        platform: "salesforce",
        objects: OBJECTS.iter().map(of_object).collect(),
        custom: Some(CustomObjects { named: Named::Ending(CUSTOM), can: of_object(&OWN) }),
        limits: vec![Limit { name: DAILY, amount: 15_000, span: Span::Day }],
        ending: Vec::new(),
        automations: false,
        create_fields: true,
    }
}

fn of_object(object: &Object<'_>) -> ObjectCapabilities {
    let ids = u32::try_from(IDS).unwrap_or(0);
    let common = ObjectCapabilities {
        object: object.name.into(),
        list_page: PAGE,
        list_charges: CALL.to_vec(),
        fetch_batch: if object.is_queried() { ids } else { RETRIEVED },
        fetch_charges: CALL.to_vec(),
        write_batch: COLLECTION,
        write_charges: CALL.to_vec(),
        bulk: object.by_job().then_some(BULK),
        upsert: if object.has_key { Upsert::ByUniqueField } else { Upsert::None },
        // Queries read what was committed (sheet: Salesforce section 4).
        lookup: if object.has_key { Lookup::ByKey { keyless_lag_ms: 0 } } else { Lookup::ByListing },
        count: Count::Told,
        links: Links::Inline,
        content: false,
        delete_batch: COLLECTION,
        delete_charges: CALL.to_vec(),
        merge_charges: object.merges.then(|| CALL.to_vec()),
        people_merge: object.merges,
        // The histories of fields are kept for a few fields that an administrator picks, and the sheet leaves them out.
        history_batch: 0,
        history_charges: Vec::new(),
        fetch_follows_merges: object.merges,
        merge_marks: None,
        // The bin keeps records for 15 days (sheet: Salesforce section 4).
        keeps_deleted: true,
        // Rows that make links are records of their own.
        links_touch: Junction::of(object.name).next().is_none(),
        lists_deleted: true,
        feeds: false,
        bin_is_quiet: false,
        lists_since: true,
        through: &[],
        written_behind: if object.name == PRODUCT { &prices::FIELDS } else { &[] },
    };
    match object.family {
        Family::Plain | Family::Note => common,
        Family::File => ObjectCapabilities {
            write_batch: 1,
            upsert: Upsert::None,
            content: true,
            delete_batch: 0,
            delete_charges: Vec::new(),
            // Of a file all versions go together, with their document; whether they are shown then is not said.
            lists_deleted: false,
            ..common
        },
        Family::Attachment => ObjectCapabilities {
            write_batch: 0,
            write_charges: Vec::new(),
            content: true,
            delete_batch: 0,
            delete_charges: Vec::new(),
            ..common
        },
    }
}
