//! A folder of CSV files as a system.

mod settings;

pub use settings::{DateOrder, Decimals, Form, ObjectSettings, Reference, Settings};
