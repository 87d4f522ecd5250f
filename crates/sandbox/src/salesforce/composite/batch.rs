//! `POST /composite/batch`: independent requests, each of which counts (sheet: section 5.3).

use serde_json::{Value as Json, json};

use super::{SUBREQUESTS, run};
use crate::Reply;
use crate::salesforce::Salesforce;
use crate::salesforce::call::Call;
use crate::salesforce::refusal::{Answer, Fault};

pub(super) fn answer(org: &mut Salesforce, call: &Call<'_>) -> Answer {
    let body = call.map()?;
    let list =
        body.get("batchRequests").and_then(Json::as_array).ok_or_else(|| Fault::parser("batchRequests is missing"))?;
    if list.len() > SUBREQUESTS {
        return Err(Fault::new("LIMIT_EXCEEDED", format!("Limit of {SUBREQUESTS} subrequests exceeded.")));
    }
    let more = u64::try_from(list.len().saturating_sub(1)).unwrap_or(0);
    org.limits.spend(&org.world, more, call.at)?;
    org.cost += more;
    let halt = body.get("haltOnError") == Some(&Json::Bool(true));
    let mut results: Vec<Json> = Vec::new();
    let mut failed = false;
    for request in list {
        let reply = if failed && halt {
            let mut reply = Fault::new("BATCH_PROCESSING_HALTED", "Batch processing halted per request").reply();
            reply.status = 412;
            reply
        } else {
            let method = request["method"].as_str().unwrap_or("GET");
            run(org, call, method, request["url"].as_str().unwrap_or(""), request.get("richInput"))
        };
        failed |= reply.status >= 300;
        let result = if reply.body.is_empty() { Json::Null } else { reply.body_json() };
        results.push(json!({"statusCode": reply.status, "result": result}));
    }
    Ok(Reply::json(200, &json!({"hasErrors": failed, "results": results})))
}
