//! Rules applied to records: sources, steps, tables, conversion, validation.
#![expect(clippy::unwrap_used, reason = "literals of the tests themselves")]

use handover_engine::transform::{Place, Program, Tables, registry};
use handover_model::{Kind, Rule, Value};

use crate::project::*;

/// One source field `a` of `kind` with `value`, into `a` of kind `to`.
#[track_caller]
fn check(kind: Kind, value: impl Into<Value>, rule: Rule, to: Kind, expected: &str) {
    let record = record(&[("a", value.into())]);
    let given = applied(rule, vec![field("a", kind)], to, &Tables::default(), &record);
    assert_eq!(given, expected);
}

#[track_caller]
fn copy(kind: Kind, value: impl Into<Value>, to: Kind, expected: &str) {
    check(kind, value, from("a", "a"), to, expected);
}

#[track_caller]
fn step(value: impl Into<Value>, steps: &[(&str, &[(&str, Value)])], expected: &str) {
    check(Kind::Opaque, value, stepping(from("a", "a"), steps), Kind::Opaque, expected);
}

fn day(text: &str) -> Value {
    Value::Date(text.parse().unwrap())
}

fn instant(text: &str) -> Value {
    Value::DateTime(text.parse().unwrap())
}

#[test]
fn a_blank_source_never_gives_a_value() {
    for blank in [Value::Null, "".into(), "  ".into(), Value::List(vec![]), entries(&[""])] {
        for to in
            [text(), Kind::Bool, Kind::Number, Kind::Date, Kind::User, link("x", true), Kind::Email { many: true }]
        {
            let kind = match &to {
                Kind::User => Kind::User,
                Kind::Reference { .. } => link("x", true),
                _ => Kind::Opaque,
            };
            copy(kind, blank.clone(), to, "absent");
        }
    }
    let nothing = record(&[]);
    assert_eq!(applied(from("a", "a"), vec![field("a", text())], text(), &Tables::default(), &nothing), "absent");
    let defaulted = defaulting(from("a", "a"), "n/a");
    assert_eq!(applied(defaulted, vec![field("a", text())], text(), &Tables::default(), &nothing), "text n/a");
    check(text(), "x", defaulting(stepping(from("a", "a"), &[("others", &[])]), "n/a"), text(), "text n/a");
}

#[test]
fn values_come_in_the_targets_kind() {
    copy(text(), "Ada", text(), "text Ada");
    copy(Kind::Number, number("12.50"), text(), "text 12.5");
    copy(text(), " 12.50 ", Kind::Number, "number 12.5");
    copy(text(), "1,234", Kind::Number, "invalid: `a`: not a number <1,234>");
    copy(text(), "12 apples", Kind::Number, "invalid: `a`: not a number <12 apples>");
    copy(Kind::Bool, true, text(), "text true");
    copy(text(), "Yes", Kind::Bool, "bool true");
    copy(Kind::Number, number("0"), Kind::Bool, "bool false");
    copy(text(), "maybe", Kind::Bool, "invalid: `a`: not a yes/no value <maybe>");
    copy(Kind::Date, day("2026-01-31"), Kind::DateTime, "datetime 2026-01-31T00:00:00Z");
    copy(Kind::DateTime, instant("2026-01-31T23:30:00-02:00"), Kind::Date, "date 2026-02-01");
    copy(text(), "2026-01-31", Kind::Date, "date 2026-01-31");
    copy(text(), "2026-01-31 10:00:00", Kind::DateTime, "datetime 2026-01-31T10:00:00Z");
    copy(text(), "2026-01-31T10:00:00+02:00", Kind::DateTime, "datetime 2026-01-31T08:00:00Z");
    copy(text(), "31.01.2026", Kind::Date, "invalid: `a`: not a day <31.01.2026>");
    copy(text(), "14:30", Kind::Time, "time 14:30:00");
    copy(Kind::Email { many: true }, entries(&["b@x.example", "*a@x.example"]), text(), "text a@x.example");
    copy(Kind::Phone { many: true }, entries(&["1", "2"]), Kind::Phone { many: false }, "text 1");
    copy(
        Kind::Email { many: false },
        "a@x.example",
        Kind::Email { many: true },
        "[{primary: true, value: a@x.example}]",
    );
    copy(text(), " eur ", Kind::Currency, "text EUR");
    copy(text(), "euro", Kind::Currency, "invalid: `a`: not a currency code of three letters <euro>");
    copy(Kind::Opaque, list(&["x", "y"]), text(), "text x, y");
}

