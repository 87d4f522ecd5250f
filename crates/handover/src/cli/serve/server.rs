//! The HTTP server: connections with limits on time, size and number, and the three routes.
//!
//! | route | answer |
//! |---|---|
//! | `POST /hooks/SYSTEM` | see [`super::delivery`] |
//! | `GET /health` | 200 when all is well, else 503, with the reasons as JSON |
//! | `GET /metrics` | Prometheus' text format, where it was asked for |
//!
//! Deliberately absent: TLS. A proxy in front of it has the certificate.

use std::convert::Infallible;
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use http_body_util::{BodyExt as _, Full, LengthLimitError, Limited};
use hyper::body::{Body as _, Bytes, Incoming};
use hyper::header::{ALLOW, CONNECTION, CONTENT_TYPE, HeaderValue, RETRY_AFTER};
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper::{Method, Request, Response, StatusCode};
use hyper_util::rt::{TokioIo, TokioTimer};
use serde_json::json;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{Semaphore, watch};
use tokio::task::JoinSet;

use super::delivery::{self, Broken, Came};
use super::desk::Desk;
use super::{health, metrics};

/// The largest delivery that is read, in bytes. HubSpot sends up to 100 events of less than 1 KiB.
const LARGEST: usize = 1024 * 1024;
/// Connections at once; more wait to be accepted.
const CONNECTIONS: usize = 128;
/// How long a request's head may take, and a connection be idle.
const HEAD: Duration = Duration::from_secs(10);
/// How long a request may take from its head to its answer.
const WHOLE: Duration = Duration::from_secs(20);
/// How long requests under way may take when the server stops.
const LAST: Duration = Duration::from_secs(1);

type Reply = Response<Full<Bytes>>;

/// Serves until `stop` becomes true; then requests under way are answered, if that is soon.
pub(super) async fn serve(desk: Arc<Desk>, listener: TcpListener, mut stop: watch::Receiver<bool>) {
    let places = Arc::new(Semaphore::new(CONNECTIONS));
    let mut connections = JoinSet::new();
    loop {
        while connections.try_join_next().is_some() {}
        let accepted = async {
            let place = places.clone().acquire_owned().await;
            (listener.accept().await, place)
        };
        let (accepted, place) = tokio::select! {
            () = asked(&mut stop) => break,
            accepted = accepted => accepted,
        };
        match accepted {
            Ok((stream, _)) => {
                let (desk, stop) = (desk.clone(), stop.clone());
                connections.spawn(async move {
                    connection(desk, stream, stop).await;
                    drop(place);
                });
            }
            Err(error) => {
                tracing::warn!(%error, "a connection could not be accepted");
                // Too many open files, say: others must close first.
                tokio::time::sleep(Duration::from_millis(100)).await;
            }
        }
    }
    drop(tokio::time::timeout(LAST, async { while connections.join_next().await.is_some() {} }).await);
}

async fn connection(desk: Arc<Desk>, stream: TcpStream, mut stop: watch::Receiver<bool>) {
    let service = service_fn(move |request| {
        let desk = desk.clone();
        async move {
            let reply = tokio::time::timeout(WHOLE, answer(&desk, request)).await;
            Ok::<_, Infallible>(reply.unwrap_or_else(|_| text(StatusCode::REQUEST_TIMEOUT, "too slow")))
        }
    });
    let connection = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(HEAD)
        .max_buf_size(64 * 1024)
        .serve_connection(TokioIo::new(stream), service);
    let mut connection = pin!(connection);
    let ended = tokio::select! {
        ended = connection.as_mut() => ended,
        () = asked(&mut stop) => {
            connection.as_mut().graceful_shutdown();
            connection.await
        }
    };
    if let Err(error) = ended {
        tracing::debug!(%error, "a connection ended");
    }
}

/// Waits until somebody asks to stop.
pub(super) async fn asked(stop: &mut watch::Receiver<bool>) {
    drop(stop.wait_for(|stop| *stop).await);
}

async fn answer(desk: &Desk, request: Request<Incoming>) -> Reply {
    let path = request.uri().path();
    if let Some(system) = path.strip_prefix("/hooks/") {
        let system = system.to_owned();
        return if request.method() == Method::POST { hook(desk, system, request).await } else { not_so("POST") };
    }
    match (path, request.method()) {
        ("/health", &Method::GET | &Method::HEAD) => {
            let health = health::of(desk).await;
            let status = if health.is_well() { StatusCode::OK } else { StatusCode::SERVICE_UNAVAILABLE };
            typed(status, "application/json", health.json().to_string())
        }
        ("/metrics", &Method::GET | &Method::HEAD) if desk.metrics => match metrics::of(desk).await {
            Ok(metrics) => typed(StatusCode::OK, "text/plain; version=0.0.4; charset=utf-8", metrics),
            Err(error) => {
                tracing::error!(%error, "the state cannot be read");
                text(StatusCode::SERVICE_UNAVAILABLE, "the state cannot be read")
            }
        },
        ("/health", _) => not_so("GET, HEAD"),
        ("/metrics", _) if desk.metrics => not_so("GET, HEAD"),
        _ => text(StatusCode::NOT_FOUND, "there is nothing here"),
    }
}

async fn hook(desk: &Desk, system: String, request: Request<Incoming>) -> Reply {
    let (parts, body) = request.into_parts();
    let told = |value: &HeaderValue| String::from_utf8_lossy(value.as_bytes()).into_owned();
    let headers = parts.headers.iter().map(|(name, value)| (name.as_str().to_owned(), told(value))).collect();
    let target = parts.uri.path_and_query().map_or_else(String::new, ToString::to_string);
    // Where nothing of it will be read, none of it is waited for.
    let body = if desk.hooks.contains_key(system.as_str()) { whole(body).await } else { Ok(Vec::new()) };
    let unread = body == Err(Broken::TooLarge);
    let became = delivery::take(desk, &Came { system, target, headers, body }).await;
    let status = StatusCode::from_u16(became.status()).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    let mut reply = typed(status, "application/json", json!({"became": became.word()}).to_string());
    if status == StatusCode::SERVICE_UNAVAILABLE {
        reply.headers_mut().insert(RETRY_AFTER, HeaderValue::from_static("10"));
    }
    if unread {
        reply.headers_mut().insert(CONNECTION, HeaderValue::from_static("close"));
    }
    reply
}

/// A body up to the largest that is read. One that says beforehand that it is larger is not read at all.
async fn whole(body: Incoming) -> Result<Vec<u8>, Broken> {
    if body.size_hint().lower() > LARGEST as u64 {
        return Err(Broken::TooLarge);
    }
    match Limited::new(body, LARGEST).collect().await {
        Ok(body) => Ok(body.to_bytes().to_vec()),
        Err(error) if error.is::<LengthLimitError>() => Err(Broken::TooLarge),
        Err(_) => Err(Broken::Cut),
    }
}

fn text(status: StatusCode, words: &'static str) -> Reply {
    typed(status, "text/plain; charset=utf-8", words.to_owned())
}

fn not_so(methods: &'static str) -> Reply {
    let mut reply = text(StatusCode::METHOD_NOT_ALLOWED, "not in this way");
    reply.headers_mut().insert(ALLOW, HeaderValue::from_static(methods));
    reply
}

fn typed(status: StatusCode, kind: &'static str, body: String) -> Reply {
    let mut reply = Response::new(Full::new(Bytes::from(body)));
    *reply.status_mut() = status;
    reply.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static(kind));
    reply
}
