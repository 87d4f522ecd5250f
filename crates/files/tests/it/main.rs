//! Folders of CSV files through the connector's door.
#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod broken;
mod folder;
mod forms;
mod reading;
mod writing;
