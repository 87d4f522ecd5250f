//! Where the state lies.

use std::fmt;
use std::path::{Path, PathBuf};

use url::Url;

use crate::Error;

/// The schema that holds the state in PostgreSQL when the URL names none.
const SCHEMA: &str = "handover";

/// Where the state lies.
#[derive(Clone, PartialEq, Eq)]
pub enum Location {
    /// A file on this machine.
    Sqlite(PathBuf),
    /// A `postgres://` URL. Its query may name the schema (`?schema=NAME`), one for each project;
    /// `handover` when it does not.
    Postgres(String),
}

impl Location {
    /// Reads a location: a `postgres://` or `postgresql://` URL, or a path (with or without `sqlite:`)
    /// relative to the project's folder.
    ///
    /// # Errors
    ///
    /// [`Error::BadLocation`] for an empty text, another kind of URL, or a schema name that is not made of
    /// lower-case letters, digits and `_`.
    pub fn parse(text: &str, project_dir: &Path) -> Result<Self, Error> {
        let text = text.trim();
        let bad = |why: &str| Error::BadLocation { given: redacted(text), why: why.to_owned() };
        if text.starts_with("postgres://") || text.starts_with("postgresql://") {
            let location = Self::Postgres(text.to_owned());
            location.connection()?;
            return Ok(location);
        }
        let path = text.strip_prefix("sqlite://").or_else(|| text.strip_prefix("sqlite:")).unwrap_or(text);
        if path.is_empty() {
            return Err(bad("it is empty"));
        }
        if path.contains("://") {
            return Err(bad("only files and postgres:// URLs can hold it"));
        }
        Ok(Self::Sqlite(project_dir.join(path)))
    }

    /// The URL without our own parameter, and the schema.
    pub(crate) fn connection(&self) -> Result<(String, String), Error> {
        let Self::Postgres(text) = self else {
            return Err(Error::BadLocation { given: self.to_string(), why: "it is not a URL".to_owned() });
        };
        let bad = |why: String| Error::BadLocation { given: redacted(text), why };
        let mut url = Url::parse(text).map_err(|error| bad(error.to_string()))?;
        let mut schema = SCHEMA.to_owned();
        let mut rest = Vec::new();
        for (name, value) in url.query_pairs() {
            match name.as_ref() {
                "schema" => schema = value.into_owned(),
                _ => rest.push((name.into_owned(), value.into_owned())),
            }
        }
        // The name stands in SQL text, where nothing can be bound: so it is held to plain identifiers.
        let plain = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_';
        if schema.is_empty() || schema.len() > 63 || !schema.chars().all(plain) || schema.starts_with("pg_") {
            return Err(bad("a schema's name has at most 63 lower-case letters, digits and `_`".to_owned()));
        }
        url.set_query(None);
        if !rest.is_empty() {
            url.query_pairs_mut().extend_pairs(rest);
        }
        Ok((url.to_string(), schema))
    }
}

/// The path, or the URL without its password.
impl fmt::Display for Location {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Sqlite(path) => write!(f, "{}", path.display()),
            Self::Postgres(url) => f.write_str(&redacted(url)),
        }
    }
}

impl fmt::Debug for Location {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Location({self})")
    }
}

/// A URL without what may be secret in it; text that is no URL is cut at its first `@`'s left side.
fn redacted(text: &str) -> String {
    if let Some(mut url) = Url::parse(text).ok().filter(Url::has_host) {
        let schema = url.query_pairs().find(|(name, _)| name == "schema").map(|(_, value)| value.into_owned());
        // Cannot fail: the URL has a host.
        let _ = url.set_password(None);
        url.set_query(None);
        if let Some(schema) = schema {
            url.query_pairs_mut().append_pair("schema", &schema);
        }
        return url.to_string();
    }
    match (text.contains("://"), text.rsplit_once('@')) {
        (true, Some((_, host))) => format!("...@{host}"),
        _ => text.to_owned(),
    }
}
