//! The same with the state in PostgreSQL: a part of the deaths, since each needs a schema of its own.

use handover_store::{Location, Moment};
use sqlx::{Connection as _, Executor as _};

use crate::rig::{Around, Death, Ended, Ground, Scene, Way};

/// A ground whose state lies in an empty schema.
fn ground(url: &str, way: Way, death: Death) -> Ground<'static> {
    let name = blake3::hash(format!("crash {way:?} {death:?}").as_bytes()).to_hex();
    let schema = format!("test_{}", &name[..20]);
    remove(url, &schema);
    let separator = if url.contains('?') { '&' } else { '?' };
    let folder = tempfile::tempdir().unwrap();
    let location = Location::parse(&format!("{url}{separator}schema={schema}"), folder.path()).unwrap();
    Ground::at(Scene::of(way), folder, location)
}

/// Takes a schema away, if it is there.
pub(crate) fn remove(url: &str, schema: &str) {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(async {
        let mut connection = sqlx::PgConnection::connect(url).await.unwrap();
        let drop = format!("DROP SCHEMA IF EXISTS \"{schema}\" CASCADE");
        connection.execute(sqlx::raw_sql(sqlx::AssertSqlSafe(drop))).await.unwrap();
    });
}

#[test]
fn dying_with_the_state_in_postgresql() {
    let Ok(url) = std::env::var("HANDOVER_TEST_POSTGRES") else {
        let said = std::env::var("HANDOVER_TEST_NO_POSTGRES").is_ok_and(|said| said == "1");
        assert!(said, "set HANDOVER_TEST_POSTGRES to a URL, or HANDOVER_TEST_NO_POSTGRES=1");
        return;
    };
    for way in [Way::ToHubspot, Way::ToPipedrive] {
        let mut whole = ground(&url, way, Death::No);
        whole.finish().unwrap();
        let expected = whole.end();
        let at_writes = (3..=whole.writes)
            .step_by(8)
            .enumerate()
            .map(|(at, n)| Death::AtWrite(n, if at % 2 == 0 { Moment::Before } else { Moment::After }));
        let at_requests = whole.changing.iter().step_by(6).map(|n| Death::AtRequest(*n, Around::After));
        let deaths: Vec<Death> = at_writes.chain(at_requests).collect();
        for death in &deaths {
            let mut ground = ground(&url, way, *death);
            let ended = ground.live(*death);
            assert!(matches!(ended, Ended::Died), "{way:?} {death:?}: {ended:?}");
            ground.finish().unwrap_or_else(|wrong| panic!("{way:?} {death:?}: {wrong}"));
            ground.demand(&expected).unwrap_or_else(|wrong| panic!("{way:?} {death:?}: {wrong}"));
        }
        eprintln!("{way:?}: {} deaths", deaths.len());
    }
}
