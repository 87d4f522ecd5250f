//! The sandbox over real sockets: whole answers, cut ones, silence, webhooks, the judge's routes.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use handover_sandbox::http::{Options, serve};
use handover_sandbox::pipedrive::Pipedrive;
use handover_sandbox::{Platform as _, Sandbox};
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};

use crate::pipedrive::SEED;

struct Served {
    address: String,
    token: String,
}

/// Serves an empty account; it ends with the test's runtime.
async fn start() -> Served {
    let platform = Pipedrive::empty(SEED);
    let token = platform.credentials()["token"].as_str().unwrap().to_owned();
    let sandbox = Arc::new(Mutex::new(Sandbox::new(Box::new(platform))));
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap().to_string();
    let mut options = Options::with_clock(Arc::new(|| "2026-03-02T10:00:00Z".parse().unwrap()));
    options.silence = Duration::from_millis(50);
    tokio::spawn(serve(sandbox, listener, options, std::future::pending()));
    Served { address, token }
}

impl Served {
    /// Everything that came back until the connection closed.
    async fn raw(&self, method: &str, path: &str, body: &Value) -> String {
        let body = body.to_string();
        let request = format!(
            "{method} {path} HTTP/1.1\r\nhost: {}\r\nx-api-token: {}\r\ncontent-type: application/json\r\nconnection: close\r\ncontent-length: {}\r\n\r\n{body}",
            self.address,
            self.token,
            body.len()
        );
        let mut stream = TcpStream::connect(&self.address).await.unwrap();
        stream.write_all(request.as_bytes()).await.unwrap();
        let mut answer = Vec::new();
        let _ = stream.read_to_end(&mut answer).await;
        String::from_utf8_lossy(&answer).into_owned()
    }

    async fn call(&self, method: &str, path: &str, body: &Value) -> (u16, String) {
        let answer = self.raw(method, path, body).await;
        let (head, body) = answer.split_once("\r\n\r\n").unwrap();
        (head.split(' ').nth(1).unwrap().parse().unwrap(), body.to_owned())
    }

    async fn set_fault(&self, fault: Value) {
        let plan = json!({"rules": [{"when": {"path": "/api/v2/persons", "nth": 1}, "fault": fault}]});
        assert_eq!(self.call("PUT", "/_sandbox/faults", &plan).await.0, 200);
    }
}

#[tokio::test]
async fn answers_arrive_whole_cut_or_not_at_all() {
    let served = start().await;
    let person = json!({"name": "A"});
    let (status, body) = served.call("POST", "/api/v2/persons", &person).await;
    assert_eq!(status, 201);
    let whole = body.len();
    assert_eq!(serde_json::from_str::<Value>(&body).unwrap()["data"]["id"], 1);

    served.set_fault(json!({"kind": "cut", "bytes": 20})).await;
    let answer = served.raw("POST", "/api/v2/persons", &person).await;
    let (head, body) = answer.split_once("\r\n\r\n").unwrap();
    assert!(head.starts_with("HTTP/1.1 201"), "{head}");
    assert!(head.to_lowercase().contains(&format!("content-length: {whole}")), "{head}");
    assert_eq!(body.len(), 20);

    served.set_fault(json!({"kind": "lost_after"})).await;
    assert_eq!(served.raw("POST", "/api/v2/persons", &person).await, "");
    served.set_fault(json!({"kind": "slow", "delay_ms": 10})).await;
    assert_eq!(served.call("POST", "/api/v2/persons", &person).await.0, 201);
    served.set_fault(json!({"kind": "unavailable", "status": 502})).await;
    assert_eq!(served.call("POST", "/api/v2/persons", &person).await.0, 502);

    let (_, journal) = served.call("GET", "/_sandbox/journal", &json!({})).await;
    let delivered: Vec<Value> =
        journal.lines().map(|line| serde_json::from_str::<Value>(line).unwrap()["delivered"].clone()).collect();
    assert_eq!(delivered, ["whole", "cut", "lost", "whole", "whole"]);
    let (_, world) = served.call("GET", "/_sandbox/world", &json!({})).await;
    assert_eq!(serde_json::from_str::<Value>(&world).unwrap()["persons"].as_array().unwrap().len(), 4);
}

