//! A folder of CSV files as a system: each `OBJECT.csv` is an object, its columns are fields.
//!
//! Invariants:
//! - Memory stays flat whatever a file's size: rows stream; what is kept per row is at most an id.
//! - Nothing is guessed from a part: encoding, dates and numbers are inferred from the whole file, and
//!   what stays ambiguous stays text and says so ([`CsvConnector::inferred`]).
//! - What cannot be read is an error with file and line; no row is dropped, no character replaced.
//! - A write is on disk before it is confirmed; after a crash a half-written last row is taken away.
//!
//! Errors and inferences name lines, never values.

mod connector;
mod decode;
mod error;
mod infer;
mod pages;
mod parse;
mod rows;
mod scan;
mod settings;
mod target;

pub use connector::CsvConnector;
pub use error::Error;
pub use infer::Inferred;
pub use settings::{DateOrder, Decimals, Form, ObjectSettings, Reference, Settings};
