//! Where a test plays: an empty state in either database, and short ways to write records.

use std::path::Path;

use handover_model::{Cause, FlowName, Hold, Outcome, RecordId};
use handover_store::{Commit, Entry, Item, Location, Membership, RecordRow, Store};
use jiff::Timestamp;
use serde_json::Value as Json;
use sqlx::{Connection, Executor};

pub(crate) struct Scene {
    pub(crate) _folder: tempfile::TempDir,
    pub(crate) location: Location,
}

impl Scene {
    pub(crate) fn sqlite() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let location = Location::parse("state/handover.db", folder.path()).unwrap();
        Self { _folder: folder, location }
    }

    /// `None` when it was said that there is no PostgreSQL here.
    pub(crate) async fn postgres(test: &str) -> Option<Self> {
        let Ok(url) = std::env::var("HANDOVER_TEST_POSTGRES") else {
            let said = std::env::var("HANDOVER_TEST_NO_POSTGRES").is_ok_and(|said| said == "1");
            assert!(said, "set HANDOVER_TEST_POSTGRES to a URL, or HANDOVER_TEST_NO_POSTGRES=1");
            return None;
        };
        // PostgreSQL cuts names after 63 bytes.
        let schema = format!("test_{}", &blake3::hash(test.as_bytes()).to_hex()[..20]);
        let folder = tempfile::tempdir().unwrap();
        let separator = if url.contains('?') { '&' } else { '?' };
        let location = Location::parse(&format!("{url}{separator}schema={schema}"), folder.path()).unwrap();
        let scene = Self { _folder: folder, location };
        let mut connection = sqlx::PgConnection::connect(&url).await.unwrap();
        let drop = format!("DROP SCHEMA IF EXISTS \"{schema}\" CASCADE");
        connection.execute(sqlx::raw_sql(sqlx::AssertSqlSafe(drop))).await.unwrap();
        Some(scene)
    }

    pub(crate) fn is_sqlite(&self) -> bool {
        matches!(self.location, Location::Sqlite(_))
    }

    pub(crate) fn path(&self) -> &Path {
        match &self.location {
            Location::Sqlite(path) => path,
            Location::Postgres(_) => panic!("only a file has a path"),
        }
    }

    pub(crate) async fn open(&self) -> Store {
        Store::open(&self.location).await.unwrap()
    }

    /// Changes tables behind the store's back.
    pub(crate) async fn tamper(&self, statement: &str) {
        match &self.location {
            Location::Sqlite(path) => {
                let options = sqlx::sqlite::SqliteConnectOptions::new().filename(path);
                let mut connection = sqlx::SqliteConnection::connect_with(&options).await.unwrap();
                connection.execute(sqlx::raw_sql(sqlx::AssertSqlSafe(statement.to_owned()))).await.unwrap();
                connection.close().await.unwrap();
            }
            Location::Postgres(url) => {
                let (url, schema) = url.split_once("schema=").unwrap();
                let mut connection = sqlx::PgConnection::connect(url.trim_end_matches(['?', '&'])).await.unwrap();
                let text = format!("SET search_path = \"{schema}\"; {statement}");
                connection.execute(sqlx::raw_sql(sqlx::AssertSqlSafe(text))).await.unwrap();
                connection.close().await.unwrap();
            }
        }
    }
}

/// Makes each `async fn name(scene: Scene)` a test on both databases.
macro_rules! on_both {
    ($($name:ident),+ $(,)?) => {
        mod sqlite {
            $(#[tokio::test]
            async fn $name() {
                super::$name(crate::scene::Scene::sqlite()).await;
            })+
        }
        mod postgres {
            $(#[tokio::test]
            async fn $name() {
                let test = concat!(module_path!(), "_", stringify!($name)).replace("::postgres", "");
                if let Some(scene) = crate::scene::Scene::postgres(&test.replace("it::", "")).await {
                    super::$name(scene).await;
                }
            })+
        }
    };
}
pub(crate) use on_both;

/// An instant, in seconds.
pub(crate) fn at(second: i64) -> Timestamp {
    Timestamp::from_second(1_700_000_000 + second).unwrap()
}

pub(crate) fn ids(texts: &[&str]) -> Vec<RecordId> {
    texts.iter().map(|text| RecordId::from(*text)).collect()
}

pub(crate) fn row(flow: &str, record: &str, outcome: Outcome) -> RecordRow {
    RecordRow {
        flow: flow.into(),
        record: record.into(),
        outcome,
        identity: None,
        target: None,
        digest: None,
        base: None,
        mapped: None,
        block: 0,
        written: None,
        last_entry: None,
    }
}

/// A row of a record that has a counterpart.
pub(crate) fn paired(flow: &str, record: &str, target: &str, identity: i64) -> RecordRow {
    RecordRow {
        identity: Some(identity),
        target: Some(target.into()),
        digest: Some([identity as u8; 16]),
        base: Some(format!("base of {record}").into_bytes()),
        mapped: Some(format!("mapped of {record}").into_bytes()),
        ..row(flow, record, Outcome::Created)
    }
}

pub(crate) fn member(system: &str, object: &str, record: &str, identity: i64) -> Membership {
    Membership {
        system: system.into(),
        object: object.into(),
        record: record.into(),
        identity,
        role: String::new(),
        state: "live".to_owned(),
    }
}

pub(crate) fn entry(kind: &str, flow: &str, items: &[(&str, Json)]) -> Entry {
    Entry {
        kind: kind.to_owned(),
        flow: Some(flow.into()),
        note: serde_json::json!({ "kind": kind }),
        items: items
            .iter()
            .map(|(record, values)| Item { record: (*record).into(), values: values.clone().into() })
            .collect(),
    }
}

pub(crate) fn hold(flow: &str, object: &str, record: &str, cause: Cause) -> Hold {
    Hold {
        flow: flow.into(),
        object: object.into(),
        record: record.into(),
        title: format!("title of {record}"),
        cause,
        value: Some(handover_model::Value::text(format!("value of {record}"))),
        announced: false,
    }
}

pub(crate) fn waits_for(flow: &str, parent: &str) -> Cause {
    Cause::ParentHeld { field: "company".into(), flow: FlowName::from(flow), parent: parent.into() }
}

/// A commit at a second, filled by `fill`.
pub(crate) fn commit(second: i64, fill: impl FnOnce(&mut Commit)) -> Commit {
    let mut commit = Commit { at: at(second), pass: 1, ..Commit::default() };
    fill(&mut commit);
    commit
}
