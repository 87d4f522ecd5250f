//! Many contacts out of Salesforce or Zoho CRM, whose lists are read by jobs (`handover sandbox`, as a process of its own and
//! without limits), into a stub that takes whatever it is given; and the persons of a stub into Salesforce, by jobs that
//! write.
//!
//! The waits for the jobs are real ones: the sandboxes take ten or twenty seconds for any.

use std::collections::BTreeMap;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use handover_connect::Connector;
use handover_model::{End, Flow};
use serde_json::{Value as Json, json};

use crate::machine::{Process, machine};
use crate::movement::{connect, flow_of, moved, of_flow, rule};
use crate::stub::code;
use crate::throughput::{measured, shown};
use crate::{Error, print};

/// Fields, each with the one on the other side.
type Pairs = [(&'static str, &'static str); 8];

/// What is carried of a contact: the field of the stub, the field of Salesforce.
const FIELDS: Pairs = [
    ("firstname", "FirstName"),
    ("lastname", "LastName"),
    ("email", "Email"),
    ("phone", "Phone"),
    ("field_0", "Title"),
    ("field_4", "Department"),
    ("field_5", "MailingStreet"),
    ("field_9", "Description"),
];

/// The same of Zoho CRM.
const ZOHO: Pairs = [
    ("firstname", "First_Name"),
    ("lastname", "Last_Name"),
    ("email", "Email"),
    ("phone", "Phone"),
    ("field_0", "Title"),
    ("field_4", "Department"),
    ("field_5", "Mailing_Street"),
    ("field_9", "Description"),
];

/// The object of contacts, and what is carried of it.
fn source(platform: &str) -> Result<(&'static str, Pairs), Error> {
    match platform {
        "salesforce" => Ok(("Contact", FIELDS)),
        "zoho" => Ok(("Contacts", ZOHO)),
        _ => Err("the platforms with jobs are salesforce and zoho".into()),
    }
}

/// What is carried of a person: the field of Salesforce, the field of the stub, custom ones by their numbers.
const PERSON: Pairs = [
    ("FirstName", "first_name"),
    ("LastName", "last_name"),
    ("Email", "emails"),
    ("Phone", "phones"),
    ("Title", "0"),
    ("Department", "4"),
    ("MailingStreet", "5"),
    ("Description", "9"),
];

/// The field of Salesforce that carries keys.
const KEY: &str = "Handover_Key__c";

/// Moves so many contacts, and prints what it took.
pub(crate) async fn run(platform: &str, records: u64, dir: Option<PathBuf>) -> Result<(), Error> {
    let folder = tempfile::tempdir()?;
    let dir = dir.unwrap_or_else(|| folder.path().to_owned());
    let fields = source(platform)?.1.len();
    print(&format!("jobs: {records} contacts of {fields} fields out of {platform}; {}", machine()));
    let (old, address) = organization(platform, &dir, records).await?;
    let mut new = Process::start(&["stub"])?;
    let servers = format!("{address},http://127.0.0.1:{}", new.line().await?);
    let (told, ours, theirs) =
        measured(&["carry", "--platform", platform, "--server", &servers, "--dir", &dir.to_string_lossy()], &old)
            .await?;
    let figures: Vec<f64> = told.split(' ').filter_map(|part| part.parse().ok()).collect();
    let [whole, read, _, created, calls, day] = figures[..] else { return Err("no figures came".into()) };
    print(&format!("  read        {:>9.0} records/s   {read:.1} s, waits for the jobs among them", created / read));
    print(&format!("  carried     {:>9.0} records/s   {whole:.1} s in all", created / whole));
    print(&format!("  calls       {calls} ({:.0} records each), {day} of what a day allows", created / calls));
    print(&format!("  memory      {} MiB at most", ours.peak_mib));
    print(&format!("  processors  {}; the sandbox {}", shown(ours, records), shown(theirs, records)));
    new.kill().await?;
    old.kill().await
}

/// Moves so many persons into Salesforce, and prints what it took.
pub(crate) async fn load(records: u64, dir: Option<PathBuf>) -> Result<(), Error> {
    let folder = tempfile::tempdir()?;
    let dir = dir.unwrap_or_else(|| folder.path().to_owned());
    print(&format!("load: {records} contacts of {} fields into Salesforce; {}", PERSON.len(), machine()));
    let mut old = Process::start(&["stub", "--records", &records.to_string()])?;
    let port = old.line().await?;
    let (new, address) = organization("salesforce", &dir, 0).await?;
    let servers = format!("http://127.0.0.1:{port},{address}");
    let (told, ours, theirs) = measured(&["fill", "--server", &servers, "--dir", &dir.to_string_lossy()], &new).await?;
    let figures: Vec<f64> = told.split(' ').filter_map(|part| part.parse().ok()).collect();
    let [whole, _, _, created, calls] = figures[..] else { return Err("no figures came".into()) };
    print(&format!(
        "  carried     {:>9.0} records/s   {whole:.1} s in all, waits for the jobs among them",
        created / whole
    ));
    print(&format!("  calls       {calls} of Salesforce ({:.0} records each)", created / calls));
    print(&format!("  memory      {} MiB at most", ours.peak_mib));
    print(&format!("  processors  {}; the sandbox {}", shown(ours, records), shown(theirs, records)));
    new.kill().await?;
    old.kill().await
}

