//! Every mistake with its place. The snapshots are what people read.

use super::folder::Folder;

/// Replaces `old` by `new` in a file of the sample and gives what the terminal shows.
fn after(file: &str, old: &str, new: &str) -> String {
    let folder = Folder::sample();
    folder.replace(file, old, new);
    folder.load().map(|project| format!("{project:?}")).expect_err("the project should be refused")
}

macro_rules! mistake {
    ($name:ident, $file:expr, $old:expr, $new:expr) => {
        #[test]
        fn $name() {
            insta::assert_snapshot!(after($file, $old, $new));
        }
    };
}

const MAIN: &str = "handover.yaml";
const PERSONS: &str = "mappings/persons.yaml";

mistake!(unknown_key, MAIN, "    reserve:", "    resrve:");
mistake!(unknown_key_without_a_near_one, PERSONS, "where:", "filter_expression:");
mistake!(unknown_platform, MAIN, "platform: hubspot, token", "platform: hubspt, token");
mistake!(no_platform, MAIN, "{platform: hubspot, token: {env: NEW_TOKEN}}", "{token: {env: NEW_TOKEN}}");
mistake!(no_credentials, MAIN, "{platform: hubspot, token: {env: NEW_TOKEN}}", "{platform: hubspot}");
mistake!(wrong_type, MAIN, "reserve: 20%", "reserve: [20%]");
mistake!(wrong_share, MAIN, "reserve: 20%", "reserve: 0.2");
mistake!(wrong_duration, MAIN, "timeout: 60s", "timeout: 60");
mistake!(wrong_number, MAIN, "concurrency: 4", "concurrency: many");
mistake!(short_lease, MAIN, "lease: 5m", "lease: 119s");
mistake!(plain_http, MAIN, "https://acme.pipedrive.com/", "http://acme.pipedrive.com/");
mistake!(webhooks_without_a_secret, MAIN, "secret: {env: HOOKS}, ", "");
mistake!(wrong_address_of_webhooks, MAIN, "url: https://sync.acme.example", "url: sync.acme.example");
mistake!(duplicate_key, PERSONS, "  zip: {", "  firstname: name\n  zip: {");
mistake!(no_mapping_file, MAIN, "flows: [persons]", "flows: [persons, deals]");
mistake!(flow_named_twice, MAIN, "flows: [persons]", "flows: [persons, persons]");
mistake!(flow_outside_the_project, MAIN, "flows: [persons]", "flows: [../persons]");
mistake!(unknown_system, PERSONS, "system: new", "system: nwe");
mistake!(no_source, PERSONS, "source: {system: old, object: persons}\n", "");
mistake!(unknown_table, PERSONS, "translate: deal_stages", "translate: deal_stage");
mistake!(unknown_flow, PERSONS, "later: true", "later: true, flow: person");
mistake!(two_origins, PERSONS, "{value: customer}", "{value: customer, from: x}");
mistake!(blank_rule, PERSONS, "firstname: first_name", "firstname:");
mistake!(two_match_kinds, PERSONS, "{external_id: id,", "{external_id: id, email: x,");
mistake!(wrong_region, PERSONS, "region: DE", "region: Germany");
mistake!(wrong_keep, PERSONS, "keep: fill_empty", "keep: fil_empty");
mistake!(excluded_without_a_reason, PERSONS, "picture_id: pictures are not moved", "picture_id:");
mistake!(wrong_step, PERSONS, "[primary, {lower: {in: EN}}]", "[primary, {lower: EN}]");
mistake!(no_yaml, PERSONS, "fields:", "fields: [");
mistake!(tabs, PERSONS, "  firstname", "\tfirstname");
mistake!(tag, PERSONS, "keep: fill_empty", "keep: !!python/object fill_empty");
mistake!(wide_characters_before_the_mistake, PERSONS, "{value: customer}", "{value: 客户价值, frm: x}");
mistake!(unset_variable, MAIN, "state: .handover/state.db", "state: postgres://u:${NO_SUCH}@db/x");
mistake!(unknown_encoding, MAIN, "encoding: auto", "encoding: latin");
mistake!(unknown_form, MAIN, "since: d/m/y", "since: d.m.y");
mistake!(unknown_time_zone, MAIN, "Europe/Berlin", "Middle/Earth");
mistake!(no_kill_date, MAIN, "kill_date: 2027-03-31", "kill_date: at Easter");
mistake!(a_cohort_without_a_name, MAIN, "{name: rest, ", "{");
mistake!(a_cohort_of_an_unknown_flow, MAIN, "where: {persons: 'true'}", "where: {person: 'true'}");
mistake!(two_cohorts_of_one_name, MAIN, "{name: rest,", "{name: north,");
mistake!(a_day_that_is_none, MAIN, "moves: 2027-03-01", "moves: 2027-02-29");
mistake!(a_time_in_place_of_a_day, MAIN, "begins: 2027-01-04", "begins: 2027-01-04T10:00:00");
mistake!(a_cohort_that_moves_before_it_begins, MAIN, "begins: 2027-01-04", "begins: 2027-02-02");
mistake!(wrong_owner_of_a_period, PERSONS, "owner: both", "owner: {until_move: source, later: target}");
mistake!(wrong_rule_for_conflicts, PERSONS, "conflict: newest", "conflict: {expression: 'null'}");
mistake!(
    one_field_of_two_owners,
    PERSONS,
    "firstname: first_name",
    "firstname: {from: first_name, owner: source}\n  nickname: {from: first_name, owner: target}"
);

/// Two flows that carry one field against each other.
#[test]
fn two_flows_that_own_one_field() {
    let folder = Folder::sample();
    folder.replace(MAIN, "flows: [persons]", "flows: [persons, contacts]");
    folder.replace(PERSONS, "direction: both_ways\nowner: both", "direction: both_ways\nowner: source");
    let contacts = "source: {system: new, object: contacts}\ntarget: {system: old, object: persons}\n\
                    fields:\n  owner_id: hubspot_owner_id\n";
    folder.write("mappings/contacts.yaml", contacts);
    insta::assert_snapshot!(folder.load().map(|project| format!("{project:?}")).unwrap_err());
    // Of two parts of the records each may go its own way.
    folder.write("mappings/contacts.yaml", contacts.replace("fields:", "where: .is_new\nfields:"));
    folder.load().unwrap_or_else(|text| panic!("{text}"));
}

#[test]
fn several_mistakes_of_several_files_at_once() {
    let folder = Folder::sample();
    folder.replace(MAIN, "    reserve: 20%", "    reserve: 120%");
    folder.replace(PERSONS, "keep: fill_empty", "keep: never");
    folder.replace(PERSONS, "    firstname: first_name".trim_start(), "firstname: {frm: first_name}");
    folder.append("translations/deal_stages.csv", "7,other,\n");
    insta::assert_snapshot!(folder.load().unwrap_err());
}

#[test]
fn no_project_file() {
    let folder = Folder::sample();
    std::fs::remove_file(folder.path("handover.yaml")).unwrap();
    insta::assert_snapshot!(folder.load().unwrap_err());
}

#[test]
fn an_empty_project_file() {
    let folder = Folder::sample();
    folder.write("handover.yaml", "");
    insta::assert_snapshot!(folder.load().unwrap_err());
}

#[test]
fn no_utf8() {
    let folder = Folder::sample();
    folder.write("mappings/persons.yaml", b"# a\n# b\xff\n");
    insta::assert_snapshot!(folder.load().unwrap_err());
}
