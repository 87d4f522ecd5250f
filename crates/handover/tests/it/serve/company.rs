//! A company whose first load is done, both systems served, and the real `handover serve` beside them.

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::TcpStream;
use std::process::{Child, ChildStdout, Command, ExitStatus, Stdio};

use serde_json::{Value as Json, json};

use crate::cli::Play;
use crate::kill::Served;

/// What the old system and we know.
pub(super) const SECRET: &str = "hooks:open-sesame";

/// The company.
pub(super) struct Company {
    pub(super) play: Play,
    pub(super) old: Served,
    pub(super) new: Served,
    /// Where its state is, when that is not in a file.
    state: String,
    /// Where alerts go, when the project has some.
    pub(super) alerts: String,
}

impl Company {
    /// From Pipedrive to HubSpot.
    pub(super) fn forth() -> Self {
        Self::of(Play::forth())
    }

    /// From HubSpot to Pipedrive. The list of changes lags by an hour: what comes sooner was told.
    pub(super) fn back() -> Self {
        let play = Play::back();
        play.disturb("old", |world| {
            world["settings"]["search_lag_ms"] = json!(3_600_000);
            world["webhooks"] = json!([{"appId": 5, "targetUrl": "", "clientSecret": SECRET, "subscriptions": []}]);
        });
        Self::of(play)
    }

    fn of(play: Play) -> Self {
        Self::with(play, "webhooks: {secret: {env: OLD_HOOKS}}", "timeout: 20s", String::new())
    }

    /// From Pipedrive to HubSpot, the state in an empty schema of a PostgreSQL server; leases are short.
    pub(super) fn on_postgres(url: &str, test: &str) -> Self {
        let schema = format!("test_serve_{test}");
        crate::crash_postgres::remove(url, &schema);
        let play = Play::forth();
        play.edit("handover.yaml", "state: .handover/state.db", "state: ${TEST_STATE}");
        let separator = if url.contains('?') { '&' } else { '?' };
        Self::short(play, format!("{url}{separator}schema={schema}"))
    }

    /// The same with the state in a file.
    pub(super) fn in_a_file() -> Self {
        Self::short(Play::forth(), String::new())
    }

    fn short(play: Play, state: String) -> Self {
        play.edit("handover.yaml", "policies:\n", "policies:\n  lease: 4s\n");
        Self::with(play, "timeout: 2s\n    webhooks: {secret: {env: OLD_HOOKS}}", "timeout: 2s", state)
    }

    fn with(play: Play, old: &str, new: &str, state: String) -> Self {
        let old = Served::among(&play, "old", "off", old);
        let new = Served::among(&play, "new", "off", new);
        let company = Self { play, old, new, state, alerts: String::new() };
        company.play.does_with(&["run"], &company.environment()).ends(3);
        company
    }

    pub(super) fn environment(&self) -> [(&str, &str); 5] {
        let [old, new] = [&self.old.token, &self.new.token];
        let (state, alerts) = (("TEST_STATE", &*self.state), ("ALERT_WEBHOOK", &*self.alerts));
        [("OLD_TOKEN", old), ("NEW_TOKEN", new), ("OLD_HOOKS", SECRET), state, alerts]
    }

