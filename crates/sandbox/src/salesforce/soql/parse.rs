//! From text to a query, or `MALFORMED_QUERY` (sheet: section 4).

use super::ast::{Condition, Item, Literal, Operator, Order, Path, Query};
use super::lexer::{self, Token, unexpected};
use super::spot;
use crate::salesforce::refusal::Fault;

/// How deep conditions and subqueries may nest.
const DEPTH: usize = 32;

/// Words that end a list where an alias could stand.
const KEYWORDS: [&str; 14] = [
    "FROM", "WHERE", "GROUP", "HAVING", "ORDER", "LIMIT", "OFFSET", "WITH", "USING", "FOR", "ALL", "AND", "OR",
    "TYPEOF",
];

pub(in super::super) fn query(text: &str) -> Result<Query, Fault> {
    let mut parser = Parser { text, tokens: lexer::tokens(text)?, at: 0, depth: 0 };
    let query = parser.query()?;
    parser.end()?;
    Ok(query)
}

/// A condition alone, as validation rules have it.
pub(in super::super) fn condition(text: &str) -> Result<Condition, Fault> {
    let mut parser = Parser { text, tokens: lexer::tokens(text)?, at: 0, depth: 0 };
    let condition = parser.any()?;
    parser.end()?;
    Ok(condition)
}

struct Parser<'a> {
    text: &'a str,
    tokens: Vec<(Token, usize)>,
    at: usize,
    depth: usize,
}

