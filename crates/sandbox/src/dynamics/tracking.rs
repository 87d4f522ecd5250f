//! Change tracking (sheet: section 4): what changed and what was deleted since a token.

use serde_json::{Value as Json, json};

use super::call::Call;
use super::instant::{self, Seconds};
use super::odata::Options;
use super::query::{Cookie, link};
use super::refusal::{Answer, Fault};
use super::schema::Entity;
use super::view::Lens;
use super::world::World;
use crate::Reply;

/// What a row of a delta is, before it is shown.
enum Item {
    Row(u64, String),
    Gone(u64, String),
}

/// The version of a token that has not expired.
fn read(world: &World, token: &str, at: Seconds) -> Result<u64, Fault> {
    let bad = || Fault::odata("The delta token is not valid.");
    let (version, time) = token.split_once('!').ok_or_else(bad)?;
    let version: u64 = version.parse().map_err(|_| bad())?;
    let time = instant::read_token_time(time).ok_or_else(bad)?;
    if version > world.version() {
        return Err(bad());
    }
    if at - time > world.settings.tracking_days * 86_400 {
        let message = "Version stamp associated with the client has expired. Please perform a full sync.";
        return Err(Fault::new(400, "0x80044352", message));
    }
    Ok(version)
}

fn check(world: &World, entity: &Entity, options: &Options) -> Result<(), Fault> {
    if !world.settings.reads_all {
        let privilege = format!("prvRead{}", entity.name);
        return Err(Fault::forbidden(format!("Principal user is missing {privilege} privilege.")));
    }
    if !entity.tracked {
        let message = format!("Entity: {} isn't enabled for change tracking.", entity.name);
        return Err(Fault::new(400, "0x80072491", message));
    }
    let refused = ["$filter", "$orderby", "$expand", "$top"];
    if let Some((name, _)) = options.sent.iter().find(|(name, _)| refused.contains(&name.as_str())) {
        let message = format!("The \"{name}\" query parameter isn't supported when tracking changes.");
        return Err(Fault::odata(message));
    }
    Ok(())
}

/// New and changed rows first, then the deleted ones.
fn items(world: &World, entity: &Entity, version: u64) -> Vec<Item> {
    let changed =
        world.changed_since(entity, version).into_iter().map(|(version, id, _)| Item::Row(version, id.to_owned()));
    let gone = world.gone_since(entity, version).into_iter().map(|(version, id)| Item::Gone(version, id));
    changed.chain(gone).collect()
}

/// How much changed since a token.
pub(super) fn count(world: &World, entity: &Entity, token: &str, at: Seconds) -> Result<usize, Fault> {
    Ok(items(world, entity, read(world, token, at)?).len())
}

/// A first load with a token at its end, or what came after a token.
pub(super) fn list(world: &World, call: &Call<'_>, entity: &Entity, options: &Options, path: &str) -> Answer {
    check(world, entity, options)?;
    let cookie = options.skip_token.as_deref().map(Cookie::read).transpose()?;
    let size = call.prefer.page.unwrap_or(world.settings.page_rows).min(world.settings.page_rows);
    let first_version = cookie.as_ref().map_or(world.version(), |cookie| cookie.version);
    let list = match &options.delta_token {
        None => {
            let rows = world.scan(entity).into_iter().map(|(id, _)| Item::Row(0, id.to_owned()));
            rows.filter(|item| cookie.as_ref().is_none_or(|cookie| item.key() > (0, 0, cookie.id.clone()))).collect()
        }
        Some(token) => {
            let mut list = items(world, entity, read(world, token, call.at)?);
            if let Some(cookie) = &cookie {
                let number = |at: usize| cookie.keys.get(at).and_then(Json::as_u64).unwrap_or(0);
                let last = (number(0), number(1), cookie.id.clone());
                list.retain(|item| item.key() > last);
            }
            list
        }
    };
    let more = list.len() > size;
    let page: Vec<Item> = list.into_iter().take(size).collect();
    let select = options.select.as_ref().map(|names| format!("({})", names.join(","))).unwrap_or_default();
    let delta = if options.delta_token.is_some() { "/$delta" } else { "" };
    let mut body = json!({"@odata.context": format!("{}$metadata#{}{select}{delta}", call.base, entity.set)});
    if more && let Some(last) = page.last() {
        let (kind, version, id) = last.key();
        let page = cookie.as_ref().map_or(2, |cookie| cookie.page + 1);
        let next = Cookie { page, keys: vec![json!(kind), json!(version)], id, version: first_version };
        let mut sent = options.sent.clone();
        sent.extend(options.delta_token.clone().map(|token| ("$deltatoken".to_owned(), token)));
        body["@odata.nextLink"] = json!(link(&call.base, path, &sent, "$skiptoken", &next.write()));
    } else {
        let version = if world.settings.delta_stamped_at_end { world.version() } else { first_version };
        let token = format!("{version}!{}", instant::token_time(call.at));
        body["@odata.deltaLink"] = json!(link(&call.base, path, &options.sent, "$deltatoken", &token));
    }
    let lens = Lens { world, prefer: &call.prefer, base: &call.base };
    let shown = |item: &Item| match item {
        Item::Row(_, id) => world.get(&entity.name, id).map(|row| Json::Object(lens.row(entity, row, options))),
        Item::Gone(_, id) => {
            let context = format!("{}$metadata#{}/$deletedEntity", call.base, entity.set);
            Some(json!({"@odata.context": context, "id": id, "reason": "deleted"}))
        }
    };
    body["value"] = page.iter().filter_map(shown).collect();
    Ok(call.stamped(Reply::json(200, &body)))
}

impl Item {
    fn key(&self) -> (u64, u64, String) {
        match self {
            Self::Row(version, id) => (0, *version, id.clone()),
            Self::Gone(version, id) => (1, *version, id.clone()),
        }
    }
}
