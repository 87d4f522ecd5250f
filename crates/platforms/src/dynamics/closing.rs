//! Closing records (sheet: Dynamics section 5.6): by the state, of opportunities and cases by actions. An action makes an
//! activity that stands for the closing.

use handover_connect::Write;

use super::batch::Inner;
use super::objects::{Closing, DATA, Object};
use super::values::plain;
use super::write::Draft;
use crate::json::quoted;

/// The request that brings a record into the state of a draft.
pub(super) fn request(object: &Object<'_>, target: &str, draft: &Draft, write: &Write) -> Inner {
    let state = draft.state.as_deref();
    let action = match (object.closing, state) {
        (Closing::Opportunity, Some("1")) => Some(("WinOpportunity", "OpportunityClose", "Won")),
        (Closing::Opportunity, Some("2")) => Some(("LoseOpportunity", "OpportunityClose", "Lost")),
        (Closing::Incident, Some("1")) => Some(("CloseIncident", "IncidentResolution", "Resolved")),
        _ => None,
    };
    let Some((action, part, subject)) = action else {
        let state = [("statecode", &draft.state), ("statuscode", &draft.status)];
        let members = state.into_iter().filter_map(|(name, json)| Some(format!("{}:{}", quoted(name), json.as_ref()?)));
        return Inner {
            method: "PATCH",
            path: target.to_owned(),
            headers: vec![("If-Match", "*")],
            body: format!("{{{}}}", members.collect::<Vec<_>>().join(",")),
            closes: true,
        };
    };
    let mut close = vec![
        format!("\"subject\":{}", quoted(subject)),
        format!("{}:{}", quoted(&format!("{}id@odata.bind", object.table)), quoted(target)),
    ];
    // What is said of the end belongs to the closing too: else it would say today.
    for (field, name) in [("actualclosedate", "actualend"), ("actualvalue", "actualrevenue")] {
        if let Some(value) = write.fields.get(field).filter(|value| !value.is_blank() && part == "OpportunityClose") {
            let text = plain(value);
            close.push(if field == "actualvalue" {
                format!("{}:{text}", quoted(name))
            } else {
                format!("{}:{}", quoted(name), quoted(&format!("{text}T00:00:00Z")))
            });
        }
    }
    // Without a status the platform takes its own.
    let status = draft.status.as_deref().filter(|status| *status != "null").unwrap_or("-1");
    Inner {
        method: "POST",
        path: format!("{DATA}/{action}"),
        headers: Vec::new(),
        body: format!("{{\"Status\":{status},{}:{{{}}}}}", quoted(part), close.join(",")),
        closes: true,
    }
}
