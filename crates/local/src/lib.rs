//! Sandboxes as a transport: requests reach them without a socket, on the clock that both share. For the
//! demo, for simulations, for tests.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use async_trait::async_trait;
use futures::TryStreamExt as _;
use handover_connect::{Body, Clock, Decoder, Lost, Method, Part, Reply, Sink, Transport, WireRequest};
use handover_model::Content;
use handover_sandbox::{Delivery, Event, Request, Sandbox};

/// Who is told of the webhook deliveries that follow from requests.
pub type Teller = Arc<dyn Fn(Vec<Event>) + Send + Sync>;

/// A sandbox in the same process.
pub struct LocalTransport {
    sandbox: Arc<Mutex<Sandbox>>,
    clock: Arc<dyn Clock>,
    teller: Option<Teller>,
}

impl LocalTransport {
    /// A transport to `sandbox`, which answers at the time that `clock` tells.
    pub fn new(sandbox: Arc<Mutex<Sandbox>>, clock: Arc<dyn Clock>) -> Self {
        Self { sandbox, clock, teller: None }
    }

    /// The same, telling somebody of the webhook deliveries that follow from its requests.
    #[must_use]
    pub fn telling(self, teller: Teller) -> Self {
        Self { teller: Some(teller), ..self }
    }
}

#[async_trait]
impl Transport for LocalTransport {
    async fn send(&self, request: WireRequest, timeout: Duration) -> Result<Reply, Lost> {
        let sink = request.sink.clone();
        let request = plain(request).await?;
        let now = self.clock.now();
        let handled = self.sandbox.lock().unwrap_or_else(std::sync::PoisonError::into_inner).handle(&request, now);
        if let Some(teller) = &self.teller
            && !handled.events.is_empty()
        {
            teller(handled.events);
        }
        let delay = Duration::from_millis(handled.delay_ms).min(timeout);
        if !delay.is_zero() {
            self.sleep(delay).await;
        }
        if handled.delay_ms > u64::try_from(timeout.as_millis()).unwrap_or(u64::MAX) {
            return Err(Lost::NoAnswer("the time-out passed".to_owned()));
        }
        match handled.delivery {
            Delivery::Whole(reply) => deliver(reply, sink).await,
            Delivery::Cut { .. } => Err(Lost::NoAnswer("the connection closed before the whole body came".to_owned())),
            Delivery::Silence => {
                self.sleep(timeout).await;
                Err(Lost::NoAnswer("the time-out passed".to_owned()))
            }
        }
    }
}

impl LocalTransport {
    async fn sleep(&self, wait: Duration) {
        let wait = jiff::SignedDuration::try_from(wait).unwrap_or(jiff::SignedDuration::MAX);
        let until = self.clock.now().checked_add(wait).unwrap_or(jiff::Timestamp::MAX);
        self.clock.sleep_until(until).await;
    }
}

async fn deliver(reply: handover_sandbox::Reply, sink: Option<Sink>) -> Result<Reply, Lost> {
    let handover_sandbox::Reply { status, headers, body } = reply;
    match sink {
        Some(Sink { path, is_base64 }) if (200..300).contains(&status) => {
            let body = if is_base64 { decoded(&body)? } else { body };
            tokio::fs::write(&path, &body).await.map_err(disk)?;
            let blake3 = blake3::hash(&body).to_hex().to_string();
            let content = Content { path, bytes: body.len() as u64, blake3 };
            Ok(Reply { status, headers, body: Vec::new(), sunk: Some(content) })
        }
        _ => Ok(Reply { status, headers, body, sunk: None }),
    }
}

/// What a reply in Base64 stands for.
fn decoded(letters: &[u8]) -> Result<Vec<u8>, Lost> {
    let mut decoder = Decoder::default();
    let bytes = decoder.take(letters).map_err(Lost::NoAnswer)?;
    decoder.end().map_err(Lost::NoAnswer)?;
    Ok(bytes)
}

fn disk(error: std::io::Error) -> Lost {
    Lost::NotSent(format!("a staged file: {error}"))
}

/// The request as it would stand on the wire.
async fn plain(request: WireRequest) -> Result<Request, Lost> {
    let mut headers = request.headers;
    let host = request.url.host_str().unwrap_or_default();
    headers.push(("host".to_owned(), request.url.port().map_or(host.to_owned(), |port| format!("{host}:{port}"))));
    let body = match request.body {
        Body::Empty => Vec::new(),
        Body::Json(bytes) => {
            headers.push(("content-type".to_owned(), "application/json".to_owned()));
            bytes
        }
        Body::Form(pairs) => {
            headers.push(("content-type".to_owned(), "application/x-www-form-urlencoded".to_owned()));
            let mut form = url::form_urlencoded::Serializer::new(String::new());
            form.extend_pairs(pairs);
            form.finish().into_bytes()
        }
        Body::Multipart(parts) => {
            headers.push(("content-type".to_owned(), format!("multipart/form-data; boundary={BOUNDARY}")));
            multipart(parts).await?
        }
        Body::Pieces { kind, pieces } => {
            headers.push(("content-type".to_owned(), kind));
            let (length, body) = handover_connect::joined(pieces).await.map_err(disk)?;
            headers.push(("content-length".to_owned(), length.to_string()));
            body.try_concat().await.map_err(disk)?
        }
    };
    Ok(Request {
        method: match request.method {
            Method::Get => "GET",
            Method::Post => "POST",
            Method::Put => "PUT",
            Method::Patch => "PATCH",
            Method::Delete => "DELETE",
        }
        .to_owned(),
        path: request.url.path().to_owned(),
        query: request.url.query_pairs().into_owned().collect(),
        headers,
        body,
    })
}

const BOUNDARY: &str = "handover-local-part-4f1d7c";

async fn multipart(parts: Vec<Part>) -> Result<Vec<u8>, Lost> {
    let mut body = Vec::new();
    for part in parts {
        body.extend_from_slice(format!("--{BOUNDARY}\r\ncontent-disposition: form-data; ").as_bytes());
        match part {
            Part::Text { name, value } => {
                body.extend_from_slice(format!("name=\"{name}\"\r\n\r\n{value}\r\n").as_bytes());
            }
            Part::Json { name, value } => {
                let head = format!("name=\"{name}\"\r\ncontent-type: application/json\r\n\r\n");
                body.extend_from_slice(format!("{head}{value}\r\n").as_bytes());
            }
            Part::File { name, file_name, path, .. } => {
                let file_name = file_name.replace('"', "%22");
                body.extend_from_slice(
                    format!(
                        "name=\"{name}\"; filename=\"{file_name}\"\r\ncontent-type: application/octet-stream\r\n\r\n"
                    )
                    .as_bytes(),
                );
                body.extend_from_slice(&tokio::fs::read(&path).await.map_err(disk)?);
                body.extend_from_slice(b"\r\n");
            }
        }
    }
    body.extend_from_slice(format!("--{BOUNDARY}--\r\n").as_bytes());
    Ok(body)
}
