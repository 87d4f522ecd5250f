//! Fields to be created: wished names until the platform has given its own.

use handover::config::{Created, record_created};
use handover_model::{From, Kind};

use super::folder::Folder;

const FIELDS: &str = "# what init proposes
- system: new
  object: contacts
  name: handover_source_key  # unique
  label: Source key
  kind: text
  unique: true
  from: id
- {system: new, object: contacts, name: colour, label: Colour, kind: choices, options: [red, {value: b, label: blue}]}
- {system: new, object: deals, name: colour, kind: text}
";

fn with_fields(text: &str) -> Folder {
    let folder = Folder::sample();
    folder.write("fields.yaml", text);
    folder.replace(
        "mappings/persons.yaml",
        "  firstname: first_name",
        "  colour: x\n  colour.part: y\n  firstname: colour",
    );
    folder
}

#[test]
fn fields_are_read() {
    let project = with_fields(FIELDS).load().unwrap();
    assert_eq!(project.create_fields.len(), 3);
    assert!(project.create_fields[0].field.unique);
    assert_eq!(project.create_fields[0].from.as_deref(), Some("id"));
    let Kind::Choice { options, many: true } = &project.create_fields[1].field.kind else { panic!("choices") };
    assert_eq!((options[0].value.as_str(), options[1].value.as_str(), options[1].label.as_str()), ("red", "b", "blue"));
    assert_eq!(project.create_fields[2].field.label, "colour");
}

#[test]
fn names_that_the_platform_gave_replace_the_wished_ones() {
    let folder = with_fields(FIELDS);
    let created = |object: &str, name: &str, real: &str| Created {
        system: "new".into(),
        object: object.into(),
        name: name.into(),
        created_as: real.into(),
    };
    record_created(
        folder.root(),
        &[created("contacts", "colour", "0a1b"), created("contacts", "handover_source_key", "77ff")],
    )
    .unwrap();
    insta::assert_snapshot!(String::from_utf8(folder.read("fields.yaml")).unwrap());

    let project = folder.load().unwrap();
    let flow = project.flow(&"persons".into()).unwrap();
    let targets: Vec<_> = flow.rules.iter().take(3).map(|rule| rule.target.as_str()).collect();
    assert_eq!(targets, ["0a1b", "0a1b.part", "firstname"]);
    assert_eq!(flow.rules[2].from, From::Fields(vec!["colour".into()]), "the source's field has the same name");
    assert_eq!(flow.key.as_ref().unwrap().as_str(), "77ff");

    // Created again in another account: the name is replaced, not added.
    record_created(folder.root(), &[created("contacts", "colour", "cafe")]).unwrap();
    assert_eq!(folder.load().unwrap().create_fields[1].created_as.as_ref().unwrap().as_str(), "cafe");
    let problem = record_created(folder.root(), &[created("deals", "size", "1")]).unwrap_err();
    insta::assert_snapshot!(problem.render(false));
}

#[test]
fn mistakes_are_refused() {
    let text = "- {system: nwe, object: contacts, name: a, kind: text}
- {system: new, object: contacts, name: b, kind: txt}
- {system: new, object: contacts, name: c, kind: choice}
- {system: new, object: contacts, name: d, kind: text}
- {system: new, object: contacts, name: d, kind: text, lable: D}
- {system: new, object: contacts, name: e, kind: link}
";
    insta::assert_snapshot!(with_fields(text).load().unwrap_err());
    insta::assert_snapshot!(with_fields("a: b\n").load().unwrap_err());
}
