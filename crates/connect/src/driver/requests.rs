//! One request: its place in the budget, its credentials, its address, leave to go, and whether it is sent again.

use handover_model::Content;

use super::{Driver, Failure, lock};
use crate::dialect::{Host, Request, Step};
use crate::policy::{self, Next};
use crate::{Cursor, Fault, FaultKind, Lost, Operation, Reply, WireRequest};

impl Driver {
    /// One request of an operation, sent again where that does no harm; with what went to its sink.
    pub(super) async fn step(
        &self,
        operation: &Operation,
        cursor: Option<&Cursor>,
    ) -> Result<(Step, Option<Content>), Failure> {
        if let Some(reply) = self.kept_for(cursor)
            // What cannot be read of it is asked for again.
            && let Ok(step) = self.dialect.decode(operation, cursor, &reply)
        {
            return Ok((self.whole(step, reply), None));
        }
        let request = self.dialect.encode(operation, cursor).map_err(Fault::from)?;
        let mut attempt = 0;
        let mut refreshed = false;
        let mut perhaps_applied = false;
        loop {
            // What happened to an earlier attempt stays unknown, whatever prevents the next one.
            if !operation.is_about_tokens() {
                self.renew(None).await.map_err(|failure| failure.after(perhaps_applied))?;
            }
            let bought = self.bought();
            let (fault, applied) = match self.send(&request).await.map_err(|failure| failure.after(perhaps_applied))? {
                Ok(reply) => match self.dialect.decode(operation, cursor, &reply) {
                    Ok(step) => {
                        let sunk = reply.sunk.clone();
                        return Ok((self.whole(step, reply), sunk));
                    }
                    Err(fault) => {
                        let applied = self.may_have_been_applied(&request, &fault);
                        (fault, applied)
                    }
                },
                Err(Lost::NotSent(why)) => (Fault::new(FaultKind::Unavailable, "not_sent", why), false),
                Err(Lost::NoAnswer(why)) => {
                    (Fault::new(FaultKind::Unavailable, "no_answer", why), request.method != crate::Method::Get)
                }
            };
            perhaps_applied |= applied;
            let first_auth = fault.kind == FaultKind::Auth && !refreshed && self.is_oauth().await;
            if first_auth && !operation.is_about_tokens() {
                refreshed = true;
                self.renew(Some(bought)).await.map_err(|failure| failure.after(perhaps_applied))?;
                continue;
            }
            match self.after(&request, fault, perhaps_applied, attempt) {
                Next::Again { wait_ms } => {
                    self.wait(wait_ms).await;
                    attempt += 1;
                }
                Next::GiveUp(fault) => return Err(Failure { fault, perhaps_applied }),
            }
        }
    }

    /// The reply whose rest begins here, if it was kept.
    fn kept_for(&self, cursor: Option<&Cursor>) -> Option<Reply> {
        let mut rest = lock(&self.rest);
        let is_here = rest.as_ref().is_some_and(|(at, _)| Some(at) == cursor);
        if is_here { rest.take().map(|(_, reply)| reply) } else { None }
    }

    /// The step; of one that is a part of a reply a page, and the reply is kept for the rest.
    fn whole(&self, step: Step, reply: Reply) -> Step {
        let Step::Part { records, rest } = step else { return step };
        *lock(&self.rest) = Some((rest.clone(), reply));
        Step::Page { records, next: Some(rest) }
    }

    /// Whether a failed request is sent again, and when.
    fn after(&self, request: &Request, fault: Fault, perhaps_applied: bool, attempt: u32) -> Next {
        if fault.kind == FaultKind::Limited {
            lock(&self.spent).limited += 1;
        }
        let harmless = request.idempotent || !perhaps_applied;
        policy::after(fault, harmless, attempt, self.settings.retries, self.clock.now())
    }

    /// A 5xx and an unreadable answer tell nothing about whether the request was carried out.
    fn may_have_been_applied(&self, request: &Request, fault: &Fault) -> bool {
        request.method != crate::Method::Get && matches!(fault.kind, FaultKind::Unavailable | FaultKind::Malformed)
    }

    /// Sends one request: budget, credentials, address. The outer error is a spent day or a wrong address.
    async fn send(&self, request: &Request) -> Result<Result<Reply, Lost>, Failure> {
        let mut request = request.clone();
        let url = self.address(&request)?;
        let flight = self.budget.take(&request.charges, self.clock.as_ref()).await?;
        let own = match &request.host {
            Host::Given(_) => url.as_str().starts_with(lock(&self.api_base).as_str()),
            Host::Api | Host::Oauth => true,
        };
        if own {
            self.dialect.authorize(&mut request, &*self.credentials.lock().await);
        }
        // The last thing before it leaves: waiting for its place may have taken long.
        if let Some(leave) = &self.leave
            && let Err(why) = leave.until_answered(self.settings.timeout).await
        {
            flight.landed();
            return Err(Fault::new(FaultKind::Unavailable, "no_leave", why).into());
        }
        {
            let mut spent = lock(&self.spent);
            spent.calls += 1;
            spent.waited_ms += flight.waited_ms();
            for charge in &request.charges {
                *spent.charges.entry(charge.limit).or_default() += u64::from(charge.amount);
            }
        }
        let path = if request.private_path { "(not shown)" } else { &request.path };
        tracing::debug!(platform = self.dialect.capabilities().platform, method = ?request.method, path, "request");
        let wire = WireRequest {
            method: request.method,
            url,
            headers: request.headers,
            body: request.body,
            sink: request.sink,
        };
        let sent = self.clock.now();
        let answer = self.transport.send(wire, self.settings.timeout).await;
        if !matches!(answer, Err(Lost::NoAnswer(_))) {
            flight.landed();
        }
        if let Ok(reply) = &answer {
            lock(&self.spent).answered += 1;
            let now = self.clock.now();
            // A file's host has a clock of its own.
            if own && let Some(date) = reply.header("date") {
                lock(&self.offset).told(date, sent, now);
            }
            for (name, total, remaining) in self.dialect.limits_told(reply) {
                self.budget.told(name, total, remaining, now);
            }
        }
        Ok(answer)
    }

    fn address(&self, request: &Request) -> Result<url::Url, Fault> {
        let base = match &request.host {
            Host::Api => format!("{}{}", lock(&self.api_base), request.path),
            Host::Oauth => format!("{}{}", self.settings.oauth_base, request.path),
            Host::Given(address) => address.clone(),
        };
        let mut url = url::Url::parse(&base).map_err(|error| {
            Fault::new(FaultKind::Invalid, "address", format!("the system's base address: {error}"))
        })?;
        if !request.query.is_empty() {
            url.query_pairs_mut().extend_pairs(&request.query);
        }
        Ok(url)
    }
}