#[test]
fn choices_are_checked_against_the_options() {
    let to = || choice(&["open=Open", "won=Won"], false);
    copy(text(), "open", to(), "text open");
    copy(text(), "Open", to(), "invalid: `a`: the value is not among the field's options <Open>");
    copy(
        choice(&["open=O", "lost=Lost"], false),
        "lost",
        to(),
        "invalid: `a`: the value is not among the field's options <lost>",
    );
    let by_label = || stepping(from("a", "a"), &[("by_label", &[])]);
    check(choice(&["7= WON ", "8=Lost"], false), "7", by_label(), to(), "text won");
    check(
        choice(&["7=Won", "8=Lost"], false),
        "8",
        by_label(),
        to(),
        "invalid: `a`: no option, or more than one, has the label that the source shows <8>",
    );
    let many = choice(&["1=Red", "2=Blue"], true);
    check(many.clone(), list(&["2", "1"]), by_label(), choice(&["b=blue", "r=red"], true), "[text b, text r]");
    copy(many.clone(), list(&["1", "2"]), text(), "text Red, Blue");
    copy(
        many,
        list(&["1", "2"]),
        choice(&["1", "2"], false),
        "invalid: `a`: several values where the field takes one (the step `first` chooses) <1, 2>",
    );
}

#[test]
fn users_and_links_are_named_for_the_pass_to_resolve() {
    copy(Kind::User, "12", Kind::User, "user 12");
    check(text(), "", constant("a", "900"), Kind::User, "text 900");
    copy(link("orgs", false), "5", link("companies", true), "links 5");
    copy(link("orgs", true), list(&["5", "6", "5"]), link("companies", true), "links 5 6");
    copy(
        link("orgs", true),
        list(&["5", "6"]),
        link("companies", false),
        "invalid: `a`: several values where the field takes one (the step `first` chooses) <5, 6>",
    );
    let first = stepping(from("a", "a"), &[("first", &[])]);
    check(link("orgs", true), list(&["5", "6"]), first, link("companies", false), "links 5");
    let rest = || stepping(from("a", "a"), &[("rest", &[])]);
    check(link("orgs", true), list(&["5", "6", "7"]), rest(), link("companies", true), "links 6 7");
    check(link("orgs", true), list(&["5"]), rest(), link("companies", true), "absent");
    let source = vec![field("one", link("p", false)), field("more", link("p", true))];
    let record = record(&[("one", "2".into()), ("more", list(&["1", "2", "3"]))]);
    let to = link("contacts", true);
    assert_eq!(applied(from("a", "one more"), source, to.clone(), &Tables::default(), &record), "links 2 1 3");
    let mut files = from("a", "id");
    files.flow = Some("files".into());
    assert_eq!(applied(files, vec![], to, &Tables::default(), &record), "links 77");
    assert_eq!(applied(from("a", "id"), vec![], text(), &Tables::default(), &record), "text 77");
}

#[test]
fn of_several_fields_the_first_that_is_not_blank_counts() {
    let source = vec![field("a", text()), field("b", text()), field("c", text())];
    let record = record(&[("a", " ".into()), ("c", "third".into())]);
    assert_eq!(applied(from("x", "a b c"), source, text(), &Tables::default(), &record), "text third");
}

