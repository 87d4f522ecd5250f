//! What is known about two platforms: which objects pair, which standard fields mean the same.
//!
//! Data only. A line counts where both accounts have its fields; of several lines for one target field
//! the first that counts is taken.

/// An object of one platform and its counterpart in another.
pub(super) struct Pair {
    /// The flow's name, also that of the mapping file.
    pub(super) flow: &'static str,
    /// The source object.
    pub(super) source: &'static str,
    /// The target object.
    pub(super) target: &'static str,
    /// What people should know before they read on.
    pub(super) about: &'static str,
    /// Which records belong to the flow; all when empty.
    pub(super) scope: &'static str,
    /// Why the flow is proposed switched off, with what it costs; on when empty.
    pub(super) opt_in: &'static str,
    /// Keys by which an existing target record is found.
    pub(super) matching: &'static [Match],
    /// Standard fields.
    pub(super) lines: &'static [Line],
    /// Source fields that are left out, and why.
    pub(super) excluded: &'static [(&'static str, &'static str)],
    /// For flows that go both ways: source fields over target fields, where the rule above cannot be turned round.
    pub(super) back: &'static [Line],
}

/// A match key.
pub(super) struct Match {
    pub(super) kind: &'static str,
    pub(super) source: &'static str,
    pub(super) targets: &'static [&'static str],
}

/// One target field.
#[derive(Clone, Copy)]
pub(super) struct Line {
    pub(super) target: &'static str,
    /// The source fields that it needs.
    pub(super) from: &'static [&'static str],
    pub(super) how: How,
}

/// How a target field is made of its source fields.
#[derive(Clone, Copy)]
pub(super) enum How {
    /// As it is; of several the first that is not blank (of links all). Those that the account does not
    /// have are left out of the list.
    Plain,
    /// The same, with these keys in the rule: `steps: [primary]`.
    With(&'static str),
    /// A VRL expression over them.
    Expr(&'static str),
    /// A constant.
    Value(&'static str),
    /// Options with equal labels; a table of this name for the others.
    Choices(&'static str),
    /// A table that `stages` fills, of this name, over an expression if it is not empty.
    Stages { table: &'static str, expr: &'static str },
    /// An expression over deals' stages, `{won}` and `{lost}` in it being true for those that mean it, with these keys
    /// in the rule; left out where the account has no such stages.
    ByEnding { expr: &'static str, keys: &'static str },
    /// A field of its own, created in the target under this name, with these keys in the rule.
    Carry { label: &'static str, with: &'static str },
}

pub(super) const fn plain(target: &'static str, from: &'static [&'static str]) -> Line {
    Line { target, from, how: How::Plain }
}

pub(super) const fn with(target: &'static str, from: &'static [&'static str], keys: &'static str) -> Line {
    Line { target, from, how: How::With(keys) }
}

pub(super) const fn expr(target: &'static str, from: &'static [&'static str], expr: &'static str) -> Line {
    Line { target, from, how: How::Expr(expr) }
}

pub(super) const fn constant(target: &'static str, value: &'static str) -> Line {
    Line { target, from: &[], how: How::Value(value) }
}

pub(super) const fn choices(target: &'static str, from: &'static [&'static str], table: &'static str) -> Line {
    Line { target, from, how: How::Choices(table) }
}

pub(super) const fn stages(
    target: &'static str,
    from: &'static [&'static str],
    table: &'static str,
    expr: &'static str,
) -> Line {
    Line { target, from, how: How::Stages { table, expr } }
}

pub(super) const fn carry(target: &'static str, from: &'static [&'static str], label: &'static str) -> Line {
    Line { target, from, how: How::Carry { label, with: "" } }
}

pub(super) const fn carry_with(
    target: &'static str,
    from: &'static [&'static str],
    label: &'static str,
    with: &'static str,
) -> Line {
    Line { target, from, how: How::Carry { label, with } }
}

pub(super) const fn by_ending(
    target: &'static str,
    from: &'static [&'static str],
    expr: &'static str,
    keys: &'static str,
) -> Line {
    Line { target, from, how: How::ByEnding { expr, keys } }
}

pub(super) const fn by(kind: &'static str, source: &'static str, targets: &'static [&'static str]) -> Match {
    Match { kind, source, targets }
}

/// The pairs for an ordered pair of platforms; none where no template is known.
pub(super) fn pairs(from: &str, to: &str) -> &'static [Pair] {
    match (from, to) {
        ("pipedrive", "hubspot") => super::to_hubspot::PAIRS,
        ("hubspot", "pipedrive") => super::to_pipedrive::PAIRS,
        _ => &[],
    }
}

/// What people call a platform.
pub(super) fn title(platform: &str) -> &str {
    match platform {
        "hubspot" => "HubSpot",
        "pipedrive" => "Pipedrive",
        "csv" => "The folder of files",
        other => other,
    }
}

/// Whether an object takes custom fields through the platform's API (sheets: HubSpot section 3 \[doc\],
/// Pipedrive section 3 \[spec\]).
pub(super) fn takes_fields(platform: &str, object: &str) -> bool {
    match platform {
        "hubspot" => !matches!(object, "files" | "attachments"),
        "pipedrive" => matches!(object, "organizations" | "persons" | "deals" | "products"),
        _ => false,
    }
}

/// Whether custom fields of an object can be unique (sheet: HubSpot section 3 \[doc\]; Pipedrive has no
/// unique fields, section 3 \[spec\]).
pub(super) fn takes_unique(platform: &str, object: &str) -> bool {
    platform == "hubspot" && matches!(object, "companies" | "contacts" | "deals")
}
