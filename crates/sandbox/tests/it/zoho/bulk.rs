//! Bulk read and bulk write (sheet: sections 4 and 5).

use std::io::{Cursor, Write as _};

use serde_json::{Value as Json, json};
use zip::write::SimpleFileOptions;
use zip::{ZipArchive, ZipWriter};

use super::{Org, denied, keys};

/// The only file of an archive.
fn unzipped(archive: &[u8]) -> String {
    let mut archive = ZipArchive::new(Cursor::new(archive)).unwrap();
    assert_eq!(archive.len(), 1);
    std::io::read_to_string(archive.by_index(0).unwrap()).unwrap()
}

/// An archive of one file.
fn zipped(text: &str) -> Vec<u8> {
    let mut archive = ZipWriter::new(Cursor::new(Vec::new()));
    archive.start_file("a", SimpleFileOptions::default()).unwrap();
    archive.write_all(text.as_bytes()).unwrap();
    archive.finish().unwrap().into_inner()
}

fn upload(org: &mut Org, archive: &[u8], zgid: &str) -> (u16, Json) {
    let mut request = org.request("POST", "upload").with_header("content-type", "multipart/form-data; boundary=XX");
    request = request.with_header("feature", "bulk-write").with_header("x-crm-org", zgid);
    request.body = b"--XX\r\nContent-Disposition: form-data; name=\"file\"; filename=\"x.zip\"\r\n\r\n".to_vec();
    request.body.extend_from_slice(archive);
    request.body.extend_from_slice(b"\r\n--XX--\r\n");
    let reply = org.send(&request);
    (reply.status, reply.body_json())
}

fn download(org: &mut Org, path: &str) -> String {
    let request = org.request("GET", path);
    let reply = org.send(&request);
    assert_eq!(reply.status, 200, "{}", reply.body_json());
    unzipped(&reply.body)
}

#[test]
fn a_read_job_goes_through_its_states() {
    let mut org = Org::new();
    let account = org.create("Accounts", &json!({"Account_Name": "A, \"B\""}));
    let contact = org.create("Contacts", &json!({"Last_Name": "Lee", "Account_Name": {"id": account}}));
    org.create("Contacts", &json!({"Last_Name": "Kim"}));
    let query = json!({"module": {"api_name": "Contacts"}, "fields": ["Last_Name", "Account_Name", "Account_Name.Account_Name", "Created_Time", "Email_Opt_Out"],
        "criteria": {"group_operator": "and", "group": [{"field": {"api_name": "Last_Name"}, "comparator": "starts_with", "value": "L"},
            {"field": {"api_name": "Modified_Time"}, "comparator": "greater_equal", "value": "2026-05-01T00:00:00+00:00"}]}});
    let body = json!({"query": query, "callback": {"url": "http://127.0.0.1:9/done", "method": "post"}});
    let made = org.post("/crm/bulk/v8/read", &body, 201);
    assert_eq!(
        (&made["data"][0]["code"], &made["data"][0]["details"]["state"]),
        (&json!("ADDED_SUCCESSFULLY"), &json!("ADDED"))
    );
    let path = format!("/crm/bulk/v8/read/{}", made["data"][0]["details"]["id"].as_str().unwrap());
    assert_eq!(org.get(&path)["data"][0]["state"], "ADDED");
    org.wait(9);
    org.update("Contacts", &contact, &json!({"Last_Name": "Li"}));
    org.wait(1);
    assert_eq!(org.get(&path)["data"][0]["state"], "IN PROGRESS");
    org.update("Contacts", &contact, &json!({"Last_Name": "Late"}));
    denied(org.call("GET", &format!("{path}/result"), None), 400, "CANNOT_PERFORM_ACTION");
    org.wait(10);
    let job = org.get(&path)["data"][0].clone();
    assert_eq!(
        (&job["state"], &job["result"]["count"], &job["result"]["more_records"]),
        (&json!("COMPLETED"), &json!(1), &json!(false))
    );
    assert_eq!(org.events[0].body["state"], "COMPLETED");
    let csv =
        download(&mut org, &format!("/{}", job["result"]["download_url"].as_str().unwrap().trim_start_matches('/')));
    let wanted = format!(
        "Id,Last_Name,Account_Name,Account_Name.Account_Name,Created_Time,Email_Opt_Out\n\
         {contact},Li,{account},\"A, \"\"B\"\"\",2026-11-20T12:00:00+03:00,false\n"
    );
    assert_eq!(csv, wanted);
    for _ in 0..9 {
        download(&mut org, &format!("{path}/result"));
    }
    denied(org.call("GET", &format!("{path}/result"), None), 429, "TOO_MANY_REQUESTS");
}

