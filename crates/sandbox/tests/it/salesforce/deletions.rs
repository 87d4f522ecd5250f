//! The bin, the feeds, merges.

use handover_sandbox::faults::{DisturbAction, Disturbance, Which};
use handover_sandbox::journal::Action;
use serde_json::json;

use super::{Org, refused};

fn soap(org: &mut Org, body: &str) -> String {
    let text = format!(
        "<soapenv:Envelope xmlns:soapenv=\"http://schemas.xmlsoap.org/soap/envelope/\" xmlns:urn=\"urn:partner.soap.sforce.com\" \
         xmlns:xsi=\"http://www.w3.org/2001/XMLSchema-instance\">\
         <soapenv:Header><urn:SessionHeader><urn:sessionId>{}</urn:sessionId></urn:SessionHeader></soapenv:Header>\
         <soapenv:Body>{body}</soapenv:Body></soapenv:Envelope>",
        org.token
    );
    let mut request = org.request("POST", "/services/Soap/u/66.0").with_header("soapaction", "\"\"");
    request.body = text.into_bytes();
    String::from_utf8(org.send(&request).body).unwrap()
}

#[test]
fn what_hangs_on_a_record_goes_with_it_and_comes_back() {
    let mut org = Org::new();
    let account = org.create("Account", &json!({"Name": "Acme"}));
    let child = org.create("Account", &json!({"Name": "Child", "ParentId": account}));
    let contact = org.create("Contact", &json!({"LastName": "Lee", "AccountId": account}));
    let task = org.create("Task", &json!({"Subject": "Call", "WhoId": contact}));
    org.wait(60);
    org.delete("Account", &account);
    assert_eq!(org.query("SELECT Id FROM Contact").len() + org.query("SELECT Id FROM Task").len(), 0);
    assert_eq!(org.value("Account", &child, "ParentId"), json!(null));
    let (_, all) =
        org.ask("queryAll", &format!("SELECT Id, IsDeleted FROM Task WHERE IsDeleted = true AND Id = '{task}'"));
    assert_eq!(all["totalSize"], 1);
    refused(org.call("PATCH", &format!("sobjects/Contact/{contact}"), Some(&json!({}))), 404, "ENTITY_IS_DELETED");
    let orphan = json!({"LastName": "x", "AccountId": account});
    refused(org.call("POST", "sobjects/Contact", Some(&orphan)), 400, "ENTITY_IS_DELETED");
    assert!(
        soap(&mut org, &format!("<urn:undelete><urn:ids>{contact}</urn:ids></urn:undelete>"))
            .contains("UNDELETE_FAILED")
    );
    assert!(
        soap(&mut org, &format!("<urn:undelete><urn:ids>{account}</urn:ids></urn:undelete>")).contains("<success>true")
    );
    assert_eq!(org.texts("WhoId", "SELECT WhoId FROM Task"), [contact]);
    assert_eq!(org.value("Account", &child, "ParentId"), json!(account));
}

#[test]
fn cases_forbid_deleting_what_they_are_about() {
    let mut org = Org::new();
    let account = org.create("Account", &json!({"Name": "Acme"}));
    let case = org.create("Case", &json!({"AccountId": account}));
    let told = refused(org.call("DELETE", &format!("sobjects/Account/{account}"), None), 400, "DELETE_FAILED");
    assert!(told.contains("Acme") && told.contains("cases"), "{told}");
    org.delete("Case", &case);
    org.delete("Account", &account);
}

#[test]
fn feeds_tell_what_changed_and_what_went() {
    let mut org = Org::new();
    let (a, b) = (org.create("Account", &json!({"Name": "A"})), org.create("Account", &json!({"Name": "B"})));
    org.wait(600);
    org.patch(&format!("sobjects/Account/{a}"), &json!({"Site": "x"}), 204);
    org.delete("Account", &b);
    org.wait(600);
    let span = "start=2026-11-20T09:05:00%2B00:00&end=2026-11-20T09:15:30%2B00:00";
    let updated = org.get(&format!("sobjects/Account/updated/?{span}"));
    assert_eq!(updated, json!({"ids": [a], "latestDateCovered": "2026-11-20T09:15:00.000+0000"}));
    let deleted = org.get(&format!("sobjects/Account/deleted/?{span}"));
    assert_eq!(deleted["deletedRecords"], json!([{"id": b, "deletedDate": "2026-11-20T09:10:00.000+0000"}]));
    assert_eq!(deleted["earliestDateAvailable"], "2026-11-05T09:20:00.000+0000");
    for query in [
        "start=2026-11-20T09:05:00Z&end=2026-11-20T09:05:30Z",
        "start=2026-11-04T09:05:00Z&end=2026-11-20T09:05:30Z",
        "start=2026-11-19&end=2026-11-20T09:05:30Z",
    ] {
        refused(org.call("GET", &format!("sobjects/Account/deleted/?{query}"), None), 400, "INVALID_REPLICATION_DATE");
    }
    // After fifteen days the bin is emptied.
    org.wait(16 * 86_400);
    let (_, all) = org.ask("queryAll", "SELECT Id FROM Account");
    assert_eq!(all["totalSize"], 1);
    assert_eq!(org.sandbox.journal().count("Account", Action::Purged), 1);
}

