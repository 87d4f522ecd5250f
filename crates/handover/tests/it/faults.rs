//! Random faults on both systems, by seed: what is confirmed once stays, what was lost is looked up, and the
//! judge finds nothing at the end.

use std::time::Instant;

use handover_sandbox::faults::{Fault, FaultPlan, LimitScope, Rule, When};

use crate::rig::{Death, Ended, Ground, Orders, Scene, Way, on_threads};

/// A stream of numbers that depends on nothing but its seed.
struct Dice(blake3::OutputReader);

impl Dice {
    fn new(seed: u64, what: &str) -> Self {
        let mut hasher = blake3::Hasher::new();
        hasher.update(&seed.to_le_bytes()).update(what.as_bytes());
        Self(hasher.finalize_xof())
    }

    fn below(&mut self, end: u64) -> u64 {
        let mut bytes = [0; 8];
        self.0.fill(&mut bytes);
        u64::from_le_bytes(bytes) % end
    }
}

/// A few kinds of faults, each on a share of the requests, and each a limited number of times.
fn plan(dice: &mut Dice, seed: u64, platform: &str, is_target: bool) -> FaultPlan {
    // Bytes of files have no form by which a broken answer could be told.
    let json = if platform == "hubspot" { "/crm/**" } else { "/api/v2/**" };
    let mut rules = Vec::new();
    for _ in 0..2 + dice.below(4) {
        let fault = match dice.below(if is_target { 9 } else { 6 }) {
            0 => Fault::Limited { scope: LimitScope::Burst, retry_after_s: Some(1 + dice.below(5)) },
            1 => Fault::Unavailable { status: [500, 502, 503, 504][dice.below(4) as usize] },
            2 => Fault::LostBefore,
            3 => Fault::Cut { bytes: dice.below(200) as usize },
            4 => Fault::Malformed,
            5 => Fault::Slow { delay_ms: 1000 * dice.below(90) },
            6 => Fault::LostAfter { status: None },
            7 => Fault::LostAfter { status: Some(502) },
            _ => Fault::HalfBatch {
                apply_only: dice.below(8) as usize,
                status: Some(504).filter(|_| dice.below(2) == 0),
            },
        };
        let when = When {
            path: (fault == Fault::Malformed).then(|| json.to_owned()),
            probability: Some([0.02, 0.1, 0.3][dice.below(3) as usize]),
            times: Some(1 + dice.below(12)),
            ..When::default()
        };
        rules.push(Rule { name: None, when, fault });
    }
    FaultPlan::new(seed, rules)
}

/// Lives under faults until a pass comes to its end; some lives end by death too.
fn check(way: Way, seed: u64) -> Result<(), String> {
    let mut dice = Dice::new(seed, "lives");
    let mut ground = Ground::new(Scene::of(way));
    for life in 0.. {
        let mut orders = Orders::default();
        // In the end everything works again.
        if life < 8 {
            let [from, to] = way.platforms();
            orders.faults = [plan(&mut dice, seed, from, false), plan(&mut dice, seed + 1, to, true)];
        }
        let death = match dice.below(3) {
            0 if life < 8 => Death::AtRequest(1 + dice.below(80), crate::rig::Around::After),
            _ => Death::No,
        };
        match ground.live_with(death, &orders) {
            Ended::Finished(_) => break,
            Ended::Failed(error) if life >= 8 => return Err(format!("it fails without faults: {error:?}")),
            Ended::Failed(_) | Ended::Died => {}
        }
    }
    // What was held while a system failed is judged again.
    ground.finish()?;
    // Some of the refusals were the plan's.
    ground.limited = 0;
    let wrong = ground.judge(&ground.end());
    if wrong.is_empty() {
        Ok(())
    } else {
        Err(format!("\n    {}", wrong.iter().take(6).cloned().collect::<Vec<_>>().join("\n    ")))
    }
}

fn check_seeds(way: Way) {
    let seeds: u64 = std::env::var("HANDOVER_TEST_SEEDS").ok().and_then(|text| text.parse().ok()).unwrap_or(16);
    let from: u64 = std::env::var("HANDOVER_TEST_SEED").ok().and_then(|text| text.parse().ok()).unwrap_or(1);
    let seeds: Vec<u64> = (from..from + seeds).collect();
    let begun = Instant::now();
    on_threads(&seeds, |seed| {
        check(way, *seed).map_err(|wrong| format!("  {way:?} HANDOVER_TEST_SEED={seed}: {wrong}"))
    });
    eprintln!("{way:?}: {} seeds in {:.1} s", seeds.len(), begun.elapsed().as_secs_f64());
}

#[test]
fn random_faults_on_the_way_to_hubspot() {
    check_seeds(Way::ToHubspot);
}

#[test]
fn random_faults_on_the_way_to_pipedrive() {
    check_seeds(Way::ToPipedrive);
}