#[test]
fn tables_translate_and_name_what_they_lack() {
    let stages = || choice(&["7=Sales: Qualified", "8=Sales: Won", "9=Nurture: Dormant"], false);
    let to = || choice(&["appointment=Appointment", "closedwon=Closed won"], false);
    let table = table("deal_stages", &[("7", "appointment"), ("8", "closed WON"), ("x", "")]);
    let run = |value: Value, to: Kind| {
        let rule = translating(from("a", "a"), "deal_stages");
        applied(rule, vec![field("a", stages())], to, &table, &record(&[("a", value)]))
    };
    assert_eq!(run("7".into(), to()), "text appointment");
    assert_eq!(run("8".into(), to()), "text closedwon", "a table may name an option by its label");
    assert_eq!(run("x".into(), to()), "absent", "an empty target leaves the field blank");
    assert_eq!(
        run("9".into(), to()),
        "untranslated: `Nurture: Dormant` has no row in translations/deal_stages.csv (for `a`) \
         [deal_stages: 9 = Nurture: Dormant] <9>"
    );
    assert_eq!(run(number("7"), to()), "text appointment");
    assert_eq!(
        run(list(&["7", "8"]), choice(&["appointment", "closedwon=Closed won"], true)),
        "[text appointment, text closedwon]"
    );
    let upper = stepping(translating(from("a", "a"), "t"), &[("upper", &[])]);
    let given = applied(
        upper,
        vec![field("a", text())],
        text(),
        &crate::project::table("t", &[("ABC", "z")]),
        &record(&[("a", "abc".into())]),
    );
    assert_eq!(given, "text z", "steps come first");
}

#[test]
fn by_label_falls_back_on_the_table() {
    let rule = || stepping(translating(from("a", "a"), "t"), &[("by_label", &[])]);
    let source = || vec![field("a", choice(&["1=Won", "2=Gone", "3=New"], false))];
    let to = || choice(&["w=Won", "l=Lost"], false);
    let tables = table("t", &[("2", "l")]);
    assert_eq!(applied(rule(), source(), to(), &tables, &record(&[("a", "1".into())])), "text w");
    assert_eq!(applied(rule(), source(), to(), &tables, &record(&[("a", "2".into())])), "text l");
    let lacking = applied(rule(), source(), to(), &tables, &record(&[("a", "3".into())]));
    assert!(lacking.starts_with("untranslated: `New`"), "{lacking}");
}

#[test]
fn nothing_is_cut_in_silence() {
    copy(text(), "Zoë", text_of(3), "text Zoë");
    copy(text(), "Zoës", text_of(3), "invalid: `a`: longer than 3 characters <Zoës>");
    check(text(), "Zoës", stepping(from("a", "a"), &[("truncate", &[("max", number("3"))])]), text_of(3), "text Zoë");
}

#[test]
fn html_and_plain_text_are_not_mixed_up() {
    copy(text(), "a < b\nc", html(), "text a &lt; b<br>c");
    copy(html(), "<p>a &lt; b</p>c<script>x</script>", text(), "text a < b\nc");
    copy(html(), "<b>a</b>", html(), "text <b>a</b>");
    let explicit = stepping(from("a", "a"), &[("html", &[])]);
    check(text(), "a & b", explicit, html(), "text a &amp; b");
    let away = stepping(from("a", "a"), &[("text", &[])]);
    check(html(), "<i>a</i> &amp; b", away, html(), "text a &amp; b");
}

#[test]
fn e_mail_addresses_are_judged_as_strictly_as_crms_do() {
    let good = ["ada@x.example", "a.b+c@sub.x-y.example", "jürgen@bücher.example", "o'neil@x.co"];
    let bad = [
        "name@nodot",
        "name@x.example.",
        "name.@x.example",
        ".name@x.example",
        "a..b@x.example",
        "a b@x.example",
        "@x.example",
        "a@",
        "a@@x.example",
        "a@-x.example",
        "a@x-.example",
        "a@x..example",
        "a@.example",
        "\"a\"@x.example",
        "a@[127.0.0.1]",
        "a@x.1",
        "a@x.e",
        "a,b@x.example",
        "a@x_y.example",
        "<a@x.example>",
        "a@x.example;b@x.example",
    ];
    for address in good {
        copy(text(), address, Kind::Email { many: false }, &format!("text {address}"));
    }
    for address in bad {
        let expected = format!("invalid: `a`: not an e-mail address that the target takes <{address}>");
        copy(text(), address, Kind::Email { many: false }, &expected);
    }
    let list = entries(&["*ada@x.example", "nodot@x"]);
    let expected = "invalid: `a`: not an e-mail address that the target takes <ada@x.example, nodot@x>";
    copy(Kind::Email { many: true }, list, Kind::Email { many: true }, expected);
}

