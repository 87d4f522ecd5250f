//! Activities with their parties, notes with files, connections, marketing lists.

use serde_json::json;

use super::{Org, refused};

#[test]
fn an_email_has_parties_and_ends_without_being_sent() {
    let mut org = Org::new();
    let me = org.me();
    let contact = org.create("contacts", &json!({"lastname": "Lee", "emailaddress1": "lee@x.example"}));
    let account = org.create("accounts", &json!({"name": "A"}));
    let party = |kind: &str, id: &str, mask: i64| json!({format!("partyid_{kind}@odata.bind"): format!("/{kind}s({id})"), "participationtypemask": mask});
    let email = org.create("emails", &json!({"subject": "Hi", "description": "<p>..</p>", "directioncode": true,
        "regardingobjectid_account_email@odata.bind": format!("/accounts({account})"),
        "email_activity_parties": [party("systemuser", &me, 1), party("contact", &contact, 2), {"addressused": "a@b.example", "participationtypemask": 3}]}));
    let path = format!("emails({email})");
    let masks = |org: &mut Org| -> Vec<i64> {
        let rows = org.rows(&format!(
            "emails({email})/email_activity_parties?$select=participationtypemask&$orderby=participationtypemask"
        ));
        rows.iter().map(|row| row["participationtypemask"].as_i64().unwrap()).collect()
    };
    assert_eq!(masks(&mut org), [1, 2, 3, 8, 9], "with what it is about, and its owner");
    let whole =
        org.get(&format!("{path}?$select=subject&$expand=email_activity_parties($select=addressused,_partyid_value)"));
    assert_eq!(whole["email_activity_parties"].as_array().unwrap().len(), 5);
    let value = json!({"value": [party("contact", &contact, 2)]});
    assert_eq!(org.call("PUT", &format!("{path}/email_activity_parties"), Some(&value)).0, 204);
    assert_eq!(masks(&mut org), [2, 8, 9]);
    let found = org.rows(&format!("accounts({account})/Account_Emails?$select=subject"));
    assert_eq!(found[0]["subject"], "Hi");
    let pointer = org.rows("activitypointers?$select=subject,activitytypecode&$filter=activitytypecode eq 'email'");
    assert_eq!(pointer[0]["activityid"], json!(email));
    let file = json!({"filename": "a.txt", "mimetype": "text/plain", "body": "aGVsbG8=", "objecttypecode": "email",
        "objectid_email@odata.bind": format!("/emails({email})")});
    let file = org.create("activitymimeattachments", &file);
    assert_eq!(org.get(&format!("activitymimeattachments({file})?$select=filesize,body"))["filesize"], 5);
    org.patch(&path, &json!({"statecode": 1, "statuscode": 2}));
    let row = org.get(&path);
    assert_eq!((&row["statuscode"], &row["attachmentcount"]), (&json!(2), &json!(1)));
    org.delete(&path);
    assert!(org.rows("activityparties").is_empty() && org.rows("activitymimeattachments").is_empty());
}

#[test]
fn what_an_activity_is_about_names_both_tables() {
    let mut org = Org::new();
    let lead = org.create("leads", &json!({"lastname": "Lee"}));
    let bind = format!("/leads({lead})");
    for (set, nav) in [("tasks", "task"), ("phonecalls", "phonecall"), ("emails", "email")] {
        let id = org.create(set, &json!({"subject": "s", format!("regardingobjectid_lead_{nav}@odata.bind"): bind}));
        let row =
            org.ask("GET", &format!("{set}({id})"), &[("prefer", "odata.include-annotations=\"*\"")], None).body_json();
        assert_eq!(row["_regardingobjectid_value"], json!(lead));
        assert_eq!(row["_regardingobjectid_value@Microsoft.Dynamics.CRM.lookuplogicalname"], "lead");
    }
    for nav in ["regardingobjectid", "regardingobjectid_lead", "regardingobjectid_lead_email"] {
        let body = json!({"subject": "s", format!("{nav}@odata.bind"): bind});
        refused(org.call("POST", "tasks", Some(&body)), 400, "0x80048d19");
    }
    refused(org.call("POST", "appointments", Some(&json!({"subject": "s"}))), 400, "0x80040203");
    let when =
        json!({"subject": "s", "scheduledstart": "2026-11-20T10:00:00Z", "scheduledend": "2026-11-20T11:00:00Z"});
    let id = org.create("appointments", &when);
    assert_eq!(org.get(&format!("appointments({id})"))["scheduleddurationminutes"], 60);
    assert_eq!(org.rows("activitypointers").len(), 4);
    org.patch(&format!("activitypointers({id})"), &json!({"subject": "moved"}));
    assert_eq!(org.get(&format!("appointments({id})"))["subject"], "moved");
}

