//! Microsoft Dynamics 365: the Dataverse Web API v9.2 of an environment in memory, with metadata, OData queries,
//! FetchXML, change tracking, batches, bulk actions and the tokens of Entra ID.
//!
//! Written from the sheet, sections 1 to 9. What the sheet leaves open is a setting ([`Settings`]) whose default is the
//! stricter reading. A request goes through one pipe: token, user, limits, route.
//!
//! Invariants:
//! - A reply depends on the world, the request, the time and the seed alone. Ids and tokens are drawn from counters
//!   that stand in the world, so that replaying the writes gives the same world.
//! - A refused request has changed nothing. Every change of a row passes `world::World::put` and the journal.
//! - Deliberately absent: security roles but the privileges that settings name, business rules and plug-ins, webhooks,
//!   elastic tables, file and image columns, search, and the Organization Service.
//!
//! Ids in the journal: rows by their GUID under the table's logical name; pairs under their relationship's name as
//! `id/id`.

mod access;
mod actions;
mod address;
mod batch;
mod call;
mod catalogue;
mod csdl;
mod derive;
mod disturb;
mod draft;
mod effects;
mod fetch;
mod fold;
mod guid;
mod instant;
mod limits;
mod links;
mod merge;
mod metadata;
mod multiple;
mod oauth;
mod odata;
mod parties;
mod query;
mod records;
mod refusal;
mod relations;
mod remove;
mod routes;
mod rules;
mod sales;
mod schema;
mod settings;
mod tracking;
mod values;
mod view;
mod world;
mod world_file;
mod write;

use jiff::Timestamp;
use serde_json::{Value as Json, json};

pub use settings::{Leniency, Settings};
pub use world_file::WorldError;

use address::References;
use call::{Call, Prefer};
use instant::Seconds;
use limits::{Limit, Limits};
use refusal::Fault;
use world::{World, flag};

use crate::faults::{Disturbance, Interference, Invented, LimitScope};
use crate::journal::Change;
use crate::{Outcome, Platform, Reply, Request};

/// The longest address with its query, and the same within a batch (sheet: section 2 \[doc\]).
const LONGEST_URI: usize = 32_768;

/// One environment behind its API.
#[derive(Debug)]
pub struct Dynamics {
    world: World,
    limits: Limits,
    cost: u64,
}

/// Who asks.
struct Sender {
    user: String,
    behalf: Option<String>,
    /// Whose limits count: the app's own user.
    caller: String,
}

impl Dynamics {
    /// The environment of a world file. `seed` is used when the file names none.
    ///
    /// The file is a JSON object; every key may be missing: `platform`, `seed`, `org`, `settings`, `apps`, `tokens`,
    /// `tables`, `columns`, `keys`, `pairs`, `choices`, `duplicate_rules`, `tracking`, `records`, and what a dump adds
    /// (`complete`, `next`, `gone`).
    pub fn from_world(world: Json, seed: u64) -> Result<Self, WorldError> {
        Ok(Self::over(world_file::load(world, seed)?))
    }

    /// A new environment: a business unit, an administrator, an application user, a currency.
    pub fn empty(seed: u64) -> Self {
        // An empty file has nothing that could be refused.
        Self::from_world(json!({}), seed).unwrap_or_else(|_| Self::over(World::blank(seed)))
    }

    fn over(world: World) -> Self {
        Self { world, limits: Limits::default(), cost: 0 }
    }

    /// The settings.
    pub fn settings(&self) -> &Settings {
        &self.world.settings
    }

    /// The settings, to change them.
    pub fn settings_mut(&mut self) -> &mut Settings {
        &mut self.world.settings
    }

    /// The environment's address for whoever came by its own host, through something that ends TLS; else where the
    /// sandbox was reached.
    fn own_address(&self, host: &str) -> String {
        let own = &self.world.org.url;
        if own.strip_prefix("https://") == Some(host) { own.clone() } else { format!("http://{host}") }
    }

