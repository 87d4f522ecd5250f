//! Phone numbers as Zoho takes them (sheet: Zoho section 5: a pattern, 30 characters).
//!
//! People part digits with whatever they like; Zoho takes one dot, hyphen or blank between two runs of letters and digits,
//! brackets around a run, a plus at the beginning and an extension behind a comma or semicolon. Digits are never touched, so
//! that it stays the same number; what has none is no number, and stays as it is for Zoho to refuse.

/// The number with Zoho's signs between its digits.
pub(super) fn written(text: &str) -> String {
    if !text.contains(|sign: char| sign.is_ascii_digit()) {
        return text.to_owned();
    }
    let has_brackets = is_bracketed(text);
    let mut out = String::with_capacity(text.len());
    let mut between = String::new();
    for sign in text.trim().chars() {
        let is_bracket = has_brackets && matches!(sign, '(' | ')');
        if !(sign.is_alphanumeric() || is_bracket || (sign == '+' && out.is_empty())) {
            between.push(sign);
            continue;
        }
        // Inside brackets nothing stands beside them, nor does anything behind the plus.
        if sign != ')' && out.ends_with(|last: char| last.is_alphanumeric() || last == ')') {
            out.push_str(joint(&between, sign));
        }
        between.clear();
        out.push(sign);
    }
    out
}

/// What stands between two runs.
fn joint(between: &str, next: char) -> &'static str {
    match between {
        "" => "",
        "-" if next != '(' => "-",
        "." if next != '(' => ".",
        "," => ",",
        ";" => ";",
        _ => " ",
    }
}

/// Whether every bracket has its other one, with something in it, and none stands in another.
fn is_bracketed(text: &str) -> bool {
    let mut inside = None;
    for sign in text.chars() {
        match (sign, &mut inside) {
            ('(', None) => inside = Some(false),
            (')', Some(true)) => inside = None,
            ('(' | ')', _) => return false,
            (sign, Some(is_filled)) => *is_filled |= sign.is_alphanumeric(),
            _ => {}
        }
    }
    inside.is_none()
}
