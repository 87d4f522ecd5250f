//! Participants of e-mails: read-only properties that follow from the headers (sheet: HubSpot section 2.4
//! \[doc\]; the shape of the headers is \[unsure\] there).

use serde_json::Value as Json;

/// The property that is written.
pub(super) const HEADERS: &str = "hs_email_headers";

/// The properties that follow from the headers' text; all blank where it is no JSON object.
pub(super) fn participants(headers: Option<&str>) -> [(&'static str, Option<String>); 8] {
    let headers: Json = headers.and_then(|text| serde_json::from_str(text).ok()).unwrap_or_default();
    let all = |list: &str, part: &str| -> Option<String> {
        let parties = match &headers[list] {
            Json::Array(parties) => parties.as_slice(),
            one => std::slice::from_ref(one),
        };
        let parts: Vec<&str> = parties.iter().filter_map(|party| party[part].as_str()).collect();
        (!parts.is_empty()).then(|| parts.join(";"))
    };
    [
        ("hs_email_from_email", all("from", "email")),
        ("hs_email_from_firstname", all("from", "firstName")),
        ("hs_email_from_lastname", all("from", "lastName")),
        ("hs_email_to_email", all("to", "email")),
        ("hs_email_to_firstname", all("to", "firstName")),
        ("hs_email_to_lastname", all("to", "lastName")),
        ("hs_email_cc_email", all("cc", "email")),
        ("hs_email_bcc_email", all("bcc", "email")),
    ]
}
