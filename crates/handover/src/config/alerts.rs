//! Whom to tell, and when: `alerts` of the project file.

use std::path::Path;

use jiff::SignedDuration;
use lettre::message::Mailbox;

use super::credentials::{Secret, Shelf, secret};
use super::node::Node;
use super::reader::{File, Reading};
use crate::problem::Problem;

/// Who is told when a pass fails or looks odd, and when that is.
#[derive(Clone, Debug, PartialEq)]
pub struct Alerts {
    /// Where the address is to which messages are posted. It lets whoever knows it post, so it is a secret.
    pub webhook: Option<Secret>,
    /// To whom mail goes.
    pub email: Option<Email>,
    /// How long the same thing is not told again.
    pub silence: SignedDuration,
    /// How long no pass may come to its end.
    pub quiet: SignedDuration,
    /// How old the last pass may be that carried all changes of a flow.
    pub lag: SignedDuration,
    /// How many records more than after the last pass may be held since others are like them.
    pub duplicates: u64,
    /// How long before a token or a version of an API ends people are told.
    pub ends: SignedDuration,
    /// How many records may be held.
    pub holds: Option<u64>,
    /// How many times the usual number of changes is too many.
    pub volume: u64,
    /// The share (0 to 1) of the changed records in which a field may have become blank.
    pub blank: f64,
    /// The share (0 to 1) of a day's calls that shall be left.
    pub calls_left: f64,
}

/// A mail server, and between whom mail goes.
#[derive(Clone, Debug, PartialEq)]
pub struct Email {
    /// The server's name or address.
    pub host: String,
    /// Its port.
    pub port: u16,
    /// How the connection is secured.
    pub security: Security,
    /// The sender.
    pub from: Mailbox,
    /// The receivers.
    pub to: Vec<Mailbox>,
    /// Who logs in, with which password.
    pub login: Option<(String, Secret)>,
}

/// How a connection to a mail server is secured.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Security {
    /// TLS from the first byte.
    Tls,
    /// TLS before anything is said; a server that cannot is not used.
    StartTls,
    /// None: a server on this machine.
    Local,
}

const SILENCE: SignedDuration = SignedDuration::from_hours(4);
const QUIET: SignedDuration = SignedDuration::from_hours(24);
const LAG: SignedDuration = SignedDuration::from_hours(6);
const DUPLICATES: u64 = 10;
const ENDS: SignedDuration = SignedDuration::from_hours(30 * 24);
const VOLUME: u64 = 10;
const BLANK: f64 = 0.5;
const CALLS_LEFT: f64 = 0.1;

/// Reads `alerts`.
pub(super) fn read(reading: &mut Reading, file: &File, node: &Node, root: &Path) -> Option<Alerts> {
    let mut entries = reading.open(file, node, "alerts")?;
    let webhook = entries.take("webhook").and_then(|node| secret(reading, file, node, "webhook", Shelf::plain(root)));
    let email = entries.take("email").and_then(|node| email(reading, file, node, root));
    let mut time = |key: &'static str, otherwise: SignedDuration| {
        let time = entries.take(key).and_then(|node| reading.duration(file, node, key));
        time.and_then(|time| SignedDuration::try_from(time).ok()).unwrap_or(otherwise)
    };
    let (silence, quiet) = (time("silence", SILENCE), time("quiet", QUIET));
    let (lag, ends) = (time("lag", LAG), time("ends", ENDS));
    let most = 1_000_000_000;
    let duplicates = entries.take("duplicates").and_then(|node| reading.whole(file, node, "duplicates", 1, most));
    let holds = entries.take("holds").and_then(|node| reading.whole(file, node, "holds", 0, most));
    let volume = entries.take("volume").and_then(|node| reading.whole(file, node, "volume", 2, most));
    let blank = entries.take("blank").and_then(|node| reading.share(file, node, "blank", 100));
    let calls_left = entries.take("calls_left").and_then(|node| reading.share(file, node, "calls_left", 100));
    entries.finish(reading);
    Some(Alerts {
        webhook,
        email,
        silence,
        quiet,
        lag,
        duplicates: duplicates.unwrap_or(DUPLICATES),
        ends,
        holds,
        volume: volume.unwrap_or(VOLUME),
        blank: blank.unwrap_or(BLANK),
        calls_left: calls_left.unwrap_or(CALLS_LEFT),
    })
}

fn email(reading: &mut Reading, file: &File, node: &Node, root: &Path) -> Option<Email> {
    let mut entries = reading.open(file, node, "email")?;
    let server = entries.need("smtp", reading).and_then(|node| server(reading, file, node));
    let from =
        entries.need("from", reading).and_then(|node| mailboxes(reading, file, node, "from")).unwrap_or_default();
    let to = entries.need("to", reading).and_then(|node| mailboxes(reading, file, node, "to")).unwrap_or_default();
    let user = entries.take("user");
    let password =
        entries.take("password").and_then(|node| secret(reading, file, node, "password", Shelf::plain(root)));
    entries.finish(reading);
    let user = user.and_then(|node| reading.text(file, node, "user"));
    if user.is_some() != password.is_some() {
        reading.complain(file, node.mark, "wrong_value", "`user` and `password` of a mail server go together");
    }
    let (host, port, security) = server?;
    Some(Email { host, port, security, from: from.into_iter().next()?, to, login: user.zip(password) })
}

fn mailboxes(reading: &mut Reading, file: &File, node: &Node, what: &str) -> Option<Vec<Mailbox>> {
    let texts = reading.texts(file, node, what)?;
    let parsed: Vec<Mailbox> = texts.iter().filter_map(|text| text.parse().ok()).collect();
    if parsed.is_empty() || parsed.len() < texts.len() {
        let message = format!("`{what}` wants addresses such as `Handover <handover@firm.example>`");
        reading.complain(file, node.mark, "wrong_value", message);
        return None;
    }
    Some(parsed)
}

/// `smtps://HOST[:465]` or `smtp://HOST[:587]`, which is without TLS on this machine and nowhere else.
fn server(reading: &mut Reading, file: &File, node: &Node) -> Option<(String, u16, Security)> {
    let text = reading.text(file, node, "smtp")?;
    let parsed = url::Url::parse(&text).ok().filter(|url| url.username().is_empty() && url.password().is_none());
    let known = parsed.as_ref().and_then(|url| {
        let host = url.host_str()?.trim_matches(['[', ']']).to_owned();
        let local = host == "localhost" || host.parse().is_ok_and(|address: std::net::IpAddr| address.is_loopback());
        match url.scheme() {
            "smtps" => Some((host, url.port().unwrap_or(465), Security::Tls)),
            "smtp" if local => Some((host, url.port().unwrap_or(25), Security::Local)),
            "smtp" => Some((host, url.port().unwrap_or(587), Security::StartTls)),
            _ => None,
        }
    });
    if known.is_none() {
        // What was written may hold a password.
        let wanted = "`smtp` wants an address like `smtps://mail.firm.example` or `smtp://mail.firm.example:587`";
        let problem = Problem::new("wrong_value", wanted)
            .at(&handover_model::Place { column: 0, ..file.place(node.mark) }, 0, &super::Sources::default())
            .hint("`user` and `password` stand beside it: `password: {env: NAME}`");
        reading.problems.push(problem);
    }
    known
}