    fn answer(&mut self, request: &Request, at: Seconds, interference: &Interference) -> Reply {
        if let Some(reply) = oauth::answer(&mut self.world, request, at) {
            return reply;
        }
        let prefer = Prefer::read(request);
        let detailed = prefer.wants("Microsoft.PowerApps.CDS.ErrorDetails.OperationStatus");
        let code = self.world.settings.odata_error_code.clone();
        let Some(rest) = request.path.strip_prefix("/api/data/v9.").and_then(|rest| rest.get(2..).or(Some(""))) else {
            return Fault::no_segment("api").reply(&code, false);
        };
        let query: usize = request.query.iter().map(|(name, value)| name.len() + value.len() + 2).sum();
        if request.path.len() + query > LONGEST_URI {
            return Reply::html(414, "<html><body><h1>URI Too Long</h1></body></html>");
        }
        let sender = match self.sender(request, at) {
            Ok(sender) => sender,
            Err(fault) => return fault.reply(&code, detailed),
        };
        let requests = if rest == "$batch" { batch::size(request).max(1) } else { 1 };
        if let Err(fault) = self.limits.spend(&self.world.settings, &sender.caller, requests, at) {
            let mut reply = fault.reply(&code, detailed);
            if !self.world.settings.throttle_body {
                reply.body.clear();
            }
            return self.limits.stamp(&self.world.settings, &sender.caller, reply);
        }
        self.cost = requests;
        let host = request.header("host").unwrap_or("localhost");
        let Some(path) = address::segments(rest) else {
            return Fault::odata("Bad Request - Error in query syntax.").reply(&code, detailed);
        };
        let call = Call {
            request,
            path,
            base: format!("{}/api/data/v9.2/", self.own_address(host)),
            user: sender.user,
            behalf: sender.behalf,
            at,
            prefer,
            references: References::new(),
            apply_only: interference.apply_only,
        };
        let reply = self.routed(&call);
        let rows = self.world.written();
        self.limits.took(&self.world.settings, &sender.caller, requests, rows, at);
        let reply = self.limits.stamp(&self.world.settings, &sender.caller, reply);
        let id = guid::mint(self.world.seed, "request", self.world.version());
        reply
            .with_header("odata-version", "4.0")
            .with_header("x-ms-service-request-id", id.clone())
            .with_header("req_id", id)
    }

    /// One request, alone or of a batch: what is refused has changed nothing.
    fn routed(&mut self, call: &Call<'_>) -> Reply {
        let detailed = call.prefer.wants("Microsoft.PowerApps.CDS.ErrorDetails.OperationStatus");
        let mark = self.world.mark();
        routes::answer(self, call).unwrap_or_else(|fault| {
            self.world.rollback(mark);
            fault.reply(&self.world.settings.odata_error_code, detailed)
        })
    }

    /// The user of the token, and the one as whom it acts (sheet: section 1).
    fn sender(&self, request: &Request, at: Seconds) -> Result<Sender, Fault> {
        let world = &self.world;
        let token = request.header("authorization").and_then(|header| header.strip_prefix("Bearer "));
        let token = token.and_then(|token| world.access.tokens.get(token));
        let token = token.filter(|token| token.until.is_none_or(|until| until > at)).ok_or_else(|| self.challenge())?;
        let known = token
            .user
            .as_ref()
            .filter(|user| world.get("systemuser", user).is_some_and(|row| !flag(row, "isdisabled")));
        let caller = known.cloned().ok_or_else(|| {
            Fault::new(
                world.settings.unknown_user_status,
                "0x80072560",
                "The user is not a member of the organization.",
            )
        })?;
        let other = match (request.header("callerobjectid"), request.header("mscrmcallerid")) {
            (Some(object), _) => write::id_of(world, "systemuser", "azureactivedirectoryobjectid", object),
            (None, Some(id)) => guid::parse(id).filter(|id| world.get("systemuser", id).is_some()),
            (None, None) => return Ok(Sender { user: caller.clone(), behalf: None, caller }),
        };
        if !world.settings.act_on_behalf {
            return Err(Fault::forbidden("Principal user is missing prvActOnBehalfOfAnotherUser privilege."));
        }
        let other = other.filter(|user| world.get("systemuser", user).is_some_and(|row| !flag(row, "isdisabled")));
        let user = other.ok_or_else(|| {
            Fault::new(403, "0x80041d1f", "The user to act for is not a member of the organization or is disabled.")
        })?;
        Ok(Sender { user, behalf: Some(caller.clone()), caller })
    }

