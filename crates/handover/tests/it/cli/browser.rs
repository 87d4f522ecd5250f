//! A headless Chromium on a pipe: what a page says on the console, what it asks the network for, how it
//! prints and looks. No port, no driver: the browser's own protocol, one JSON text after another.

use std::fs::File;
use std::io::{BufRead as _, BufReader, Write as _};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use serde_json::{Value as Json, json};

/// A browser with one empty tab; it ends with the test.
pub(super) struct Browser {
    child: Child,
    /// Its profile and pipes.
    _folder: tempfile::TempDir,
    to: File,
    from: BufReader<File>,
    session: Json,
    sent: u64,
    events: Vec<Json>,
}

impl Drop for Browser {
    fn drop(&mut self) {
        drop(self.child.kill());
        drop(self.child.wait());
    }
}

/// The program: what `HANDOVER_TEST_BROWSER` names, else Debian's.
fn program() -> String {
    std::env::var("HANDOVER_TEST_BROWSER").unwrap_or_else(|_| "chromium".to_owned())
}

const FLAGS: &[&str] = &[
    "--headless",
    // Containers run as root and have no user namespaces; the page is our own.
    "--no-sandbox",
    "--disable-gpu",
    "--disable-dev-shm-usage",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--hide-scrollbars",
    "--remote-debugging-pipe",
];

impl Browser {
    pub(super) fn open() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let pipes = ["in", "out"].map(|name| folder.path().join(name));
        assert!(Command::new("mkfifo").args(&pipes).status().unwrap().success());
        // The protocol speaks on the descriptors 3 and 4.
        let child = Command::new("sh")
            .args(["-c", "in=$1 out=$2; shift 2; exec \"$@\" 3<\"$in\" 4>\"$out\"", "sh"])
            .args(&pipes)
            .arg(program())
            .args(FLAGS)
            .arg(format!("--user-data-dir={}", folder.path().join("profile").display()))
            .stdout(Stdio::null())
            .stderr(File::create(folder.path().join("log")).unwrap())
            .spawn()
            .unwrap();
        let open = |path: &PathBuf| {
            File::options().read(path.ends_with("out")).write(path.ends_with("in")).open(path).unwrap()
        };
        let (to, from) = (open(&pipes[0]), BufReader::new(open(&pipes[1])));
        let mut browser = Self { child, _folder: folder, to, from, session: Json::Null, sent: 0, events: Vec::new() };
        let target = browser.asks("Target.createTarget", json!({"url": "about:blank"}))["targetId"].clone();
        let attached = browser.asks("Target.attachToTarget", json!({"targetId": target, "flatten": true}));
        browser.session = attached["sessionId"].clone();
        for domain in ["Page", "Runtime", "Log", "Network"] {
            browser.asks(&format!("{domain}.enable"), json!({}));
        }
        browser
    }

    /// Sends a command and gives its result; events that come meanwhile are kept.
    fn asks(&mut self, method: &str, params: Json) -> Json {
        self.sent += 1;
        let mut message = json!({"id": self.sent, "method": method, "params": params});
        if self.session.is_string() {
            message["sessionId"] = self.session.clone();
        }
        self.to.write_all(format!("{message}\0").as_bytes()).unwrap();
        loop {
            let message = self.next();
            if message["id"] == self.sent {
                assert!(message["error"].is_null(), "{method}: {message}");
                return message["result"].clone();
            }
            self.events.push(message);
        }
    }

    fn next(&mut self) -> Json {
        let mut bytes = Vec::new();
        self.from.read_until(0, &mut bytes).unwrap();
        assert_eq!(bytes.pop(), Some(0), "`{}` went away: is it installed?", program());
        serde_json::from_slice(&bytes).unwrap()
    }

    /// Opens a file in a window of this width, in pixels, and waits until it is loaded.
    pub(super) fn show(&mut self, file: &Path, width: u32) {
        let metrics = json!({"width": width, "height": 900, "deviceScaleFactor": 1, "mobile": width < 600});
        self.asks("Emulation.setDeviceMetricsOverride", metrics);
        self.events.clear();
        self.asks("Page.navigate", json!({"url": format!("file://{}", file.display())}));
        while !self.events.iter().any(|event| event["method"] == "Page.loadEventFired") {
            let event = self.next();
            self.events.push(event);
        }
    }

    fn params<'e>(&'e self, method: &'e str) -> impl Iterator<Item = &'e Json> {
        self.events.iter().filter(move |event| event["method"] == method).map(|event| &event["params"])
    }

    /// What the page asked for since it was opened.
    pub(super) fn requests(&self) -> Vec<String> {
        self.params("Network.requestWillBeSent")
            .map(|sent| sent["request"]["url"].as_str().unwrap().to_owned())
            .collect()
    }

    /// Errors, warnings and exceptions since the page was opened.
    pub(super) fn complaints(&mut self) -> Vec<String> {
        // Whatever was said before is behind us then.
        self.evaluates("0");
        let said = self.params("Runtime.consoleAPICalled").chain(self.params("Runtime.exceptionThrown"));
        let logged = self.params("Log.entryAdded").filter(|logged| logged["entry"]["level"] != "info");
        said.chain(logged).map(Json::to_string).collect()
    }

    /// The value of an expression in the page.
    pub(super) fn evaluates(&mut self, expression: &str) -> Json {
        let result = self.asks("Runtime.evaluate", json!({"expression": expression, "returnByValue": true}));
        assert!(result["exceptionDetails"].is_null(), "{expression}: {result}");
        result["result"]["value"].clone()
    }

    /// The page as a PDF of A4 pages.
    pub(super) fn prints(&mut self) -> Vec<u8> {
        let printed = self.asks("Page.printToPDF", json!({"printBackground": true, "preferCSSPageSize": true}));
        decoded(&printed["data"])
    }

    /// The whole page as a picture.
    pub(super) fn picture(&mut self) -> Vec<u8> {
        let taken = self.asks("Page.captureScreenshot", json!({"format": "png", "captureBeyondViewport": true}));
        decoded(&taken["data"])
    }
}

/// Base64 as the protocol writes it.
fn decoded(text: &Json) -> Vec<u8> {
    let value = |byte: u8| match byte {
        b'A'..=b'Z' => byte - b'A',
        b'a'..=b'z' => byte - b'a' + 26,
        b'0'..=b'9' => byte - b'0' + 52,
        b'+' => 62,
        _ => 63,
    };
    let bytes: Vec<u8> = text.as_str().unwrap().bytes().filter(|byte| *byte != b'=').map(value).collect();
    let mut decoded = Vec::with_capacity(bytes.len() * 3 / 4);
    for four in bytes.chunks(4) {
        let word = four.iter().fold(0_u32, |word, bits| word << 6 | u32::from(*bits)) << (6 * (4 - four.len()));
        decoded.extend_from_slice(&word.to_be_bytes()[1..four.len()]);
    }
    decoded
}