    /// A command that is under way; what it says is there when it has ended.
    pub(super) fn begins(&self, arguments: &[&str]) -> Child {
        let mut command = self.play.command(arguments);
        command.envs(self.environment()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap()
    }

    /// From now on a system gives no answer to these requests; what changes is applied all the same. Without rules it
    /// answers again.
    pub(super) fn silences(&self, served: &Served, requests: &[(&str, &str)]) {
        let rule = |(method, path): &(&str, &str)| json!({"when": {"method": method, "path": path}, "fault": {"kind": "lost_after"}});
        let rules = json!({"rules": requests.iter().map(rule).collect::<Json>()});
        let address = served.base_url().trim_start_matches("http://").to_owned();
        let (status, body) = ask(&address, "PUT", "/_sandbox/faults", &[], rules.to_string().as_bytes());
        assert_eq!(status, 200, "{body}");
    }

    /// `handover serve` when it says that it serves; the first pass may be under way.
    pub(super) fn serve(&self, arguments: &[&str]) -> Serving {
        let mut command = self.play.command(&["serve", "--json", "--listen", "127.0.0.1:0", "--metrics"]);
        let log = std::fs::OpenOptions::new().create(true).append(true).open(self.play.dir().join("serve.log"));
        command.args(arguments).envs(self.environment()).env("HANDOVER_LOG", "handover=debug");
        let mut child = command.stdout(Stdio::piped()).stderr(log.unwrap()).spawn().unwrap();
        let lines = BufReader::new(child.stdout.take().unwrap());
        let mut serving = Serving {
            child: Some(child),
            lines,
            address: String::new(),
            ready: Json::Null,
            register: Json::Null,
            account: self.account(),
        };
        serving.ready = serving.next();
        serving.address = serving.ready["serving"].as_str().unwrap().trim_start_matches("http://").to_owned();
        serving
    }

    /// The same after its first pass.
    pub(super) fn in_step(&self, arguments: &[&str]) -> Serving {
        let mut serving = self.serve(arguments);
        serving.register = serving.next();
        let pass = serving.next();
        assert_eq!((&pass["kind"], &pass["did"]["updated"]), (&json!("sync"), &json!(0)), "{pass}");
        serving
    }

    /// What `serve` wrote to standard error.
    pub(super) fn log(&self) -> String {
        self.play.read("serve.log")
    }

    /// Pipedrive tells everything to this server.
    pub(super) fn register_pipedrive(&self, serving: &Serving) {
        let (user, password) = SECRET.split_once(':').unwrap();
        let url = serving.register["url"].as_str().unwrap();
        let hook = json!({"subscription_url": url, "event_action": "*", "event_object": "*", "name": "handover",
            "http_auth_user": user, "http_auth_password": password});
        self.does_in_old("POST", "/v1/webhooks", &hook);
    }

    /// HubSpot tells what the server says that it should tell.
    pub(super) fn register_hubspot(&self, serving: &Serving) {
        let hook = &serving.register;
        self.does_in_old("PUT", "/webhooks/v3/5/settings", &json!({"targetUrl": hook["url"]}));
        for wanted in hook["subscriptions"].as_array().unwrap() {
            let words: Vec<&str> = wanted.as_str().unwrap().split(' ').collect();
            let after = |word: &str| words.iter().position(|one| *one == word).map(|at| words[at + 1]);
            let mut subscription = json!({"eventType": words[0], "active": true});
            for (word, key) in [("of", "propertyName"), ("objectTypeId", "objectTypeId")] {
                if let Some(value) = after(word) {
                    subscription[key] = json!(value);
                }
            }
            self.does_in_old("POST", "/webhooks/v3/5/subscriptions", &subscription);
        }
    }

    /// Somebody works in the old system.
    #[track_caller]
    pub(super) fn does_in_old(&self, method: &str, path: &str, body: &Json) -> Json {
        let address = self.old.base_url().trim_start_matches("http://").to_owned();
        let token = format!("Bearer {}", self.old.token);
        let headers =
            [("authorization", &*token), ("x-api-token", &*self.old.token), ("content-type", "application/json")];
        let (status, body) = ask(&address, method, path, &headers, body.to_string().as_bytes());
        assert!((200..300).contains(&status), "{method} {path}: {status} {body}");
        serde_json::from_str(&body).unwrap_or_default()
    }

    fn account(&self) -> String {
        self.play.world("old")["account"]["company_id"].to_string()
    }

    pub(super) fn world(&self, served: &Served) -> Json {
        serde_json::from_str(&served.asks("world")).unwrap()
    }

    /// Pipedrive's number of a person who was carried, and the HubSpot contact that was made of it.
    pub(super) fn person(&self) -> (String, String) {
        let world = self.world(&self.new);
        let contacts = world["objects"]["contacts"].as_array().unwrap();
        let made = contacts.iter().find_map(|contact| {
            let key = contact["properties"]["handover_source_key"].as_str()?;
            Some((key.rsplit(':').next()?.to_owned(), contact["id"].to_string().trim_matches('"').to_owned()))
        });
        made.unwrap()
    }

    /// What the new HubSpot says of a contact.
    pub(super) fn contact(&self, id: &str, field: &str) -> Json {
        let world = self.world(&self.new);
        let contacts = world["objects"]["contacts"].as_array().unwrap();
        let contact = contacts.iter().find(|contact| contact["id"].to_string().trim_matches('"') == id).unwrap();
        contact["properties"][field].clone()
    }
}

/// A `handover serve` at work; it ends with the test.
pub(super) struct Serving {
    child: Option<Child>,
    lines: BufReader<ChildStdout>,
    pub(super) address: String,
    ready: Json,
    /// What it wants to be registered.
    pub(super) register: Json,
    /// The number of the old Pipedrive account.
    pub(super) account: String,
}

impl Drop for Serving {
    fn drop(&mut self) {
        if let Some(mut child) = self.child.take() {
            drop(child.kill());
            drop(child.wait());
        }
    }
}

impl Serving {
    /// The next thing that it tells; waits for it.
    #[track_caller]
    pub(super) fn next(&mut self) -> Json {
        let mut line = String::new();
        self.lines.read_line(&mut line).unwrap();
        serde_json::from_str(&line).unwrap_or_else(|error| panic!("{error}: `{line}`"))
    }

