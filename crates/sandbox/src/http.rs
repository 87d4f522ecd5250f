//! A sandbox behind a socket: request in, [`Sandbox::handle`], reply out, and nothing decided here.
//!
//! What this module adds is what only a socket can do: an answer that never comes, a body that ends
//! in the middle, a delay, and webhook deliveries to loopback addresses. Routes under `/_sandbox/`
//! let whoever judges a test read the journal and the world and set faults; they are no part of any
//! platform and are not journalled.
//!
//! Time comes from the clock in [`Options`]; only waiting uses the runtime's timer.

mod admin;
mod webhook;
mod wire;

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use axum::Router;
use axum::body::{Body, Bytes};
use axum::extract::{ConnectInfo, State};
use axum::http::{HeaderName, HeaderValue, Method, StatusCode, Uri, header};
use axum::response::Response;
use futures::StreamExt as _;
use jiff::Timestamp;
use percent_encoding::percent_decode_str;
use tokio::net::TcpListener;

use crate::{Delivery, Handled, Reply, Request, Sandbox};
use wire::{Line, Wires};

/// A clock: what time it is for the sandbox.
pub type Clock = Arc<dyn Fn() -> Timestamp + Send + Sync>;

/// How a sandbox is served.
#[derive(Clone)]
pub struct Options {
    /// What time it is.
    pub clock: Clock,
    /// How long a lost answer stays silent before the connection is closed. A fault's own delay, if
    /// it has one, takes its place.
    pub silence: Duration,
    /// The largest request body that is read, in bytes; a larger one is answered with 413.
    pub body_limit: usize,
}

impl Options {
    /// Options with this clock, 120 s of silence, and bodies up to 256 MiB.
    pub fn with_clock(clock: Clock) -> Self {
        Self { clock, silence: Duration::from_secs(120), body_limit: 256 << 20 }
    }
}

#[derive(Clone)]
struct Shell {
    sandbox: Arc<Mutex<Sandbox>>,
    options: Options,
}

/// Serves a sandbox on a listener until `stop` is done; no connection is accepted afterwards.
///
/// Fails only when the listener does.
pub async fn serve(
    sandbox: Arc<Mutex<Sandbox>>,
    listener: TcpListener,
    options: Options,
    stop: impl Future<Output = ()> + Send + 'static,
) -> std::io::Result<()> {
    let shell = Shell { sandbox, options };
    let app = Router::new().fallback(answer).with_state(shell);
    let service = app.into_make_service_with_connect_info::<Line>();
    let server = axum::serve(Wires::over(listener), service);
    tokio::select! {
        ended = server => ended,
        () = stop => Ok(()),
    }
}

async fn answer(
    State(shell): State<Shell>,
    ConnectInfo(line): ConnectInfo<Line>,
    request: axum::extract::Request,
) -> Response {
    let (parts, body) = request.into_parts();
    let Ok(body) = axum::body::to_bytes(body, shell.options.body_limit).await else {
        return plain(StatusCode::PAYLOAD_TOO_LARGE);
    };
    let request = read_request(&parts.method, &parts.uri, &parts.headers, &body);
    if let Some(route) = request.path.strip_prefix("/_sandbox/") {
        return send(admin::answer(&shell, &request, route));
    }
    let now = (shell.options.clock)();
    let (handled, broken) = {
        let mut sandbox = shell.lock();
        let handled = sandbox.handle(&request, now);
        (handled, sandbox.log_failure().is_some())
    };
    if broken {
        // The change is not on disk: an answer would promise what a restart forgets.
        line.close();
        return plain(StatusCode::INTERNAL_SERVER_ERROR);
    }
    for event in handled.events.clone() {
        tokio::spawn(webhook::deliver(shell.clone(), event));
    }
    deliver(handled, &line, &shell.options).await
}

async fn deliver(handled: Handled, line: &Line, options: &Options) -> Response {
    let delay = Duration::from_millis(handled.delay_ms);
    match handled.delivery {
        Delivery::Whole(reply) => {
            tokio::time::sleep(delay).await;
            send(reply)
        }
        Delivery::Cut { mut reply, bytes } => {
            tokio::time::sleep(delay).await;
            let whole = reply.body.len();
            reply.body.truncate(bytes);
            let first = Bytes::from(std::mem::take(&mut reply.body));
            let mut response = send(reply);
            // The head promises the whole body; the stream fails after its first part, and the
            // server can only close the connection. The pause lets the part leave first.
            let cut = futures::stream::once(async move { Ok(first) }).chain(futures::stream::once(async {
                tokio::time::sleep(Duration::from_millis(20)).await;
                Err::<Bytes, std::io::Error>(std::io::ErrorKind::ConnectionAborted.into())
            }));
            *response.body_mut() = Body::from_stream(cut);
            let promised = whole.max(bytes + 1);
            response.headers_mut().insert(header::CONTENT_LENGTH, HeaderValue::from(promised));
            response
        }
        Delivery::Silence => {
            tokio::time::sleep(if delay.is_zero() { options.silence } else { delay }).await;
            line.close();
            plain(StatusCode::INTERNAL_SERVER_ERROR)
        }
    }
}

impl Shell {
    /// The sandbox. A panic while it was held leaves it usable: its replies are only more wrong.
    fn lock(&self) -> MutexGuard<'_, Sandbox> {
        self.sandbox.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn read_request(method: &Method, uri: &Uri, headers: &axum::http::HeaderMap, body: &Bytes) -> Request {
    let headers = headers
        .iter()
        .map(|(name, value)| (name.as_str().to_owned(), String::from_utf8_lossy(value.as_bytes()).into_owned()))
        .collect();
    Request {
        method: method.as_str().to_owned(),
        path: uri.path().to_owned(),
        query: uri.query().map(read_pairs).unwrap_or_default(),
        headers,
        body: body.to_vec(),
    }
}

/// Decodes `a=1&b=two+words`, the form of queries and of form bodies.
pub fn read_pairs(text: &str) -> Vec<(String, String)> {
    let decode = |part: &str| percent_decode_str(&part.replace('+', " ")).decode_utf8_lossy().into_owned();
    text.split('&')
        .filter(|pair| !pair.is_empty())
        .map(|pair| {
            let (key, value) = pair.split_once('=').unwrap_or((pair, ""));
            (decode(key), decode(value))
        })
        .collect()
}

fn send(reply: Reply) -> Response {
    let mut response = Response::new(Body::from(reply.body));
    *response.status_mut() = StatusCode::from_u16(reply.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    for (name, value) in &reply.headers {
        if let (Ok(name), Ok(value)) = (HeaderName::try_from(name), HeaderValue::try_from(value)) {
            response.headers_mut().append(name, value);
        }
    }
    response
}

fn plain(status: StatusCode) -> Response {
    let mut response = Response::new(Body::empty());
    *response.status_mut() = status;
    response
}
