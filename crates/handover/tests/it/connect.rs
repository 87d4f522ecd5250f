//! `handover connect` through the real binary, against sandboxes on loopback; the test is the person with the browser.

mod exports;
mod kept;
mod refused;
mod ways;

use std::collections::BTreeMap;
use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::TcpStream;
use std::path::PathBuf;
use std::process::{Child, Stdio};

use handover_sandbox::sample;
use serde_json::{Value as Json, json};

use crate::cli::{Told, binary};

/// Under which everything is kept here.
const PASSPHRASE: (&str, &str) = ("HANDOVER_PASSPHRASE", "correct horse battery staple");

/// A folder with a sandbox beside it.
struct Place {
    folder: tempfile::TempDir,
    child: Child,
    /// What the sandbox said when it was ready.
    ready: Json,
}

impl Drop for Place {
    fn drop(&mut self) {
        drop(self.child.kill());
        drop(self.child.wait());
    }
}

impl Place {
    /// A platform's account without records, as it comes.
    fn of(platform: &str) -> Self {
        Self::with(platform, |_| ())
    }

    /// The same with another world.
    fn with(platform: &str, change: impl FnOnce(&mut Json)) -> Self {
        let mut world = sample::bare(platform, 1).unwrap();
        match platform {
            "hubspot" => {
                world["oauth_apps"] = json!([{"client_id": "app-0815", "client_secret": "s3cret", "scopes": scopes(platform),
                        "refresh_token": "hub-refresh"}]);
            }
            "pipedrive" => {
                world["account"]["oauth_clients"] =
                    json!([{"client_id": "app-0815", "client_secret": "s3cret", "scopes": PIPEDRIVE_SCOPES}]);
            }
            _ => {}
        }
        change(&mut world);
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("world.json");
        std::fs::write(&file, world.to_string()).unwrap();
        let mut command = binary();
        command.args(["sandbox", platform, "--limits", "off", "--world"]).arg(&file).stdout(Stdio::piped());
        let mut child = command.spawn().unwrap();
        let mut line = String::new();
        BufReader::new(child.stdout.take().unwrap()).read_line(&mut line).unwrap();
        let ready = serde_json::from_str(&line).unwrap();
        Self { folder, child, ready }
    }

    fn url(&self) -> &str {
        self.ready["base_url"].as_str().unwrap()
    }

    /// What the sandbox said of itself; the app's, wherever the platform has it.
    fn said(&self, name: &str) -> &str {
        let oauth = &self.ready["oauth"][name];
        oauth.as_str().or_else(|| self.ready[name].as_str()).unwrap_or("none")
    }

    fn path(&self, file: &str) -> PathBuf {
        self.folder.path().join(file)
    }

    fn write(&self, file: &str, text: &str) {
        std::fs::write(self.path(file), text).unwrap();
    }

    /// The command, begun.
    fn begins(&self, arguments: &[&str], environment: &[(&str, &str)]) -> Child {
        let mut command = binary();
        command.arg("connect").args(arguments).current_dir(self.folder.path()).envs(environment.iter().copied());
        command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap()
    }

    /// The command, with the passphrase, to its end.
    fn connect(&self, arguments: &[&str]) -> Told {
        self.connect_with(arguments, &[PASSPHRASE])
    }

    fn connect_with(&self, arguments: &[&str], environment: &[(&str, &str)]) -> Told {
        let output = self.begins(arguments, environment).wait_with_output().unwrap();
        self.told(&output.stdout, &output.stderr, output.status.code())
    }

    /// The command while a person goes to the page that it names; `alter` changes what the browser brings back.
    fn connect_by(&self, arguments: &[&str], alter: impl Fn(String) -> String) -> Told {
        let secret = ("APP_SECRET", self.said("client_secret"));
        let mut child = self.begins(arguments, &[PASSPHRASE, secret]);
        let mut said = BufReader::new(child.stderr.take().unwrap());
        let mut text = String::new();
        loop {
            let mut line = String::new();
            if said.read_line(&mut line).unwrap() == 0 {
                break;
            }
            text.push_str(&line);
            if line.starts_with("Waiting ") {
                let page = text.lines().map(str::trim).find(|line| line.starts_with("http")).unwrap();
                go(&alter(sent_to(page)));
            }
        }
        let output = child.wait_with_output().unwrap();
        self.told(&output.stdout, text.as_bytes(), output.status.code())
    }

