//! `handover webhooks`: what the platforms are to tell, and what they do; made and ended through their APIs.
//!
//! Invariants:
//! - Only subscriptions to the address of the project are touched: those of others stay as they are.
//! - What takes the place of a subscription is made before that one ends, so that nothing is untold meanwhile.

use std::collections::BTreeSet;

use clap::Subcommand;
use handover_connect::{Connector, Fault, FaultKind, Subscription};
use handover_engine::Setup;
use handover_model::{FieldName, SystemName};
use jiff::{SignedDuration, Timestamp};
use secrecy::SecretString;
use serde_json::{Value as Json, json};

use super::output::{plural, table};
use super::session::Session;
use super::{Done, Global, Output, check, failure};
use crate::config::Webhooks;
use crate::problem::{Exit, Problem};

/// Options of `webhooks`.
#[derive(clap::Args)]
#[command(
    args_conflicts_with_subcommands = true,
    after_help = "Systems with `webhooks:` and its `url` in handover.yaml are told what to tell. `handover serve`
takes what they send, and renews what ends by itself.

Examples:
  handover webhooks                 what each system should tell, and whether it does
  handover webhooks register        what is missing is made through the platforms' APIs
  handover webhooks remove old      nothing is told to the project's address any more"
)]
pub(crate) struct Options {
    #[command(subcommand)]
    action: Option<Action>,
}

#[derive(Subcommand)]
enum Action {
    /// Make what is missing, and anew what ends soon or was switched off
    #[command(after_help = "Examples:\n  handover webhooks register\n  handover webhooks register old")]
    Register {
        /// The system [default: all that have webhooks]
        system: Option<String>,
    },
    /// End those that tell to the project's address; others stay
    #[command(after_help = "Example:\n  handover webhooks remove old")]
    Remove {
        /// The system [default: all that have webhooks]
        system: Option<String>,
    },
}

/// A subscription that ends sooner is made anew: the shortest that a platform makes us renew lives for a week (Zoho).
const SOON: SignedDuration = SignedDuration::from_hours(3 * 24);

/// What a system should tell to an address, and what it does.
pub(super) struct Standing {
    /// What it should, in its own words.
    wanted: Vec<String>,
    /// Its subscriptions to the address.
    ours: Vec<Subscription>,
    now: Timestamp,
}

impl Standing {
    /// Asks a system.
    ///
    /// # Errors
    /// A fault of kind `Unsupported` where people subscribe in the platform's settings.
    pub(super) async fn of(
        system: &dyn Connector,
        wanted: Vec<String>,
        url: &str,
        now: Timestamp,
    ) -> Result<Self, Fault> {
        let mut ours = system.subscribed().await?;
        ours.retain(|one| one.is_for(url));
        Ok(Self { wanted, ours, now })
    }

    /// Whether a subscription needs no other in its place.
    fn lasts(&self, one: &Subscription) -> bool {
        one.is_on && one.until.is_none_or(|until| until.duration_since(self.now) > SOON)
    }

    /// What no subscription tells that lasts.
    fn missing(&self, lasts: impl Fn(&Subscription) -> bool) -> Vec<String> {
        let told: BTreeSet<&String> = self.ours.iter().filter(|one| lasts(one)).flat_map(|one| &one.words).collect();
        self.wanted.iter().filter(|word| !told.contains(word)).cloned().collect()
    }

    /// What is not told at present.
    pub(super) fn untold(&self) -> Vec<String> {
        self.missing(|one| one.is_on && one.until.is_none_or(|until| until > self.now))
    }

    /// Makes anew what ends soon, and with `all` what is not told at present. Gives how many words are told by new
    /// subscriptions.
    pub(super) async fn renew(
        &self,
        system: &dyn Connector,
        url: &str,
        secret: &SecretString,
        all: bool,
    ) -> Result<usize, Fault> {
        let untold = if all { Vec::new() } else { self.untold() };
        let mut words = self.missing(|one| self.lasts(one));
        words.retain(|word| !untold.contains(word));
        if !words.is_empty() {
            system.subscribe(&words, url, secret).await?;
        }
        // Of one that still tells something else nothing is lost: that ends by itself.
        let is_over = |one: &&Subscription| !self.lasts(one) && one.words.iter().all(|word| !untold.contains(word));
        for one in self.ours.iter().filter(is_over) {
            system.unsubscribe(&one.id).await?;
        }
        Ok(words.len())
    }
}

