//! Six weeks, many times over.

mod independence;
mod planted;
mod seeds;