    /// What a process said, without what differs each time.
    fn told(&self, out: &[u8], err: &[u8], code: Option<i32>) -> Told {
        let clean = |bytes: &[u8]| {
            let text = String::from_utf8_lossy(bytes).replace(&self.folder.path().display().to_string(), "<folder>");
            let text = text.replace(self.url(), "<sandbox>").replace(&encoded(self.url()), "<sandbox>");
            let text = text.replace(self.said("client_id"), "<app>");
            ["state=", "code_challenge=", "localhost:", "localhost%3A"]
                .iter()
                .fold(text, |text, mark| masked(&text, mark))
        };
        Told { code: code.unwrap_or(-1), out: clean(out), err: clean(err) }
    }

    /// What is kept of a system, by decrypting its file as anybody may who has the passphrase.
    fn opened(&self, system: &str) -> Json {
        let bytes = std::fs::read(self.path(&format!(".handover/secrets/{system}.age"))).unwrap();
        let identity = age::scrypt::Identity::new(secrecy::SecretString::from(PASSPHRASE.1));
        serde_json::from_slice(&age::decrypt(&identity, &bytes).unwrap()).unwrap()
    }

    fn is_kept(&self, system: &str) -> bool {
        self.path(&format!(".handover/secrets/{system}.age")).exists()
    }
}

/// What an app of Pipedrive's marketplace is given that may do everything: administrators see users and change fields.
const PIPEDRIVE_SCOPES: [&str; 9] = [
    "base",
    "deals:full",
    "contacts:full",
    "activities:full",
    "products:full",
    "leads:full",
    "mail:full",
    "search:read",
    "admin",
];

/// Everything that a platform may be asked for.
fn scopes(platform: &str) -> Vec<String> {
    let dialect = handover_platforms::dialect(platform).unwrap();
    let objects: Vec<_> = dialect.objects().into_iter().map(|object| (object, true)).collect();
    dialect.scopes(&objects)
}

fn encoded(text: &str) -> String {
    text.replace(':', "%3A").replace('/', "%2F")
}

/// The text with what follows a mark, up to its end, as stars.
fn masked(text: &str, mark: &str) -> String {
    let mut parts = text.split(mark);
    let mut masked = parts.next().unwrap().to_owned();
    for part in parts {
        let end = part.find(|c: char| !c.is_ascii_alphanumeric() && c != '-' && c != '_').unwrap_or(part.len());
        masked.push_str(&format!("{mark}*{}", &part[end..]));
    }
    masked
}

/// Where a page sends the browser.
fn sent_to(page: &str) -> String {
    let head = go(page);
    let location = head.lines().find_map(|line| line.strip_prefix("location: "));
    location.unwrap_or_else(|| panic!("{page} sends nowhere: {head}")).to_owned()
}

/// Gets an address as a browser does; the whole answer.
fn go(address: &str) -> String {
    let rest = address.strip_prefix("http://").unwrap_or_else(|| panic!("{address}"));
    let (host, path) = rest.split_once('/').unwrap();
    let mut stream = TcpStream::connect(host.replace("localhost", "127.0.0.1")).unwrap();
    write!(stream, "GET /{path} HTTP/1.1\r\nhost: {host}\r\nconnection: close\r\n\r\n").unwrap();
    let mut reply = String::new();
    stream.read_to_string(&mut reply).unwrap();
    reply
}

/// An address's query by name.
fn query(address: &str) -> BTreeMap<String, String> {
    let query = address.split_once('?').map_or("", |(_, query)| query);
    handover_sandbox::http::read_pairs(query).into_iter().collect()
}
