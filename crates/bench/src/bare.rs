//! The least that moving records costs: a client that reads the same pages and posts bodies of the same size,
//! and looks into none of them.

use std::time::Instant;

use futures::StreamExt as _;
use handover_connect::{Body, HttpTransport, Method, Transport as _, WireRequest};

use crate::Error;
use crate::stub::PAGE;

/// As many upserts at once as the shipped settings have.
const AT_ONCE: usize = 4;

const TIMEOUT: std::time::Duration = std::time::Duration::from_secs(30);

/// Reads all pages, one after the other as cursors force it, while upserts of 100 go out beside.
pub(crate) async fn run(server: &str, records: u64) -> Result<(), Error> {
    let client = HttpTransport::new()?;
    let send = async |method: Method, address: String, body: Body| {
        let request = WireRequest { method, url: address.parse()?, headers: Vec::new(), body, sink: None };
        Ok::<_, Error>(client.send(request, TIMEOUT).await?.body.len())
    };
    let send = &send;
    let begun = Instant::now();
    let read = async {
        let mut bytes = 0;
        for from in (0..records).step_by(usize::try_from(PAGE)?) {
            bytes += send(Method::Get, format!("{server}/api/v2/persons?limit=500&cursor={from}"), Body::Empty).await?;
        }
        Ok::<_, Error>(bytes)
    };
    let write = futures::stream::iter((0..records).step_by(100))
        .map(|from| {
            let address = format!("{server}/crm/v3/objects/contacts/batch/upsert");
            send(Method::Post, address, Body::Json(body(from).into_bytes()))
        })
        .buffer_unordered(AT_ONCE)
        .fold(Ok(0), |sum: Result<usize, Error>, one| async move { Ok(sum? + one?) });
    let (read, written) = tokio::join!(read, write);
    let (read, written) = (read?, written?);
    crate::print(&format!("{} {} {}", begun.elapsed().as_secs_f64(), read, written));
    Ok(())
}

/// A body as large as ours for the same records.
fn body(from: u64) -> String {
    let mut body = String::from(r#"{"inputs":["#);
    for number in from..from + 100 {
        let comma = if number == from { "" } else { "," };
        body.push_str(comma);
        body.push_str(r#"{"objectWriteTraceId":""#);
        body.push_str(&number.to_string());
        body.push_str(r#"","properties":{""#);
        // The 25 properties with their names.
        body.push_str(&PROPERTIES);
        body.push_str(r#""}}"#);
    }
    body.push_str("]}");
    body
}

static PROPERTIES: std::sync::LazyLock<String> = std::sync::LazyLock::new(|| "x".repeat(880));
