//! Notes, attachments, files, links, contact roles, tags (sheet: section 2).

use serde_json::{Value as Json, json};

use super::{Org, denied};

/// A request with one file.
fn upload(org: &mut Org, path: &str, name: &str, bytes: &[u8]) -> (u16, Json) {
    let mut request = org.request("POST", path).with_header("content-type", "multipart/form-data; boundary=XX");
    request.body =
        format!("--XX\r\nContent-Disposition: form-data; name=\"file\"; filename=\"{name}\"\r\n\r\n").into_bytes();
    request.body.extend_from_slice(bytes);
    request.body.extend_from_slice(b"\r\n--XX--\r\n");
    let reply = org.send(&request);
    (reply.status, reply.body_json())
}

#[test]
fn notes_hang_on_records() {
    let mut org = Org::new();
    let lead = org.create("Leads", &json!({"Last_Name": "x"}));
    org.empty(&format!("Leads/{lead}/Notes?fields=id"));
    let parent = json!({"module": {"api_name": "Leads"}, "id": lead});
    let note = org.create("Notes", &json!({"Parent_Id": parent, "Note_Title": "t", "Note_Content": "c"}));
    org.post(
        "/crm/v2/Notes",
        &json!({"data": [{"Parent_Id": {"id": lead}, "se_module": "Leads", "Note_Content": "old"}]}),
        201,
    );
    let list = org.get(&format!("Leads/{lead}/Notes?fields=id,Note_Title,Note_Content,Parent_Id"));
    assert_eq!(list["data"].as_array().unwrap().len(), 2);
    assert_eq!(list["data"][1]["Parent_Id"]["module"]["api_name"], "Leads");
    denied(org.call("GET", &format!("Leads/{lead}/Notes"), None), 400, "REQUIRED_PARAM_MISSING");
    org.update("Notes", &note, &json!({"Note_Content": "new", "Parent_Id": {"id": "7"}}));
    let record = org.record("Notes", &note);
    assert_eq!((&record["Note_Content"], &record["Parent_Id"]["id"]), (&json!("new"), &json!(lead)));
    assert_eq!(org.refused("Notes", &json!({"Note_Content": "c"})).0, "MANDATORY_NOT_FOUND");
    assert_eq!(
        org.refused("Notes", &json!({"Note_Content": "c", "Parent_Id": {"module": {"api_name": "Leads"}, "id": "7"}}))
            .0,
        "INVALID_DATA"
    );
    org.delete("Notes", &note);
    assert_eq!(org.texts("Note_Content", "Notes?fields=Note_Content"), ["old"]);
}

#[test]
fn only_administrators_list_all_notes() {
    let users = json!([{"id": 1, "last_name": "Rep", "admin": false}]);
    let mut org = Org::of(json!({"users": users}));
    denied(org.call("GET", "Notes?fields=id", None), 403, "NOT_SUPPORTED");
}

#[test]
fn changes_of_notes_move_the_parent_if_the_organization_is_so() {
    for (bumps, wanted) in [(false, "2026-11-20T12:00:00+03:00"), (true, "2026-11-20T12:00:30+03:00")] {
        let mut org = Org::with(&json!({"related_bumps": bumps}));
        let lead = org.create("Leads", &json!({"Last_Name": "x"}));
        org.wait(30);
        org.post(&format!("Leads/{lead}/Notes"), &json!({"data": [{"Note_Content": "c"}]}), 201);
        assert_eq!(org.record("Leads", &lead)["Modified_Time"], wanted);
    }
}

#[test]
fn attachments_are_bytes_or_links() {
    let mut org = Org::new();
    let lead = org.create("Leads", &json!({"Last_Name": "x"}));
    let path = format!("Leads/{lead}/Attachments");
    let (status, body) = upload(&mut org, &path, "a b.txt", b"hello");
    assert_eq!((status, &body["data"][0]["message"]), (200, &json!("attachment uploaded successfully")));
    org.post(&format!("{path}?attachmentUrl=https://x.example/y&title=Y"), &json!({}), 200);
    let list = org.get(&format!("{path}?fields=id,File_Name,Size"));
    let names: Vec<&Json> = list["data"].as_array().unwrap().iter().map(|one| &one["File_Name"]).collect();
    assert_eq!(names, ["Y", "a b.txt"]);
    assert_eq!((&list["data"][0]["$link_url"], &list["data"][1]["Size"]), (&json!("https://x.example/y"), &json!("5")));
    let id = list["data"][1]["id"].as_str().unwrap().to_owned();
    let request = org.request("GET", &format!("{path}/{id}"));
    let reply = org.send(&request);
    assert_eq!((reply.status, reply.body.as_slice()), (200, b"hello".as_slice()));
    assert_eq!(upload(&mut org, &path, "empty", b"").0, 400);
    assert_eq!(
        upload(&mut org, &path, "large", &vec![0; (20 << 20) + 1]).1["code"],
        "FILE_SIZE_MORE_THAN_ALLOWED_SIZE"
    );
    org.delete(&path, &id);
    assert_eq!(org.texts("File_Name", &format!("{path}?fields=File_Name")), ["Y"]);
}

