//! What a person gives: by options, by the project, at the terminal. Nobody is asked who cannot answer.

use std::io::{BufRead as _, IsTerminal as _};
use std::path::PathBuf;
use std::str::FromStr;

use console::Term;
use handover_model::Place;
use secrecy::SecretString;

use super::nothing_kept;
use crate::config::{Secret, SecretFrom};
use crate::kept::process;
use crate::problem::Problem;

/// Where a secret comes from that an option names.
#[derive(Clone)]
pub(super) enum Source {
    Env(String),
    File(PathBuf),
    Input,
    /// Perhaps the secret itself: it is neither taken nor shown.
    Nowhere,
}

impl FromStr for Source {
    type Err = std::convert::Infallible;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Ok(match text.split_once(':') {
            Some(("env", name)) if !name.is_empty() => Self::Env(name.to_owned()),
            Some(("file", path)) if !path.is_empty() => Self::File(PathBuf::from(path)),
            _ if text == "-" => Self::Input,
            _ => Self::Nowhere,
        })
    }
}

impl Source {
    /// Reads it. What goes into a header has no blanks; a key has lines.
    pub(super) fn read(&self, option: &str) -> Result<SecretString, Problem> {
        let named = |from| Secret { from, place: Place::default() }.words(&process);
        let read = match self {
            Self::Env(name) => named(SecretFrom::Env(name.clone())),
            Self::File(path) => named(SecretFrom::File(path.clone())),
            Self::Nowhere => {
                Err("a secret is not given as it is, where others can see it: name `env:NAME`, `file:PATH` or `-`"
                    .to_owned())
            }
            Self::Input => {
                let mut line = String::new();
                let read = std::io::stdin().lock().read_line(&mut line);
                match (read, line.trim()) {
                    (Err(error), _) => Err(error.to_string()),
                    (Ok(_), "") => Err("standard input is empty".to_owned()),
                    (Ok(_), line) => Ok(SecretString::from(line)),
                }
            }
        };
        read.map_err(|why| {
            nothing_kept(Problem::new("not_given", format!("what `{option}` names cannot be read")).cause(why))
        })
    }
}

/// The terminal, when somebody is there.
pub(super) fn terminal() -> Option<Term> {
    let term = Term::stderr();
    (std::io::stdin().is_terminal() && term.is_term()).then_some(term)
}

/// Asks for a text at the terminal; `None` when nobody is there or the answer is empty.
pub(super) fn ask(question: &str) -> Option<String> {
    let term = terminal()?;
    term.write_str(&format!("{question}: ")).ok()?;
    term.read_line().ok().map(|line| line.trim().to_owned()).filter(|line| !line.is_empty())
}

/// Asks for a secret, which is not shown.
pub(super) fn ask_secret(question: &str) -> Option<SecretString> {
    let term = terminal()?;
    term.write_str(&format!("{question} (not shown): ")).ok()?;
    let line = term.read_secure_line().ok()?;
    Some(line.trim()).filter(|line| !line.is_empty()).map(SecretString::from)
}

/// What was not given, and nobody could be asked for.
pub(super) fn not_given(what: &str, option: &str) -> Problem {
    nothing_kept(Problem::new("not_given", format!("{what} is missing"))).hint(format!("give it with `{option}`"))
}
