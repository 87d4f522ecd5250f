//! Webhook deliveries: one plain HTTP POST to a loopback address, again when the platform says so.
//!
//! Deliberately absent: TLS and any address outside this machine. A sandbox never calls out.

use std::net::{IpAddr, SocketAddr};
use std::time::Duration;

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

use super::Shell;
use crate::Event;

/// A delivery without an answer after this long has failed (sheet: Pipedrive section 8 \[doc\]).
const PATIENCE: Duration = Duration::from_secs(10);

/// Delivers an event until the receiver or the platform is content.
pub(super) async fn deliver(shell: Shell, mut event: Event) {
    for attempt in 1.. {
        let status = tokio::time::timeout(PATIENCE, post(&event)).await.ok().flatten();
        let now = (shell.options.clock)();
        let retry = shell.lock().platform_mut().delivered(&event, attempt, status, now);
        let Some(retry) = retry else { return };
        tokio::time::sleep(Duration::from_millis(retry.after_ms)).await;
        event = retry.event;
    }
}

/// Sends the event and reads the status; none when there is no answer or the address is elsewhere.
async fn post(event: &Event) -> Option<u16> {
    let (authority, path) = split_url(&event.url)?;
    let address = loopback(authority)?;
    let body = match &event.body {
        serde_json::Value::String(text) => text.clone(),
        json => json.to_string(),
    };
    let mut head = format!("POST {path} HTTP/1.1\r\nhost: {authority}\r\nconnection: close\r\n");
    for (name, value) in &event.headers {
        if !name.contains(['\r', '\n']) && !value.contains(['\r', '\n']) {
            head.push_str(&format!("{name}: {value}\r\n"));
        }
    }
    head.push_str(&format!("content-length: {}\r\n\r\n", body.len()));
    let mut stream = TcpStream::connect(address).await.ok()?;
    stream.write_all(head.as_bytes()).await.ok()?;
    stream.write_all(body.as_bytes()).await.ok()?;
    let mut answer = Vec::new();
    while !answer.contains(&b'\n') && answer.len() < 1024 {
        let mut part = [0; 256];
        let read = stream.read(&mut part).await.ok()?;
        if read == 0 {
            break;
        }
        answer.extend_from_slice(part.get(..read)?);
    }
    let line = String::from_utf8_lossy(&answer);
    line.split_whitespace().nth(1)?.parse().ok()
}

fn split_url(url: &str) -> Option<(&str, String)> {
    let rest = url.strip_prefix("http://")?;
    let end = rest.find(['/', '?']).unwrap_or(rest.len());
    let (authority, path) = rest.split_at(end);
    Some((authority, if path.starts_with('/') { path.to_owned() } else { format!("/{path}") }))
}

/// The socket address of a loopback authority.
fn loopback(authority: &str) -> Option<SocketAddr> {
    let (host, port) = match authority.rsplit_once(':') {
        Some((host, port)) if !port.ends_with(']') => (host, port.parse().ok()?),
        _ => (authority, 80),
    };
    let host = if host == "localhost" { "127.0.0.1" } else { host.trim_matches(['[', ']']) };
    let ip: IpAddr = host.parse().ok()?;
    ip.is_loopback().then_some(SocketAddr::new(ip, port))
}
