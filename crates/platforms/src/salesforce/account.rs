//! The organization, its users and queues.

use handover_connect::{Fault, FaultKind, Refusal, Reply, Request, Step};
use handover_model::{Account, User};

use super::auth;
use super::links::go_on;
use super::place::{Place, Rows};
use super::rows::{Page, text};
use super::soql::{Query, send};
use crate::marks::Mark;

/// The request for the organization, then for its currencies.
pub(super) fn account(place: Option<&Place>) -> Request {
    match place {
        Some(Place::Currencies(_)) => send("SELECT Id, IsoCode FROM CurrencyType WHERE IsActive = true", false),
        _ => send("SELECT Id, Name, IsSandbox, TimeZoneSidKey FROM Organization", false),
    }
}

/// The organization (sheet: Salesforce section 1 \[fixture\]). The day's allowance is told by a header.
///
/// Only organizations with several currencies tell which ones: the one of all others is told nowhere. What the user
/// lacks is told by the refusal of what needs it.
pub(super) fn told(place: Option<Place>, reply: &Reply) -> Result<Step, Fault> {
    if let Some(Place::Currencies(mut account)) = place {
        match Page::of(reply) {
            Ok(page) => account.currencies = page.texts("IsoCode").collect(),
            // There is no such object where there is one currency only.
            Err(fault) if matches!(fault.kind, FaultKind::Denied | FaultKind::Invalid | FaultKind::NotFound) => {}
            Err(fault) => return Err(fault),
        }
        return Ok(Step::Account(account));
    }
    let page = Page::of(reply)?;
    let row = page.records.first().ok_or_else(|| Fault::malformed("the organization is not told"))?;
    let id = text(row, "Id").ok_or_else(|| Fault::malformed("the organization has no id"))?;
    let is_sandbox = row.get("IsSandbox").is_some_and(|raw| raw.get() == "true");
    let name = text(row, "Name").unwrap_or_else(|| format!("Salesforce organization {id}"));
    Ok(Place::Currencies(Account {
        id,
        name: if is_sandbox { format!("{name} (sandbox)") } else { name },
        currencies: Vec::new(),
        time_zone: text(row, "TimeZoneSidKey").unwrap_or_default(),
        lacks: Vec::new(),
        daily_limit: auth::usage(reply).map(|(_, total)| total),
        fallback_user: None,
    })
    .then())
}

/// The queries for users, then for queues, to which records are assigned too (sheet: Salesforce section 2).
fn queries() -> [Query<'static>; 2] {
    let query = |object, columns: &[&'static str], condition: &str| Query {
        columns: columns.to_vec(),
        conditions: vec![condition.to_owned()],
        ..Query::of(object)
    };
    [
        query("User", &["Email", "IsActive", "Name"], "UserType = 'Standard'"),
        query("Group", &["Email", "Name"], "Type = 'Queue'"),
    ]
}

/// One page of them.
pub(super) fn users(rows: &Rows) -> Result<Request, Refusal> {
    let query = queries().into_iter().nth(rows.nth).ok_or_else(|| Refusal::unsupported("there are no more users"))?;
    query.request(rows)
}

/// Users and queues. A queue is always active, and may have no address.
pub(super) fn users_told(mut rows: Rows, reply: &Reply) -> Result<Step, Fault> {
    let are_queues = rows.nth > 0;
    let page = match Page::of(reply) {
        Ok(page) => page,
        // Who may not see queues has none to assign to.
        Err(fault) if are_queues && matches!(fault.kind, FaultKind::Denied | FaultKind::Invalid) => {
            return Ok(Step::Users { users: Vec::new(), next: None });
        }
        Err(fault) => return Err(fault),
    };
    let users = page
        .records
        .iter()
        .filter_map(|row| {
            let id = text(row, "Id")?;
            Some(User {
                email: text(row, "Email").unwrap_or_default(),
                name: text(row, "Name").unwrap_or_else(|| id.clone()),
                active: are_queues || row.get("IsActive").is_some_and(|raw| raw.get() == "true"),
                id: id.into(),
            })
        })
        .collect();
    let next = go_on(&mut rows, &page, queries().len()).then(|| Place::Rows(rows).cursor());
    Ok(Step::Users { users, next })
}
