//! Links that are rows of their own.

use handover_connect::{Link, LinkBatch, Operation, Step};
use handover_model::Value;
use serde_json::{Value as Json, json};

use super::{CONTACT, DEAL, decoded, encoded, page_of, reply, rows, then};

const OTHER: &str = "003D000000IqhSMIAZ";
const ROW: &str = "00KD000000IqhSLIAZ";

fn batch(links: &[(&str, &str)]) -> LinkBatch {
    let link = |(from, to): &(&str, &str)| Link { from: (*from).into(), to: (*to).into() };
    LinkBatch {
        object: "Opportunity".into(),
        field: "OpportunityContactRoles".into(),
        to_object: "Contact".into(),
        links: links.iter().map(link).collect(),
    }
}

fn role(row: &str, contact: &str) -> Json {
    json!({"Id": row, "OpportunityId": DEAL, "ContactId": contact, "IsPrimary": false})
}

fn read() -> String {
    format!(
        "GET /query?q=SELECT Id, OpportunityId, ContactId, IsPrimary FROM OpportunityContactRole WHERE \
         OpportunityId IN ('{DEAL}') ORDER BY Id"
    )
}

fn linked(step: Step) -> Vec<bool> {
    match step {
        Step::Linked(outcomes) => outcomes.iter().map(|outcome| outcome.result.is_ok()).collect(),
        step => panic!("{step:?}"),
    }
}

#[test]
fn contacts_of_an_opportunity_are_read() {
    let field = "OpportunityContactRoles".into();
    let enrich = Operation::Enrich { object: "Opportunity".into(), field, ids: vec![DEAL.into()] };
    assert_eq!(encoded(&enrich, None), read());
    // Somebody with two roles is linked once.
    let roles =
        rows(json!([role(ROW, CONTACT), role("00KD000000IqhSMIAZ", CONTACT), role("00KD000000IqhSNIAZ", OTHER)]));
    let (records, next) = page_of(decoded(&enrich, None, &roles).unwrap());
    assert!(next.is_none());
    let expected = Value::List(vec![CONTACT.into(), OTHER.into()]);
    assert_eq!(records[0].fields.get("OpportunityContactRoles"), Some(&expected));
}

/// Who takes the first one takes the main contact.
#[test]
fn the_primary_contact_comes_first() {
    let field = "OpportunityContactRoles".into();
    let enrich = Operation::Enrich { object: "Opportunity".into(), field, ids: vec![DEAL.into()] };
    let mut primary = role("00KD000000IqhSNIAZ", OTHER);
    primary["IsPrimary"] = json!(true);
    let (records, _) = page_of(decoded(&enrich, None, &rows(json!([role(ROW, CONTACT), primary]))).unwrap());
    let expected = Value::List(vec![OTHER.into(), CONTACT.into()]);
    assert_eq!(records[0].fields.get("OpportunityContactRoles"), Some(&expected));
}

#[test]
fn only_what_is_missing_is_made() {
    let batch = batch(&[(DEAL, CONTACT), (DEAL, OTHER), (DEAL, OTHER)]);
    let link = Operation::Link(batch);
    assert_eq!(encoded(&link, None), read());
    let (known, _) = then(&link, None, &rows(json!([role(ROW, CONTACT)])));
    assert_eq!(
        encoded(&link, Some(&known)),
        format!(
            r#"POST /composite/sobjects {{"allOrNone":false,"records":[{{"ContactId":"{OTHER}","OpportunityId":"{DEAL}","attributes":{{"type":"OpportunityContactRole"}}}}]}}"#
        )
    );
    let ok = json!([{"id": ROW, "success": true, "errors": []}]);
    assert_eq!(linked(decoded(&link, Some(&known), &reply(200, &ok)).unwrap()), [true, true, true]);
    let no = json!([{"success": false, "errors": [{"statusCode": "INVALID_CROSS_REFERENCE_KEY", "message": "m", "fields": []}]}]);
    assert_eq!(linked(decoded(&link, Some(&known), &reply(200, &no)).unwrap()), [true, false, false]);
    assert!(decoded(&link, Some(&known), &reply(200, &json!([]))).is_err(), "another number of rows");
    // All are there: nothing is made.
    let all = rows(json!([role(ROW, CONTACT), role(ROW, OTHER)]));
    assert_eq!(linked(decoded(&link, None, &all).unwrap()), [true, true, true]);
}

#[test]
fn every_role_of_a_pair_is_taken_away_and_others_stay() {
    let unlink = Operation::Unlink(batch(&[(DEAL, CONTACT)]));
    assert_eq!(encoded(&unlink, None), read());
    let second = "00KD000000IqhSMIAZ";
    let roles = rows(json!([role(ROW, CONTACT), role(second, CONTACT), role("00KD000000IqhSNIAZ", OTHER)]));
    let (known, _) = then(&unlink, None, &roles);
    assert_eq!(
        encoded(&unlink, Some(&known)),
        format!("DELETE /composite/sobjects?ids={ROW},{second}&allOrNone=false")
    );
    let gone = json!([{"id": ROW, "success": true, "errors": []},
        {"success": false, "errors": [{"statusCode": "ENTITY_IS_DELETED", "message": "entity is deleted", "fields": []}]}]);
    assert_eq!(linked(decoded(&unlink, Some(&known), &reply(200, &gone)).unwrap()), [true]);
    // Not there: taken away.
    assert_eq!(linked(decoded(&unlink, None, &rows(json!([role(ROW, OTHER)]))).unwrap()), [true]);
    let lookup = LinkBatch { field: "AccountId".into(), to_object: "Account".into(), ..batch(&[(DEAL, CONTACT)]) };
    assert_eq!(
        encoded(&Operation::Link(lookup), None),
        "refused: `AccountId` of `Opportunity` is written with the record"
    );
}