/// What a system should tell: every change that a flow would carry.
pub(super) fn wanted(setup: &Setup, name: &SystemName, system: &dyn Connector) -> Vec<String> {
    let mut wanted = Vec::new();
    for ((_, object), fields) in setup.watched().iter().filter(|((of, _), _)| of == name) {
        let fields: Vec<FieldName> = fields.iter().cloned().collect();
        wanted.extend(system.subscriptions(object, &fields));
    }
    wanted
}

/// A system whose webhooks the project takes.
struct Hooked<'s> {
    name: &'s SystemName,
    system: &'s dyn Connector,
    webhooks: &'s Webhooks,
    url: &'s str,
}

/// Runs the command.
pub(crate) async fn run(global: &Global, options: &Options, output: &Output) -> Done {
    let session = Session::open(&global.project)?;
    let hooked = hooked(&session, options.system())?;
    let done = match &options.action {
        Some(Action::Remove { .. }) => remove(&session, &hooked, output).await,
        action => told(&session, &hooked, action.is_some(), output).await,
    };
    session.close().map_err(|problem| vec![problem])?;
    done
}

impl Options {
    fn system(&self) -> Option<&str> {
        match self.action.as_ref()? {
            Action::Register { system } | Action::Remove { system } => system.as_deref(),
        }
    }
}

/// The systems that are meant.
fn hooked<'s>(session: &'s Session, only: Option<&str>) -> Result<Vec<Hooked<'s>>, Vec<Problem>> {
    let systems = session.project.systems.iter().filter(|system| only.is_none_or(|only| system.name == *only));
    let mut hooked = Vec::new();
    for system in systems {
        let (Some(webhooks), Some(open)) = (&system.webhooks, session.systems.get(&system.name)) else { continue };
        let url = webhooks.url.as_deref().ok_or_else(|| {
            vec![
                Problem::new("no_url", format!("the webhooks of `{}` have no `url` in the project file", system.name))
                    .state("nothing was registered")
                    .hint("say under `webhooks:` which address the platform is to call, like `url: https://host/hooks/NAME`"),
            ]
        })?;
        hooked.push(Hooked { name: &system.name, system: open.as_ref(), webhooks, url });
    }
    if hooked.is_empty() {
        let which = only.map_or_else(|| "no system".to_owned(), |only| format!("no system `{only}`"));
        return Err(vec![
            Problem::new("no_webhooks", format!("{which} has `webhooks:` in the project file"))
                .hint("see `handover serve --help`, and \"In step all the time\" in the manual"),
        ]);
    }
    Ok(hooked)
}

fn secret(session: &Session, one: &Hooked<'_>) -> Result<SecretString, Vec<Problem>> {
    let resolved = one.webhooks.secret.resolve(one.name, &|name| std::env::var(name).ok());
    resolved.map_err(|problem| vec![problem.at(&one.webhooks.secret.place, 0, &session.project.sources)])
}

/// The rules, checked against both systems: only then what is wanted is known.
async fn setup(session: &Session) -> Result<Setup, Vec<Problem>> {
    let (systems, _) = check::overlaid(session);
    Ok(check::check(session, &systems, false).await?.setup)
}

