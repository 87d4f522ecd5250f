//! The weeks with an engine as it is.

use handover_simulation::{Scenario, play};

#[test]
fn one() {
    let played = play(1, &Scenario::default());
    eprintln!("{:#?}", played.counted);
    assert_eq!(played.wrong, Vec::<String>::new());
}