#[test]
fn steps_run_in_order_and_over_lists() {
    let primary = stepping(from("a", "a"), &[("primary", &[]), ("lower", &[])]);
    check(Kind::Email { many: true }, entries(&["A@X.example", "*B@X.example"]), primary, text(), "text b@x.example");
    let lower = stepping(from("a", "a"), &[("lower", &[])]);
    check(
        Kind::Email { many: true },
        entries(&["*A@X.example"]),
        lower,
        Kind::Email { many: true },
        "[{label: work, primary: true, value: a@x.example}]",
    );
    step(entries(&["a", "*b", "c"]), &[("others", &[("separator", ";".into())])], "text a;c");
    step(entries(&["*b"]), &[("others", &[("separator", ";".into())])], "absent");
    step(" red ;blue", &[("split", &[("separator", ";".into())]), ("last", &[])], "text blue");
    step("030 123456", &[("phone", &[("region", "DE".into())])], "text +4930123456");
    step(
        "030 123456 Durchwahl",
        &[("phone", &[("region", "DE".into()), ("otherwise", "keep".into())])],
        "text 030 123456 Durchwahl",
    );
    step("call me", &[("phone", &[("region", "DE".into())])], "text call me");
    step("call me", &[("phone", &[("otherwise", "blank".into())])], "absent");
    step(
        "call me",
        &[("phone", &[("otherwise", "hold".into())])],
        "expression: `a`: step `phone`: not a phone number, or a region is needed to read it <call me>",
    );
    step("03/04/2026", &[("date", &[])], "expression: `a`: step `date`: not a day <03/04/2026>");
    step("03/04/2026", &[("date", &[("order", "month_day".into())])], "date 2026-03-04");
    step("13/04/2026", &[("date", &[])], "date 2026-04-13");
    step("1.234,50 €", &[("number", &[("decimal", ",".into())])], "number 1234.5");
    step("1,50", &[("number", &[])], "expression: `a`: step `number`: not a number <1,50>");
    step("(12.00)", &[("number", &[])], "number -12");
    step("Ja", &[("bool", &[("true", list(&["ja"])), ("false", list(&["nein"]))])], "bool true");
    step("", &[("default", &[("to", "none".into())])], "text none");
    step(
        "",
        &[("upper", &[]), ("default", &[("to", "none".into())]), ("suffix", &[("text", "!".into())])],
        "text none!",
    );
    step("x", &[("default", &[("to", "none".into())])], "text x");
}

#[test]
fn names_are_split_without_losing_a_word() {
    let cases = [
        ("Ada Lovelace", "Ada", "Lovelace"),
        ("Ludwig van Beethoven", "Ludwig", "van Beethoven"),
        ("van Beethoven", "van", "Beethoven"),
        ("Lovelace, Ada King", "Ada King", "Lovelace"),
        ("Martin King, Jr.", "Martin", "King, Jr."),
        ("Curtis Martin III", "Curtis", "Martin III"),
        ("Cher", "", "Cher"),
        ("  Ada   Lovelace ", "Ada", "Lovelace"),
    ];
    for (full, first, last) in cases {
        let shown = |name: &str| if name.is_empty() { "absent".to_owned() } else { format!("text {name}") };
        step(full, &[("first_name", &[])], &shown(first));
        step(full, &[("last_name", &[])], &shown(last));
    }
}