#[tokio::test]
async fn bytes_pass_through_untouched() {
    let served = start().await;
    let bytes: Vec<u8> = (0..=255).collect();
    let mut body = b"--B\r\nContent-Disposition: form-data; name=\"file\"; filename=\"a.bin\"\r\n\r\n".to_vec();
    body.extend(&bytes);
    body.extend(b"\r\n--B--\r\n");
    let head = format!(
        "POST /v1/files HTTP/1.1\r\nhost: h\r\nx-api-token: {}\r\ncontent-type: multipart/form-data; boundary=B\r\nconnection: close\r\ncontent-length: {}\r\n\r\n",
        served.token,
        body.len()
    );
    let mut stream = TcpStream::connect(&served.address).await.unwrap();
    stream.write_all(head.as_bytes()).await.unwrap();
    stream.write_all(&body).await.unwrap();
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer).await.unwrap();
    assert!(answer.starts_with(b"HTTP/1.1 201"), "{}", String::from_utf8_lossy(&answer));
    let mut stream = TcpStream::connect(&served.address).await.unwrap();
    let get = format!(
        "GET /v1/files/1/download HTTP/1.1\r\nhost: h\r\nx-api-token: {}\r\nconnection: close\r\n\r\n",
        served.token
    );
    stream.write_all(get.as_bytes()).await.unwrap();
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer).await.unwrap();
    assert!(answer.ends_with(&bytes));
}

/// Replies carry the platform's own time, whatever this machine's clock says; a plan may set it apart.
#[tokio::test]
async fn replies_are_dated_by_the_platforms_clock() {
    let served = start().await;
    let dates = async || {
        let answer = served.raw("GET", "/api/v1/users/me", &Value::Null).await;
        let dates = answer.lines().filter_map(|line| line.strip_prefix("date: ").map(str::to_owned));
        dates.collect::<Vec<_>>()
    };
    assert_eq!(dates().await, ["Mon, 02 Mar 2026 10:00:00 GMT"]);
    assert_eq!(served.call("PUT", "/_sandbox/faults", &json!({"clock_ahead_s": -3600})).await.0, 200);
    assert_eq!(dates().await, ["Mon, 02 Mar 2026 09:00:00 GMT"]);
    let made = served.call("POST", "/api/v2/persons", &json!({"name": "Ana"})).await.1;
    assert!(made.contains("2026-03-02T09:00:00Z"), "{made}");
}

#[tokio::test]
async fn webhooks_are_delivered_to_loopback() {
    let served = start().await;
    let receiver = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}/hook?x=1", receiver.local_addr().unwrap());
    let hook = json!({"subscription_url": url, "event_action": "*", "event_object": "person", "name": "h"});
    assert_eq!(served.call("POST", "/v1/webhooks", &hook).await.0, 201);
    served.call("POST", "/api/v2/persons", &json!({"name": "A"})).await;
    let (mut stream, _) = receiver.accept().await.unwrap();
    let mut seen = String::new();
    while !seen.contains("\"action\":\"create\"") {
        let mut part = [0; 4096];
        let read = stream.read(&mut part).await.unwrap();
        assert_ne!(read, 0, "{seen}");
        seen.push_str(&String::from_utf8_lossy(&part[..read]));
    }
    assert!(seen.starts_with("POST /hook?x=1 HTTP/1.1"), "{seen}");
    stream.write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n").await.unwrap();
}

#[tokio::test]
async fn judges_have_their_own_routes() {
    let served = start().await;
    assert_eq!(
        served
            .call("PUT", "/_sandbox/faults", &json!({"rules": [{"fault": {"kind": "unavailable", "status": 1}}]}))
            .await,
        (400, "{\"error\":\"rule 1 of the fault plan: the status must be between 500 and 599\"}".to_owned())
    );
    let (_, credentials) = served.call("GET", "/_sandbox/credentials", &json!({})).await;
    assert_eq!(serde_json::from_str::<Value>(&credentials).unwrap()["token"], json!(served.token));
    served.call("POST", "/api/v2/persons", &json!({"name": "A"})).await;
    let disturb = json!({"object": "person", "which": {"id": "1"}, "action": "delete"});
    assert_eq!(served.call("POST", "/_sandbox/disturb", &disturb).await.0, 200);
    let (_, sums) = served.call("GET", "/_sandbox/sums", &json!({})).await;
    assert_eq!(serde_json::from_str::<Value>(&sums).unwrap()["requests"], 2);
    assert_eq!(served.call("PUT", "/_sandbox/limits", &json!({"real": false})).await.0, 200);
    assert_eq!(served.call("GET", "/_sandbox/nothing", &json!({})).await.0, 404);
}
