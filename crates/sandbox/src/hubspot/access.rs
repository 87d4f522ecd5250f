//! Who may ask: tokens, their scopes, and the words for refusing them (sheet: HubSpot section 1).

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};
use serde_json::{Value as Json, json};

use super::instant::iso;
use super::refusal::Refusal;
use crate::Request;

/// Life of an OAuth access token, in milliseconds (sheet: section 1 \[doc\]).
pub(crate) const TOKEN_LIFE_MS: i64 = 1_800_000;

/// What a token may do.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(untagged)]
pub(crate) enum Scopes {
    /// `"all"`.
    Word(String),
    /// Named ones.
    Some(BTreeSet<String>),
}

impl Scopes {
    /// Whether `scope` is among them.
    pub(crate) fn has(&self, scope: &str) -> bool {
        match self {
            Self::Word(word) => word == "all",
            Self::Some(scopes) => scopes.contains(scope),
        }
    }

    /// As a list for introspection.
    pub(crate) fn list(&self) -> Vec<String> {
        match self {
            Self::Word(_) => vec!["oauth".to_owned(), "all".to_owned()],
            Self::Some(scopes) => scopes.iter().cloned().collect(),
        }
    }
}

/// A private app's token.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct PrivateToken {
    pub(crate) token: String,
    pub(crate) scopes: Scopes,
    /// The app's id; its requests are counted together.
    pub(crate) app: u32,
}

/// An OAuth app and its grant.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct OauthApp {
    pub(crate) client_id: String,
    pub(crate) client_secret: String,
    pub(crate) scopes: Scopes,
    pub(crate) refresh_token: String,
    /// A code that can be exchanged once.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) code: Option<String>,
    #[serde(default)]
    pub(crate) app: u32,
    #[serde(default)]
    pub(crate) revoked: bool,
}

/// An access token that was issued.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Issued {
    pub(crate) client_id: String,
    pub(crate) expires_at: i64,
}

/// Every credential of the portal.
#[derive(Clone, Debug, Default)]
pub(crate) struct Access {
    pub(crate) private: Vec<PrivateToken>,
    pub(crate) oauth: Vec<OauthApp>,
    pub(crate) issued: BTreeMap<String, Issued>,
}

/// Who sent a request.
#[derive(Clone, Debug)]
pub(crate) struct Principal {
    pub(crate) app: u32,
    pub(crate) scopes: Scopes,
    /// An OAuth app: other limits, no daily headers.
    pub(crate) oauth: bool,
}

impl Access {
    /// The sender of a request.
    pub(crate) fn principal(&self, request: &Request, now: i64) -> Result<Principal, Refusal> {
        let header = request.header("authorization").unwrap_or("");
        let Some(token) = header.strip_prefix("Bearer ").map(str::trim).filter(|t| !t.is_empty()) else {
            return Err(missing());
        };
        if let Some(private) = self.private.iter().find(|p| p.token == token) {
            return Ok(Principal { app: private.app, scopes: private.scopes.clone(), oauth: false });
        }
        let Some(issued) = self.issued.get(token) else { return Err(expired(now, 0)) };
        if issued.expires_at <= now {
            return Err(expired(now, issued.expires_at));
        }
        let app = self.oauth.iter().find(|app| app.client_id == issued.client_id).ok_or_else(missing)?;
        Ok(Principal { app: app.app, scopes: app.scopes.clone(), oauth: true })
    }

    /// Whether the bearer token of a request was issued by OAuth.
    pub(crate) fn is_issued(&self, request: &Request) -> bool {
        let token = request.header("authorization").and_then(|h| h.strip_prefix("Bearer ")).map(str::trim);
        token.is_some_and(|token| self.issued.contains_key(token))
    }
}

/// 401 without a token.
fn missing() -> Refusal {
    Refusal::new(
        401,
        "INVALID_AUTHENTICATION",
        "Authentication credentials not found. This API supports OAuth 2.0 authentication and you can find more \
         details at https://developers.hubspot.com/docs/methods/auth/oauth-overview",
    )
}

/// 401 for a token that expired at `at`; one that never was reads as expired in 1970 (sheet: section 1
/// \[obs\]).
pub(crate) fn expired(now: i64, at: i64) -> Refusal {
    let seconds = now.saturating_sub(at) / 1_000;
    let ago = if at == 0 { format!("{} day(s)", seconds / 86_400) } else { format!("{seconds} second(s)") };
    Refusal::new(401, "EXPIRED_AUTHENTICATION", format!("The OAuth token used to make this call expired {ago} ago."))
        .with("expire time", iso(at))
}

/// One thing that a route needs: any of these scopes.
pub(crate) type Need = Vec<String>;

/// Refuses when a need is not met.
pub(crate) fn check_scopes(principal: &Principal, needs: &[Need]) -> Result<(), Refusal> {
    let unmet: Vec<&Need> =
        needs.iter().filter(|any_of| !any_of.iter().any(|scope| principal.scopes.has(scope))).collect();
    if unmet.is_empty() {
        return Ok(());
    }
    Err(missing_scopes(&unmet.into_iter().flatten().map(String::as_str).collect::<Vec<&str>>()))
}

/// 403 for a token without any of these scopes.
pub(crate) fn missing_scopes(scopes: &[&str]) -> Refusal {
    let detail: Json = json!({
        "message": "One or more of the following scopes are required.",
        "context": {"requiredGranularScopes": scopes},
    });
    Refusal::new(
        403,
        "MISSING_SCOPES",
        "This app hasn't been granted all required scopes to make this call. Read more about required scopes here: \
         https://developers.hubspot.com/scopes.",
    )
    .detail(detail)
    .field("links", json!({"scopes": "https://developers.hubspot.com/scopes"}))
}
