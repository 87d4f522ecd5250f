//! How requests leave the process.

use std::time::Duration;

use async_trait::async_trait;
use futures::StreamExt as _;
use handover_model::Content;
use tokio::io::AsyncWriteExt as _;

use crate::dialect::{Body, Method, Part, Reply, Sink};
use crate::pieces::{self, Decoder, chunks};

/// A request as it goes out: whole address, credentials on it.
#[derive(Clone)]
pub struct WireRequest {
    /// The method.
    pub method: Method,
    /// The whole address with its query.
    pub url: url::Url,
    /// Headers, names in lower case.
    pub headers: Vec<(String, String)>,
    /// The body.
    pub body: Body,
    /// Where a successful reply's body goes instead of memory.
    pub sink: Option<Sink>,
}

/// A reply as it came in.
pub type WireReply = Reply;

/// No usable reply.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Lost {
    /// The request certainly did not arrive.
    #[error("the request could not be sent: {0}")]
    NotSent(String),
    /// It may have arrived and may have been applied.
    #[error("no whole answer came: {0}")]
    NoAnswer(String),
}

/// Sends requests. The one place that knows sockets; sandboxes in the same process are another.
#[async_trait]
pub trait Transport: Send + Sync {
    /// Sends one request and waits for the whole reply.
    async fn send(&self, request: WireRequest, timeout: Duration) -> Result<WireReply, Lost>;
}

/// Whether a request may leave at all. Systems know nothing of the workers that take turns writing to them: so a worker
/// asks before each request whether its turn lasts until the answer is there, or its time-out over.
#[async_trait]
pub trait Leave: Send + Sync {
    /// Gives leave for a request that is answered or given up after `timeout`.
    ///
    /// # Errors
    /// Why it must not leave, in words.
    async fn until_answered(&self, timeout: Duration) -> Result<(), String>;
}

/// HTTP over TLS, certificates verified against the public roots.
pub struct HttpTransport(reqwest::Client);

impl HttpTransport {
    /// A client with TLS by rustls.
    ///
    /// # Errors
    /// When the TLS set-up fails.
    pub fn new() -> Result<Self, Lost> {
        let roots = rustls::RootCertStore { roots: webpki_roots::TLS_SERVER_ROOTS.to_vec() };
        let tls =
            rustls::ClientConfig::builder_with_provider(std::sync::Arc::new(rustls::crypto::ring::default_provider()))
                .with_safe_default_protocol_versions()
                .map_err(|error| Lost::NotSent(error.to_string()))?
                .with_root_certificates(roots)
                .with_no_client_auth();
        let client = reqwest::Client::builder()
            .tls_backend_preconfigured(tls)
            // A redirect would carry the token to another host.
            .redirect(reqwest::redirect::Policy::none())
            .user_agent(concat!("handover/", env!("CARGO_PKG_VERSION")))
            .build()
            .map_err(|error| Lost::NotSent(error.without_url().to_string()))?;
        Ok(Self(client))
    }

    async fn build(&self, request: WireRequest, timeout: Duration) -> Result<reqwest::RequestBuilder, Lost> {
        let method = match request.method {
            Method::Get => reqwest::Method::GET,
            Method::Post => reqwest::Method::POST,
            Method::Put => reqwest::Method::PUT,
            Method::Patch => reqwest::Method::PATCH,
            Method::Delete => reqwest::Method::DELETE,
        };
        let mut builder = self.0.request(method, request.url).timeout(timeout);
        for (name, value) in request.headers {
            builder = builder.header(name, value);
        }
        Ok(match request.body {
            Body::Empty => builder,
            Body::Json(bytes) => builder.header("content-type", "application/json").body(bytes),
            Body::Form(pairs) => builder.form(&pairs),
            Body::Multipart(parts) => {
                let mut form = reqwest::multipart::Form::new();
                for part in parts {
                    form = match part {
                        Part::Text { name, value } => form.text(name, value),
                        Part::Json { name, value } => {
                            let part = reqwest::multipart::Part::text(value);
                            let part = part.mime_str("application/json").map_err(lost)?;
                            form.part(name, part)
                        }
                        Part::File { name, file_name, path, bytes } => {
                            let file = tokio::fs::File::open(&path)
                                .await
                                .map_err(|error| Lost::NotSent(format!("the staged file: {error}")))?;
                            let body = reqwest::Body::wrap_stream(chunks(file));
                            form.part(
                                name,
                                reqwest::multipart::Part::stream_with_length(body, bytes).file_name(file_name),
                            )
                        }
                    };
                }
                builder.multipart(form)
            }
            Body::Pieces { kind, pieces } => {
                let opened = pieces::joined(pieces).await;
                let (length, body) = opened.map_err(|error| Lost::NotSent(format!("the staged file: {error}")))?;
                let body = reqwest::Body::wrap_stream(body);
                builder.header("content-type", kind).header("content-length", length).body(body)
            }
        })
    }
}

#[async_trait]
impl Transport for HttpTransport {
    async fn send(&self, request: WireRequest, timeout: Duration) -> Result<WireReply, Lost> {
        let sink = request.sink.clone();
        let reply = self.build(request, timeout).await?.send().await.map_err(lost)?;
        let status = reply.status().as_u16();
        let headers = reply
            .headers()
            .iter()
            .map(|(name, value)| (name.as_str().to_owned(), String::from_utf8_lossy(value.as_bytes()).into_owned()))
            .collect();
        let (body, sunk) = match sink {
            Some(sink) if (200..300).contains(&status) => (Vec::new(), Some(pour(reply, &sink).await?)),
            _ => (reply.bytes().await.map_err(lost)?.into(), None),
        };
        Ok(Reply { status, headers, body, sunk })
    }
}

/// Streams a reply's body into a file, hashing it on the way.
async fn pour(reply: reqwest::Response, sink: &Sink) -> Result<Content, Lost> {
    let disk = |error: std::io::Error| Lost::NotSent(format!("the file for the download: {error}"));
    let path = &sink.path;
    let mut file = tokio::fs::File::create(path).await.map_err(disk)?;
    let mut hasher = blake3::Hasher::new();
    let mut bytes = 0_u64;
    let mut decoder = Decoder::default();
    let mut stream = reply.bytes_stream();
    while let Some(chunk) = stream.next().await {
        let mut chunk = Vec::from(chunk.map_err(lost)?);
        if sink.is_base64 {
            chunk = decoder.take(&chunk).map_err(Lost::NoAnswer)?;
        }
        hasher.update(&chunk);
        bytes += chunk.len() as u64;
        file.write_all(&chunk).await.map_err(disk)?;
    }
    decoder.end().map_err(Lost::NoAnswer)?;
    file.sync_all().await.map_err(disk)?;
    Ok(Content { path: path.to_owned(), bytes, blake3: hasher.finalize().to_hex().to_string() })
}

/// Only a connection that was never made is certain not to have carried the request.
fn lost(error: reqwest::Error) -> Lost {
    let not_sent = error.is_connect() || error.is_builder();
    // The address may carry a signature: it is taken out; the causes are kept.
    let error = error.without_url();
    let mut text = error.to_string();
    let mut cause = std::error::Error::source(&error);
    while let Some(inner) = cause {
        text.push_str(": ");
        text.push_str(&inner.to_string());
        cause = inner.source();
    }
    if not_sent { Lost::NotSent(text) } else { Lost::NoAnswer(text) }
}