#[test]
fn a_merge_moves_children_and_leaves_its_trace() {
    let mut org = Org::new();
    let (winner, loser) = (org.create("Account", &json!({"Name": "A"})), org.create("Account", &json!({"Name": "B"})));
    let contact = org.create("Contact", &json!({"LastName": "Lee", "AccountId": loser}));
    let merge = |org: &mut Org, loser: &str| {
        soap(
            org,
            &format!(
                "<urn:merge><urn:request><urn:masterRecord xsi:type=\"urn:sObject\"><type>Account</type><Id>{winner}</Id>\
            <Site>kept</Site></urn:masterRecord><urn:recordToMergeIds>{loser}</urn:recordToMergeIds></urn:request></urn:merge>"
            ),
        )
    };
    let reply = merge(&mut org, &loser);
    assert!(
        reply.contains(&format!(
            "<mergedRecordIds>{loser}</mergedRecordIds><success>true</success><updatedRelatedIds>{contact}<"
        )),
        "{reply}"
    );
    assert_eq!(org.value("Contact", &contact, "AccountId"), json!(winner));
    assert_eq!(org.value("Account", &winner, "Site"), "kept");
    let (_, gone) =
        org.ask("queryAll", "SELECT Id, MasterRecordId FROM Account WHERE IsDeleted = true AND MasterRecordId != null");
    assert_eq!((&gone["records"][0]["Id"], &gone["records"][0]["MasterRecordId"]), (&json!(loser), &json!(winner)));
    assert!(merge(&mut org, &loser).contains("ENTITY_IS_DELETED"));
    let change = org.sandbox.journal().changes_of("Account", &loser).last().unwrap().clone();
    assert_eq!((change.action, &change.fields["merged_into"].1), (Action::Merged, &json!(winner)));
    assert!(merge(&mut org, &contact).contains("<success>false"));
    let misnamed = soap(&mut org, "<urn:merge><urn:mergeRequests/></urn:merge>");
    assert!(misnamed.contains("<faultcode>soapenv:Client"), "{misnamed}");
    let untyped = soap(
        &mut org,
        &format!(
            "<urn:merge><urn:request><urn:masterRecord><Id>{winner}</Id></urn:masterRecord>\
             <urn:recordToMergeIds>{contact}</urn:recordToMergeIds></urn:request></urn:merge>"
        ),
    );
    assert!(untyped.contains("<statusCode>INVALID_TYPE"), "{untyped}");
}

#[test]
fn soap_refuses_in_its_own_words() {
    let mut org =
        Org::of(json!({"settings": {"daily_requests": 3, "locked": ["001Aa0000000001IAA"]}, "records": {"Account": [
        {"Id": "001Aa0000000001IAA", "Name": "A"}, {"Id": "001Aa0000000002IAA", "Name": "B"}]}}));
    let merge = "<urn:merge><urn:request><urn:masterRecord><type>Account</type><Id>001Aa0000000002IAA</Id></urn:masterRecord>\
                 <urn:recordToMergeIds>001Aa0000000001IAA</urn:recordToMergeIds></urn:request></urn:merge>";
    assert!(soap(&mut org, merge).contains("<statusCode>UNABLE_TO_LOCK_ROW</statusCode>"));
    let session = std::mem::replace(&mut org.token, "00Dnobody".to_owned());
    assert!(soap(&mut org, merge).contains("<faultcode>sf:INVALID_SESSION_ID</faultcode>"));
    org.token = session;
    for (path, header, code) in [
        ("/services/Soap/u/66.0", "accept", "soapenv:Client"),
        ("/services/Soap/u/67.0", "soapaction", "sf:UNSUPPORTED_API_VERSION"),
    ] {
        let request = org.request("POST", path).with_header(header, "*/*");
        let reply = org.send(&request);
        let told = String::from_utf8(reply.body).unwrap();
        assert!(reply.status == 500 && told.contains(&format!("<faultcode>{code}<")), "{told}");
    }
    // Calls of SOAP are taken from the same budget.
    org.get("limits");
    org.get("limits");
    assert!(soap(&mut org, merge).contains("<faultcode>sf:REQUEST_LIMIT_EXCEEDED</faultcode>"));
}

#[test]
fn others_work_in_the_organization_too() {
    let mut org = Org::new();
    let id = org.create("Account", &json!({"Name": "A"}));
    let now = jiff::Timestamp::from_second(org.now + 60).unwrap();
    let act = |action| Disturbance { object: "Account".into(), which: Which::Id(id.clone()), action };
    org.sandbox.disturb(&act(DisturbAction::Change { field: "Site".into(), value: json!("x") }), now);
    assert_eq!(org.value("Account", &id, "Site"), "x");
    assert_eq!(org.value("Account", &id, "SystemModstamp"), "2026-11-20T09:01:00.000+0000");
    org.sandbox.disturb(&act(DisturbAction::Create { fields: json!({"Name": "B"}) }), now);
    let into = org.texts("Id", "SELECT Id FROM Account WHERE Name = 'B'").remove(0);
    org.sandbox.disturb(&act(DisturbAction::Merge { into }), now);
    assert_eq!(org.texts("Name", "SELECT Name FROM Account"), ["B"]);
}
