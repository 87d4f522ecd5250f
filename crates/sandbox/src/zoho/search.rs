//! `GET /{M}/search`: an index that lags behind (sheet: section 4, search).

use serde_json::{Value as Json, json};

use super::call::Call;
use super::criteria::{Op, Test, Tree};
use super::list;
use super::refusal::{Answer, Refusal, nothing};
use super::schema::{Field, Kind, Module};
use super::scopes::Does;
use super::view;
use super::world::{Row, World};
use crate::Reply;

/// Records that a search reaches.
const REACH: usize = 2_000;

/// Conditions in a search.
const CONDITIONS: usize = 10;

/// `GET /{M}/search`.
pub(super) fn answer(world: &World, call: &Call<'_>, module: &Module) -> Answer {
    call.may("ZohoSearch.securesearch", Does::Read)?;
    call.may_in(world, &module.api_name, Does::Read)?;
    let (per_page, page) = (call.number("per_page", 200, 200)?, call.number("page", usize::MAX, 1)?);
    let start = (page - 1).saturating_mul(per_page);
    if start >= REACH {
        let refusal = Refusal::new("LIMIT_REACHED", "Maximum response iteration limit reached");
        return Err(refusal.with(json!({"limit": REACH})));
    }
    let names = match call.list("fields") {
        Some(_) => list::names(call, module)?,
        None => module.fields.iter().map(|field| field.api_name.clone()).collect(),
    };
    let found = found(world, call, module)?;
    let here: Vec<Json> = found
        .iter()
        .take(REACH)
        .skip(start)
        .take(per_page)
        .map(|row| view::some(world, call.version, module, row, &names))
        .collect();
    if here.is_empty() {
        return Ok(nothing());
    }
    let more = found.len().min(REACH) > start + here.len();
    let info = json!({"per_page": per_page, "count": here.len(), "page": page, "more_records": more});
    Ok(Reply::json(200, &json!({"data": here, "info": info})))
}

fn found<'a>(world: &'a World, call: &Call<'_>, module: &Module) -> Result<Vec<&'a Row>, Refusal> {
    let converted = call.param("converted").unwrap_or("false");
    let mut rows = world.seen(&module.api_name, world.settings.search_lag_s);
    rows.retain(|row| converted == "both" || (converted == "true") == row.is("$converted"));
    rows.sort_by_key(|row| std::cmp::Reverse(row.id));
    let of_kind = |row: &Row, kind: Kind, fits: &dyn Fn(&str) -> bool| {
        let fields = module.fields.iter().filter(|field| field.data_type == kind);
        fields.into_iter().any(|field| row.values.get(&field.api_name).and_then(Json::as_str).is_some_and(fits))
    };
    if let Some(text) = call.param("criteria") {
        let tree = criteria(world, module, text)?;
        rows.retain(|row| tree.holds(world, module, row));
    } else if let Some(email) = call.param("email") {
        rows.retain(|row| of_kind(row, Kind::Email, &|text| text.eq_ignore_ascii_case(email)));
    } else if let Some(phone) = call.param("phone") {
        let digits = |text: &str| text.chars().filter(char::is_ascii_alphanumeric).collect::<String>();
        rows.retain(|row| of_kind(row, Kind::Phone, &|text| digits(text) == digits(phone)));
    } else if let Some(word) = call.param("word") {
        if word.chars().count() < 2 {
            return Err(Refusal::bad_param("word"));
        }
        let word = word.to_lowercase();
        let has = |value: &Json| value.as_str().is_some_and(|text| text.to_lowercase().contains(&word));
        let fields: Vec<&Field> = module.fields.iter().filter(|field| !field.data_type.points()).collect();
        rows.retain(|row| fields.iter().any(|field| row.values.get(&field.api_name).is_some_and(has)));
    } else {
        return Err(Refusal::missing_param("criteria"));
    }
    Ok(rows)
}

fn invalid(reason: &str) -> Refusal {
    Refusal::new("INVALID_QUERY", "invalid query formed").with(json!({"reason": reason}))
}

