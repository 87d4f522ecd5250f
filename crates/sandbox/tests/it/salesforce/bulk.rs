//! Bulk API 2.0: jobs on the virtual clock.

use handover_sandbox::Reply;
use serde_json::{Value as Json, json};

use super::{Org, refused};

fn upload(org: &mut Org, job: &Json, csv: &str) -> Reply {
    let url = format!("/{}", job["contentUrl"].as_str().unwrap());
    let mut request = org.request("PUT", &url).with_header("content-type", "text/csv");
    request.body = csv.as_bytes().to_vec();
    org.send(&request)
}

/// Creates a job, sends its rows and closes it; gives its id.
fn ingest(org: &mut Org, job: &Json, csv: &str) -> String {
    let job = org.post("jobs/ingest", job, 200);
    assert_eq!((&job["state"], &job["apiVersion"]), (&json!("Open"), &json!(66.0)));
    assert_eq!(upload(org, &job, csv).status, 201);
    let id = job["id"].as_str().unwrap().to_owned();
    assert_eq!(
        org.patch(&format!("jobs/ingest/{id}"), &json!({"state": "UploadComplete"}), 200)["state"],
        "UploadComplete"
    );
    id
}

fn text(org: &mut Org, path: &str) -> String {
    let request = org.request("GET", path);
    let reply = org.send(&request);
    assert_eq!(reply.status, 200, "{path}");
    String::from_utf8(reply.body).unwrap()
}

#[test]
fn rows_are_written_when_the_job_is_due() {
    let mut org = Org::keyed();
    let csv = "Src_Id__c,Name,Site,AnnualRevenue\nA,\"Acme, \"\"big\"\"\",x,12\nB,Blue,,\nC,,x,\nD,Dot,x,many\na,Twice,#N/A,\n";
    org.create("Account", &json!({"Name": "Old", "Src_Id__c": "B", "Site": "kept"}));
    let id =
        ingest(&mut org, &json!({"object": "Account", "operation": "upsert", "externalIdFieldName": "Src_Id__c"}), csv);
    assert_eq!(org.query("SELECT Id FROM Account").len(), 1);
    org.wait(5);
    assert_eq!(org.get(&format!("jobs/ingest/{id}"))["state"], "InProgress");
    org.wait(10);
    let done = org.get(&format!("jobs/ingest/{id}"));
    assert_eq!((&done["state"], &done["jobType"]), (&json!("JobComplete"), &json!("V2Ingest")));
    assert_eq!((&done["numberRecordsProcessed"], &done["numberRecordsFailed"]), (&json!(5), &json!(2)));
    let good = text(&mut org, &format!("jobs/ingest/{id}/successfulResults/"));
    let mut lines: Vec<&str> = good.lines().collect();
    assert_eq!(lines.remove(0), "\"sf__Id\",\"sf__Created\",\"Src_Id__c\",\"Name\",\"Site\",\"AnnualRevenue\"");
    lines.sort_unstable_by_key(|line| line.get(20..).map(str::to_owned));
    assert_eq!(lines.len(), 3);
    assert!(lines.iter().any(|line| line.ends_with(",\"true\",\"A\",\"Acme, \"\"big\"\"\",\"x\",\"12\"")), "{good}");
    assert!(lines.iter().any(|line| line.ends_with(",\"false\",\"B\",\"Blue\",\"\",\"\"")), "{good}");
    let bad = text(&mut org, &format!("jobs/ingest/{id}/failedResults/"));
    assert!(bad.starts_with("\"sf__Id\",\"sf__Error\",\"Src_Id__c\""));
    assert!(bad.contains("\"REQUIRED_FIELD_MISSING:Required fields are missing: [Name]:Name --\",\"C\""), "{bad}");
    assert!(bad.contains("INVALID_TYPE_ON_FIELD_IN_RECORD:"), "{bad}");
    assert_eq!(text(&mut org, &format!("jobs/ingest/{id}/unprocessedrecords/")).lines().count(), 1);
    assert_eq!(text(&mut org, &format!("jobs/ingest/{id}/unprocessedRecords")).lines().count(), 1);
    // An empty cell said nothing, `#N/A` cleared.
    let sites = org.query("SELECT Name, Site FROM Account ORDER BY Src_Id__c");
    assert_eq!((&sites[0]["Name"], &sites[0]["Site"]), (&json!("Twice"), &Json::Null));
    assert_eq!((&sites[1]["Name"], &sites[1]["Site"]), (&json!("Blue"), &json!("kept")));
    let stamps = org.texts("CreatedDate", "SELECT CreatedDate FROM Account WHERE Src_Id__c = 'A'");
    assert_eq!(stamps, ["2026-11-20T09:00:10.000+0000"], "the job's own second, not that of who asked");
}

