//! What a portal is besides its records: account, owners, pipelines, files.

use std::collections::BTreeMap;

use jiff::tz::TimeZone;
use serde::{Deserialize, Serialize};
use serde_json::{Value as Json, json};

use super::instant::iso;

/// The subscription, which decides the limits (sheet: HubSpot section 6 \[doc\]).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Tier {
    /// 100 requests per 10 s and app, 250,000 a day.
    Free,
    /// As free.
    Starter,
    /// 190 and 625,000.
    #[default]
    Professional,
    /// 190 and 1,000,000.
    Enterprise,
}

impl Tier {
    /// Requests per ten seconds and app, requests per day and account.
    pub(crate) fn limits(self) -> (usize, u64) {
        match self {
            Self::Free | Self::Starter => (100, 250_000),
            Self::Professional => (190, 625_000),
            Self::Enterprise => (190, 1_000_000),
        }
    }

    /// How many pipelines a kind may have (sheet: section 2.6 [third party, unsure]).
    pub(crate) fn pipelines(self) -> usize {
        match self {
            Self::Free => 1,
            Self::Starter => 2,
            Self::Professional => 15,
            Self::Enterprise => 100,
        }
    }
}

/// The account.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, rename_all = "camelCase", deny_unknown_fields)]
pub(crate) struct Account {
    pub(crate) portal_id: u64,
    pub(crate) account_type: String,
    pub(crate) time_zone: String,
    pub(crate) company_currency: String,
    pub(crate) additional_currencies: Vec<String>,
    pub(crate) tier: Tier,
    pub(crate) ui_domain: String,
    pub(crate) data_hosting_location: String,
    /// "API Limit Increase" packs, 0 to 2.
    pub(crate) limit_increases: u64,
}

impl Default for Account {
    fn default() -> Self {
        Self {
            portal_id: 145_000_001,
            account_type: "STANDARD".into(),
            time_zone: "Europe/Berlin".into(),
            company_currency: "EUR".into(),
            additional_currencies: Vec::new(),
            tier: Tier::Professional,
            ui_domain: "app-eu1.hubspot.com".into(),
            data_hosting_location: "eu1".into(),
            limit_increases: 0,
        }
    }
}

impl Account {
    /// The time zone; UTC when its name is unknown.
    pub(crate) fn zone(&self) -> TimeZone {
        TimeZone::get(&self.time_zone).unwrap_or(TimeZone::UTC)
    }

    /// Every currency of the portal.
    pub(crate) fn currencies(&self) -> impl Iterator<Item = &str> {
        std::iter::once(self.company_currency.as_str()).chain(self.additional_currencies.iter().map(String::as_str))
    }
}

/// One owner.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(crate) struct Owner {
    pub(crate) id: String,
    pub(crate) email: String,
    #[serde(default = "person", rename = "type")]
    pub(crate) owner_type: String,
    #[serde(default)]
    pub(crate) first_name: String,
    #[serde(default)]
    pub(crate) last_name: String,
    #[serde(default)]
    pub(crate) user_id: Option<u64>,
    #[serde(default)]
    pub(crate) archived: bool,
    #[serde(default)]
    pub(crate) created_at: Option<String>,
    #[serde(default)]
    pub(crate) updated_at: Option<String>,
    #[serde(default)]
    pub(crate) teams: Vec<Json>,
}

fn person() -> String {
    "PERSON".to_owned()
}

impl Owner {
    /// The owner as the API returns it; an archived one has no `archivedAt` (sheet: section 4 \[obs\]).
    pub(crate) fn json(&self) -> Json {
        let at = |given: &Option<String>| given.clone().unwrap_or_else(|| "2023-01-02T09:00:00.000Z".to_owned());
        let mut out = json!({
            "id": self.id, "email": self.email, "type": self.owner_type, "firstName": self.first_name,
            "lastName": self.last_name, "createdAt": at(&self.created_at), "updatedAt": at(&self.updated_at),
            "archived": self.archived, "userIdIncludingInactive": self.user_id,
        });
        if let Some(object) = out.as_object_mut() {
            if !self.archived {
                object.insert("userId".into(), json!(self.user_id));
            }
            if !self.teams.is_empty() {
                object.insert("teams".into(), json!(self.teams));
            }
        }
        out
    }
}