fn criteria(world: &World, module: &Module, text: &str) -> Result<Tree, Refusal> {
    let letters: Vec<char> = text.chars().collect();
    let mut reader = Reader { letters: &letters, at: 0 };
    let mut tree = reader.group().filter(|_| reader.at == letters.len()).ok_or_else(|| invalid("syntax"))?;
    if tree.tests().len() > CONDITIONS {
        return Err(Refusal::limit(
            "The limit of criteria is exceeded",
            json!({"limit": CONDITIONS, "param_name": "criteria"}),
        ));
    }
    tree.prepare(world, module)
        .map_err(|field| invalid("the field is not available").with(json!({"api_name": field})))?;
    // The index finds words, so that an equal text may well be a longer one (sheet: section 4).
    if world.settings.loose_equals {
        loosen(module, &mut tree);
    }
    Ok(tree)
}

fn loosen(module: &Module, tree: &mut Tree) {
    match tree {
        Tree::All(trees) | Tree::Any(trees) => trees.iter_mut().for_each(|tree| loosen(module, tree)),
        Tree::Is(test) => {
            let field = test.path.first().and_then(|name| module.field(name));
            if test.op == Op::Equal && field.is_some_and(|field| field.data_type == Kind::Text) {
                test.op = Op::Contains;
            }
        }
    }
}

/// Reads `((Email:equals:a@x.io)and(Last_Name:starts_with:R))`.
struct Reader<'a> {
    letters: &'a [char],
    at: usize,
}

impl Reader<'_> {
    fn peek(&self) -> Option<char> {
        self.letters.get(self.at).copied()
    }

    /// `(..)`, and what is joined to it.
    fn group(&mut self) -> Option<Tree> {
        let mut trees = vec![self.bracket()?];
        let mut joint: Option<&str> = None;
        while let Some(word) = ["and", "or"].into_iter().find(|word| self.takes(word)) {
            if joint.is_some_and(|joint| joint != word) {
                return None;
            }
            joint = Some(word);
            trees.push(self.bracket()?);
        }
        Some(match (joint, trees.pop()) {
            (None, last) => return last,
            (Some("and"), last) => Tree::All(trees.into_iter().chain(last).collect()),
            (Some(_), last) => Tree::Any(trees.into_iter().chain(last).collect()),
        })
    }

    fn takes(&mut self, word: &str) -> bool {
        let fits = word
            .chars()
            .enumerate()
            .all(|(n, letter)| self.letters.get(self.at + n).is_some_and(|found| found.eq_ignore_ascii_case(&letter)));
        self.at += if fits { word.len() } else { 0 };
        fits
    }

    fn bracket(&mut self) -> Option<Tree> {
        if !self.takes("(") {
            return None;
        }
        let inner = if self.peek() == Some('(') { self.group()? } else { self.test()? };
        self.takes(")").then_some(inner)
    }

    /// `Field:operator:value`, where brackets, commas and backslashes are escaped.
    fn test(&mut self) -> Option<Tree> {
        let path = self.word(':')?;
        let op = Op::of(&self.word(':')?)?;
        let mut values = vec![String::new()];
        loop {
            match self.peek()? {
                ')' => break,
                '(' => return None,
                '\\' => {
                    self.at += 1;
                    let letter = self.peek()?;
                    values.last_mut()?.push(letter);
                }
                ',' if matches!(op, Op::In | Op::NotIn | Op::Between) => values.push(String::new()),
                letter => values.last_mut()?.push(letter),
            }
            self.at += 1;
        }
        if op == Op::Between && values.len() != 2 {
            return None;
        }
        let path = path.split('.').map(str::to_owned).collect();
        Some(Tree::Is(Test { path, op, values: values.into_iter().map(Json::String).collect() }))
    }

    fn word(&mut self, end: char) -> Option<String> {
        let mut word = String::new();
        while self.peek()? != end {
            word.push(self.peek().filter(|letter| letter.is_alphanumeric() || matches!(letter, '_' | '.'))?);
            self.at += 1;
        }
        self.at += 1;
        (!word.is_empty()).then_some(word)
    }
}
