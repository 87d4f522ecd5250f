//! Folders of CSV files as systems, through the real binary: the example of a sales team that moves to
//! HubSpot, files that are wrong, files as a target.

#[path = "../../../files/examples/crm_sales/company.rs"]
mod company;

use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::{Value as Json, json};

const DEALS: usize = 300;
const SEED: u64 = 7;

/// A project in a folder of its own.
struct Place {
    folder: tempfile::TempDir,
}

struct Told {
    code: Option<i32>,
    out: String,
    err: String,
}

impl Told {
    #[track_caller]
    fn ends(self, code: i32) -> Self {
        assert_eq!(self.code, Some(code), "seed {SEED}\n{}\n{}", self.out, self.err);
        self
    }

    fn json(&self) -> Json {
        serde_json::from_str(&self.out).unwrap()
    }

    #[track_caller]
    fn says(&self, text: &str) -> &Self {
        assert!(self.out.contains(text) || self.err.contains(text), "no `{text}` in\n{}\n{}", self.out, self.err);
        self
    }
}

impl Place {
    /// The example with files of its shape and a portal of its own.
    fn example() -> Self {
        let folder = tempfile::tempdir().unwrap();
        copy(&Path::new(env!("CARGO_MANIFEST_DIR")).join("../../examples/csv-to-hubspot"), folder.path());
        let place = Self { folder };
        company::write(&place.path("data"), DEALS, SEED).unwrap();
        std::fs::create_dir_all(place.path("sandbox/crm")).unwrap();
        std::fs::rename(place.path("portal.json"), place.path("sandbox/crm/world.json")).unwrap();
        place
    }

    /// The sample company's Pipedrive, to be moved into files.
    fn pipedrive() -> Self {
        let place = Self { folder: tempfile::tempdir().unwrap() };
        place.does(&["demo", "--small", "--until", "init", "--dir", "demo"]).ends(0);
        std::fs::rename(place.path("demo/sandbox"), place.path("sandbox")).unwrap();
        place.write("handover.yaml", TO_FILES.as_bytes());
        place.write("fields.yaml", PEOPLE_FIELDS.as_bytes());
        std::fs::create_dir(place.path("mappings")).unwrap();
        place.write("mappings/people.yaml", PEOPLE.as_bytes());
        place
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn write(&self, name: &str, bytes: &[u8]) {
        std::fs::write(self.path(name), bytes).unwrap();
    }

    fn rows(&self, name: &str) -> Vec<csv::StringRecord> {
        csv::Reader::from_path(self.path(name)).unwrap().records().map(Result::unwrap).collect()
    }

    fn does(&self, arguments: &[&str]) -> Told {
        let output = Command::new(env!("CARGO_BIN_EXE_handover"))
            .args(arguments)
            .env("NO_COLOR", "1")
            .env_remove("HANDOVER_LOG")
            .current_dir(self.folder.path())
            .output()
            .unwrap();
        let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
        Told { code: output.status.code(), out: text(output.stdout), err: text(output.stderr) }
    }
}

fn copy(from: &Path, to: &Path) {
    std::fs::create_dir_all(to).unwrap();
    for entry in std::fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        // Files that somebody who tried the example left there are no part of it.
        if entry.path().is_dir() && !matches!(entry.file_name().to_str(), Some("mappings" | "translations")) {
            continue;
        }
        if entry.path().is_dir() {
            copy(&entry.path(), &to.join(entry.file_name()));
        } else {
            std::fs::copy(entry.path(), to.join(entry.file_name())).unwrap();
        }
    }
}

/// Every record of an object has an outcome.
#[track_caller]
fn add_up(told: &Json, object: &str, read: usize) {
    let counts = told["objects"][object].as_object().unwrap();
    let sum: u64 = counts.iter().filter(|(word, _)| *word != "read").filter_map(|(_, count)| count.as_u64()).sum();
    assert_eq!((&counts["read"], sum), (&json!(read), read as u64), "{object}");
}

