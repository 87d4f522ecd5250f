//! One request on its way through the API.

use serde_json::{Map, Value as Json, json};

use super::instant::{self, Seconds};
use super::refusal::Refusal;
use super::scopes::{self, Does};
use super::world::{Id, World};
use crate::Request;

/// A request whose sender is known.
#[derive(Clone, Debug)]
pub(super) struct Call<'a> {
    pub(super) request: &'a Request,
    /// The decoded segments behind `/crm/v8/`.
    pub(super) path: Vec<String>,
    pub(super) version: u16,
    pub(super) user: Id,
    pub(super) scope: String,
    pub(super) at: Seconds,
    /// Only so many records of a batch are applied (a fault).
    pub(super) apply_only: Option<usize>,
}

impl Call<'_> {
    pub(super) fn method(&self) -> &str {
        &self.request.method
    }

    pub(super) fn param(&self, name: &str) -> Option<&str> {
        self.request.param(name).filter(|value| !value.is_empty())
    }

    /// The body as an object of JSON.
    pub(super) fn body(&self) -> Result<Map<String, Json>, Refusal> {
        match serde_json::from_slice(&self.request.body) {
            Ok(Json::Object(body)) => Ok(body),
            _ => Err(Refusal::new("INVALID_DATA", "body").with(json!({"expected_data_type": "jsonobject"}))),
        }
    }

    /// The items of a list in the body: at least one, at most so many.
    pub(super) fn items(&self, list: &str, most: usize) -> Result<(Map<String, Json>, Vec<Json>), Refusal> {
        let mut body = self.body()?;
        let path = format!("$.{list}");
        let items = match body.remove(list) {
            Some(Json::Array(items)) if !items.is_empty() => items,
            None | Some(Json::Null | Json::Array(_)) => return Err(Refusal::missing(list, &path)),
            Some(_) => return Err(Refusal::invalid(list, &path, "jsonarray")),
        };
        if items.len() > most {
            let details = json!({"limit": most, "api_name": list, "json_path": path});
            return Err(Refusal::limit("The limit of records in a call is exceeded", details));
        }
        Ok((body, items))
    }

    /// Refuses what the token's scope does not cover.
    pub(super) fn may(&self, area: &str, does: Does) -> Result<(), Refusal> {
        match scopes::allow(&self.scope, area, does) {
            true => Ok(()),
            false => Err(Refusal::new("OAUTH_SCOPE_MISMATCH", "invalid oauth scope to access this URL")),
        }
    }

    /// Refuses what the token's scope does not cover in a module.
    pub(super) fn may_in(&self, world: &World, module: &str, does: Does) -> Result<(), Refusal> {
        let word = world.module(module).map(super::schema::Module::scope).unwrap_or_default();
        self.may(&format!("ZohoCRM.modules.{word}"), does)
    }

    /// A header that is a time.
    pub(super) fn time_header(&self, name: &str) -> Result<Option<Seconds>, Refusal> {
        match self.request.header(name) {
            None => Ok(None),
            Some(text) => match instant::read(text) {
                Some(at) => Ok(Some(at)),
                None => Err(Refusal::new("INVALID_DATA", "invalid data").with(json!({"header_name": name}))),
            },
        }
    }

    /// A parameter that is a number between 1 and `most`.
    pub(super) fn number(&self, name: &str, most: usize, otherwise: usize) -> Result<usize, Refusal> {
        match self.param(name) {
            None => Ok(otherwise),
            Some(text) => match text.parse() {
                Ok(number) if (1..=most).contains(&number) => Ok(number),
                _ => Err(Refusal::bad_param(name)),
            },
        }
    }

    /// A list in a parameter, parted by commas.
    pub(super) fn list(&self, name: &str) -> Option<Vec<String>> {
        let text = self.param(name)?;
        Some(text.split(',').map(|part| part.trim().to_owned()).filter(|part| !part.is_empty()).collect())
    }

    /// The API's own address, as the client reached it.
    pub(super) fn base(&self, world: &World) -> String {
        base(self.request, world)
    }
}

/// The API's own address: never a known host of the vendor, so that a client that follows it stays here (sheet:
/// section 10).
pub(super) fn base(request: &Request, world: &World) -> String {
    let host = world.settings.api_host.as_deref().or(request.header("host")).unwrap_or("localhost");
    format!("http://{host}")
}
