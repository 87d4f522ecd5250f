//! What the changes of schemas mean for a pass: which fields, which flow, and what is told.
#![expect(clippy::unwrap_used, reason = "literals of the tests themselves")]

use handover_engine::transform::Tables;
use handover_engine::{Drift, Remembered, Schemas};
use handover_model::{Field, Flow, Schema, Weight, Writable};

use crate::project::*;

type Ends = (Flow, Schema, Schema);

fn case() -> Ends {
    let mut rules = vec![from("firstname", "first_name"), translating(from("stage", "phase"), "stages")];
    for (at, rule) in rules.iter_mut().enumerate() {
        rule.place = place(10 + at as u32);
    }
    let source =
        schema("persons", vec![field("first_name", text()), field("phase", choice(&["1=New", "2=Won"], false))]);
    let target =
        schema("contacts", vec![field("firstname", text()), field("stage", choice(&["a=New", "b=Won"], false))]);
    (flow(rules), source, target)
}

fn tables() -> Tables {
    table("stages", &[("1", "a"), ("2", "b")])
}

fn remembered() -> Remembered {
    let (flow, source, target) = case();
    let key = |end: &handover_model::End| (end.system.clone(), end.object.clone());
    Remembered::with(Schemas::from([(key(&flow.source), source), (key(&flow.target), target)]))
}

/// What is told after a change: findings, stopped flows.
fn told(change: impl FnOnce(&mut Ends)) -> Result<(Vec<String>, usize), Vec<String>> {
    let mut now = case();
    change(&mut now);
    let codes = |findings: &[handover_model::Finding]| findings.iter().map(|finding| finding.code.clone()).collect();
    match Drift::of(&[now], &tables(), &remembered()) {
        Ok(drift) => {
            assert!(drift.findings.iter().all(|finding| finding.weight == Weight::Warning && finding.hint.is_some()));
            Ok((codes(&drift.findings), drift.stopped.len()))
        }
        Err(own) => Err(codes(&own)),
    }
}

fn drop_field(schema: &mut Schema, name: &str) {
    schema.fields.retain(|field| field.name.as_str() != name);
}

fn named<'s>(schema: &'s mut Schema, name: &str) -> &'s mut Field {
    schema.fields.iter_mut().find(|field| field.name.as_str() == name).unwrap()
}

#[test]
fn a_change_of_a_schema_concerns_as_little_as_it_can() {
    let one = |code: &str| Ok((vec![code.to_owned()], 0));
    assert_eq!(told(|_| ()), Ok((vec![], 0)));
    assert_eq!(told(|(_, _, target)| drop_field(target, "firstname")), one("unknown_field"));
    assert_eq!(told(|(_, source, _)| drop_field(source, "first_name")), one("unknown_field"));
    assert_eq!(told(|(_, _, target)| named(target, "firstname").writable = Writable::Never), one("not_writable"));
    let required = Field { required: true, ..field("new_and_needed", text()) };
    assert_eq!(told(|(_, _, target)| target.fields.push(required)), one("missing_required"));
    assert_eq!(told(|(_, source, _)| source.fields.push(field("new", text()))), one("unmapped_field"));
    let renamed = choice(&["a=Fresh", "b=Won"], false);
    assert_eq!(told(|(_, _, target)| named(target, "stage").kind = renamed), one("option_changed"));
    let fewer = choice(&["a=New"], false);
    let both = vec!["table_target_unknown".to_owned(), "option_changed".to_owned()];
    assert_eq!(told(|(_, _, target)| named(target, "stage").kind = fewer), Ok((both, 0)));
}

#[test]
fn what_a_flow_cannot_do_without_stops_it_and_the_projects_own_mistakes_stop_all() {
    let mut known = case();
    known.0.key = Some("key".into());
    known.2.fields.push(Field { unique: true, ..field("key", text()) });
    let key = |end: &handover_model::End| (end.system.clone(), end.object.clone());
    let ends = [(key(&known.0.source), known.1.clone()), (key(&known.0.target), known.2.clone())];
    let remembered = Remembered::with(Schemas::from(ends));
    drop_field(&mut known.2, "key");
    let drift = Drift::of(&[known.clone()], &tables(), &remembered).unwrap();
    assert_eq!(drift.stopped.values().map(Vec::len).collect::<Vec<_>>(), [1]);
    assert!(drift.findings.is_empty(), "what stops a flow is said as long as it does");
    let mistaken = |ends: &mut Ends| ends.0.rules.push(from("nowhere", "first_name"));
    assert_eq!(told(mistaken), Err(vec!["unknown_field".to_owned()]));
    // Both at once: the mistake is mended first.
    let both = |ends: &mut Ends| {
        ends.0.rules.push(from("nowhere", "first_name"));
        drop_field(&mut ends.2, "firstname");
    };
    assert_eq!(told(both), Err(vec!["unknown_field".to_owned()]));
}