#[test]
fn a_sales_team_moves_to_hubspot() {
    let place = Place::example();
    let (accounts, deals) = (place.rows("data/accounts.csv"), place.rows("data/sales_pipeline.csv"));
    place.does(&["check"]).ends(0).says("m/d/y").says("can only be read with the month first");
    let planned = place.does(&["plan", "--create-fields", "--json"]).ends(0);
    planned.says("\"inferred\"");
    let ran = place.does(&["run", "--json"]).ends(3).json();
    add_up(&ran, "accounts", accounts.len());
    add_up(&ran, "sales_pipeline", DEALS);
    let undecided = deals.iter().filter(|deal| &deal[1] == "Zane Levy").count();
    assert!(undecided > 0, "seed {SEED}");
    assert_eq!(ran["objects"]["sales_pipeline"]["held"], json!(undecided));
    let assign = ["holds", "answer", "unknown_user:Zane Levy", "--assign", "summer.sewald@gadgets.example"];
    place.does(&assign).ends(0);
    let verified = place.does(&["verify", "--json"]).ends(0).json();
    // A deal without account has no link; a parent may stand below its child.
    let linked = deals.iter().filter(|deal| !deal[3].is_empty()).count();
    let children = accounts.iter().filter(|account| !account[6].is_empty()).count();
    assert!(linked < DEALS && children > 0, "seed {SEED}");
    let found = &verified["verify"];
    assert_eq!(found["records"], json!(accounts.len() + DEALS));
    assert_eq!(found["links"], json!(linked + children));
    assert_eq!(found["differences"], json!(0));
    let again = place.does(&["run", "--json"]).ends(0).json();
    assert_eq!(again["objects"]["sales_pipeline"]["created"], json!(DEALS));
}

#[test]
fn files_that_are_wrong_are_named_with_their_line() {
    let place = Place::example();
    let header = "account,sector,year_established,revenue,employees,office_location,subsidiary_of\n";
    let good = "Acme,retail,1990,1.5,10,Kenya,\n";
    let file = |rest: &[u8]| [header.as_bytes(), good.as_bytes(), rest].concat();
    let large = format!("Umbra,{},1990,1.5,10,Kenya,\n", "x".repeat(11 << 20));
    let cases: [(&[u8], &str); 4] = [
        (b"Um\0bra,retail,1990,1.5,10,Kenya,\n", "accounts.csv, line 3: a NUL byte, which no text has"),
        (b"Umbra,retail,1990\n", "accounts.csv: 1 row has another number of cells than the header (7): line 3"),
        (large.as_bytes(), "accounts.csv, line 3: the cell in column `sector` is larger than 10 MB"),
        (b"Acme,retail,1990,2.5,11,Kenya,\n", "accounts.csv, line 3: the id stands in line 2 too"),
    ];
    for (rest, message) in cases {
        place.write("data/accounts.csv", &file(rest));
        let told = place.does(&["check"]).ends(1);
        told.says(message).says("nothing was written");
        assert!(!told.err.contains("Umbra"), "no values in errors: {}", told.err);
    }
}

#[test]
fn files_as_spreadsheets_write_them_are_read() {
    let place = Place::example();
    let header = "account;sector;year_established;revenue;employees;office_location;subsidiary_of\r\n";
    let row = "Müller & Söhne;retail;1990;1.100,5;10;Kenya;\r\n";
    let marked = [b"\xef\xbb\xbf", header.as_bytes(), row.as_bytes()].concat();
    let latin: Vec<u8> = format!("{header}{row}").chars().map(|letter| u8::try_from(letter).unwrap()).collect();
    for (bytes, encoding) in [(marked, "the byte order mark"), (latin, "windows-1252")] {
        place.write("data/accounts.csv", &bytes);
        let told = place.does(&["check", "--no-usage"]).ends(0);
        told.says(encoding).says("semicolon").says("can only be read with a decimal comma");
    }
}

#[test]
fn dates_that_read_both_ways_are_said_and_can_be_settled() {
    let place = Place::example();
    let deals = "opportunity_id,sales_agent,product,account,deal_stage,engage_date,close_date,close_value\n\
        A1,Moses Frase,GTXPro,,Won,1/2/2017,1/3/2017,5\n";
    place.write("data/sales_pipeline.csv", deals.as_bytes());
    let told = place.does(&["check"]).ends(0);
    told.says("warning[ambiguous_column]").says("`engage_date` of sales_pipeline.csv stays text");
    let project = std::fs::read_to_string(place.path("handover.yaml")).unwrap();
    let columns = "id: opportunity_id\n        columns: {engage_date: m/d/y, close_date: m/d/y}";
    place.write("handover.yaml", project.replace("id: opportunity_id", columns).as_bytes());
    let told = place.does(&["check"]).ends(0);
    assert!(!told.err.contains("ambiguous_column"), "{}", told.err);
}

#[test]
fn people_move_into_a_file() {
    let place = Place::pipedrive();
    exclude_the_rest(&place);
    place.does(&["plan", "--create-fields"]).ends(0);
    let ran = place.does(&["run", "--json"]).ends(0).json();
    let rows = place.rows("drop/people.csv");
    add_up(&ran, "persons", rows.len());
    assert!(rows.len() > 20);
    let verified = place.does(&["verify", "--json"]).ends(0).json();
    assert_eq!(verified["verify"]["records"], json!(rows.len()));
    assert_eq!(verified["verify"]["differences"], json!(0));
    let fields = verified["verify"]["fields"].as_u64().unwrap();
    assert!(fields >= 3 * rows.len() as u64, "{fields} fields compared");
    place.does(&["run"]).ends(0);
    assert_eq!(place.rows("drop/people.csv"), rows, "a second run adds nothing");
    // What somebody changes in the file is found.
    let text = std::fs::read_to_string(place.path("drop/people.csv")).unwrap();
    place.write("drop/people.csv", text.replacen(&rows[0][1], "Somebody Else", 1).as_bytes());
    place.does(&["verify"]).ends(4);
}

