//! Passes that stop by themselves: at a spent day, at somebody's request, at the error threshold. What they
//! confirmed stands, and a later pass goes on to the end that it would have had.

use handover_connect::FaultKind;
use handover_engine::{Error, Policies};
use handover_store::Store;
use jiff::ToSpan as _;
use jiff::tz::TimeZone;
use serde_json::json;

use crate::rig::{Death, Ended, Ground, Orders, Scene, Way};

#[test]
fn a_spent_day_stops_the_pass_and_the_next_day_goes_on() {
    let scene = Scene::of(Way::ToPipedrive);
    let mut whole = Ground::new(scene);
    whole.finish().unwrap();
    let expected = whole.end();
    let mut ground = Ground::new(scene);
    // A part of what the whole takes.
    ground.change("new", |world| world["settings"]["daily_budget"] = json!(450));
    let mut days = 0;
    loop {
        match ground.live(Death::No) {
            Ended::Finished(_) => break,
            Ended::Failed(Error::DayIsSpent { fault, .. }) => {
                assert_eq!(fault.kind, FaultKind::Limited);
                days += 1;
                // The same day brings nothing more, and no refusal either.
                let again = ground.live(Death::No);
                assert!(matches!(again, Ended::Failed(Error::DayIsSpent { .. })), "{again:?}");
            }
            ended => panic!("{ended:?}"),
        }
        assert!(days < 20, "it does not get on");
        let zone = TimeZone::get("Europe/Berlin").unwrap();
        let tomorrow = ground.now.to_zoned(zone.clone()).date().saturating_add(1.day());
        ground.now = tomorrow.to_zoned(zone).unwrap().timestamp();
    }
    assert!(days > 1, "the day's budget was not spent: {days}");
    ground.demand(&expected).unwrap();
}

#[test]
fn a_stop_on_request_leaves_no_write_under_way() {
    for way in [Way::ToHubspot, Way::ToPipedrive] {
        let scene = Scene::of(way);
        let mut whole = Ground::new(scene);
        whole.finish().unwrap();
        let expected = whole.end();
        for at in (1..=whole.requests).step_by(9) {
            let mut ground = Ground::new(scene);
            let ended = ground.live_with(Death::No, &Orders { stop_at: Some(at), ..Orders::default() });
            match ended {
                Ended::Failed(Error::Stopped) => {}
                Ended::Finished(_) if at + 5 > whole.requests => {}
                ended => panic!("{way:?}, stopped at {at}: {ended:?}"),
            }
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
            let open =
                runtime.block_on(async { Store::open(&ground.location).await.unwrap().open_intents().await.unwrap() });
            assert!(open.is_empty(), "{way:?}, stopped at {at}: {} writes are under way", open.len());
            ground.finish().unwrap_or_else(|wrong| panic!("{way:?}, stopped at {at}: {wrong}"));
            ground.demand(&expected).unwrap_or_else(|wrong| panic!("{way:?}, stopped at {at}: {wrong}"));
        }
    }
}

#[test]
fn the_error_threshold_stops_and_what_is_known_does_not_stop_again() {
    fn strict(policies: &mut Policies) {
        policies.error_or = 3;
    }
    let scene = Scene::of(Way::ToPipedrive);
    // Most notes are too long for this account, which its schema does not tell.
    let refuse = |world: &mut serde_json::Value| {
        world["settings"]["note_max_bytes"] = json!(40);
        world["settings"]["contact_sync"] = json!(true);
    };
    let mut whole = Ground::new(scene);
    whole.change("new", refuse);
    whole.finish().unwrap();
    let expected = whole.end();
    let mut ground = Ground::new(scene);
    ground.change("new", refuse);
    let orders = Orders { policies: Some(strict), ..Orders::default() };
    let mut stops = 0;
    while let Ended::Failed(error) = ground.live_with(Death::No, &orders) {
        assert!(matches!(error, Error::Threshold { .. }), "{error:?}");
        stops += 1;
        assert!(stops < 20, "it does not get on");
    }
    assert!(stops > 0, "it did not stop");
    ground.demand(&expected).unwrap();
}

/// What a pass spends of a day stands in the state when it ends, to the last token.
#[test]
fn what_a_pass_spends_is_kept() {
    let scene = Scene::of(Way::ToPipedrive);
    let mut ground = Ground::new(scene);
    ground.finish().unwrap();
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let kept = runtime.block_on(async {
        let store = Store::open(&ground.location).await.unwrap();
        store.spent_today(&"new".into(), jiff::Timestamp::UNIX_EPOCH).await.unwrap()
    });
    assert!(ground.charged > 0);
    assert_eq!(kept, ground.charged, "kept, and charged by the sandbox");
}
