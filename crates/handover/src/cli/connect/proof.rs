//! The proof that what came is good: what was granted, whose account it is, and that it is the project's.

use handover_connect::{Connector as _, FaultKind, Way};
use handover_model::Account;

use super::entry::Entrance;
use super::{Came, Options, nothing_kept, refused};
use crate::cli::{Output, failure};
use crate::problem::Problem;

/// What was found.
pub(super) struct Proven {
    pub(super) account: Account,
    /// The user as whom we act, where the platform tells.
    pub(super) user: Option<String>,
    /// What is not granted, in the platform's own names.
    pub(super) missing: Vec<String>,
}

/// Proves what a way in gave.
pub(super) async fn of(
    entrance: &Entrance<'_>,
    way: Way,
    came: &Came,
    output: &Output,
) -> Result<Proven, Vec<Problem>> {
    let name = &entrance.system.name;
    let elsewhere = entrance.dialect.door().elsewhere;
    let refuse = |fault| vec![refused::account(name, way, &fault, elsewhere)];
    let mut missing = Vec::new();
    if let Some(granted) = &came.granted {
        missing = entrance.dialect.scopes(&entrance.objects);
        missing.retain(|scope| !(entrance.dialect.door().covers)(granted, scope));
    }
    let account = came.driver.account().await.map_err(refuse)?;
    same_account(entrance, &account).await?;
    if came.granted.is_none() && entrance.project.is_some() {
        // Where nobody tells what was granted, trying shows it.
        for (object, _) in &entrance.objects {
            match came.driver.describe(object).await {
                Ok(_) => {}
                Err(fault) if fault.kind == FaultKind::Denied => missing.push(format!("for {object}: {fault}")),
                // An object that the account does not have is the check's affair.
                Err(fault) if fault.kind == FaultKind::NotFound => {}
                Err(fault) => return Err(vec![nothing_kept(failure::system(name, &fault))]),
            }
        }
    }
    told(entrance.options, name.as_str(), &missing, output)?;
    output.warn(&failure::lacks(name, &account).collect::<Vec<_>>());
    let user = user(came, &account).await;
    Ok(Proven { account, user, missing })
}

/// Refuses what lacks scopes, unless somebody said that it may.
fn told(options: &Options, name: &str, missing: &[String], output: &Output) -> Result<(), Vec<Problem>> {
    if missing.is_empty() {
        return Ok(());
    }
    let problem = Problem::new("missing_scopes", format!("`{name}` does not grant everything that is needed"))
        .cause(format!("missing: {}", missing.join(", ")))
        .hint("give the app these scopes at the platform, then run the command again");
    if options.accept_missing {
        output.warn(&[problem.weighing(handover_model::Weight::Warning)]);
        return Ok(());
    }
    Err(vec![nothing_kept(problem).hint("`--accept-missing` keeps what was granted all the same")])
}

/// A state belongs to its accounts for ever: tokens of a sandbox are no use where production was read.
async fn same_account(entrance: &Entrance<'_>, account: &Account) -> Result<(), Vec<Problem>> {
    let Some(project) = &entrance.project else { return Ok(()) };
    let location = handover_store::Location::parse(&project.state, std::path::Path::new(""));
    let location = location.map_err(|error| vec![failure::store(&error)])?;
    let store = match handover_store::Store::open_reading(&location).await {
        Ok(store) => store,
        // Nothing was run yet.
        Err(handover_store::Error::Absent { .. }) => return Ok(()),
        Err(error) => return Err(vec![failure::store(&error)]),
    };
    let known = store.accounts().await.map_err(|error| vec![failure::store(&error)])?;
    let name = &entrance.system.name;
    match known.get(name) {
        Some(known) if *known != account.id => {
            let message = format!("this is another account than the one that `{name}` was until now");
            let problem = Problem::new("other_account", message)
                .cause(format!(
                    "the state belongs to account {known}; this is {} (account {})",
                    account.name, account.id
                ))
                .hint(
                    "use the credentials of the account that the project works with: a sandbox and production are two",
                );
            Err(vec![nothing_kept(problem)])
        }
        Some(_) | None => Ok(()),
    }
}

/// The user as whom we act. Not to be told is no failure.
async fn user(came: &Came, account: &Account) -> Option<String> {
    let id = account.fallback_user.as_ref()?;
    let users = came.driver.users().await.ok()?;
    let user = users.into_iter().find(|user| user.id == *id)?;
    Some(if user.email.is_empty() { user.name } else { format!("{} <{}>", user.name, user.email) })
}