/// That move itself; prints what [`moved`] tells, and the calls to Salesforce.
pub(crate) async fn fill(servers: &str, dir: PathBuf) -> Result<(), Error> {
    let (old, new) = servers.split_once(',').ok_or("two servers are wanted")?;
    let new = connect(new, "salesforce")?;
    let custom = |source: &str| source.parse().map_or(source.to_owned(), code);
    let rules = PERSON.iter().map(|(target, source)| rule(target, &custom(source), &[])).collect();
    let flow = flow_of("people", End::new("old", "persons"), End::new("new", "Contact"), rules);
    let systems: BTreeMap<_, Arc<dyn Connector>> =
        [("old".into(), connect(old, "pipedrive")?), ("new".into(), new.clone())].into();
    let told = moved(of_flow(systems, Flow { key: Some(KEY.into()), ..flow }), dir).await?;
    print(&format!("{told} {}", new.spent().calls));
    Ok(())
}

/// An organization with so many contacts as a process of its own, and its address.
async fn organization(platform: &str, dir: &Path, records: u64) -> Result<(Process, String), Error> {
    let file = dir.join("world.json");
    match platform {
        "zoho" => zoho(&file, records)?,
        _ => world(&file, records)?,
    }
    let mut org = Process::start(&[
        "sandbox",
        platform,
        "--world",
        &file.to_string_lossy(),
        "--limits",
        "off",
        "--listen",
        "127.0.0.1:0",
    ])?;
    let ready: Json = serde_json::from_str(&org.line().await?)?;
    std::fs::remove_file(&file)?;
    let address = ready["base_url"].as_str().ok_or("the sandbox has no address")?;
    Ok((org, address.to_owned()))
}

/// The move itself; prints what [`moved`] tells, the calls to the source, and what they took of its day. The servers are
/// separated by a comma.
pub(crate) async fn carry(platform: &str, servers: &str, dir: PathBuf) -> Result<(), Error> {
    let (old, new) = servers.split_once(',').ok_or("two servers are wanted")?;
    let old = connect(old, platform)?;
    let (object, fields) = source(platform)?;
    let rules = fields.iter().map(|(target, source)| rule(target, source, &[])).collect();
    let flow = flow_of("people", End::new("old", object), End::new("new", "contacts"), rules);
    let systems: BTreeMap<_, Arc<dyn Connector>> =
        [("old".into(), old.clone()), ("new".into(), connect(new, "hubspot")?)].into();
    let told = moved(of_flow(systems, flow), dir).await?;
    let spent = old.spent();
    print(&format!("{told} {} {}", spent.calls, spent.charges.get("daily").copied().unwrap_or_default()));
    Ok(())
}

/// The same of Zoho CRM.
fn zoho(file: &Path, records: u64) -> Result<(), Error> {
    let user = 100_000_000_000_000_001_u64;
    let mut out = std::io::BufWriter::new(std::fs::File::create(file)?);
    let scope = "ZohoCRM.modules.ALL,ZohoCRM.settings.ALL,ZohoCRM.users.ALL,ZohoCRM.org.READ,ZohoCRM.coql.READ,ZohoCRM.bulk.READ";
    let head = json!({
        "platform": "zoho", "complete": true,
        "users": [{"id": user, "first_name": "U", "last_name": "V", "email": "u@x.example", "admin": true}],
        "access": {"tokens": {"bench": {"user": user, "scope": scope}}},
    });
    let head = head.to_string();
    let open = head.strip_suffix('}').ok_or("the world is no object")?;
    write!(out, "{open},\"records\":{{\"Contacts\":[")?;
    for number in 1..=records {
        let minute = number / 40;
        let made = format!(
            "2024-{:02}-{:02}T{:02}:{:02}:00Z",
            minute / 40_320 % 12 + 1,
            minute / 1_440 % 28 + 1,
            minute / 60 % 24,
            minute % 60
        );
        let contact = json!({
            "id": 100_000_000_001_000_000 + number, "First_Name": format!("First {}", number % 977),
            "Last_Name": format!("M\u{fc}ller-L\u{fc}denscheidt {number}"), "Email": format!("person{number}@x.example"),
            "Phone": format!("+49 30 901820{:03}", number % 1_000), "Title": "Head of \"many\", various things",
            "Department": format!("Department {}", number % 40), "Mailing_Street": "Some Street 1\nSecond yard",
            "Description": format!("A text of a usual length, which says little of number {number}."),
            "Created_Time": made, "Modified_Time": "2025-11-05T10:11:12Z", "Owner": user,
        });
        write!(out, "{}{contact}", if number == 1 { "" } else { "," })?;
    }
    write!(out, "]}}}}")?;
    Ok(out.flush()?)
}

/// An organization with so many contacts, one row after the other: the whole of it is too large for memory twice.
fn world(file: &Path, records: u64) -> Result<(), Error> {
    let user = "005Aa0000000001IAA";
    let mut out = std::io::BufWriter::new(std::fs::File::create(file)?);
    let head = json!({
        "platform": "salesforce", "complete": true,
        "sessions": {"bench": {"user": user, "used": null, "refreshable": false}},
        "fields": {"Contact": [{"name": KEY, "type": "string", "length": 120, "unique": true, "external_id": true}]},
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
