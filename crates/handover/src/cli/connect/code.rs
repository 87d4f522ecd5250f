//! A code: the page where a person agrees, what the browser brings back, and whether it is the answer to what was asked.

use std::time::Duration;

use handover_connect::{Ask, Proof, same};
use handover_model::SystemName;
use secrecy::SecretString;

use super::asking::{ask, not_given, terminal};
use super::browser::{Brought, Landing, Pasted, pasted};
use super::entry::Entrance;
use super::{nothing_kept, plain, refused};
use crate::cli::{Output, reach};
use crate::config;
use crate::kept::{Asked, process};
use crate::problem::Problem;

/// A code, and what goes with it to the token endpoint.
pub(super) struct Code {
    pub(super) code: SecretString,
    /// Where the browser was sent with it.
    pub(super) redirect_uri: Option<String>,
    /// What proves that we asked for it.
    pub(super) verifier: Option<SecretString>,
}

impl Entrance<'_> {
    /// The code, the redirect address that belongs to it, and the verifier; `None` when a person goes on later.
    pub(super) async fn code(&self, client_id: &str, output: &Output) -> Result<Option<Code>, Problem> {
        let name = &self.system.name;
        if let Some(text) = &self.options.code {
            let asked = self.vault.read(name, &process).map_err(|failure| nothing_kept(failure.problem(name)))?.asked;
            let asked = asked.filter(|asked| asked.client_id == client_id);
            return self.given(text, asked.as_ref()).map(Some);
        }
        let landing = match (&self.options.redirect_uri, self.options.no_browser) {
            (None, false) => Some(Landing::on(self.options.port).await?),
            _ => None,
        };
        let proof = Proof::fresh().map_err(|why| nothing_kept(Problem::ours("random", why)))?;
        let own = || format!("http://localhost:{}/callback", self.options.port);
        let redirect_uri = landing.as_ref().map(Landing::address);
        let redirect_uri = redirect_uri.or_else(|| self.options.redirect_uri.clone()).unwrap_or_else(own);
        let asked = Asked {
            client_id: client_id.to_owned(),
            redirect_uri,
            state: plain(&proof.state),
            verifier: self.dialect.door().proof.then(|| plain(&proof.verifier)),
        };
        let page = self.page(&asked, &proof)?;
        output.note(&format!("Open this address in a browser, and agree there:\n\n  {page}\n"));
        let code = match landing {
            Some(landing) => {
                let (wait, address) = (self.options.wait, &asked.redirect_uri);
                output.note(&format!("Waiting {wait} seconds at most for the browser to come back to {address}"));
                self.judged(&landing.wait(Duration::from_secs(wait)).await?, Some(&asked))
            }
            None if terminal().is_some() => {
                let text = ask("The address to which the browser was sent, or the code alone");
                self.given(&text.ok_or_else(|| not_given("the code", "--code"))?, Some(&asked))
            }
            None => {
                self.later(asked, page.as_str(), output)?;
                return Ok(None);
            }
        };
        code.map(Some)
    }

    /// Keeps what was asked with, so that another call of the command can end it.
    fn later(&self, asked: Asked, page: &str, output: &Output) -> Result<(), Problem> {
        let name = &self.system.name;
        let kept = self.vault.change(name, &process, |entry| entry.asked = Some(asked));
        kept.map_err(|failure| failure.problem(name))?;
        let then = format!("handover connect {name} --code 'ADDRESS TO WHICH THE BROWSER WAS SENT'");
        output.value(&serde_json::json!({"system": name, "open": page, "then": then}));
        output.say(&format!("Then, with the same options: {then}"));
        Ok(())
    }

    /// The address of the page where a person agrees.
    fn page(&self, asked: &Asked, proof: &Proof) -> Result<url::Url, Problem> {
        let challenge = asked.verifier.as_ref().map(|_| proof.challenge());
        let scopes = self.dialect.scopes(&self.objects);
        let none = || nothing_kept(Problem::ours("no_page", format!("{} asks nobody", self.platform.name)));
        let address = self.dialect.door().page.ok_or_else(none)?(&Ask {
            client_id: &asked.client_id,
            redirect_uri: &asked.redirect_uri,
            state: &asked.state,
            challenge: challenge.as_deref(),
            scopes: &scopes,
        });
        let base = reach::page_base(&self.system, self.platform);
        let mut page = url::Url::parse(&format!("{base}{}", address.path)).map_err(|error| {
            nothing_kept(Problem::new("no_page", "the platform's page has no address").because(&error))
        })?;
        page.query_pairs_mut().extend_pairs(&address.query);
        Ok(page)
    }

    /// What a person gives: the whole address, which is judged like the browser's own, or the code alone, which they
    /// answer for themselves.
    fn given(&self, text: &str, asked: Option<&Asked>) -> Result<Code, Problem> {
        match pasted(text) {
            Pasted::Address(brought) => self.judged(&brought, asked),
            Pasted::Code(code) => self.taken(&code, asked),
        }
    }

    /// What the browser brought, when it is the answer to what was asked: it must bring the state back.
    fn judged(&self, brought: &Brought, asked: Option<&Asked>) -> Result<Code, Problem> {
        let name = &self.system.name;
        let is_answer = match (brought.get("state"), asked) {
            (Some(state), Some(asked)) => same(&SecretString::from(asked.state.clone()), state),
            (None, _) | (_, None) => false,
        };
        if !is_answer {
            return Err(wrong_state(name));
        }
        if let Some(error) = brought.get("error") {
            return Err(refused::page(name, error, brought.get("error_description")));
        }
        self.at_home(brought)?;
        self.taken(brought.get("code").map_or("", String::as_str), asked)
    }

    /// A code with what belongs to it. One that a console shows belongs to no address.
    fn taken(&self, code: &str, asked: Option<&Asked>) -> Result<Code, Problem> {
        if code.is_empty() {
            return Err(not_given("the code", "--code"));
        }
        let verifier = asked.and_then(|asked| asked.verifier.clone()).map(SecretString::from);
        let redirect_uri = asked.map(|asked| asked.redirect_uri.clone()).or_else(|| self.options.redirect_uri.clone());
        Ok(Code { code: SecretString::from(code), redirect_uri, verifier })
    }

    /// Platforms with several data centres say where the code counts; the app's secret goes nowhere else.
    fn at_home(&self, brought: &Brought) -> Result<(), Problem> {
        let Some(server) = brought.get("accounts-server") else { return Ok(()) };
        let home = reach::settings(&self.system, self.platform).oauth_base;
        if server.trim_end_matches('/') == home {
            return Ok(());
        }
        let message = format!("the account of `{}` is in another data centre", self.system.name);
        let problem = nothing_kept(Problem::new("wrong_data_centre", message))
            .cause(format!("its tokens were to be bought at {home}"));
        Err(match config::base_address(server, "accounts-server") {
            Ok(server) => {
                problem.hint(format!("when the account is yours: `--token-url {server}`, with the app's secret for it"))
            }
            Err(_) => problem,
        })
    }
}

fn wrong_state(name: &SystemName) -> Problem {
    nothing_kept(Problem::new("wrong_state", "what came back does not belong to what was asked"))
        .cause("its `state` is another one: somebody else's page, or an older one")
        .hint(format!("run `handover connect {name}` again, and use the address that it shows"))
}
