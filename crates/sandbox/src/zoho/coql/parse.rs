//! Words become a query.

use serde_json::{Value as Json, json};

use super::lexer::{Token, syntax, tokens};
use super::{Column, Function, Query};
use crate::zoho::criteria::{Op, Test, Tree};
use crate::zoho::refusal::Refusal;

/// Records without a limit (sheet: section 4).
const LIMIT: usize = 200;

/// Reads a query.
pub(super) fn parse(text: &str) -> Result<Query, Refusal> {
    let mut parser = Parser { tokens: tokens(text)?, at: 0, end: text.len() };
    parser.expect("select")?;
    let columns = parser.list(Parser::column)?;
    parser.expect("from")?;
    let module = parser.word()?;
    // `where` is mandatory (sheet: section 4).
    parser.expect("where")?;
    let filter = parser.condition()?;
    let group_by = match parser.keyword("group") {
        true => {
            parser.expect("by")?;
            parser.list(Parser::path)?
        }
        false => Vec::new(),
    };
    let order_by = match parser.keyword("order") {
        true => {
            parser.expect("by")?;
            parser.list(Parser::order)?
        }
        false => Vec::new(),
    };
    let (mut limit, mut offset) = (LIMIT, 0);
    if parser.keyword("limit") {
        limit = parser.whole()?;
        if parser.sign(",") {
            // `limit 100, 50`: the offset comes first.
            offset = std::mem::replace(&mut limit, parser.whole()?);
        }
    }
    if parser.keyword("offset") {
        offset = parser.whole()?;
    }
    match parser.tokens.get(parser.at) {
        None => Ok(Query { columns, module, filter, group_by, order_by, limit, offset }),
        Some(_) => Err(parser.wrong()),
    }
}

struct Parser {
    tokens: Vec<(Token, usize)>,
    at: usize,
    end: usize,
}

/// Words that are no names.
const KEYWORDS: [&str; 16] = [
    "select", "from", "where", "and", "or", "not", "in", "like", "is", "null", "between", "group", "order", "by",
    "limit", "offset",
];

impl Parser {
    fn wrong(&self) -> Refusal {
        match self.tokens.get(self.at) {
            Some((Token::Word(word), at)) => syntax(word, *at),
            Some((Token::Sign(sign), at)) => syntax(sign, *at),
            // A value is not repeated.
            Some((Token::Value(_), at)) => syntax("value", *at),
            None => syntax("", self.end),
        }
    }

    fn is_keyword(&self, word: &str) -> bool {
        matches!(self.tokens.get(self.at), Some((Token::Word(found), _)) if found.eq_ignore_ascii_case(word))
    }

    fn keyword(&mut self, word: &str) -> bool {
        let found = self.is_keyword(word);
        self.at += usize::from(found);
        found
    }

    fn expect(&mut self, word: &str) -> Result<(), Refusal> {
        if self.keyword(word) { Ok(()) } else { Err(self.wrong()) }
    }

    fn sign(&mut self, sign: &str) -> bool {
        let found = matches!(self.tokens.get(self.at), Some((Token::Sign(found), _)) if *found == sign);
        self.at += usize::from(found);
        found
    }

    fn closes(&mut self) -> Result<(), Refusal> {
        if self.sign(")") { Ok(()) } else { Err(self.wrong()) }
    }

    fn word(&mut self) -> Result<String, Refusal> {
        match self.tokens.get(self.at) {
            Some((Token::Word(word), _)) if !KEYWORDS.contains(&word.to_lowercase().as_str()) => {
                self.at += 1;
                Ok(word.clone())
            }
            _ => Err(self.wrong()),
        }
    }

    fn path(&mut self) -> Result<Vec<String>, Refusal> {
        Ok(self.word()?.split('.').map(str::to_owned).collect())
    }

    fn list<T>(&mut self, mut one: impl FnMut(&mut Self) -> Result<T, Refusal>) -> Result<Vec<T>, Refusal> {
        let mut all = vec![one(self)?];
        while self.sign(",") {
            all.push(one(self)?);
        }
        Ok(all)
    }

    /// `Name`, `Account_Name.Name`, `COUNT(id) as n`.
    fn column(&mut self) -> Result<Column, Refusal> {
        let word = self.word()?;
        let mut column = Column { path: Vec::new(), function: None, name: word.clone() };
        if self.sign("(") {
            let function = match word.to_lowercase().as_str() {
                "count" => Function::Count,
                "sum" => Function::Sum,
                "min" => Function::Min,
                "max" => Function::Max,
                "avg" => Function::Avg,
                _ => return Err(self.wrong()),
            };
            column.path = self.path()?;
            self.closes()?;
            column.name = format!("{}({})", word.to_uppercase(), column.path.join("."));
            column.function = Some(function);
        } else {
            column.path = word.split('.').map(str::to_owned).collect();
        }
        if self.keyword("as") {
            column.name = match self.tokens.get(self.at) {
                Some((Token::Value(Json::String(alias)), _)) => {
                    let alias = alias.clone();
                    self.at += 1;
                    alias
                }
                _ => self.word()?,
            };
        }
        Ok(column)
    }

