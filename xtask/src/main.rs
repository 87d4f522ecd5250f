//! Handover.
fn main() {}
