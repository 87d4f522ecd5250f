//! The webhooks of a system: what tells that they are the platform's, and how often is polled all the same.

use std::path::Path;
use std::time::Duration;

use super::credentials::{self, Secret, Shelf};
use super::node::Node;
use super::reader::{File, Reading};

/// The webhooks of a system, as the project file has them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Webhooks {
    /// What only the platform and we know.
    pub secret: Secret,
    /// The whole address that the platform calls, as it is registered there. Without it, the address by which a
    /// delivery says that it came.
    pub url: Option<String>,
    /// How often the system is asked for changes although it tells them.
    pub poll: Duration,
}

/// How often a system is asked that tells its changes, unless the project says otherwise.
pub(crate) const POLL: Duration = Duration::from_secs(15 * 60);

/// Reads `webhooks:` of a system.
pub(super) fn read(reading: &mut Reading, file: &File, node: &Node, root: &Path) -> Option<Webhooks> {
    let mut entries = reading.open(file, node, "webhooks")?;
    let secret = entries.need("secret", reading);
    let secret = secret.and_then(|node| credentials::secret(reading, file, node, "secret", Shelf::plain(root)));
    let url = entries.take("url").map(|node| url(reading, file, node));
    let poll = entries.take("poll").map(|node| reading.duration(file, node, "poll"));
    entries.finish(reading);
    Some(Webhooks { secret: secret?, url: url.flatten(), poll: poll.flatten().unwrap_or(POLL) })
}

/// An address that platforms can call.
fn url(reading: &mut Reading, file: &File, node: &Node) -> Option<String> {
    let text = reading.text(file, node, "url")?;
    let parsed = url::Url::parse(&text).ok().filter(|url| matches!(url.scheme(), "https" | "http") && url.has_host());
    let plain = |url: &url::Url| url.username().is_empty() && url.password().is_none() && url.fragment().is_none();
    if parsed.as_ref().is_some_and(plain) {
        return Some(text);
    }
    let message = "`url` wants the address that the platform calls, like `https://host/hooks/NAME`";
    reading.complain(file, node.mark, "wrong_value", message);
    None
}