/// What each system should tell; with `registers`, what is missing is made first.
async fn told(session: &Session, hooked: &[Hooked<'_>], registers: bool, output: &Output) -> Done {
    let setup = setup(session).await?;
    if registers {
        register(session, &setup, hooked, output).await?;
    }
    list(session, &setup, hooked, output).await
}

async fn register(
    session: &Session,
    setup: &Setup,
    hooked: &[Hooked<'_>],
    output: &Output,
) -> Result<(), Vec<Problem>> {
    for one in hooked {
        let secret = secret(session, one)?;
        let wanted = wanted(setup, one.name, one.system);
        let made = match Standing::of(one.system, wanted, one.url, session.clock.now()).await {
            Ok(standing) => standing.renew(one.system, one.url, &secret, true).await,
            Err(fault) => Err(fault),
        };
        match made {
            Ok(0) => output.say(&format!("`{}` told all that it should already.", one.name)),
            Ok(made) => output.say(&format!("`{}`: {} made.", one.name, plural(made as u64, "subscription"))),
            // The list below says what people are to make.
            Err(fault) if fault.kind == FaultKind::Unsupported => {}
            Err(fault) => {
                return Err(vec![
                    failure::system(one.name, &fault)
                        .state("what was made before stays; `handover webhooks` shows what there is"),
                ]);
            }
        }
    }
    Ok(())
}

async fn remove(session: &Session, hooked: &[Hooked<'_>], output: &Output) -> Done {
    let mut removed = Vec::new();
    for one in hooked {
        let failed = |fault: Fault| vec![failure::system(one.name, &fault)];
        let standing = Standing::of(one.system, Vec::new(), one.url, session.clock.now()).await.map_err(failed)?;
        for ours in &standing.ours {
            one.system.unsubscribe(&ours.id).await.map_err(failed)?;
        }
        let number = standing.ours.len() as u64;
        output.say(&format!("`{}`: {} ended.", one.name, plural(number, "subscription")));
        removed.push(json!({"system": one.name, "removed": number}));
    }
    output.value(&Json::Array(removed));
    Ok(Exit::Done)
}

async fn list(session: &Session, setup: &Setup, hooked: &[Hooked<'_>], output: &Output) -> Done {
    let mut all = Vec::new();
    let mut problems = Vec::new();
    for one in hooked {
        let wanted = wanted(setup, one.name, one.system);
        match Standing::of(one.system, wanted.clone(), one.url, session.clock.now()).await {
            Ok(standing) => {
                standing.say(one, output);
                all.push(standing.json(one));
            }
            Err(fault) if fault.kind == FaultKind::Unsupported => {
                output.say(&by_hand(one.name, one.url, &wanted, &fault));
                all.push(json!({"system": one.name, "url": one.url, "by_hand": wanted, "why": fault.message}));
            }
            Err(fault) => problems.push(failure::system(one.name, &fault)),
        }
    }
    output.value(&Json::Array(all));
    if problems.is_empty() { Ok(Exit::Done) } else { Err(problems) }
}

/// What people are to register in a platform's settings.
pub(super) fn by_hand(name: &SystemName, url: &str, wanted: &[String], fault: &Fault) -> String {
    let lines = wanted.iter().map(|one| format!("\n  {one}"));
    format!(
        "Webhooks of `{name}` are taken at {url} ({}); registered there they should be:{}",
        fault.message,
        lines.collect::<String>()
    )
}

impl Standing {
    fn say(&self, one: &Hooked<'_>, output: &Output) {
        let untold = self.untold();
        output.say(&format!("`{}` tells {}:", one.name, one.url));
        let row = |word: &String| {
            let told = self.ours.iter().filter(|ours| ours.words.contains(word));
            let state = match told.max_by_key(|ours| (ours.is_on, ours.until.is_none(), ours.until)) {
                _ if untold.contains(word) && !self.ours.iter().any(|ours| ours.words.contains(word)) => {
                    "not told".to_owned()
                }
                Some(Subscription { is_on: false, .. }) => "switched off by the platform".to_owned(),
                Some(Subscription { until: Some(until), .. }) if untold.contains(word) => format!("ended {until}"),
                Some(Subscription { until: Some(until), .. }) => format!("until {until}"),
                _ => "told".to_owned(),
            };
            vec![word.clone(), state]
        };
        output.say(&table(&["what", "state"], &self.wanted.iter().map(row).collect::<Vec<_>>()));
        if !untold.is_empty() {
            let number = plural(untold.len() as u64, "kind");
            output.say(&format!("{number} of change untold: `handover webhooks register {}`.", one.name));
        }
    }

    fn json(&self, one: &Hooked<'_>) -> Json {
        let ours = self.ours.iter().map(|ours| {
            json!({"id": ours.id, "words": ours.words, "until": ours.until.map(|until| until.to_string()), "is_on": ours.is_on})
        });
        json!({"system": one.name, "url": one.url, "wanted": self.wanted, "untold": self.untold(),
            "subscriptions": ours.collect::<Json>()})
    }
}