    /// Asks for an address of it.
    pub(super) fn asks(&self, method: &str, path: &str, headers: &[(&str, &str)], body: &[u8]) -> (u16, String) {
        ask(&self.address, method, path, headers, body)
    }

    /// A delivery as Pipedrive sends it, about the project's account.
    pub(super) fn delivers(&self, event: &str, action: &str, person: &str) -> u16 {
        self.posts(&delivery(event, action, person, &self.account).to_string(), Some(SECRET)).0
    }

    /// Posts to the old system's address.
    pub(super) fn posts(&self, body: &str, secret: Option<&str>) -> (u16, String) {
        use base64::Engine as _;
        let basic = secret.map(|secret| format!("Basic {}", base64::engine::general_purpose::STANDARD.encode(secret)));
        let headers: Vec<(&str, &str)> = basic.iter().map(|basic| ("authorization", basic.as_str())).collect();
        self.asks("POST", "/hooks/old", &headers, body.as_bytes())
    }

    /// A metric; 0 when there is none.
    pub(super) fn metric(&self, name: &str) -> u64 {
        let (status, page) = self.asks("GET", "/metrics", &[], b"");
        assert_eq!(status, 200, "{page}");
        let found = page.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(' '));
        found.map_or(0, |value| value.parse().unwrap())
    }

    /// Dies at once.
    pub(super) fn dies(mut self) {
        let mut child = self.child.take().unwrap();
        child.kill().unwrap();
        child.wait().unwrap();
    }

    /// Is asked to stop; fails unless it ends within five seconds.
    pub(super) fn stops(mut self) -> ExitStatus {
        let mut child = self.child.take().unwrap();
        let asked = Command::new("kill").args(["-TERM", &child.id().to_string()]).status().unwrap();
        assert!(asked.success());
        let (sends, ended) = std::sync::mpsc::channel();
        std::thread::spawn(move || sends.send(child.wait()));
        ended.recv_timeout(std::time::Duration::from_secs(5)).expect("it ends within five seconds").unwrap()
    }
}

/// What Pipedrive tells about a person.
pub(super) fn delivery(event: &str, action: &str, person: &str, company: &str) -> Json {
    json!({"meta": {"action": action, "entity": "person", "entity_id": person, "id": event, "company_id": company,
        "timestamp": "2026-01-01T00:00:00Z", "version": "2.0"}, "data": null, "previous": null})
}

/// One request on a connection of its own; status and body.
pub(super) fn ask(address: &str, method: &str, path: &str, headers: &[(&str, &str)], body: &[u8]) -> (u16, String) {
    let mut head = format!("{method} {path} HTTP/1.1\r\nhost: {address}\r\nconnection: close\r\n");
    for (name, value) in headers {
        head.push_str(&format!("{name}: {value}\r\n"));
    }
    if !headers.iter().any(|(name, _)| matches!(*name, "content-length" | "transfer-encoding")) {
        head.push_str(&format!("content-length: {}\r\n", body.len()));
    }
    let mut stream = TcpStream::connect(address).unwrap();
    stream.write_all(format!("{head}\r\n").as_bytes()).unwrap();
    // Who is refused early may not be listened to any more.
    drop(stream.write_all(body));
    let mut reply = Vec::new();
    drop(stream.read_to_end(&mut reply));
    let text = String::from_utf8_lossy(&reply).into_owned();
    let (head, body) = text.split_once("\r\n\r\n").unwrap_or((&text, ""));
    let status = head.split_whitespace().nth(1).and_then(|status| status.parse().ok());
    (status.unwrap_or(0), body.to_owned())
}
