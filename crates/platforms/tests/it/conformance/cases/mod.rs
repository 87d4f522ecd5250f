//! The cases, by what they are about. None knows a platform.

pub(super) mod access;
pub(super) mod batches;
pub(super) mod counting;
pub(super) mod describing;
pub(super) mod failing;
pub(super) mod files;
pub(super) mod linking;
pub(super) mod listing;
pub(super) mod losing;
pub(super) mod past;
pub(super) mod removing;
pub(super) mod telling;
pub(super) mod unlinking;
pub(super) mod writing;
