//! What the values of a whole column tell about its form.

use handover_model::{FieldName, ObjectName};

use crate::parse::{date, flag, instant, number};
use crate::{DateOrder, Decimals, Form};

/// Something that the files do not say and that was found out from them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Inferred {
    /// The object.
    pub object: ObjectName,
    /// The column; `None` for the file as a whole.
    pub column: Option<FieldName>,
    /// What was found out: `windows-1252`, `semicolon`, `d/m/y`, `text`.
    pub what: String,
    /// Why, with lines and without values.
    pub evidence: String,
    /// The values allow several readings: the column stays text until its form is set.
    pub ambiguous: bool,
    /// Rows whose cell points to no row of the other file, or to several.
    pub dangling: u64,
}

/// What a column may be until a line says otherwise.
#[derive(Clone, Debug)]
pub(crate) struct Column {
    filled: u64,
    /// For each candidate the first line that it cannot read.
    died: [Option<u64>; CANDIDATES.len()],
    /// A separator stood in a number.
    separated: bool,
}

const POINT: Form = Form::Number(Decimals::Point);
const COMMA: Form = Form::Number(Decimals::Comma);

const CANDIDATES: [Form; 9] = [
    Form::Bool,
    POINT,
    COMMA,
    Form::Date(DateOrder::YearFirst),
    Form::Date(DateOrder::DayFirst),
    Form::Date(DateOrder::MonthFirst),
    Form::DateTime(DateOrder::YearFirst),
    Form::DateTime(DateOrder::DayFirst),
    Form::DateTime(DateOrder::MonthFirst),
];

impl Column {
    pub(crate) fn new() -> Self {
        Self { filled: 0, died: [None; CANDIDATES.len()], separated: false }
    }

    /// Takes note of a cell.
    pub(crate) fn see(&mut self, cell: &str, line: u64) {
        let text = cell.trim();
        if text.is_empty() {
            return;
        }
        self.filled += 1;
        self.separated |= text.contains(['.', ',']);
        for (form, died) in CANDIDATES.iter().zip(&mut self.died) {
            if died.is_none() && !reads(*form, text) {
                *died = Some(line);
            }
        }
    }

    fn alive(&self, form: Form) -> bool {
        self.filled > 0 && self.died(form).is_none()
    }

    fn died(&self, form: Form) -> Option<u64> {
        let at = CANDIDATES.iter().position(|candidate| *candidate == form)?;
        self.died.get(at).copied().flatten()
    }

    /// Every value reads in two ways.
    pub(crate) fn is_ambiguous(&self) -> bool {
        let both = |one: Form, other: Form| self.alive(one) && self.alive(other);
        let days = |form: fn(DateOrder) -> Form| both(form(DateOrder::DayFirst), form(DateOrder::MonthFirst));
        self.separated && both(POINT, COMMA) || days(Form::Date) || days(Form::DateTime)
    }

    /// The form, and why.
    pub(crate) fn form(&self) -> (Form, String) {
        let all = match self.filled {
            0 => return (Form::Text, "no row has a value".to_owned()),
            1 => "the only value".to_owned(),
            many => format!("all {many} values"),
        };
        match (self.alive(POINT), self.alive(COMMA)) {
            (true, true) if self.separated => {
                let why = "ambiguous: every value reads both as `1,234.56` and as `1.234,56`; set the column's form";
                return (Form::Text, why.to_owned());
            }
            (true, true) => return (POINT, format!("{all} are whole numbers")),
            (true, false) => return (POINT, self.only("a decimal point", COMMA)),
            (false, true) => return (COMMA, self.only("a decimal comma", POINT)),
            (false, false) => {}
        }
        if self.alive(Form::Bool) {
            return (Form::Bool, format!("{all} are yes or no"));
        }
        for with_time in [false, true] {
            let form = |order| if with_time { Form::DateTime(order) } else { Form::Date(order) };
            let (day, month) = (form(DateOrder::DayFirst), form(DateOrder::MonthFirst));
            if self.alive(form(DateOrder::YearFirst)) {
                return (form(DateOrder::YearFirst), format!("{all} are days with the year first"));
            }
            match (self.alive(day), self.alive(month)) {
                (true, true) => {
                    let why = "ambiguous: every value reads both as d/m/y and as m/d/y; set the column's form";
                    return (Form::Text, why.to_owned());
                }
                (true, false) => return (day, self.only("the day first", month)),
                (false, true) => return (month, self.only("the month first", day)),
                (false, false) => {}
            }
        }
        (Form::Text, format!("{all} read as text"))
    }

    fn only(&self, how: &str, other: Form) -> String {
        match self.died(other) {
            Some(line) => format!("line {line} can only be read with {how}"),
            None => format!("read with {how}"),
        }
    }
}

fn reads(form: Form, text: &str) -> bool {
    match form {
        Form::Text => true,
        // 1 and 0 are numbers first.
        Form::Bool => flag(text).is_some() && !matches!(text, "1" | "0"),
        Form::Number(decimals) => number(text, decimals).is_some(),
        Form::Date(order) => date(text, order).is_some(),
        Form::DateTime(order) => instant(text, order).is_some(),
    }
}