    fn order(&mut self) -> Result<(Vec<String>, bool), Refusal> {
        let path = self.path()?;
        let descends = self.keyword("desc");
        if !descends {
            self.keyword("asc");
        }
        Ok((path, descends))
    }

    fn whole(&mut self) -> Result<usize, Refusal> {
        let number = match self.tokens.get(self.at) {
            Some((Token::Value(value), _)) => value.as_u64().and_then(|number| usize::try_from(number).ok()),
            _ => None,
        };
        let number = number.ok_or_else(|| self.wrong())?;
        self.at += 1;
        Ok(number)
    }

    /// One condition, or two that are joined: more must be in brackets pairwise (sheet: section 4).
    fn condition(&mut self) -> Result<Tree, Refusal> {
        let first = self.term()?;
        let tree = if self.keyword("and") {
            Tree::All(vec![first, self.term()?])
        } else if self.keyword("or") {
            Tree::Any(vec![first, self.term()?])
        } else {
            return Ok(first);
        };
        match self.is_keyword("and") || self.is_keyword("or") {
            true => Err(self.wrong()),
            false => Ok(tree),
        }
    }

    fn term(&mut self) -> Result<Tree, Refusal> {
        if self.sign("(") {
            let tree = self.condition()?;
            self.closes()?;
            return Ok(tree);
        }
        let path = self.path()?;
        if self.keyword("is") {
            let op = if self.keyword("not") { Op::NotNull } else { Op::Null };
            self.expect("null")?;
            return Ok(Tree::Is(Test { path, op, values: Vec::new() }));
        }
        let negated = self.keyword("not");
        if self.keyword("in") {
            if !self.sign("(") {
                return Err(self.wrong());
            }
            let values = self.list(Self::value)?;
            self.closes()?;
            return Ok(Tree::Is(Test { path, op: if negated { Op::NotIn } else { Op::In }, values }));
        }
        if self.keyword("between") {
            let low = self.value()?;
            self.expect("and")?;
            let values = vec![low, self.value()?];
            return Ok(Tree::Is(Test { path, op: if negated { Op::NotBetween } else { Op::Between }, values }));
        }
        if self.keyword("like") {
            let value = self.value()?;
            return self.like(path, &value, negated);
        }
        if negated {
            return Err(self.wrong());
        }
        let signs = [
            ("=", Op::Equal),
            ("!=", Op::NotEqual),
            ("<=", Op::LessEqual),
            (">=", Op::GreaterEqual),
            ("<", Op::Less),
            (">", Op::Greater),
        ];
        let Some((_, op)) = signs.into_iter().find(|(sign, _)| self.sign(sign)) else { return Err(self.wrong()) };
        Ok(Tree::Is(Test { path, op, values: vec![self.value()?] }))
    }

    /// `'a%'` starts with, `'%a'` ends with, `'%a%'` contains; `not like` takes the last alone.
    fn like(&self, path: Vec<String>, value: &Json, negated: bool) -> Result<Tree, Refusal> {
        let text = value.as_str().unwrap_or("");
        let (start, end) = (text.starts_with('%'), text.len() > 1 && text.ends_with('%'));
        let values = vec![json!(text.trim_start_matches('%').trim_end_matches('%'))];
        let op = match (start, end, negated) {
            (true, true, true) => Op::NotContains,
            (_, _, true) => return Err(self.wrong()),
            (true, true, false) => Op::Contains,
            (true, false, false) => Op::EndsWith,
            (false, true, false) => Op::StartsWith,
            (false, false, false) => Op::Equal,
        };
        Ok(Tree::Is(Test { path, op, values }))
    }

    fn value(&mut self) -> Result<Json, Refusal> {
        let value = match self.tokens.get(self.at) {
            Some((Token::Value(value), _)) => Some(value.clone()),
            Some((Token::Word(word), _)) if word.eq_ignore_ascii_case("true") => Some(json!(true)),
            Some((Token::Word(word), _)) if word.eq_ignore_ascii_case("false") => Some(json!(false)),
            _ => None,
        };
        let value = value.ok_or_else(|| self.wrong())?;
        self.at += 1;
        Ok(value)
    }
}
