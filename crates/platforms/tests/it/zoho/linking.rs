//! Contact roles of deals.

use handover_connect::{Connector as _, FaultKind, Link, LinkBatch};
use handover_model::Value;
use serde_json::json;

use super::Stage;

fn links(pairs: &[(&str, &str)]) -> LinkBatch {
    let link = |(from, to): &(&str, &str)| Link { from: (*from).into(), to: (*to).into() };
    LinkBatch {
        object: "Deals".into(),
        field: "Contact_Roles".into(),
        to_object: "Contacts".into(),
        links: pairs.iter().map(link).collect(),
    }
}

#[tokio::test]
async fn roles_are_left_alone_and_the_main_contact_stays() {
    let contact = |id: u64| json!({"id": id, "Last_Name": "C"});
    let deal = |id: u64, main: u64| json!({"id": id, "Deal_Name": "D", "Stage": "Qualification", "Closing_Date": "2026-01-01", "Contact_Name": main});
    let contacts: Vec<_> = (21..=24).map(contact).collect();
    let stage = Stage::of(json!({
        "role_names": [{"id": 9, "name": "Purchasing"}], "roles": [[11, 22, 9]],
        "records": {"Contacts": contacts, "Deals": [deal(11, 21), deal(12, 21)]},
    }));
    stage.schema("Deals").await;
    let ids = async |deal: &str| stage.enrich("Deals", "Contact_Roles", deal).await.unwrap();
    let list = |ids: &[&str]| Value::List(ids.iter().map(|id| Value::from(*id)).collect());
    assert_eq!(ids("11").await, list(&["22", "21"]));
    // Two are there already, one of them with a role: only the others are written.
    let before = stage.sent();
    let outcomes = stage.driver.link(&links(&[("11", "22"), ("11", "23"), ("11", "21"), ("12", "24")])).await.unwrap();
    assert!(outcomes.iter().all(|outcome| outcome.result.is_ok()), "{outcomes:?}");
    assert_eq!(stage.sent() - before, 4, "each deal read once, each missing contact written");
    assert_eq!(ids("11").await, list(&["23", "22", "21"]));
    let again = {
        let sandbox = stage.sandbox.lock().unwrap();
        sandbox.journal().entries().iter().any(|entry| entry.method == "PUT" && entry.path.ends_with("/22"))
    };
    assert!(!again, "the role is what it was");
    // The main contact is not a role's to take away; the others are.
    let outcomes = stage.driver.unlink(&links(&[("11", "21"), ("11", "22"), ("11", "24")])).await.unwrap();
    let fault = outcomes[0].result.as_ref().unwrap_err();
    assert!(fault.kind == FaultKind::Invalid && fault.message.contains("Contact_Name"), "{fault}");
    assert!(outcomes[1].result.is_ok() && outcomes[2].result.is_ok());
    assert_eq!(ids("11").await, list(&["23", "21"]));
}