#[test]
fn countries_have_codes_and_names() {
    for (text, code) in
        [("Germany", "DE"), ("DEU", "DE"), (" united states of america ", "US"), ("UK", "GB"), ("türkiye", "TR")]
    {
        step(text, &[("country_code", &[])], &format!("text {code}"));
    }
    step("us", &[("country_name", &[])], "text United States");
    step(
        "Atlantis",
        &[("country_code", &[])],
        "expression: `a`: step `country_code`: not a country by its English name or ISO code <Atlantis>",
    );
}

#[test]
fn html_becomes_readable_text() {
    let cases = [
        ("<p>One</p><p>Two</p>", "One\nTwo"),
        ("a<br>b<br/>c", "a\nb\nc"),
        ("<ul><li>x</li><li>y</li></ul>", "- x\n- y"),
        ("a &amp; b &lt;c&gt; &#8364; &nbsp;d", "a & b <c> €  d"),
        ("1 < 2 and 3 > 2", "1 < 2 and 3 > 2"),
        ("<!-- key -->seen<style>p{}</style>", "seen"),
        ("<a href=\"x\">link</a>, <b>bold</b>", "link, bold"),
        ("cut <b", "cut <b"),
    ];
    for (html, expected) in cases {
        step(html, &[("text", &[])], &format!("text {expected}"));
    }
}