#[test]
fn pages_of_a_read_follow_each_other() {
    let mut org = Org::with(&json!({"bulk_page": 2, "bulk_s": 0}));
    for name in ["a", "b", "c"] {
        org.create("Leads", &json!({"Last_Name": name}));
    }
    let mut read = |query: Json| {
        let made = org.post("/crm/bulk/v8/read", &json!({"query": query}), 201);
        let path = format!("/crm/bulk/v8/read/{}", made["data"][0]["details"]["id"].as_str().unwrap());
        let result = org.get(&path)["data"][0]["result"].clone();
        (result, download(&mut org, &format!("{path}/result")).lines().count() - 1)
    };
    let module = json!({"api_name": "Leads"});
    let (first, rows) = read(json!({"module": module, "page": 1}));
    assert_eq!((rows, &first["more_records"]), (2, &json!(true)));
    let (second, rows) = read(json!({"module": module, "page_token": first["next_page_token"]}));
    assert_eq!((rows, &second["page"], &second["more_records"]), (1, &json!(2), &json!(false)));
    assert_eq!(read(json!({"module": module, "page": 2})).1, 1);
}

#[test]
fn reads_that_are_refused() {
    let mut org = Org::new();
    let module = json!({"api_name": "Leads"});
    for (body, code) in [
        (json!({}), "MANDATORY_NOT_FOUND"),
        (json!({"query": {"module": {"api_name": "Notes"}}}), "MODULE_NOT_SUPPORTED"),
        (json!({"query": {"module": {"api_name": "Planets"}}}), "MODULE_NOT_AVAILABLE"),
        (json!({"query": {"module": module, "fields": ["Colour"]}}), "FIELD_NOT_AVAILABLE"),
        (
            json!({"query": {"module": module, "criteria": {"field": {"api_name": "City"}, "comparator": "like", "value": "x"}}}),
            "INVALID_CRITERIA",
        ),
        (json!({"query": {"module": module, "page": 0}}), "PAGE_RANGE_EXCEEDED"),
        (json!({"query": {"module": module}, "file_type": "xml"}), "INVALID_DATA"),
        (json!({"query": {"module": module}, "callback": {"url": "x"}}), "INVALID_CALLBACK_URL"),
    ] {
        denied(org.call("POST", "/crm/bulk/v8/read", Some(&body)), 400, code);
    }
    assert_eq!(org.call("GET", "/crm/bulk/v8/read/7", None).0, 404);
    let mut free = Org::of(json!({"org": {"edition": "free"}}));
    denied(
        free.call("POST", "/crm/bulk/v8/read", Some(&json!({"query": {"module": module}}))),
        403,
        "FEATURE_NOT_ENABLED",
    );
}

#[test]
fn a_read_job_is_begun_by_whoever_may_read() {
    let body = json!({"query": {"module": {"api_name": "Leads"}}});
    for (scope, wanted) in [
        ("ZohoCRM.bulk.READ,ZohoCRM.modules.leads.READ", 201),
        ("ZohoCRM.bulk.ALL,ZohoCRM.modules.ALL", 201),
        ("ZohoCRM.bulk.READ,ZohoCRM.modules.contacts.READ", 401),
        ("ZohoCRM.modules.ALL", 401),
    ] {
        let tokens = json!({"t": {"user": 554_023_000_000_300_001_u64, "scope": scope}});
        let mut org = Org::of(json!({"access": {"tokens": tokens}}));
        assert_eq!(org.call("POST", "/crm/bulk/v8/read", Some(&body)).0, wanted, "{scope}");
    }
}

