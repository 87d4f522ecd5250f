//! What an account's other facts give away: the region of its phone numbers, ids left by integrations.

use handover_model::{FieldName, Kind};

use super::flow::Sides;
use super::options::folded;

/// The region in which numbers without a country code most likely stand, by the account's time zone.
/// A proposal only: it is written into the mapping, where a person sees it.
pub(super) fn of_zone(zone: &str) -> Option<&'static str> {
    ZONES.iter().find(|(name, _)| *name == zone).map(|(_, region)| *region)
}

/// Target fields in which an earlier integration kept the source's ids: `pipedrive_person_id`.
pub(super) fn external_ids<'s>(sides: &'s Sides<'_>) -> impl Iterator<Item = &'s str> {
    let platform = folded(&sides.from.platform);
    let singular = sides.source.object.as_str().trim_end_matches('s').to_owned();
    let wanted = [format!("{platform}id"), format!("{platform}{}id", folded(&singular))];
    sides
        .target
        .fields
        .iter()
        .filter(|field| field.custom && matches!(field.kind, Kind::Text { .. } | Kind::Number))
        .filter(move |field| wanted.contains(&folded(field.name.as_str())) || wanted.contains(&folded(&field.label)))
        .map(|field| FieldName::as_str(&field.name))
}

const ZONES: [(&str, &str); 74] = [
    ("Africa/Cairo", "EG"),
    ("Africa/Casablanca", "MA"),
    ("Africa/Johannesburg", "ZA"),
    ("Africa/Lagos", "NG"),
    ("Africa/Nairobi", "KE"),
    ("America/Argentina/Buenos_Aires", "AR"),
    ("America/Bogota", "CO"),
    ("America/Chicago", "US"),
    ("America/Denver", "US"),
    ("America/Lima", "PE"),
    ("America/Los_Angeles", "US"),
    ("America/Mexico_City", "MX"),
    ("America/Montreal", "CA"),
    ("America/New_York", "US"),
    ("America/Phoenix", "US"),
    ("America/Santiago", "CL"),
    ("America/Sao_Paulo", "BR"),
    ("America/Toronto", "CA"),
    ("America/Vancouver", "CA"),
    ("Asia/Bangkok", "TH"),
    ("Asia/Calcutta", "IN"),
    ("Asia/Dubai", "AE"),
    ("Asia/Hong_Kong", "HK"),
    ("Asia/Jakarta", "ID"),
    ("Asia/Jerusalem", "IL"),
    ("Asia/Kolkata", "IN"),
    ("Asia/Manila", "PH"),
    ("Asia/Riyadh", "SA"),
    ("Asia/Seoul", "KR"),
    ("Asia/Shanghai", "CN"),
    ("Asia/Singapore", "SG"),
    ("Asia/Taipei", "TW"),
    ("Asia/Tokyo", "JP"),
    ("Australia/Brisbane", "AU"),
    ("Australia/Melbourne", "AU"),
    ("Australia/Perth", "AU"),
    ("Australia/Sydney", "AU"),
    ("Europe/Amsterdam", "NL"),
    ("Europe/Athens", "GR"),
    ("Europe/Belgrade", "RS"),
    ("Europe/Berlin", "DE"),
    ("Europe/Bratislava", "SK"),
    ("Europe/Brussels", "BE"),
    ("Europe/Bucharest", "RO"),
    ("Europe/Budapest", "HU"),
    ("Europe/Copenhagen", "DK"),
    ("Europe/Dublin", "IE"),
    ("Europe/Helsinki", "FI"),
    ("Europe/Istanbul", "TR"),
    ("Europe/Kiev", "UA"),
    ("Europe/Kyiv", "UA"),
    ("Europe/Lisbon", "PT"),
    ("Europe/Ljubljana", "SI"),
    ("Europe/London", "GB"),
    ("Europe/Luxembourg", "LU"),
    ("Europe/Madrid", "ES"),
    ("Europe/Oslo", "NO"),
    ("Europe/Paris", "FR"),
    ("Europe/Prague", "CZ"),
    ("Europe/Riga", "LV"),
    ("Europe/Rome", "IT"),
    ("Europe/Sofia", "BG"),
    ("Europe/Stockholm", "SE"),
    ("Europe/Tallinn", "EE"),
    ("Europe/Vienna", "AT"),
    ("Europe/Vilnius", "LT"),
    ("Europe/Warsaw", "PL"),
    ("Europe/Zagreb", "HR"),
    ("Europe/Zurich", "CH"),
    ("Pacific/Auckland", "NZ"),
    ("US/Central", "US"),
    ("US/Eastern", "US"),
    ("US/Mountain", "US"),
    ("US/Pacific", "US"),
];
