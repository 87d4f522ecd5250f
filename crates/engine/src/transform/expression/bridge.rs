//! Between model values and the expression language's values and kinds, and the registry's functions as
//! functions of that language.
//!
//! Days and times of day stand in expressions as text (`2026-01-31`), instants as timestamps, numbers as
//! integers where they are whole and as floats otherwise.

use std::collections::{BTreeMap, HashMap};
use std::str::FromStr;
use std::sync::LazyLock;
use std::time::SystemTime;

use handover_model::{Kind, Value};
use jiff::Timestamp;
use rust_decimal::Decimal;
use rust_decimal::prelude::ToPrimitive;
use vrl::compiler::state::TypeState;
use vrl::prelude::{
    ArgumentList, Collection, Compiled, Context, Example, Expression, Field, FunctionCompileContext,
    FunctionExpression, Kind as VrlKind, NotNan, Parameter as VrlParameter, Resolved, TypeDef, Value as VrlValue, kind,
};

use super::super::registry::{Function, Type, registry};

/// A model value in the language.
pub(super) fn to_vrl(value: &Value) -> VrlValue {
    match value {
        Value::Null => VrlValue::Null,
        Value::Bool(flag) => VrlValue::Boolean(*flag),
        Value::Number(number) => number_to_vrl(*number),
        Value::Text(text) => VrlValue::from(text.as_str()),
        Value::DateTime(instant) => VrlValue::Timestamp(SystemTime::from(*instant).into()),
        Value::Date(_) | Value::Time(_) => VrlValue::from(value.display()),
        Value::List(items) => VrlValue::Array(items.iter().map(to_vrl).collect()),
        Value::Map(parts) => {
            VrlValue::Object(parts.iter().map(|(name, part)| (name.as_str().into(), to_vrl(part))).collect())
        }
    }
}

fn number_to_vrl(number: Decimal) -> VrlValue {
    if number.fract().is_zero()
        && let Some(whole) = number.to_i64()
    {
        return VrlValue::Integer(whole);
    }
    let float = number.to_f64().and_then(|float| NotNan::new(float).ok());
    float.map_or(VrlValue::Null, VrlValue::Float)
}

/// A value of the language in the model; `None` for what the model cannot hold (an infinite number).
pub(super) fn from_vrl(value: VrlValue) -> Option<Value> {
    Some(match value {
        VrlValue::Null => Value::Null,
        VrlValue::Boolean(flag) => Value::Bool(flag),
        VrlValue::Integer(whole) => Value::Number(whole.into()),
        VrlValue::Float(float) => {
            let text = float.into_inner().to_string();
            Value::Number(Decimal::from_str(&text).ok()?)
        }
        VrlValue::Bytes(bytes) => Value::Text(String::from_utf8_lossy(&bytes).into_owned()),
        VrlValue::String(text) => Value::Text(text.to_string()),
        VrlValue::Regex(regex) => Value::Text(regex.to_string()),
        VrlValue::Timestamp(instant) => Value::DateTime(Timestamp::try_from(SystemTime::from(instant)).ok()?),
        VrlValue::Array(items) => Value::List(items.into_iter().map(from_vrl).collect::<Option<_>>()?),
        VrlValue::Object(parts) => {
            let parts = parts.into_iter().map(|(name, part)| Some((name.to_string(), from_vrl(part)?)));
            Value::Map(parts.collect::<Option<BTreeMap<_, _>>>()?)
        }
    })
}

/// The type of a source field in the language; every field may be blank.
pub(super) fn kind_of(kind: &Kind) -> VrlKind {
    match kind {
        Kind::Bool => VrlKind::boolean().or_null(),
        Kind::Number => VrlKind::integer().or_float().or_null(),
        Kind::DateTime => VrlKind::timestamp().or_null(),
        Kind::Choice { many: true, .. } | Kind::Reference { many: true, .. } => list_of(VrlKind::bytes()),
        Kind::Email { many: true } | Kind::Phone { many: true } => list_of(entry()),
        Kind::Opaque => VrlKind::any(),
        Kind::Text { .. }
        | Kind::Date
        | Kind::Time
        | Kind::Choice { .. }
        | Kind::User
        | Kind::Reference { .. }
        | Kind::Email { .. }
        | Kind::Phone { .. }
        | Kind::Currency => VrlKind::bytes().or_null(),
    }
}

fn list_of(entry: VrlKind) -> VrlKind {
    VrlKind::array(Collection::from_unknown(entry)).or_null()
}