#[test]
fn expressions_see_the_record_and_are_typed() {
    let source = || {
        vec![
            field("first", text()),
            field("amount", Kind::Number),
            field("vip", Kind::Bool),
            field("add_time", Kind::DateTime),
            field("due_date", Kind::Date),
            field("due_time", Kind::Time),
            field("emails", Kind::Email { many: true }),
            field("address.locality", text()),
            field("address.value", text()),
            field("8f3a", text()),
            field("8f3a.value", Kind::Number),
            field("tags", choice(&["1=Red"], true)),
            field("org", link("orgs", false)),
        ]
    };
    let record = record(&[
        ("first", "Ada".into()),
        ("amount", number("2.50")),
        ("vip", true.into()),
        ("add_time", instant("2026-01-02T03:04:05Z")),
        ("due_date", day("2026-01-31")),
        ("due_time", Value::Time("14:30".parse().unwrap())),
        ("emails", entries(&["b@x.example", "*a@x.example"])),
        ("address.locality", "Berlin".into()),
        ("address.value", Value::Null),
        ("8f3a", "whole".into()),
        ("8f3a.value", number("3")),
        ("tags", list(&["1"])),
        ("org", "5".into()),
    ]);
    let run = |text: &str, to: Kind| applied(expression("x", text), source(), to, &Tables::default(), &record);
    let cases = [
        (r#""Created " + string!(.add_time)"#, text(), "text Created 2026-01-02T03:04:05Z"),
        (r#"lower(.first) + " " + .address.locality"#, text(), "text ada Berlin"),
        (r#".address.value"#, text(), "absent"),
        (r#".address.value || .address.locality"#, text(), "text Berlin"),
        (r#"."address.locality""#, text(), "text Berlin"),
        (r#"."8f3a""#, text(), "text whole"),
        (r#"."8f3a.value""#, Kind::Number, "number 3"),
        ("(.amount * 3) ?? 0", Kind::Number, "number 7.5"),
        (".amount", text(), "text 2.5"),
        (".vip == true && .first != \"Bob\"", Kind::Bool, "bool true"),
        ("at!(.due_date, .due_time)", Kind::DateTime, "datetime 2026-01-31T14:30:00Z"),
        ("add_duration!(.add_time, \"01:30\")", Kind::DateTime, "datetime 2026-01-02T04:34:05Z"),
        ("duration_ms!(\"01:30\")", Kind::Number, "number 5400000"),
        (".due_date", Kind::Date, "date 2026-01-31"),
        (".add_time", Kind::Date, "date 2026-01-02"),
        ("primary(.emails)", Kind::Email { many: false }, "text a@x.example"),
        (".emails[0].value", text(), "text b@x.example"),
        ("length(.emails)", Kind::Number, "number 2"),
        (".id", text(), "text 77"),
        (".org", link("companies", false), "links 5"),
        ("if contains(.first, \"ad\") { \"yes\" } else { \"no\" }", text(), "text yes"),
        ("concat([.first, .address.value, .address.locality], \"/\")", text(), "text Ada/Berlin"),
        ("coalesce([.address.value, .first]) || \"none\"", text(), "text Ada"),
        ("number!(.first)", Kind::Number, "expression: `x`: `number`: not a number <>"),
        ("number(.first) ?? 0", Kind::Number, "number 0"),
        ("abort", text(), "expression: `x`: the expression gave the record up (`abort`) <>"),
        ("null", text(), "absent"),
        ("\"see .nothing\" # nor .this", text(), "text see .nothing"),
        ("if !is_blank(.address.value) { 1.5 } else { 2.5 }", Kind::Number, "number 2.5"),
        ("name = upper(.first)\nname + \"!\"", text(), "text ADA!"),
    ];
    for (text, to, expected) in cases {
        assert_eq!(run(text, to), expected, "{text}");
    }
}

#[test]
fn a_field_that_was_not_read_is_blank_in_expressions() {
    let source = vec![field("a", text()), field("b", text())];
    let given = applied(
        expression("x", r#"concat([.a, .b], " ")"#),
        source,
        text(),
        &Tables::default(),
        &record(&[("b", "B".into())]),
    );
    assert_eq!(given, "text B");
}

#[test]
fn scope_and_projection() {
    let source = schema(
        "persons",
        vec![
            field("is_deleted", Kind::Bool),
            field("name", text()),
            field("emails", Kind::Email { many: true }),
            field("other", text()),
        ],
    );
    let target = schema("contacts", vec![field("x", text()), field("y", text())]);
    let mut flow = flow(vec![from("x", "name"), expression("y", "upper(.name)")]);
    flow.scope = Some(handover_model::Scope { expression: ".is_deleted == false".to_owned(), place: place(3) });
    flow.matching = vec![handover_model::MatchKey {
        kind: handover_model::MatchKind::Email,
        source: vec!["emails".into(), "id".into()],
        target: vec!["x".into()],
        region: None,
        place: place(4),
    }];
    let program = Program::compile(&flow, &source, &target, &Tables::default()).unwrap();
    assert_eq!(program.source_fields(), ["emails", "is_deleted", "name"]);
    assert_eq!(program.in_scope(&record(&[("is_deleted", false.into())])), Ok(true));
    assert_eq!(program.in_scope(&record(&[("is_deleted", true.into())])), Ok(false));
    assert_eq!(program.in_scope(&record(&[])), Ok(false), "null is not false");
}

#[test]
fn every_function_does_what_its_example_says() {
    for function in registry().iter().filter(|function| function.place != Place::Steps) {
        let rule = expression("x", function.example);
        let given = applied(rule, vec![], Kind::Opaque, &Tables::default(), &record(&[]));
        let given = match given.strip_prefix('{') {
            Some(map) => map.trim_end_matches('}'),
            None => given.split_once(' ').map_or(given.as_str(), |(_, value)| value).trim_end_matches(']'),
        };
        assert_eq!(given.replace("text ", ""), function.result, "{}", function.name);
    }
}

#[test]
fn the_registry_is_whole() {
    let lines: Vec<String> = registry()
        .iter()
        .map(|function| {
            assert!(function.doc.ends_with('.') && !function.example.is_empty(), "{}", function.name);
            let parameters: Vec<String> = function
                .parameters
                .iter()
                .map(|parameter| {
                    assert!(parameter.doc.ends_with('.'), "{}", function.name);
                    let mark = if parameter.required { "" } else { "?" };
                    format!("{}{mark}: {:?}", parameter.name, parameter.takes)
                })
                .collect();
            let fallible = if function.fallible { "!" } else { "" };
            format!(
                "{}{fallible}({}) -> {:?} {:?}",
                function.name,
                parameters.join(", "),
                function.gives,
                function.place
            )
        })
        .collect();
    insta::assert_snapshot!(lines.join("\n"));
}
