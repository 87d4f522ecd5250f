//! What the jobs of the Bulk API 2.0 have in common, whether they read or write (sheet: Salesforce sections 4 and 5.5
//! \[doc\]).

use handover_connect::{Fault, Method, Reply, Request};
use serde::Deserialize;

use super::capabilities::CALL;
use super::ids::is_id;
use crate::jobs;

/// A job as the platform tells it.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Told {
    pub(super) id: String,
    pub(super) state: String,
    #[serde(default)]
    pub(super) error_message: Option<String>,
    /// Rows that were worked on, of a job that writes.
    #[serde(default)]
    pub(super) number_records_processed: Option<u64>,
    /// Rows that were refused, of a job that writes.
    #[serde(default)]
    pub(super) number_records_failed: Option<u64>,
}

/// The job that a reply tells of.
pub(super) fn told(reply: &Reply) -> Result<Told, Fault> {
    let told: Told = serde_json::from_slice(&reply.body)
        .map_err(|error| Fault::malformed(format!("the answer is no job: {error}")))?;
    if is_id(&told.id) { Ok(told) } else { Err(Fault::malformed("the job has no id")) }
}

/// Whether a fault is no matter of the job: a used-up allowance of jobs is one.
pub(super) fn passes(fault: &Fault) -> bool {
    jobs::passes(fault) && fault.code != "EXCEEDEDQUOTA"
}

/// A request for rows as CSV.
pub(super) fn rows(path: String) -> Request {
    let mut request = Request::new(Method::Get, path, &CALL);
    request.headers.push(("accept".to_owned(), "text/csv".to_owned()));
    request
}

/// A result that cannot be read as CSV; what stands in it is not repeated.
pub(super) fn odd(error: csv::Error) -> Fault {
    Fault::malformed(format!("the result is no CSV: {:?}", error.position()))
}