fn entry() -> VrlKind {
    let text = || VrlKind::bytes().or_null();
    let parts: BTreeMap<Field, VrlKind> = BTreeMap::from([
        ("value".into(), text()),
        ("label".into(), text()),
        ("primary".into(), VrlKind::boolean().or_null()),
    ]);
    VrlKind::object(Collection::from_parts(parts, VrlKind::any()))
}

/// The registry's functions as functions of the language.
pub(super) static FUNCTIONS: LazyLock<Vec<Box<dyn vrl::compiler::Function>>> = LazyLock::new(|| {
    let usable = registry().iter().filter(|function| function.is_in_expressions());
    usable.map(|function| Box::new(Bridged(function)) as Box<dyn vrl::compiler::Function>).collect()
});

static PARAMETERS: LazyLock<HashMap<&'static str, Vec<VrlParameter>>> = LazyLock::new(|| {
    let parameters = |function: &Function| {
        let all = function.parameters.iter().map(|parameter| {
            let bits = bits(parameter.takes);
            match parameter.required {
                true => VrlParameter::required(parameter.name, bits, parameter.doc),
                false => VrlParameter::optional(parameter.name, bits, parameter.doc),
            }
        });
        all.collect()
    };
    registry().iter().map(|function| (function.name, parameters(function))).collect()
});

fn bits(takes: Type) -> u16 {
    let bits = match takes {
        Type::Text => kind::BYTES,
        Type::Number => kind::INTEGER | kind::FLOAT,
        Type::Bool => kind::BOOLEAN,
        Type::DateTime => kind::TIMESTAMP | kind::BYTES,
        Type::List => kind::ARRAY,
        Type::Any => kind::ANY,
    };
    bits | kind::NULL
}

#[derive(Debug)]
struct Bridged(&'static Function);

impl vrl::compiler::Function for Bridged {
    fn identifier(&self) -> &'static str {
        self.0.name
    }

    fn summary(&self) -> &'static str {
        self.0.doc
    }

    fn usage(&self) -> &'static str {
        self.0.doc
    }

    fn category(&self) -> &'static str {
        "Mapping"
    }

    fn return_kind(&self) -> u16 {
        bits(self.0.gives)
    }

    fn examples(&self) -> &'static [Example] {
        &[]
    }

    fn parameters(&self) -> &'static [VrlParameter] {
        PARAMETERS.get(self.0.name).map_or(&[], Vec::as_slice)
    }

    fn compile(&self, _: &TypeState, _: &mut FunctionCompileContext, arguments: ArgumentList) -> Compiled {
        let arguments = self.0.parameters.iter().map(|parameter| arguments.optional(parameter.name)).collect();
        Ok(Call { function: self.0, arguments }.as_expr())
    }
}

#[derive(Clone, Debug)]
struct Call {
    function: &'static Function,
    arguments: Vec<Option<Box<dyn Expression>>>,
}

impl FunctionExpression for Call {
    fn resolve(&self, ctx: &mut Context) -> Resolved {
        let mut values = Vec::with_capacity(self.arguments.len());
        for argument in &self.arguments {
            values.push(match argument {
                Some(argument) => from_vrl(argument.resolve(ctx)?).ok_or("the number is out of range")?,
                None => Value::Null,
            });
        }
        let given = self.function.call(&values)?;
        Ok(to_vrl(&given))
    }

    fn type_def(&self, state: &TypeState) -> TypeDef {
        let mut given = self.arguments.iter().flatten().map(|argument| argument.type_def(state).kind().clone());
        let mut kind = match self.function.gives {
            Type::Text => VrlKind::bytes(),
            Type::Number => VrlKind::integer().or_float(),
            Type::Bool => VrlKind::boolean(),
            Type::DateTime => VrlKind::timestamp(),
            Type::List => VrlKind::array(Collection::from_unknown(VrlKind::bytes())),
            Type::Any if self.function.sees_blank => with_default(given.next(), given.next()),
            Type::Any => given.next().map_or(VrlKind::any(), entries_of),
        };
        if self.function.blank || !self.function.sees_blank {
            kind.add_null();
        }
        TypeDef::from(kind).maybe_fallible(self.function.fallible)
    }
}

/// What one entry of a list is; anything else is a list of one.
fn entries_of(mut kind: VrlKind) -> VrlKind {
    match kind.as_array().map(Collection::reduced_kind) {
        Some(entries) => {
            kind.remove_array();
            kind.union(entries).upgrade_undefined()
        }
        None => kind,
    }
}

/// A value with another one in place of a blank.
fn with_default(value: Option<VrlKind>, otherwise: Option<VrlKind>) -> VrlKind {
    let mut kind = value.unwrap_or(VrlKind::null());
    kind.remove_null();
    kind.union(otherwise.unwrap_or(VrlKind::null()))
}
