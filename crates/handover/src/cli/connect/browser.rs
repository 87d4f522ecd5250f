//! The browser's way back: one request to this machine, or an address that a person pastes.

use std::collections::BTreeMap;
use std::time::Duration;

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};

use super::nothing_kept;
use crate::problem::Problem;

/// The path to which the browser is sent.
const PATH: &str = "/callback";

/// The most that a request's head may have, in bytes: a code is short.
const HEAD: usize = 16 * 1024;

/// How long one connection may take to say what it wants.
const PATIENCE: Duration = Duration::from_secs(10);

/// What the browser brought, by name.
pub(super) type Brought = BTreeMap<String, String>;

/// A place on this machine to which a browser can come.
pub(super) struct Landing {
    listener: TcpListener,
    port: u16,
}

impl Landing {
    /// Listens on loopback.
    pub(super) async fn on(port: u16) -> Result<Self, Problem> {
        let refused = |error: &(dyn std::error::Error + 'static)| {
            nothing_kept(
                Problem::new("port", format!("port {port} of this machine cannot be listened on")).because(error),
            )
            .hint("end the program that uses it, or name another that is registered at the platform: `--port N`")
            .hint("where the platform does not mind which: `--port 0` takes a free one")
        };
        let listener = TcpListener::bind(("127.0.0.1", port)).await.map_err(|error| refused(&error))?;
        let port = listener.local_addr().map_err(|error| refused(&error))?.port();
        Ok(Self { listener, port })
    }

    /// The address for the browser. It says `localhost`, which platforms take for an app on a person's own machine.
    pub(super) fn address(&self) -> String {
        format!("http://localhost:{}{PATH}", self.port)
    }

    /// Waits for the one request that comes back; whatever else a browser asks for is not there.
    pub(super) async fn wait(self, limit: Duration) -> Result<Brought, Problem> {
        let come = async {
            loop {
                let Ok((stream, _)) = self.listener.accept().await else { continue };
                if let Ok(Some(brought)) = tokio::time::timeout(PATIENCE, answer(stream)).await {
                    return brought;
                }
            }
        };
        tokio::time::timeout(limit, come).await.map_err(|_| {
            nothing_kept(Problem::new("no_answer", format!("nobody came back within {} seconds", limit.as_secs())))
                .hint("run the command again; `--wait SECONDS` gives more time")
                .hint("with the browser on another machine: `--no-browser`")
        })
    }
}

/// Answers one request; what it brought, when it is the one.
async fn answer(mut stream: TcpStream) -> Option<Brought> {
    let mut head = Vec::new();
    let mut piece = [0; 1024];
    while !head.windows(4).any(|bytes| bytes == b"\r\n\r\n") {
        let read = stream.read(&mut piece).await.ok()?;
        head.extend_from_slice(piece.get(..read)?);
        if read == 0 || head.len() > HEAD {
            return None;
        }
    }
    let head = String::from_utf8_lossy(&head);
    let mut words = head.lines().next()?.split(' ');
    let (method, target) = (words.next()?, words.next()?);
    let brought = (method == "GET").then(|| brought_by(target)).flatten();
    let (status, text) = match &brought {
        Some(brought) if brought.contains_key("code") => {
            ("200 OK", "Handover has what it needs. This page can be closed.")
        }
        Some(_) => ("200 OK", "Handover was not let in. This page can be closed."),
        None => ("404 Not Found", "There is nothing here."),
    };
    let reply = format!(
        "HTTP/1.1 {status}\r\ncontent-type: text/plain; charset=utf-8\r\ncontent-length: {}\r\ncache-control: no-store\r\n\
         referrer-policy: no-referrer\r\nconnection: close\r\n\r\n{text}",
        text.len()
    );
    // A browser that went away has said what it had to say.
    drop(stream.write_all(reply.as_bytes()).await);
    drop(stream.shutdown().await);
    brought
}

/// What a request's target brought, when it is the way back.
fn brought_by(target: &str) -> Option<Brought> {
    let url = url::Url::parse("http://localhost").ok()?.join(target).ok()?;
    let brought = pairs(&url);
    (url.path() == PATH && (brought.contains_key("code") || brought.contains_key("error"))).then_some(brought)
}

fn pairs(url: &url::Url) -> Brought {
    url.query_pairs().map(|(name, value)| (name.into_owned(), value.into_owned())).collect()
}

/// What a person pasted.
pub(super) enum Pasted {
    /// The whole address.
    Address(Brought),
    /// The code alone.
    Code(String),
}

/// Reads what a person pasted.
pub(super) fn pasted(text: &str) -> Pasted {
    match url::Url::parse(text.trim()) {
        Ok(url) if matches!(url.scheme(), "http" | "https") => Pasted::Address(pairs(&url)),
        _ => Pasted::Code(text.trim().to_owned()),
    }
}