#[test]
fn a_write_job_says_what_became_of_each_row() {
    let mut org = Org::keyed();
    org.create("Accounts", &json!({"Account_Name": "Acme", "Source_Id": "A"}));
    let old = org.create("Contacts", &json!({"Last_Name": "Old", "Source_Id": "1", "City": "x", "Phone": "123"}));
    let text = "key,name,born,account,mail\n1,Lee,12/31/1990,A,\n2,\"Kim, Ann\",,A,k@x.io\n3,,,,\n4,Bad,,,no mail\n";
    let (status, body) = upload(&mut org, &zipped(text), "60012345678");
    assert_eq!((status, &body["code"]), (200, &json!("FILE_UPLOAD_SUCCESS")));
    assert!(body["details"]["file_id"].as_str().unwrap().parse::<u64>().is_ok(), "a number, as clients read it");
    let mappings = json!([{"api_name": "Source_Id", "index": 0}, {"api_name": "Last_Name", "index": 1}, {"api_name": "Date_of_Birth", "index": 2},
        {"api_name": "Account_Name", "index": 3, "find_by": "Source_Id"}, {"api_name": "Email", "index": 4},
        {"api_name": "Lead_Source", "default_value": {"value": "Chat"}}]);
    let resource = json!([{"type": "data", "module": {"api_name": "Contacts"}, "file_id": body["details"]["file_id"], "find_by": "Source_Id", "field_mappings": mappings}]);
    let job = json!({"operation": "upsert", "ignore_empty": true, "resource": resource});
    let before = org.sandbox.journal().cost();
    let made = org.post("/crm/bulk/v8/write", &job, 201);
    assert_eq!(org.sandbox.journal().cost() - before, 500);
    let path = format!("/crm/bulk/v8/write/{}", made["details"]["id"].as_str().unwrap());
    assert_eq!(org.get(&path)["status"], "ADDED");
    org.wait(20);
    let told = org.get(&path);
    let file = &told["resource"][0]["file"];
    assert_eq!(
        (&told["status"], &file["added_count"], &file["updated_count"], &file["skipped_count"], &file["total_count"]),
        (&json!("COMPLETED"), &json!(1), &json!(1), &json!(2), &json!(4))
    );
    assert!(told["result"]["download_url"].as_str().unwrap().starts_with("http://127.0.0.1:8080/"));
    let csv = download(&mut org, &format!("{path}/result"));
    let lines: Vec<&str> = csv.lines().collect();
    assert_eq!(
        (lines[0], lines[1]),
        ("key,name,born,STATUS,RECORD_ID,ERRORS", format!("1,Lee,12/31/1990,UPDATED,{old},").as_str())
    );
    assert!(lines[2].starts_with("2,\"Kim, Ann\",,ADDED,5"), "{csv}");
    assert_eq!(
        (lines[3], lines[4]),
        ("3,,,SKIPPED,,MANDATORY_NOT_FOUND-Last_Name", "4,Bad,,SKIPPED,,INVALID_DATA-Email")
    );
    let record = org.record("Contacts", &old);
    assert_eq!(
        (&record["Date_of_Birth"], &record["Account_Name"]["name"], &record["Phone"]),
        (&json!("1990-12-31"), &json!("Acme"), &json!("123"))
    );
    assert_eq!(
        (&record["Lead_Source"], &record["Modified_Time"]),
        (&json!("Chat"), &json!("2026-11-20T12:00:10+03:00"))
    );
}

#[test]
fn writes_that_are_refused() {
    let mut org = Org::of(json!({"fields": keys()}));
    assert_eq!(upload(&mut org, &zipped("a\n"), "7").1["info"], "Forbidden");
    assert_eq!(upload(&mut org, b"no zip", "60012345678").1["code"], "INVALID_FILE_FORMAT");
    let file = upload(&mut org, &zipped("a\nb\n"), "60012345678").1["details"]["file_id"].clone();
    let resource = |find_by: &str, field: &str, file: &Json| json!([{"type": "data", "module": {"api_name": "Contacts"}, "file_id": file, "find_by": find_by, "field_mappings": [{"api_name": field, "index": 0}]}]);
    for (body, code) in [
        (json!({"operation": "delete", "resource": resource("Source_Id", "Last_Name", &file)}), "MISSING_REQUIRED_KEY"),
        (json!({"operation": "upsert", "resource": resource("City", "Last_Name", &file)}), "INVALID_DATA"),
        (json!({"operation": "upsert", "resource": resource("Source_Id", "Colour", &file)}), "INVALID_FIELD"),
        (json!({"operation": "upsert", "resource": resource("Source_Id", "City", &file)}), "INVALID_FIELD"),
        (
            json!({"operation": "upsert", "resource": resource("Source_Id", "Mobile", &file)}),
            "MANDATORY_FIELDS_NOT_MAPPED",
        ),
        (
            json!({"operation": "upsert", "resource": resource("Source_Id", "Last_Name", &json!("none"))}),
            "INVALID_FILE_ID",
        ),
    ] {
        denied(org.call("POST", "/crm/bulk/v8/write", Some(&body)), 400, code);
    }
}
