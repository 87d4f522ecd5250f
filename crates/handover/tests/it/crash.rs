//! A process may die at every durable write and around every request: the next one goes on, and the end is
//! that of a run that nobody interrupted.

use std::sync::OnceLock;
use std::time::Instant;

use handover_store::Moment;

use crate::rig::{Around, Death, End, Ended, Ground, Scene, Way, on_threads};

/// An uninterrupted run: its end, its requests, its durable writes.
struct Whole {
    end: End,
    requests: u64,
    /// Those that may have changed something.
    changing: Vec<u64>,
    writes: u64,
}

fn whole(way: Way) -> &'static Whole {
    static WHOLE: [OnceLock<Whole>; 2] = [OnceLock::new(), OnceLock::new()];
    WHOLE[way as usize].get_or_init(|| {
        let mut ground = Ground::new(Scene::of(way));
        ground.finish().unwrap();
        let (requests, changing, writes) = (ground.requests, ground.changing.clone(), ground.writes);
        let end = ground.end();
        let wrong = ground.judge(&end);
        assert!(wrong.is_empty(), "{way:?}, uninterrupted:\n  {}", wrong.join("\n  "));
        Whole { end, requests, changing, writes }
    })
}

fn check(way: Way, death: Death) -> Result<(), String> {
    let mut ground = Ground::new(Scene::of(way));
    let ended = ground.live(death);
    if !matches!(ended, Ended::Died) {
        return Err(format!("it did not die: {ended:?}"));
    }
    ground.finish()?;
    ground.demand(&whole(way).end)
}

fn check_all(way: Way, deaths: impl Fn(&Whole) -> Vec<Death>) {
    let deaths = deaths(whole(way));
    let begun = Instant::now();
    on_threads(&deaths, |death| check(way, *death).map_err(|wrong| format!("  {way:?} {death:?}: {wrong}")));
    eprintln!("{way:?}: {} deaths in {:.1} s", deaths.len(), begun.elapsed().as_secs_f64());
}

fn at_writes(whole: &Whole) -> Vec<Death> {
    (1..=whole.writes).flat_map(|n| [Moment::Before, Moment::After].map(|moment| Death::AtWrite(n, moment))).collect()
}

/// After a request that only reads, nothing is different from before the next one.
fn at_requests(whole: &Whole) -> Vec<Death> {
    let before = (1..=whole.requests).map(|n| Death::AtRequest(n, Around::Before));
    before.chain(whole.changing.iter().map(|n| Death::AtRequest(*n, Around::After))).collect()
}

#[test]
fn uninterrupted_runs_satisfy_the_judge() {
    for way in [Way::ToHubspot, Way::ToPipedrive] {
        let whole = whole(way);
        eprintln!("{way:?}: {} requests, {} durable writes", whole.requests, whole.writes);
    }
}

#[test]
fn dying_at_every_durable_write_to_hubspot() {
    check_all(Way::ToHubspot, at_writes);
}

#[test]
fn dying_at_every_durable_write_to_pipedrive() {
    check_all(Way::ToPipedrive, at_writes);
}

#[test]
fn dying_around_every_request_to_hubspot() {
    check_all(Way::ToHubspot, at_requests);
}

#[test]
fn dying_around_every_request_to_pipedrive() {
    check_all(Way::ToPipedrive, at_requests);
}
