//! Leads that people convert while both systems are in use.

use handover_engine::Selection;
use handover_sandbox::sample;
use jiff::SignedDuration;
use serde_json::{Value as Json, json};

use crate::products::{live, pass};
use crate::rig::{Ground, Scene};

const EARLIER: &str = "2026-01-02T10:00:00Z";
const LATER: &str = "2026-11-02T08:40:00Z";
const GUID: &str = "11111111-1111-1111-1111-000000000001";

/// A world with one lead, and where it stands in it.
fn with_lead(platform: &str) -> (Json, &'static str) {
    let mut world = sample::bare(platform, 3).unwrap();
    let (object, lead) = match platform {
        "salesforce" => {
            let lead = json!({"Id": "00Q000000000001", "LastName": "Byron", "Company": "Acme", "Status": "Open - Not Contacted",
                "CreatedDate": EARLIER, "LastModifiedDate": EARLIER, "SystemModstamp": EARLIER});
            ("Lead", lead)
        }
        _ => {
            let lead = json!({"leadid": GUID, "lastname": "Byron", "subject": "Fans", "companyname": "Acme", "statecode": 0,
                "statuscode": 1, "createdon": EARLIER, "modifiedon": EARLIER});
            ("lead", lead)
        }
    };
    world["records"][object] = json!([lead]);
    (world, object)
}

/// A platform that keeps converted leads in sight of nobody does not tell of a conversion as of a deletion: the
/// counterpart would stay an open lead for ever.
#[test]
fn a_person_is_asked_what_becomes_of_the_counterpart() {
    for platform in ["salesforce", "dynamics"] {
        let (old, object) = with_lead(platform);
        let scene = Scene::between([platform, "zoho"], old, sample::bare("zoho", 3).unwrap());
        let mut ground = Ground::new(scene);
        live(&mut ground, Selection::All);
        assert_eq!(ground.world("new")["records"]["Leads"].as_array().unwrap().len(), 1, "{platform}");
        ground.now += SignedDuration::from_mins(30);
        ground.change("old", |world| {
            let lead = &mut world["records"][object][0];
            let told = match platform {
                "salesforce" => json!({"IsConverted": true, "Status": "Closed - Converted", "LastModifiedDate": LATER,
                    "SystemModstamp": LATER}),
                _ => json!({"statecode": 1, "statuscode": 3, "modifiedon": LATER}),
            };
            lead.as_object_mut().unwrap().extend(told.as_object().unwrap().clone());
        });
        for _ in 0..2 {
            assert_eq!(pass(&mut ground), Vec::<String>::new(), "{platform}: it stays as it is");
            let state = ground.end().state;
            let held: Vec<&String> = state.keys().filter(|line| line.contains(" held")).collect();
            assert!(held.len() == 1 && held[0].contains("left_scope"), "{platform}: {held:?}");
        }
    }
}
