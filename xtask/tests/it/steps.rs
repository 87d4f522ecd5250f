//! `steps.md`: every step and function, from the engine's one registry.

use std::fmt::Write as _;

use handover_engine::transform::{Function, Parameter, Place, registry};

const HEAD: &str = "\
# Steps and functions

Generated from the registry of the engine by `cargo xtask gen`. How steps and expressions are used in a
mapping stands in [mappings](mappings.md).

A blank value passes through untouched unless a line says otherwise. In an expression, a function marked
with `!` can fail: write `phone!(.phone)` to hold the record then, or `phone(.phone) ?? \"\"` for something
else instead. As a step, such a failure always holds the record.
";

#[test]
fn generated_steps_are_current() {
    let mut page = HEAD.to_owned();
    for (title, place) in [
        ("In steps and in expressions", Place::Everywhere),
        ("In steps only", Place::Steps),
        ("In expressions only", Place::Expressions),
    ] {
        write!(page, "\n## {title}\n").unwrap();
        for function in registry().iter().filter(|function| function.place == place) {
            page.push_str(&entry(function));
        }
    }
    super::generated("steps.md", &page);
}

fn entry(function: &Function) -> String {
    let mut text = format!("\n### {}{}\n\n{}\n", function.name, if function.fallible { "!" } else { "" }, function.doc);
    if function.sees_blank {
        text.push_str("It sees blank values too.\n");
    }
    if function.each && function.place != Place::Expressions {
        text.push_str("As a step, it goes over each entry of a list.\n");
    }
    text.push('\n');
    for (at, parameter) in function.parameters.iter().enumerate() {
        // The first argument is the value itself.
        if at > 0 || function.place == Place::Expressions {
            text.push_str(&line(parameter));
        }
    }
    writeln!(text, "- gives {}", function.gives.word()).unwrap();
    write!(text, "\n```text\n{}\n{}\n```\n", function.example, format!("= {}", function.result).trim_end()).unwrap();
    text
}

fn line(parameter: &Parameter) -> String {
    let optional = if parameter.required { "" } else { ", optional" };
    let words = if parameter.words.is_empty() { String::new() } else { format!(": {}", parameter.words.join(", ")) };
    format!("- `{}` ({}{optional}{words}): {}\n", parameter.name, parameter.takes.word(), parameter.doc)
}