#[test]
fn parents_ids_and_deletions_go_by_columns() {
    let mut org = Org::keyed();
    let account = org.create("Account", &json!({"Name": "Acme", "Src_Id__c": "A-1"}));
    let csv = "LastName,Account.Src_Id__c,Src_Id__c\r\nLee,A-1,C-1\r\nLost,A-9,C-2\r\n";
    let job = json!({"object": "Contact", "operation": "insert", "lineEnding": "CRLF"});
    let id = ingest(&mut org, &job, csv);
    org.wait(20);
    assert_eq!(org.texts("AccountId", "SELECT AccountId FROM Contact"), [account]);
    assert!(
        text(&mut org, &format!("jobs/ingest/{id}/failedResults/"))
            .contains("INVALID_FIELD:Foreign key external ID: a-9")
    );
    let tasks = ingest(
        &mut org,
        &json!({"object": "Task", "operation": "insert", "columnDelimiter": "PIPE"}),
        "Subject|Contact:Who.Src_Id__c\nCall|C-1\n",
    );
    org.wait(20);
    assert_eq!(org.get(&format!("jobs/ingest/{tasks}"))["numberRecordsFailed"], 0);
    assert_eq!(org.query("SELECT Who.Name FROM Task")[0]["Who"]["Name"], "Lee");
    let contact = org.texts("Id", "SELECT Id FROM Contact").remove(0);
    ingest(&mut org, &json!({"object": "Contact", "operation": "delete"}), &format!("Id\n{contact}\n"));
    org.wait(20);
    assert_eq!(org.query("SELECT Id FROM Contact").len(), 0);
}

#[test]
fn jobs_are_refused_failed_and_aborted() {
    let mut org = Org::keyed();
    for (job, code) in [
        (json!({"object": "Person", "operation": "insert"}), "INVALIDENTITY"),
        (json!({"object": "Account", "operation": "sort"}), "INVALIDOPERATION"),
        (json!({"object": "Account", "operation": "upsert"}), "INVALIDJOB"),
        (json!({"object": "Account", "operation": "upsert", "externalIdFieldName": "Site"}), "INVALIDJOB"),
        (json!({"object": "Account", "operation": "hardDelete"}), "FEATURENOTENABLED"),
    ] {
        refused(org.call("POST", "jobs/ingest", Some(&job)), 400, code);
    }
    let insert = json!({"object": "Account", "operation": "insert"});
    let id = ingest(&mut org, &insert, "Name,Colour\nAcme,red\n");
    org.wait(20);
    let failed = org.get(&format!("jobs/ingest/{id}"));
    assert_eq!(failed["state"], "Failed");
    assert_eq!(failed["errorMessage"], "InvalidBatch : Field name not found : Colour");
    assert_eq!(
        text(&mut org, &format!("jobs/ingest/{id}/unprocessedrecords/")),
        "\"Name\",\"Colour\"\n\"Acme\",\"red\"\n"
    );
    let job = org.post("jobs/ingest", &insert, 200);
    assert_eq!(upload(&mut org, &job, "Name\nOne\n").status, 201);
    assert_eq!(upload(&mut org, &job, "Name\nTwo\n").status, 400, "one upload for each job");
    let path = format!("jobs/ingest/{}", job["id"].as_str().unwrap());
    assert_eq!(org.patch(&path, &json!({"state": "Aborted"}), 200)["state"], "Aborted");
    refused(org.call("PATCH", &path, Some(&json!({"state": "Aborted"}))), 400, "INVALIDJOBSTATE");
    assert_eq!(org.get("jobs/ingest")["records"].as_array().unwrap().len(), 2);
    assert_eq!(org.call("DELETE", &path, None).0, 204);
    refused(org.call("GET", &path, None), 404, "NOT_FOUND");
    org.wait(60);
    assert_eq!(org.query("SELECT Id FROM Account").len(), 0);
}

