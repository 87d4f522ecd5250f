//! `POST /composite/tree/Account`: parents with their children, all or nothing (sheet: section 5.3).

use serde_json::{Map, Value as Json, json};

use crate::Reply;
use crate::salesforce::call::Call;
use crate::salesforce::refusal::{Answer, Fault};
use crate::salesforce::sobjects::object;
use crate::salesforce::world::World;
use crate::salesforce::write;

const RECORDS: usize = 200;
const LEVELS: usize = 5;

pub(super) fn answer(world: &mut World, call: &Call<'_>, name: &str) -> Answer {
    let name = object(world, name)?.name.clone();
    let body = call.map()?;
    let roots = body.get("records").and_then(Json::as_array).ok_or_else(|| Fault::parser("records is missing"))?;
    let mut planted = Planted { made: Vec::new(), wrong: Vec::new(), count: 0 };
    let mark = world.mark();
    for root in roots {
        planted.plant(world, call, &name, root, None, 1)?;
    }
    if planted.wrong.is_empty() {
        return Ok(Reply::json(201, &json!({"hasErrors": false, "results": planted.made})));
    }
    world.rollback(mark);
    Ok(Reply::json(400, &json!({"hasErrors": true, "results": planted.wrong})))
}

struct Planted {
    made: Vec<Json>,
    wrong: Vec<Json>,
    count: usize,
}

impl Planted {
    fn plant(
        &mut self,
        world: &mut World,
        call: &Call<'_>,
        name: &str,
        node: &Json,
        parent: Option<(&str, &str)>,
        level: usize,
    ) -> Result<(), Fault> {
        self.count += 1;
        let node = node.as_object().ok_or_else(|| Fault::parser("A record must be an object"))?;
        let reference =
            node.get("attributes").and_then(|attributes| attributes["referenceId"].as_str()).unwrap_or("").to_owned();
        if self.count > RECORDS || level > LEVELS || reference.is_empty() {
            let message = format!("at most {RECORDS} records on {LEVELS} levels, each with a referenceId");
            return Err(Fault::new("INVALID_INPUT", message));
        }
        let mut fields: Map<String, Json> = Map::new();
        let mut below: Vec<(String, String, Json)> = Vec::new();
        for (key, value) in node {
            let child =
                world.schema.children(name).find(|child| child.target.children.as_deref() == Some(key.as_str()));
            match (child, value.get("records")) {
                (Some(child), Some(records)) => {
                    below.push((child.object.name.clone(), child.field.name.clone(), records.clone()));
                }
                _ => {
                    fields.insert(key.clone(), value.clone());
                }
            }
        }
        if let Some((field, id)) = parent {
            fields.insert(field.to_owned(), json!(id));
        }
        match write::create(world, name, &fields, &call.writer()) {
            Ok(id) => {
                self.made.push(json!({"referenceId": reference, "id": id}));
                for (object, field, records) in below {
                    for record in records.as_array().map(Vec::as_slice).unwrap_or_default() {
                        self.plant(world, call, &object, record, Some((&field, &id)), level + 1)?;
                    }
                }
            }
            Err(fault) => self.wrong.push(json!({"referenceId": reference, "errors": [fault.item()]})),
        }
        Ok(())
    }
}