#[test]
fn a_note_has_a_file_that_must_be_selected() {
    let mut org = Org::new();
    let account = org.create("accounts", &json!({"name": "A"}));
    let note = org.create(
        "annotations",
        &json!({"subject": "s", "notetext": "t", "filename": "a.txt", "mimetype": "text/plain",
        "documentbody": "aGVsbG8=", "objectid_account@odata.bind": format!("/accounts({account})")}),
    );
    let plain = org.get(&format!("annotations({note})"));
    assert_eq!(plain.get("documentbody"), None);
    assert_eq!(
        (&plain["filesize"], &plain["isdocument"], &plain["objecttypecode"]),
        (&json!(5), &json!(true), &json!("account"))
    );
    assert_eq!(org.get(&format!("annotations({note})?$select=documentbody"))["documentbody"], "aGVsbG8=");
    let long = "x".repeat(100_001);
    refused(org.call("POST", "annotations", Some(&json!({"subject": "s", "notetext": long}))), 400, "0x80044331");
}

#[test]
fn a_connection_has_a_twin() {
    let mut org = Org::new();
    let account = org.create("accounts", &json!({"name": "A"}));
    let contact = org.create("contacts", &json!({"lastname": "Lee"}));
    let role = org.create("connectionroles", &json!({"name": "Partner"}));
    let id = org.create("connections", &json!({"record1id_account@odata.bind": format!("/accounts({account})"),
        "record2id_contact@odata.bind": format!("/contacts({contact})"), "record2roleid@odata.bind": format!("/connectionroles({role})")}));
    let rows = org.rows("connections?$orderby=ismaster desc");
    assert_eq!(rows.len(), 2);
    assert_eq!(
        (&rows[0]["connectionid"], &rows[0]["name"], &rows[0]["ismaster"]),
        (&json!(id), &json!("Lee"), &json!(true))
    );
    assert_eq!(
        (&rows[1]["_record1id_value"], &rows[1]["_record1roleid_value"], &rows[1]["name"]),
        (&json!(contact), &json!(role), &json!("A"))
    );
    assert_eq!(rows[1]["_relatedconnectionid_value"], json!(id));
    org.patch(&format!("connections({id})"), &json!({"description": "close"}));
    assert_eq!(org.rows("connections?$filter=ismaster eq false")[0]["description"], "close");
    org.delete(&format!("connections({id})"));
    assert!(org.rows("connections").is_empty());
}

#[test]
fn lists_have_members() {
    let mut org = Org::new();
    let list = org.create("lists", &json!({"listname": "L", "createdfromcode": 2}));
    let ids: Vec<String> = ["A", "B"].iter().map(|name| org.create("contacts", &json!({"lastname": name}))).collect();
    let member = |id: &String| json!({"@odata.type": "Microsoft.Dynamics.CRM.contact", "contactid": id});
    let body =
        json!({"List": {"@odata.type": "Microsoft.Dynamics.CRM.list", "listid": list}, "Members": [member(&ids[0])]});
    assert_eq!(org.call("POST", "AddListMembersList", Some(&body)).0, 204);
    let link = json!({"@odata.id": format!("/contacts({})", ids[1])});
    let path = format!("lists({list})/listcontact_association");
    assert_eq!(org.call("POST", &format!("{path}/$ref"), Some(&link)).0, 204);
    assert_eq!(org.call("POST", &format!("{path}/$ref"), Some(&link)).0, 412, "twice");
    assert_eq!(org.texts("lastname", &format!("{path}?$orderby=lastname")), ["A", "B"]);
    assert_eq!(org.rows("listmembers?$filter=entitytype eq 'contact'").len(), 2);
    assert_eq!(org.texts("listname", &format!("contacts({})/listcontact_association", ids[0])), ["L"]);
    refused(org.call("POST", "listmembers", Some(&json!({}))), 405, "0x80040800");
    org.delete(&format!("contacts({})", ids[0]));
    assert_eq!(org.rows(&path).len(), 1);
    let link = org.sandbox.journal().changes("listcontact_association").count();
    assert_eq!(link, 2);
}