#[test]
fn headers_and_rows_are_looked_at() {
    let mut org = Org::keyed();
    let account = org.create("Account", &json!({"Name": "Acme"}));
    let long = "x".repeat(32_001);
    let upsert = json!({"object": "Account", "operation": "upsert", "externalIdFieldName": "Src_Id__c"});
    let update = json!({"object": "Account", "operation": "update"});
    for (job, csv, why) in [
        (&upsert, "Name\nA\n".to_owned(), "Field name not found : Src_Id__c"),
        (&update, "Name\nA\n".to_owned(), "Field name not found : Id"),
        (&update, format!("Id,Name,name\n{account},A,B\n"), "Duplicate field name : name"),
        (&update, format!("Id,Description\n{account},{long}\n"), "too long"),
        (&update, format!("Id,Name\r\n{account},A\r\n"), "LineEnding is invalid"),
        (&update, String::new(), "no header"),
    ] {
        let id = ingest(&mut org, job, &csv);
        org.wait(30);
        let job = org.get(&format!("jobs/ingest/{id}"));
        assert_eq!((&job["state"], &job["numberRecordsProcessed"]), (&json!("Failed"), &json!(0)), "{why}");
        assert!(job["errorMessage"].as_str().unwrap().contains(why), "{job}");
    }
    assert_eq!(org.texts("Name", "SELECT Name FROM Account"), ["Acme"]);
}

#[test]
fn open_jobs_end_and_batches_are_counted() {
    let mut org = Org::of(json!({
        "settings": {"daily_batches": 1, "session_s": 1_000_000},
        "fields": {"Account": [{"name": "Src_Id__c", "type": "string", "length": 80, "unique": true, "external_id": true}]},
    }));
    let upsert = json!({"object": "Account", "operation": "upsert", "externalIdFieldName": "Src_Id__c"});
    let left = org.post("jobs/ingest", &upsert, 200)["id"].as_str().unwrap().to_owned();
    org.wait(86_400);
    assert_eq!(org.get(&format!("jobs/ingest/{left}"))["state"], "Aborted");
    ingest(&mut org, &upsert, "Src_Id__c,Name\nA,Acme\n");
    refused(org.call("POST", "jobs/ingest", Some(&upsert)), 400, "EXCEEDEDQUOTA");
    org.wait(86_401);
    org.post("jobs/ingest", &upsert, 200);
}

#[test]
fn a_query_job_gives_its_rows_in_pages() {
    let mut org = Org::new();
    for name in ["A", "B", "C", "D", "E"] {
        org.create("Account", &json!({"Name": name}));
    }
    let job = json!({"operation": "query", "query": "SELECT Name, Parent.Name, CreatedDate, IsDeleted FROM Account ORDER BY Name"});
    let id = org.post("jobs/query", &job, 200)["id"].as_str().unwrap().to_owned();
    refused(org.call("GET", &format!("jobs/query/{id}/results"), None), 400, "INVALIDJOBSTATE");
    org.wait(20);
    assert_eq!(org.get(&format!("jobs/query/{id}"))["numberRecordsProcessed"], 5);
    let (mut names, mut locator) = (Vec::new(), String::new());
    loop {
        let request = org.request("GET", &format!("jobs/query/{id}/results?maxRecords=2&locator={locator}"));
        let reply = org.send(&request);
        let csv = String::from_utf8(reply.body.clone()).unwrap();
        let mut lines = csv.lines();
        assert_eq!(lines.next(), Some("\"Name\",\"Parent.Name\",\"CreatedDate\",\"IsDeleted\""));
        names.extend(lines.map(|line| line.split(',').next().unwrap().to_owned()));
        locator = reply.header("sforce-locator").unwrap().to_owned();
        if locator == "null" {
            assert_eq!(csv.lines().last(), Some("\"E\",\"\",\"2026-11-20T09:00:00.000Z\",\"false\""));
            assert_eq!(reply.header("sforce-numberofrecords"), Some("1"));
            break;
        }
    }
    assert_eq!(names, ["\"A\"", "\"B\"", "\"C\"", "\"D\"", "\"E\""]);
    let other = org.call("GET", &format!("/services/data/v60.0/jobs/query/{id}/results"), None);
    assert_eq!(other.0, 409);
    for soql in [
        "SELECT COUNT() FROM Account",
        "SELECT Id FROM Account OFFSET 5",
        "SELECT BillingAddress FROM Account",
        "SELECT Id, (SELECT Id FROM Contacts) FROM Account",
    ] {
        refused(org.call("POST", "jobs/query", Some(&json!({"operation": "query", "query": soql}))), 400, "API_ERROR");
    }
    let wrong = json!({"operation": "query", "query": "SELECT foo FROM Account"});
    refused(org.call("POST", "jobs/query", Some(&wrong)), 400, "INVALID_FIELD");
}