impl Parser<'_> {
    fn peek(&self) -> Option<&Token> {
        self.tokens.get(self.at).map(|(token, _)| token)
    }

    fn offset(&self) -> usize {
        self.tokens.get(self.at).map_or(self.text.len(), |(_, offset)| *offset)
    }

    fn refuse<T>(&self) -> Result<T, Fault> {
        let message = match self.peek() {
            Some(Token::Word(word)) => unexpected(word),
            Some(Token::Sign(sign)) => unexpected(sign),
            Some(Token::Literal(Literal::Text(text))) => unexpected(text),
            Some(Token::Literal(_)) => unexpected("literal"),
            None => "unexpected token: '<EOF>'".to_owned(),
        };
        Err(spot(self.text, self.offset(), "MALFORMED_QUERY", &message))
    }

    fn end(&self) -> Result<(), Fault> {
        if self.peek().is_none() { Ok(()) } else { self.refuse() }
    }

    fn is_word(&self, word: &str) -> bool {
        matches!(self.peek(), Some(Token::Word(own)) if own.eq_ignore_ascii_case(word))
    }

    fn word(&mut self, word: &str) -> bool {
        let here = self.is_word(word);
        self.at += usize::from(here);
        here
    }

    fn need(&mut self, word: &str) -> Result<(), Fault> {
        if self.word(word) { Ok(()) } else { self.refuse() }
    }

    fn sign(&mut self, sign: &str) -> bool {
        let here = matches!(self.peek(), Some(Token::Sign(own)) if *own == sign);
        self.at += usize::from(here);
        here
    }

    fn need_sign(&mut self, sign: &str) -> Result<(), Fault> {
        if self.sign(sign) { Ok(()) } else { self.refuse() }
    }

    fn path(&mut self) -> Result<Path, Fault> {
        let at = self.offset();
        match self.peek() {
            Some(Token::Word(word)) if !word.starts_with('.') && !word.ends_with('.') && !word.contains("..") => {
                let parts = word.split('.').map(str::to_owned).collect();
                self.at += 1;
                Ok(Path { parts, at })
            }
            _ => self.refuse(),
        }
    }

    fn deeper(&mut self) -> Result<(), Fault> {
        self.depth += 1;
        if self.depth > DEPTH { self.refuse() } else { Ok(()) }
    }

    fn query(&mut self) -> Result<Query, Fault> {
        self.deeper()?;
        self.need("SELECT")?;
        let mut items = vec![self.item()?];
        while self.sign(",") {
            items.push(self.item()?);
        }
        self.need("FROM")?;
        let from = self.path()?;
        let alias = self.alias();
        if self.word("USING") {
            self.need("SCOPE")?;
            self.path()?;
        }
        let condition = if self.word("WHERE") { Some(self.any()?) } else { None };
        if self.word("WITH") {
            self.path()?;
        }
        let mut group = Vec::new();
        if self.word("GROUP") {
            self.need("BY")?;
            group.push(self.path()?);
            while self.sign(",") {
                group.push(self.path()?);
            }
        }
        let order = self.order()?;
        let limit = if self.word("LIMIT") { Some(self.count()?) } else { None };
        let offset = if self.word("OFFSET") { Some(self.count()?) } else { None };
        if self.word("FOR") && !(self.word("VIEW") || self.word("REFERENCE") || self.word("UPDATE")) {
            return self.refuse();
        }
        self.depth -= 1;
        Ok(Query { items, from, alias, condition, group, order, limit, offset })
    }

    fn alias(&mut self) -> Option<String> {
        match self.peek() {
            Some(Token::Word(word)) if !KEYWORDS.iter().any(|keyword| word.eq_ignore_ascii_case(keyword)) => {
                let alias = word.clone();
                self.at += 1;
                Some(alias)
            }
            _ => None,
        }
    }

    fn count(&mut self) -> Result<usize, Fault> {
        match self.peek() {
            Some(Token::Literal(Literal::Number(number))) if number.fract() == 0.0 && (0.0..1e9).contains(number) => {
                #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "checked above")]
                let count = *number as usize;
                self.at += 1;
                Ok(count)
            }
            _ => self.refuse(),
        }
    }

    fn item(&mut self) -> Result<Item, Fault> {
        if self.sign("(") {
            let query = self.query()?;
            self.need_sign(")")?;
            return Ok(Item::Children(query));
        }
        if self.is_word("TYPEOF") {
            return self.type_of();
        }
        let path = self.path()?;
        if !self.sign("(") {
            return Ok(Item::Field(path));
        }
        let function = path.text().to_uppercase();
        let inner = if self.sign(")") {
            None
        } else {
            let inner = self.path()?;
            self.need_sign(")")?;
            Some(inner)
        };
        match function.as_str() {
            "FIELDS" => match inner {
                Some(group) => Ok(Item::Fields { group: group.text().to_uppercase(), at: path.at }),
                None => self.refuse(),
            },
            "COUNT" | "COUNT_DISTINCT" | "MIN" | "MAX" | "SUM" | "AVG" => {
                let alias = self.alias();
                Ok(Item::Aggregate { function, path: inner, alias, at: path.at })
            }
            "TOLABEL" => inner.map(Item::Field).map_or_else(|| self.refuse(), Ok),
            _ => Err(spot(self.text, path.at, "MALFORMED_QUERY", &unexpected("("))),
        }
    }

    fn type_of(&mut self) -> Result<Item, Fault> {
        self.need("TYPEOF")?;
        let path = self.path()?;
        let mut cases = Vec::new();
        while self.word("WHEN") {
            let object = self.path()?.text();
            self.need("THEN")?;
            cases.push((object, self.paths()?));
        }
        let other = if self.word("ELSE") { self.paths()? } else { Vec::new() };
        self.need("END")?;
        Ok(Item::TypeOf { path, cases, other })
    }

    fn paths(&mut self) -> Result<Vec<Path>, Fault> {
        let mut paths = vec![self.path()?];
        while self.sign(",") {
            paths.push(self.path()?);
        }
        Ok(paths)
    }

    fn order(&mut self) -> Result<Vec<Order>, Fault> {
        let mut order = Vec::new();
        if !self.word("ORDER") {
            return Ok(order);
        }
        self.need("BY")?;
        loop {
            let path = self.path()?;
            let descending = !self.word("ASC") && self.word("DESC");
            let mut nulls_last = false;
            if self.word("NULLS") {
                nulls_last = self.word("LAST");
                if !nulls_last {
                    self.need("FIRST")?;
                }
            }
            order.push(Order { path, descending, nulls_last });
            if !self.sign(",") {
                return Ok(order);
            }
        }
    }

    /// Conditions joined by OR; AND and OR must not be mixed without parentheses.
    fn any(&mut self) -> Result<Condition, Fault> {
        self.deeper()?;
        let first = self.one()?;
        let word = if self.is_word("OR") { "OR" } else { "AND" };
        let mut parts = vec![first];
        while self.word(word) {
            parts.push(self.one()?);
        }
        if self.is_word("AND") || self.is_word("OR") {
            return self.refuse();
        }
        self.depth -= 1;
        Ok(match (parts.len(), parts.pop()) {
            (1, Some(only)) => only,
            (_, last) => {
                parts.extend(last);
                if word == "OR" { Condition::Any(parts) } else { Condition::All(parts) }
            }
        })
    }

    fn one(&mut self) -> Result<Condition, Fault> {
        if self.sign("(") {
            let inner = self.any()?;
            self.need_sign(")")?;
            return Ok(inner);
        }
        if self.word("NOT") {
            self.deeper()?;
            let inner = self.one()?;
            self.depth -= 1;
            return Ok(Condition::Not(Box::new(inner)));
        }
        let path = self.path()?;
        let operator = self.operator()?;
        match operator {
            Operator::In | Operator::NotIn | Operator::Includes | Operator::Excludes => {
                self.need_sign("(")?;
                if self.is_word("SELECT") && matches!(operator, Operator::In | Operator::NotIn) {
                    let query = Box::new(self.query()?);
                    self.need_sign(")")?;
                    return Ok(Condition::Semijoin { path, inside: operator == Operator::In, query });
                }
                let mut values = vec![self.literal()?];
                while self.sign(",") {
                    values.push(self.literal()?);
                }
                self.need_sign(")")?;
                Ok(Condition::Compare { path, operator, values })
            }
            _ => {
                let values = vec![self.literal()?];
                Ok(Condition::Compare { path, operator, values })
            }
        }
    }

    fn operator(&mut self) -> Result<Operator, Fault> {
        for (sign, operator) in [
            ("=", Operator::Equal),
            ("!=", Operator::NotEqual),
            ("<>", Operator::NotEqual),
            ("<=", Operator::LessOrEqual),
            (">=", Operator::GreaterOrEqual),
            ("<", Operator::Less),
            (">", Operator::Greater),
        ] {
            if self.sign(sign) {
                return Ok(operator);
            }
        }
        if self.word("NOT") {
            self.need("IN")?;
            return Ok(Operator::NotIn);
        }
        for (word, operator) in [
            ("LIKE", Operator::Like),
            ("IN", Operator::In),
            ("INCLUDES", Operator::Includes),
            ("EXCLUDES", Operator::Excludes),
        ] {
            if self.word(word) {
                return Ok(operator);
            }
        }
        self.refuse()
    }

    fn literal(&mut self) -> Result<Literal, Fault> {
        let literal = match self.peek() {
            Some(Token::Literal(literal)) => literal.clone(),
            Some(Token::Word(word)) => match word.to_uppercase().as_str() {
                "NULL" => Literal::Null,
                "TRUE" => Literal::Bool(true),
                "FALSE" => Literal::Bool(false),
                period if super::period::is_known(period) => return self.period(period.to_owned()),
                _ => return self.refuse(),
            },
            _ => return self.refuse(),
        };
        self.at += 1;
        Ok(literal)
    }

    fn period(&mut self, word: String) -> Result<Literal, Fault> {
        self.at += 1;
        if !word.contains("_N_") {
            return Ok(Literal::Period(word, 0));
        }
        self.need_sign(":")?;
        let count = self.count()?;
        Ok(Literal::Period(word, i64::try_from(count).unwrap_or(0)))
    }
}
