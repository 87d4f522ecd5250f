//! The schemas for editors agree with the parser, as far as a schema can.

use handover::config::SCHEMAS;

use super::folder::Folder;

fn schema(file: &str) -> jsonschema::Validator {
    let (_, text) = SCHEMAS.iter().find(|(name, _)| *name == file).unwrap();
    jsonschema::validator_for(&serde_json::from_str(text).unwrap()).unwrap()
}

fn accepts(file: &str, yaml: &str) -> bool {
    let value: serde_json::Value = serde_saphyr::from_str(yaml).unwrap();
    schema(file).is_valid(&value)
}

#[test]
fn the_sample_is_accepted_and_what_the_parser_refuses_is_refused() {
    let folder = Folder::sample();
    let text = |file: &str| String::from_utf8(folder.read(file)).unwrap();
    let (project, mapping) = (text("handover.yaml"), text("mappings/persons.yaml"));
    assert!(accepts("handover.yaml", &project));
    assert!(accepts("mappings/*.yaml", &mapping));
    for (old, new) in [
        ("    reserve:", "    resrve:"),
        ("platform: hubspot, token", "platform: hubspt, token"),
        ("token: {env: OLD_TOKEN}", "token: literal"),
        ("reserve: 20%", "reserve: 0.2"),
        ("since: d/m/y", "since: d.m.y"),
        ("secret: {env: HOOKS}, ", ""),
        ("poll: 10m", "poll: 10"),
        ("share: 0.5%", "share: 2"),
        ("begins: 2027-01-04", "begins: soon"),
        ("{name: rest, where: {persons: 'true'}", "{name: rest"),
        ("sweep: 6h", "sweep: soon"),
        ("repair: carry", "repair: mend"),
        ("every: 30m", "each: 30m"),
        ("flows: [persons]", "flows: [../persons]"),
    ] {
        assert!(!accepts("handover.yaml", &project.replace(old, new)), "{new}");
    }
    for (old, new) in
        [("owner: both", "owner: {until_move: source, then: both}"), ("conflict: ask", "conflict: {expr: 'null'}")]
    {
        assert!(accepts("mappings/*.yaml", &mapping.replace(old, new)), "{new}");
    }
    for (old, new) in [
        ("where:", "filter:"),
        ("direction: both_ways", "direction: two_ways"),
        ("conflict: ask", "conflict: {concatenate: x}"),
        ("owner: both", "owner: {until_move: source}"),
        ("{value: customer}", "{value: customer, from: x}"),
        ("later: true", "latr: true"),
        ("keep: fill_empty", "keep: never"),
        ("merges: carry", "merges: never"),
        ("{mark: hs_lead_status, as: UNQUALIFIED}", "{mark: hs_lead_status}"),
        ("picture_id: pictures are not moved", "picture_id: ''"),
    ] {
        assert!(!accepts("mappings/*.yaml", &mapping.replace(old, new)), "{new}");
    }
    for (old, new) in [
        ("token: {env: OLD_TOKEN}", "token: {kept: true}"),
        ("      client_secret: {env: APP_SECRET}\n", ""),
        ("project: acme-move", "project: acme-move\nsecrets: {identity: {file: key.txt}}"),
    ] {
        assert!(accepts("handover.yaml", &project.replace(old, new)), "{new}");
    }
    for (old, new) in [
        ("token: {env: OLD_TOKEN}", "token: {kept: false}"),
        ("secret: {env: HOOKS}", "secret: {kept: true}"),
        ("project: acme-move", "project: acme-move\nsecrets: {passphrase: word}"),
    ] {
        assert!(!accepts("handover.yaml", &project.replace(old, new)), "{new}");
    }
    let fields = "- {system: new, object: contacts, name: a, kind: choice, options: [red, {value: blue}]}";
    assert!(accepts("fields.yaml", fields));
    assert!(!accepts("fields.yaml", &fields.replace("kind", "knd")));
}

#[test]
fn the_kinds_of_fields_are_those_that_the_parser_knows() {
    let folder = Folder::sample();
    folder.write("fields.yaml", "- {system: new, object: contacts, name: a, kind: colour}");
    let told = folder.load().unwrap_err();
    let schema: serde_json::Value = serde_json::from_str(SCHEMAS[2].1).unwrap();
    let kinds = schema["items"]["properties"]["kind"]["enum"].as_array().unwrap();
    let kinds: Vec<_> = kinds.iter().map(|kind| format!("`{}`", kind.as_str().unwrap())).collect();
    assert!(told.contains(&format!("known are {}\n", kinds.join(", "))), "{told}");
    let link = "- {system: new, object: contacts, name: a, kind: link, to: companies}";
    assert!(accepts("fields.yaml", link));
    folder.write("fields.yaml", link);
    folder.load().unwrap();
}