/// What was read before a rule wanted a field lacks it: it is read again, and nothing is taken for blank.
#[test]
fn a_field_that_is_mapped_later_arrives_for_all() {
    for pass in [&["run"][..], &["sync", "--once"]] {
        let place = Place::pipedrive();
        exclude_the_rest(&place);
        let whole = std::fs::read_to_string(place.path("mappings/people.yaml")).unwrap();
        let rule = "  phone: {from: phones, steps: [primary]}\n";
        let without = format!("{}  phones: not yet\n", whole.replace(rule, ""));
        place.write("mappings/people.yaml", without.as_bytes());
        place.does(&["plan", "--create-fields"]).ends(0);
        place.does(&["run"]).ends(0);
        let phones = || {
            let mut reader = csv::Reader::from_path(place.path("drop/people.csv")).unwrap();
            let at = reader.headers().unwrap().iter().position(|name| name == "phone").unwrap();
            reader.records().filter(|row| !row.as_ref().unwrap()[at].is_empty()).count()
        };
        assert_eq!(phones(), 0);
        place.write("mappings/people.yaml", whole.as_bytes());
        place.does(pass).ends(0).says("`old.persons` is read whole again: the rules read `phones` now");
        assert!(phones() > 10, "{pass:?}: {}", phones());
        assert_eq!(place.does(&["verify", "--json"]).ends(0).json()["verify"]["differences"], json!(0));
        let again = place.does(pass).ends(0);
        assert!(!again.err.contains("is read whole again"), "{}", again.err);
        // What is read meanwhile without it lacks it again.
        place.write("mappings/people.yaml", without.as_bytes());
        place.does(pass).ends(0);
        place.write("mappings/people.yaml", whole.as_bytes());
        place.does(pass).ends(0).says("is read whole again");
    }
}

#[test]
fn names_that_nobody_has_are_said_before_anything_is_written() {
    let place = Place::example();
    let path = place.path("data/sales_pipeline.csv");
    let mut text = std::fs::read_to_string(&path).unwrap();
    text.push_str("X1,Moses Frase,GTXPro,No Such Account,Won,1/20/2017,1/23/2017,5\n");
    std::fs::write(&path, text).unwrap();
    let told = place.does(&["check"]).ends(0);
    told.says("warning[dangling_reference]")
        .says(&format!("1 of its values to no row or to several: line {}", DEALS + 2));
    // The run says it again: the deal is there, and which link it lacks is named.
    place.does(&["plan", "--create-fields"]).ends(0);
    let ran = place.does(&["run", "--json"]).ends(3).json();
    let nowhere = &ran["links_nowhere"];
    assert_eq!((&nowhere[0]["column"], &nowhere[0]["records"]), (&json!("account"), &json!(1)), "{nowhere}");
    assert_eq!(nowhere.as_array().unwrap().len(), 1);
    place.does(&["run"]).ends(3).says("1 row of sales_pipeline.csv without the link of `account`");
}

/// Excludes the fields of which the check says that nobody maps them.
fn exclude_the_rest(place: &Place) {
    let told = place.does(&["check", "--json"]).ends(1).json();
    let mut mapping = format!("{PEOPLE}exclude:\n");
    for problem in told["problems"].as_array().unwrap() {
        assert_eq!(problem["code"], "unmapped_field");
        let name = problem["message"].as_str().unwrap().split('`').nth(1).unwrap();
        mapping.push_str(&format!("  \"{name}\": not moved\n"));
    }
    place.write("mappings/people.yaml", mapping.as_bytes());
}

const TO_FILES: &str = "\
project: people-to-files
systems:
  old: {platform: pipedrive, sandbox: sandbox/old}
  drop: {platform: csv, folder: drop, objects: {people: {id: source_key}}}
flows: [people]
";
const PEOPLE_FIELDS: &str = "\
- {system: drop, object: people, name: name, kind: text}
- {system: drop, object: people, name: emails, kind: text}
- {system: drop, object: people, name: phone, kind: text}
- {system: drop, object: people, name: added, kind: datetime}
";
const PEOPLE: &str = "\
source: {system: old, object: persons}
target: {system: drop, object: people}
key: source_key
keep: source
fields:
  name: name
  emails: emails
  phone: {from: phones, steps: [primary]}
  added: add_time
";
