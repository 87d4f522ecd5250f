//! Six weeks, many times over.
#![expect(clippy::print_stderr, reason = "seeds of what was found")]

mod independence;
mod pairs;
mod planted;
mod seeds;
