//! The sandbox's own routes, for judges of tests that drive a real binary.
//!
//! | route | answer |
//! |---|---|
//! | `GET /_sandbox/journal` | the journal as JSON Lines |
//! | `GET /_sandbox/sums` | its sums |
//! | `GET /_sandbox/world` | the world file |
//! | `GET /_sandbox/credentials` | `{token, ...}` |
//! | `PUT /_sandbox/faults` | replaces the fault plan by the body; `{}` takes all faults away |
//! | `PUT /_sandbox/limits` | `{"real": bool}` switches rate limits |
//! | `POST /_sandbox/disturb` | changes a record behind the client's back |
//! | `POST /_sandbox/snapshot` | folds the log into the world file |

use serde_json::{Value as Json, json};

use super::{Shell, webhook};
use crate::faults::{Disturbance, FaultPlan};
use crate::{Reply, Request};

/// Answers a request under `/_sandbox/`.
pub(super) fn answer(shell: &Shell, request: &Request, route: &str) -> Reply {
    let now = (shell.options.clock)();
    let mut sandbox = shell.lock();
    let done = || Reply::json(200, &json!({"ok": true}));
    match (request.method.as_str(), route) {
        ("GET", "journal") => Reply {
            status: 200,
            headers: vec![("content-type".to_owned(), "application/jsonl".to_owned())],
            body: sandbox.journal().to_json_lines().into_bytes(),
        },
        ("GET", "sums") => Reply::json(200, &sandbox.journal().sums()),
        ("GET", "world") => Reply::json(200, &sandbox.platform().world()),
        ("GET", "credentials") => Reply::json(200, &sandbox.platform().credentials()),
        ("PUT", "faults") => match FaultPlan::from_json(&String::from_utf8_lossy(&request.body)) {
            Ok(plan) => {
                sandbox.set_faults(plan);
                done()
            }
            Err(error) => refused(&error),
        },
        ("PUT", "limits") => {
            let body: Json = serde_json::from_slice(&request.body).unwrap_or_default();
            match body.get("real").and_then(Json::as_bool) {
                Some(real) => {
                    sandbox.platform_mut().set_limits(real);
                    done()
                }
                None => Reply::json(400, &json!({"error": "`real` must be true or false"})),
            }
        }
        ("POST", "disturb") => match serde_json::from_slice::<Disturbance>(&request.body) {
            Ok(disturbance) => {
                for event in sandbox.disturb(&disturbance, now) {
                    tokio::spawn(webhook::deliver(shell.clone(), event));
                }
                done()
            }
            Err(error) => refused(&error),
        },
        ("POST", "snapshot") => match sandbox.snapshot() {
            Ok(()) => done(),
            Err(error) => refused(&error),
        },
        _ => Reply::json(404, &json!({"error": "no such route of the sandbox"})),
    }
}

fn refused(error: &dyn std::error::Error) -> Reply {
    let mut causes = vec![error.to_string()];
    let mut source = error.source();
    while let Some(cause) = source {
        causes.push(cause.to_string());
        source = cause.source();
    }
    Reply::json(400, &json!({"error": causes.join(": ")}))
}