#[test]
fn a_file_field_takes_what_was_uploaded() {
    let field = json!([{"api_name": "Contract", "data_type": "fileupload"}]);
    let mut org = Org::of(json!({"fields": {"Leads": field}}));
    let (_, body) = upload(&mut org, "files", "c.pdf", b"pdf");
    let file = body["data"][0]["details"]["id"].clone();
    let id = org.create("Leads", &json!({"Last_Name": "x", "Contract": [{"File_Id__s": file}]}));
    let told = org.record("Leads", &id)["Contract"][0].clone();
    assert_eq!(told["File_Name__s"], "c.pdf");
    let request = org.request("GET", &format!("files?id={}", file.as_str().unwrap()));
    assert_eq!(org.send(&request).body, b"pdf");
    org.update("Leads", &id, &json!({"Contract": [{"id": told["id"], "_delete": null}]}));
    assert_eq!(org.record("Leads", &id)["Contract"], Json::Null);
    assert_eq!(
        org.refused("Leads", &json!({"Last_Name": "x", "Contract": [{"File_Id__s": "none"}]})).0,
        "INVALID_DATA"
    );
}

#[test]
fn products_and_campaigns_are_linked_on_both_sides() {
    let mut org = Org::new();
    let product = org.create("Products", &json!({"Product_Name": "Pump"}));
    let account = org.create("Accounts", &json!({"Account_Name": "Acme"}));
    let done = org.put(&format!("Accounts/{account}/Products"), &json!({"data": [{"id": product}, {"id": "7"}]}), 207);
    assert_eq!(done["data"][0]["message"], "relation added");
    assert_eq!(org.texts("Account_Name", &format!("Products/{product}/Accounts?fields=Account_Name")), ["Acme"]);
    let (status, _) = org.call("DELETE", &format!("Products/{product}/Accounts/{account}"), None);
    assert_eq!(status, 200);
    org.empty(&format!("Accounts/{account}/Products?fields=id"));
    let body = json!({"data": [{"id": account}]});
    denied(org.call("PUT", &format!("Accounts/{account}/Contacts"), Some(&body)), 400, "NOT_SUPPORTED");
    denied(org.call("GET", &format!("Accounts/{account}/Planets?fields=id"), None), 400, "INVALID_DATA");
    org.empty("Accounts/7/Contacts?fields=id");
}

#[test]
fn contacts_have_roles_in_deals() {
    let mut org = Org::new();
    let main = org.create("Contacts", &json!({"Last_Name": "Main"}));
    let other = org.create("Contacts", &json!({"Last_Name": "Other"}));
    let deal =
        json!({"Deal_Name": "x", "Closing_Date": "2026-12-01", "Stage": "Qualification", "Contact_Name": {"id": main}});
    let deal = org.create("Deals", &deal);
    let roles = org.get("Contacts/roles");
    assert_eq!(roles["contact_roles"][1]["name"], "Decision Maker");
    let role = json!({"data": [{"Contact_Role": {"name": "Decision Maker"}}]});
    org.put(&format!("Deals/{deal}/Contact_Roles/{other}"), &role, 200);
    let list = org.get(&format!("Deals/{deal}/Contact_Roles?fields=Last_Name"));
    assert_eq!(list["data"].as_array().unwrap().len(), 2);
    assert_eq!(
        (&list["data"][0]["Contact_Role"]["name"], &list["data"][1]["Contact_Role"]),
        (&json!("Decision Maker"), &Json::Null)
    );
    let wrong = json!({"data": [{"Contact_Role": {"name": "Chef"}}]});
    denied(org.call("PUT", &format!("Deals/{deal}/Contact_Roles/{other}"), Some(&wrong)), 400, "INVALID_DATA");
    org.post("Contacts/roles", &json!({"contact_roles": [{"name": "Chef"}]}), 201);
    org.put(&format!("Deals/{deal}/Contact_Roles/{other}"), &wrong, 200);
    assert_eq!(org.call("DELETE", &format!("Deals/{deal}/Contact_Roles/{other}"), None).0, 200);
    denied(org.call("DELETE", &format!("Deals/{deal}/Contact_Roles/{other}"), None), 400, "INVALID_DATA");
    assert_eq!(org.texts("Last_Name", &format!("Deals/{deal}/Contact_Roles?fields=Last_Name")), ["Main"]);
}

#[test]
fn tags_are_added_and_taken_away() {
    let mut org = Org::new();
    let lead = org.create("Leads", &json!({"Last_Name": "x", "Tag": [{"name": "in the body"}]}));
    assert_eq!(org.record("Leads", &lead)["Tag"], json!([]));
    let body = json!({"tags": [{"name": "hot"}, {"name": "new"}], "ids": [lead]});
    org.post("Leads/actions/add_tags", &body, 200);
    org.post(&format!("Leads/{lead}/actions/remove_tags"), &json!({"tags": [{"name": "new"}]}), 200);
    assert_eq!(org.record("Leads", &lead)["Tag"][0]["name"], "hot");
    let again = org.post(&format!("Leads/{lead}/actions/add_tags"), &json!({"tags": [{"name": "hot"}]}), 200);
    assert_eq!(again["data"][0]["details"]["tags"][0]["name"], "hot");
    assert_eq!(org.get("settings/tags?module=Leads")["tags"].as_array().unwrap().len(), 2);
    let long = json!({"tags": [{"name": "x".repeat(26)}], "ids": [lead]});
    denied(org.call("POST", "Leads/actions/add_tags", Some(&long)), 400, "INVALID_DATA");
    let mut kind = Org::with(&json!({"tags_in_body": true}));
    let lead = kind.create("Leads", &json!({"Last_Name": "x", "Tag": [{"name": "in the body"}]}));
    assert_eq!(kind.record("Leads", &lead)["Tag"][0]["name"], "in the body");
}
