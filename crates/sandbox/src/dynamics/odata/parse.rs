//! Conditions from text.

use super::lexer::{Token, tokens};
use super::{Expr, Literal, Op, Path, Term, TextOp};
use crate::dynamics::refusal::Fault;

/// How deep conditions may be nested.
const DEPTH: usize = 100;

/// How many conditions a filter may have.
const CONDITIONS: usize = 500;

/// Reads a condition.
pub(in super::super) fn parse(text: &str) -> Result<Expr, Fault> {
    let at = |place: usize| {
        // What stands there is not repeated: it may be somebody's name.
        Fault::odata(format!("Syntax error at position {place} in '$filter'."))
    };
    let tokens = tokens(text).map_err(at)?;
    let joints = tokens.iter().filter(|(_, token)| matches!(token, Token::Word(word) if word == "and" || word == "or"));
    if joints.count() >= CONDITIONS {
        return Err(Fault::new(400, "0x8004430d", "Number of conditions in query exceeded maximum limit."));
    }
    let mut parser = Parser { tokens, at: 0, depth: 0 };
    let end = text.chars().count();
    let expr = parser.or().ok_or_else(|| at(parser.place().unwrap_or(end)))?;
    match parser.place() {
        None => Ok(expr),
        Some(place) => Err(at(place)),
    }
}

struct Parser {
    tokens: Vec<(usize, Token)>,
    at: usize,
    depth: usize,
}

impl Parser {
    fn place(&self) -> Option<usize> {
        self.tokens.get(self.at).map(|(place, _)| *place)
    }

    fn peek(&self) -> Option<&Token> {
        self.tokens.get(self.at).map(|(_, token)| token)
    }

    fn next(&mut self) -> Option<Token> {
        let token = self.peek().cloned();
        self.at += usize::from(token.is_some());
        token
    }

    fn take(&mut self, token: &Token) -> Option<()> {
        (self.peek()? == token).then(|| self.at += 1)
    }

    fn keyword(&mut self, word: &str) -> bool {
        let found = matches!(self.peek(), Some(Token::Word(name)) if name == word);
        self.at += usize::from(found);
        found
    }

    fn or(&mut self) -> Option<Expr> {
        let mut left = self.and()?;
        while self.keyword("or") {
            left = Expr::Or(Box::new(left), Box::new(self.and()?));
        }
        Some(left)
    }

    fn and(&mut self) -> Option<Expr> {
        let mut left = self.unary()?;
        while self.keyword("and") {
            left = Expr::And(Box::new(left), Box::new(self.unary()?));
        }
        Some(left)
    }

    fn unary(&mut self) -> Option<Expr> {
        self.depth += 1;
        if self.depth > DEPTH {
            return None;
        }
        let expr = if self.keyword("not") {
            Expr::Not(Box::new(self.unary()?))
        } else if self.peek() == Some(&Token::Open) {
            self.at += 1;
            let inner = self.or()?;
            self.take(&Token::Close)?;
            inner
        } else {
            self.condition()?
        };
        self.depth -= 1;
        Some(expr)
    }

    fn condition(&mut self) -> Option<Expr> {
        if let Some(Token::Word(name)) = self.peek().cloned()
            && self.tokens.get(self.at + 1).map(|(_, token)| token) == Some(&Token::Open)
        {
            self.at += 2;
            return self.call(&name);
        }
        let left = self.term()?;
        if let Term::Path(path) = &left
            && self.peek() == Some(&Token::Open)
        {
            let path = path.clone();
            self.at += 1;
            return self.lambda(path);
        }
        let op = match self.next()? {
            Token::Word(word) => match word.as_str() {
                "eq" => Op::Eq,
                "ne" => Op::Ne,
                "gt" => Op::Gt,
                "ge" => Op::Ge,
                "lt" => Op::Lt,
                "le" => Op::Le,
                _ => {
                    self.at -= 1;
                    return None;
                }
            },
            _ => {
                self.at -= 1;
                return None;
            }
        };
        let right = self.term()?;
        Some(Expr::Compare(left, op, right))
    }

    fn term(&mut self) -> Option<Term> {
        if let Some(Token::Value(value)) = self.peek().cloned() {
            self.at += 1;
            return Some(Term::Value(value));
        }
        Some(Term::Path(self.path()?))
    }

    fn path(&mut self) -> Option<Path> {
        let mut path = vec![self.word()?];
        while self.take(&Token::Slash).is_some() {
            path.push(self.word()?);
        }
        Some(path)
    }

    fn word(&mut self) -> Option<String> {
        match self.peek().cloned() {
            Some(Token::Word(word)) => {
                self.at += 1;
                Some(word)
            }
            _ => None,
        }
    }

    fn text(&mut self) -> Option<String> {
        match self.next()? {
            Token::Value(Literal::Text(text)) => Some(text),
            _ => None,
        }
    }

    fn call(&mut self, name: &str) -> Option<Expr> {
        let op = match name {
            "contains" => TextOp::Contains,
            "startswith" => TextOp::StartsWith,
            "endswith" => TextOp::EndsWith,
            "Microsoft.Dynamics.CRM.In" => return self.list(false),
            "Microsoft.Dynamics.CRM.NotIn" => return self.list(true),
            _ => {
                self.at -= 2;
                return None;
            }
        };
        let path = self.path()?;
        self.take(&Token::Comma)?;
        let text = self.text()?;
        self.take(&Token::Close)?;
        Some(Expr::Text(op, path, text))
    }

    /// `PropertyName='name',PropertyValues=['a','b'])`.
    fn list(&mut self, negated: bool) -> Option<Expr> {
        (self.word()? == "PropertyName").then_some(())?;
        self.take(&Token::Equals)?;
        let path = self.text()?.split('/').map(str::to_owned).collect();
        self.take(&Token::Comma)?;
        (self.word()? == "PropertyValues").then_some(())?;
        self.take(&Token::Equals)?;
        self.take(&Token::SquareOpen)?;
        let mut values = Vec::new();
        loop {
            values.push(self.text()?);
            if self.take(&Token::Comma).is_none() {
                break;
            }
        }
        self.take(&Token::SquareClose)?;
        self.take(&Token::Close)?;
        Some(Expr::In(path, values, negated))
    }

    /// `x:condition)` behind `nav/any(`.
    fn lambda(&mut self, mut path: Path) -> Option<Expr> {
        let any = match path.pop()?.as_str() {
            "any" => true,
            "all" => false,
            _ => return None,
        };
        if self.take(&Token::Close).is_some() {
            return (any && !path.is_empty()).then_some(Expr::Lambda(path, true, String::new(), None));
        }
        let variable = self.word()?;
        self.take(&Token::Colon)?;
        let body = self.or()?;
        self.take(&Token::Close)?;
        (!path.is_empty()).then_some(Expr::Lambda(path, any, variable, Some(Box::new(body))))
    }
}