    /// 401, with where tokens come from.
    fn challenge(&self) -> Fault {
        let mut fault = Fault::new(401, "0x8005f101", "The requested resource requires authentication.");
        let place = format!(
            "Bearer authorization_uri=https://login.microsoftonline.com/{}/oauth2/authorize, resource_id={}/",
            self.world.org.tenant, self.world.org.url
        );
        fault.headers.push(("www-authenticate".to_owned(), place));
        fault
    }
}

impl Platform for Dynamics {
    fn name(&self) -> &'static str {
        "dynamics"
    }

    fn handle(&mut self, request: &Request, now: Timestamp, interference: &Interference) -> Outcome {
        self.cost = 0;
        let reply = self.answer(request, now.as_second(), interference);
        Outcome { reply, changes: self.world.settle(), events: Vec::new() }
    }

    fn fault_reply(&self, fault: &Invented, _now: Timestamp) -> Reply {
        let code = &self.world.settings.odata_error_code;
        let html =
            |status: u16, title: &str| Reply::html(status, &format!("<html><body><h1>{title}</h1></body></html>"));
        match fault {
            Invented::Limited { scope, retry_after_s } => {
                let limit = match scope {
                    LimitScope::Burst => Limit::Requests,
                    LimitScope::Daily => Limit::Time,
                    LimitScope::Search => Limit::Concurrency,
                };
                let after = retry_after_s.map(|seconds| i64::try_from(seconds).unwrap_or(i64::MAX));
                let reply = limit.fault(&self.world.settings, after).reply(code, false);
                self.limits.stamp(&self.world.settings, "", reply)
            }
            // Gateways answer in HTML.
            Invented::Failed { status: status @ 502..=504 } => html(*status, "Error"),
            Invented::Failed { status } => {
                Fault::new(*status, "0x80040216", "An unexpected error occurred.").reply(code, false)
            }
            Invented::ExpiredToken => self.challenge().reply(code, false),
            Invented::Maintenance { status, retry_after_s } => {
                let reply = html(status.unwrap_or(503), "Service Unavailable");
                match retry_after_s {
                    Some(seconds) => reply.with_header("retry-after", seconds.to_string()),
                    None => reply,
                }
            }
        }
    }

    fn disturb(&mut self, disturbance: &Disturbance, now: Timestamp) -> Vec<Change> {
        disturb::disturb(&mut self.world, disturbance, now.as_second());
        self.world.settle()
    }

    fn credentials(&self) -> Json {
        let access = &self.world.access;
        let token = access.tokens.iter().find(|(_, token)| token.until.is_none());
        let app = access.apps.first();
        json!({
            "token": token.map(|(text, _)| text),
            "user_id": token.and_then(|(_, token)| token.user.as_ref()),
            "tenant_id": self.world.org.tenant,
            "environment_url": self.world.org.url,
            "client_id": app.map(|app| &app.client_id),
            "client_secret": app.map(|app| &app.client_secret),
            "refresh_token": app.and_then(|app| app.refresh_tokens.keys().next()),
        })
    }

    fn world(&self) -> Json {
        world_file::dump(&self.world)
    }

    fn set_limits(&mut self, real: bool) {
        self.world.settings.limits = real;
    }

    fn cost(&self) -> u64 {
        self.cost
    }

    fn refreshable(&self, request: &Request) -> bool {
        let token = request.header("authorization").and_then(|header| header.strip_prefix("Bearer "));
        token.and_then(|token| self.world.access.tokens.get(token)).is_some_and(|token| token.until.is_some())
    }

    fn changes_state(&self, request: &Request) -> bool {
        // Agreeing in the browser is a GET that draws a code.
        request.method != "GET" || request.path.ends_with("/authorize")
    }
}
