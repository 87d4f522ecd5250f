//! What a platform says when it lets nobody in, and what a person does then.
//!
//! Platforms say it in words of their own, under a handful of codes; what is read from them here is only what to do next.

use handover_connect::{Fault, FaultKind, Way};
use handover_model::SystemName;

use super::nothing_kept;
use crate::cli::failure;
use crate::problem::Problem;

/// What was wrong with what was given.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Wrong {
    Redirect,
    Secret,
    Client,
    Person,
    Code,
    Other,
}

fn wrong(fault: &Fault) -> Wrong {
    let said = format!("{} {}", fault.code, fault.message).to_lowercase();
    let any = |words: &[&str]| words.iter().any(|word| said.contains(word));
    if any(&["redirect"]) {
        Wrong::Redirect
    } else if any(&["secret", "client credentials"]) {
        Wrong::Secret
    } else if any(&["client", "tenant"]) {
        Wrong::Client
    } else if any(&["not agree", "declined", "approved"]) {
        Wrong::Person
    } else if any(&["code", "grant"]) {
        Wrong::Code
    } else {
        Wrong::Other
    }
}

/// The refusal of a token endpoint. `elsewhere` says where else the app may be known.
pub(super) fn tokens(name: &SystemName, way: Way, fault: &Fault, elsewhere: Option<&str>) -> Problem {
    if fault.kind != FaultKind::Auth {
        return nothing_kept(failure::system(name, fault));
    }
    let again = format!("`handover connect {name}` asks for a new one");
    let (code, message, hint) = match (wrong(fault), way) {
        (Wrong::Redirect, _) => (
            "wrong_redirect",
            "did not take the address to which the browser was sent",
            "register it at the app, letter by letter; `--port` and `--redirect-uri` choose another".to_owned(),
        ),
        (Wrong::Secret, _) => {
            ("wrong_secret", "did not take the app's secret", "copy it anew from the app's settings".to_owned())
        }
        (Wrong::Client, _) => ("wrong_client", "does not know the app", "look at its id, and at its secret".to_owned()),
        (Wrong::Person, Way::Signed) => (
            "denied",
            "does not let the app act for this user",
            "approve the app for the user in the app's policies at the platform".to_owned(),
        ),
        (Wrong::Person, _) => ("denied", "was told not to let the app in", "run it again, and agree".to_owned()),
        (Wrong::Code, Way::Code) => {
            ("wrong_code", "did not take the code", format!("a code works once and for some minutes: {again}"))
        }
        (Wrong::Code, Way::Device) => {
            ("wrong_code", "did not take the code", format!("nobody agreed in time: {again}"))
        }
        (Wrong::Code | Wrong::Other, _) => {
            ("not_let_in", "gave no token", "look at what it says, and at the app's settings".to_owned())
        }
    };
    let problem = Problem::new(code, format!("`{name}` {message}")).cause(fault.to_string()).hint(hint);
    let lost = matches!(wrong(fault), Wrong::Client | Wrong::Code | Wrong::Secret | Wrong::Other);
    nothing_kept(match elsewhere.filter(|_| lost) {
        Some(elsewhere) => problem.hint(elsewhere),
        None => problem,
    })
}

/// The platform sent the browser back without a code.
pub(super) fn page(name: &SystemName, error: &str, description: Option<&String>) -> Problem {
    let shown = |text: &str| text.chars().filter(|c| !c.is_control()).take(200).collect::<String>();
    let said = [Some(shown(error)), description.map(|text| shown(text))];
    let said = said.into_iter().flatten().collect::<Vec<_>>().join(": ");
    let problem = if error.contains("denied") {
        Problem::new("denied", format!("the person did not let Handover into `{name}`"))
            .hint("run the command again, and agree; who agrees must be an administrator")
    } else {
        Problem::new("not_let_in", format!("`{name}` sent the browser back without a code"))
            .hint("look at what it says, and at the app's settings: redirect address, scopes")
    };
    nothing_kept(problem.cause(format!("the platform says: {said}")))
}

/// Credentials that the API itself refuses, or an account that cannot be read.
pub(super) fn account(name: &SystemName, way: Way, fault: &Fault, elsewhere: Option<&str>) -> Problem {
    let problem = nothing_kept(failure::system(name, fault));
    let mut problem = match (fault.kind, way) {
        (FaultKind::Auth, Way::Token) => {
            problem.hint("a token counts in the account where it was made: one of a sandbox is refused in production")
        }
        _ => problem,
    };
    if fault.kind == FaultKind::Auth && way != Way::Token {
        problem.hints.extend(elsewhere.map(str::to_owned));
    }
    problem
}
