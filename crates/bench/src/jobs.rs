//! Many contacts out of Salesforce, whose list is read by a job of the Bulk API 2.0 (`handover sandbox`, as a process of
//! its own and without limits), into a stub that takes whatever it is given.
//!
//! The waits for the job are real ones: the sandbox takes ten seconds for any.

use std::collections::BTreeMap;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use handover_connect::Connector;
use handover_model::End;
use serde_json::{Value as Json, json};

use crate::machine::{Process, machine};
use crate::movement::{connect, flow_of, moved, of_flow, rule};
use crate::throughput::{measured, shown};
use crate::{Error, print};

/// What is carried of a contact: the field of the stub, the field of Salesforce.
const FIELDS: [(&str, &str); 8] = [
    ("firstname", "FirstName"),
    ("lastname", "LastName"),
    ("email", "Email"),
    ("phone", "Phone"),
    ("field_0", "Title"),
    ("field_4", "Department"),
    ("field_5", "MailingStreet"),
    ("field_9", "Description"),
];

/// Moves so many contacts, and prints what it took.
pub(crate) async fn run(records: u64, dir: Option<PathBuf>) -> Result<(), Error> {
    let folder = tempfile::tempdir()?;
    let dir = dir.unwrap_or_else(|| folder.path().to_owned());
    print(&format!("jobs: {records} contacts of {} fields out of Salesforce; {}", FIELDS.len(), machine()));
    let file = dir.join("world.json");
    world(&file, records)?;
    let mut old = Process::start(&[
        "sandbox",
        "salesforce",
        "--world",
        &file.to_string_lossy(),
        "--limits",
        "off",
        "--listen",
        "127.0.0.1:0",
    ])?;
    let ready: Json = serde_json::from_str(&old.line().await?)?;
    std::fs::remove_file(&file)?;
    let mut new = Process::start(&["stub"])?;
    let address = ready["base_url"].as_str().ok_or("the sandbox has no address")?;
    let servers = format!("{address},http://127.0.0.1:{}", new.line().await?);
    let (told, ours, theirs) =
        measured(&["carry", "--server", &servers, "--dir", &dir.to_string_lossy()], &old).await?;
    let figures: Vec<f64> = told.split(' ').filter_map(|part| part.parse().ok()).collect();
    let [whole, read, _, created, calls] = figures[..] else { return Err("no figures came".into()) };
    print(&format!("  read        {:>9.0} records/s   {read:.1} s, waits for the job among them", created / read));
    print(&format!("  carried     {:>9.0} records/s   {whole:.1} s in all", created / whole));
    print(&format!("  calls       {calls} of Salesforce ({:.0} records each)", created / calls));
    print(&format!("  memory      {} MiB at most", ours.peak_mib));
    print(&format!("  processors  {}; the sandbox {}", shown(ours, records), shown(theirs, records)));
    new.kill().await?;
    old.kill().await
}

/// The move itself; prints what [`moved`] tells, and the calls to Salesforce. The servers are separated by a comma.
pub(crate) async fn carry(servers: &str, dir: PathBuf) -> Result<(), Error> {
    let (old, new) = servers.split_once(',').ok_or("two servers are wanted")?;
    let old = connect(old, "salesforce")?;
    let end = |system: &str, object: &str| End { system: system.into(), object: object.into() };
    let rules = FIELDS.iter().map(|(target, source)| rule(target, source, &[])).collect();
    let flow = flow_of("people", end("old", "Contact"), end("new", "contacts"), rules);
    let systems: BTreeMap<_, Arc<dyn Connector>> =
        [("old".into(), old.clone()), ("new".into(), connect(new, "hubspot")?)].into();
    let told = moved(of_flow(systems, flow), dir).await?;
    print(&format!("{told} {}", old.spent().calls));
    Ok(())
}

/// An organization with so many contacts, one row after the other: the whole of it is too large for memory twice.
fn world(file: &Path, records: u64) -> Result<(), Error> {
    let user = "005Aa0000000001IAA";
    let mut out = std::io::BufWriter::new(std::fs::File::create(file)?);
    let head = json!({
        "platform": "salesforce", "complete": true,
        "sessions": {"bench": {"user": user, "used": null, "refreshable": false}},
    });
    let users = json!([{"Id": user, "Username": "u@x.example", "LastName": "U", "Email": "u@x.example", "Alias": "u",
        "IsActive": true}]);
    let head = head.to_string();
    let open = head.strip_suffix('}').ok_or("the world is no object")?;
    write!(out, "{open},\"records\":{{\"User\":{users},\"Contact\":[")?;
    for number in 1..=records {
        let contact = json!({
            "Id": format!("003Aa0{number:09}"), "FirstName": format!("First {}", number % 977),
            "LastName": format!("M\u{fc}ller-L\u{fc}denscheidt {number}"), "Email": format!("person{number}@x.example"),
            "Phone": format!("+49 30 901820{:03}", number % 1_000), "Title": "Head of \"many\", various things",
            "Department": format!("Department {}", number % 40), "MailingStreet": "Some Street 1\nSecond yard",
            "Description": format!("A text of a usual length, which says little of number {number}."),
            "CreatedDate": "2024-03-05T10:11:12.000+0000", "LastModifiedDate": "2025-11-05T10:11:12.000+0000",
            "SystemModstamp": "2025-11-05T10:11:12.000+0000",
        });
        write!(out, "{}{contact}", if number == 1 { "" } else { "," })?;
    }
    write!(out, "]}}}}")?;
    Ok(out.flush()?)
}
