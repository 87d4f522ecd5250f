//! What people call a record.

use handover_model::{Record, Value};

/// A record's name, in whatever field it stands; its id when it has none.
pub fn title(record: &Record) -> String {
    let text = |name: &str| record.fields.get(name).map(Value::display).filter(|text| !text.trim().is_empty());
    let full = match (text("firstname"), text("lastname")) {
        (None, None) => None,
        (first, last) => Some([first, last].into_iter().flatten().collect::<Vec<_>>().join(" ")),
    };
    let named = [
        "name",
        "title",
        "dealname",
        "subject",
        "file_name",
        "hs_call_title",
        "hs_meeting_title",
        "hs_task_subject",
        "email",
    ]
    .iter()
    .find_map(|name| text(name));
    full.or(named).unwrap_or_else(|| record.id.as_str().to_owned()).chars().take(80).collect()
}
