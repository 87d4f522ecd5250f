//! The environment, its users and teams.

use handover_connect::{Fault, FaultKind, Refusal, Reply, Request, Step};
use handover_model::{Account, User};

use super::objects::DATA;
use super::place::{Place, Rows};
use super::query;
use super::reading::TEAM;
use super::rows::{Page, Row, text};
use crate::marks::Mark;

/// The request for the organization, then for its currencies.
pub(super) fn account(place: Option<&Place>) -> Request {
    match place {
        Some(Place::Currencies(_)) => query::get(
            &format!("{DATA}/transactioncurrencies"),
            &[("$select", "isocurrencycode"), ("$filter", "statecode eq 0")],
        ),
        _ => query::get(&format!("{DATA}/organizations"), &[("$select", "organizationid,name")]),
    }
}

/// The environment (sheet: Dynamics section 2). No zone is told: times are in UTC everywhere.
pub(super) fn told(place: Option<Place>, reply: &Reply) -> Result<Step, Fault> {
    let page = Page::of(reply)?;
    if let Some(Place::Currencies(mut account)) = place {
        account.currencies = page.value.iter().filter_map(|row| text(row, "isocurrencycode")).collect();
        return Ok(Step::Account(account));
    }
    let row = page.value.first().ok_or_else(|| Fault::malformed("the organization is not told"))?;
    let id = text(row, "organizationid").ok_or_else(|| Fault::malformed("the organization has no id"))?;
    Ok(Place::Currencies(Account {
        name: text(row, "name").unwrap_or_else(|| format!("Dynamics environment {id}")),
        id,
        currencies: Vec::new(),
        time_zone: String::new(),
        lacks: Vec::new(),
        daily_limit: None,
        fallback_user: None,
    })
    .then())
}

/// One page of users, then of teams, which own records too (section 5.1).
pub(super) fn users(rows: &Rows) -> Result<Request, Refusal> {
    if let Some(next) = &rows.next {
        return Ok(paged(query::follow(next)));
    }
    let (set, select) = match rows.nth {
        0 => ("systemusers", "systemuserid,fullname,internalemailaddress,isdisabled,accessmode"),
        1 => ("teams", "teamid,name,emailaddress,teamtype"),
        _ => return Err(Refusal::unsupported("there are no more users")),
    };
    Ok(paged(query::get(&format!("{DATA}/{set}"), &[("$select", select)])))
}

fn paged(mut request: Request) -> Request {
    let prefer = format!("odata.maxpagesize={}", super::capabilities::PAGE);
    request.headers.push(("prefer".to_owned(), prefer));
    request
}

/// Users and teams. A team is always active, and may have no address.
pub(super) fn users_told(mut rows: Rows, reply: &Reply) -> Result<Step, Fault> {
    let are_teams = rows.nth > 0;
    let page = match Page::of(reply) {
        Ok(page) => page,
        // Who may not see teams has none to assign to.
        Err(fault) if are_teams && fault.kind == FaultKind::Denied => {
            return Ok(Step::Users { users: Vec::new(), next: None });
        }
        Err(fault) => return Err(fault),
    };
    let users = page.value.iter().filter_map(if are_teams { team } else { user }).collect();
    rows.next = page.next()?;
    if rows.next.is_none() {
        rows.nth += 1;
    }
    let next = (rows.nth < 2).then(|| Place::Rows(rows).cursor());
    Ok(Step::Users { users, next })
}

fn number(row: &Row<'_>, name: &str) -> Option<i64> {
    row.get(name)?.get().parse().ok()
}

fn user(row: &Row<'_>) -> Option<User> {
    // Support, programs and delegated administrators are no people of the company (section 9).
    if matches!(number(row, "accessmode"), Some(3..=5)) {
        return None;
    }
    let id = text(row, "systemuserid")?;
    Some(User {
        email: text(row, "internalemailaddress").unwrap_or_default(),
        name: text(row, "fullname").unwrap_or_else(|| id.clone()),
        active: row.get("isdisabled").is_none_or(|raw| raw.get() != "true"),
        id: id.into(),
    })
}

fn team(row: &Row<'_>) -> Option<User> {
    // A team for access owns nothing.
    if number(row, "teamtype") == Some(1) {
        return None;
    }
    let id = text(row, "teamid")?;
    Some(User {
        email: text(row, "emailaddress").unwrap_or_default(),
        name: text(row, "name").unwrap_or_else(|| id.clone()),
        active: true,
        id: format!("{TEAM}{id}").into(),
    })
}