/// One stage of a pipeline.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(crate) struct Stage {
    pub(crate) id: String,
    pub(crate) label: String,
    #[serde(default)]
    pub(crate) display_order: i64,
    /// `probability`, `isClosed`, `ticketState`: strings.
    #[serde(default)]
    pub(crate) metadata: BTreeMap<String, String>,
    #[serde(default)]
    pub(crate) created_at: i64,
    #[serde(default)]
    pub(crate) updated_at: i64,
}

/// One pipeline; times are epoch milliseconds, 0 for a default pipeline (sheet: section 2.6 \[spec\]).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(crate) struct Pipeline {
    pub(crate) id: String,
    pub(crate) label: String,
    #[serde(default)]
    pub(crate) display_order: i64,
    pub(crate) stages: Vec<Stage>,
    #[serde(default)]
    pub(crate) created_at: i64,
    #[serde(default)]
    pub(crate) updated_at: i64,
}

impl Stage {
    /// The stage as the API returns it.
    pub(crate) fn json(&self) -> Json {
        json!({"id": self.id, "label": self.label, "displayOrder": self.display_order, "metadata": self.metadata,
            "createdAt": iso(self.created_at), "updatedAt": iso(self.updated_at), "archived": false,
            "writePermissions": "CRM_PERMISSIONS_ENFORCEMENT"})
    }

    /// Whether a deal in this stage is closed.
    pub(crate) fn is_closed(&self) -> bool {
        self.metadata.get("isClosed").is_some_and(|v| v == "true")
            || self.metadata.get("ticketState").is_some_and(|v| v == "CLOSED")
    }
}

impl Pipeline {
    /// The pipeline as the API returns it.
    pub(crate) fn json(&self) -> Json {
        let stages: Vec<Json> = self.stages.iter().map(Stage::json).collect();
        json!({"id": self.id, "label": self.label, "displayOrder": self.display_order, "stages": stages,
            "createdAt": iso(self.created_at), "updatedAt": iso(self.updated_at), "archived": false})
    }
}

/// HubSpot's own deal and ticket pipelines.
pub(crate) fn default_pipelines() -> [(&'static str, Pipeline); 2] {
    let deal = |(order, &(id, label, probability)): (usize, &(&str, &str, &str))| Stage {
        id: id.to_owned(),
        label: label.to_owned(),
        display_order: i64::try_from(order).unwrap_or_default(),
        metadata: BTreeMap::from([
            ("isClosed".to_owned(), id.starts_with("closed").to_string()),
            ("probability".to_owned(), probability.to_owned()),
        ]),
        created_at: 0,
        updated_at: 0,
    };
    let ticket = |(order, &(id, label, state)): (usize, &(&str, &str, &str))| Stage {
        id: id.to_owned(),
        label: label.to_owned(),
        display_order: i64::try_from(order).unwrap_or_default(),
        metadata: BTreeMap::from([
            ("isClosed".to_owned(), (state == "CLOSED").to_string()),
            ("ticketState".to_owned(), state.to_owned()),
        ]),
        created_at: 0,
        updated_at: 0,
    };
    let pipeline = |id: &str, label: &str, stages| Pipeline {
        id: id.to_owned(),
        label: label.to_owned(),
        display_order: 0,
        stages,
        created_at: 0,
        updated_at: 0,
    };
    let deals = [
        ("appointmentscheduled", "Appointment Scheduled", "0.2"),
        ("qualifiedtobuy", "Qualified To Buy", "0.4"),
        ("presentationscheduled", "Presentation Scheduled", "0.6"),
        ("decisionmakerboughtin", "Decision Maker Bought-In", "0.8"),
        ("contractsent", "Contract Sent", "0.9"),
        ("closedwon", "Closed Won", "1.0"),
        ("closedlost", "Closed Lost", "0.0"),
    ];
    let tickets = [
        ("1", "New", "OPEN"),
        ("2", "Waiting on contact", "OPEN"),
        ("3", "Waiting on us", "OPEN"),
        ("4", "Closed", "CLOSED"),
    ];
    [
        ("deals", pipeline("default", "Sales Pipeline", deals.iter().enumerate().map(deal).collect())),
        ("tickets", pipeline("0", "Support Pipeline", tickets.iter().enumerate().map(ticket).collect())),
    ]
}

/// One file of the file manager.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct StoredFile {
    pub(crate) id: u64,
    /// Name without extension, as the API reports it.
    pub(crate) name: String,
    pub(crate) extension: String,
    pub(crate) access: String,
    pub(crate) folder: String,
    pub(crate) content: Vec<u8>,
    pub(crate) created_at: i64,
    pub(crate) updated_at: i64,
    pub(crate) expires_at: Option<i64>,
}
