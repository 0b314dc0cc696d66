//! A cursor over the tokens of one statement, whose errors say where parsing stopped.

use std::ops::Range;

use crate::dialect::sqlite::lexicon::LEXICON;
use crate::sql::{Kind, Token, is_one_of};

/// Keywords for joins. They are valid as names, but not as types or defaults.
const JOINS: &[&str] = &["CROSS", "FULL", "INNER", "LEFT", "NATURAL", "OUTER", "RIGHT"];

pub(super) struct Cursor<'a> {
    sql: &'a str,
    /// The tokens without white space and comments.
    tokens: Vec<Token<'a>>,
    at: usize,
}

impl<'a> Cursor<'a> {
    pub(super) fn new(sql: &'a str) -> Result<Cursor<'a>, String> {
        let tokens = LEXICON.significant(sql);
        for token in &tokens {
            if !token.is_closed() {
                return Err(format!("the quote in `{}` is not closed", excerpt(token.text)));
            }
            if token.kind == Kind::Param {
                return Err(format!("the placeholder `{}` has no value", token.text));
            }
        }
        Ok(Cursor { sql, tokens, at: 0 })
    }

    pub(super) fn peek(&self) -> Option<&Token<'a>> {
        self.tokens.get(self.at)
    }

    pub(super) fn is_at_end(&self) -> bool {
        self.at == self.tokens.len()
    }

    /// Whether these words come next.
    pub(super) fn is_at(&self, words: &[&str]) -> bool {
        let tokens = self.tokens[self.at..].iter();
        tokens.take(words.len()).zip(words).filter(|(token, word)| token.is_word(word)).count()
            == words.len()
    }

    pub(super) fn is_at_symbol(&self, symbol: &str) -> bool {
        self.peek().is_some_and(|token| token.is_symbol(symbol))
    }

    /// Skips these words, if they come next.
    pub(super) fn eat(&mut self, words: &[&str]) -> bool {
        let is_at = self.is_at(words);
        self.at += if is_at { words.len() } else { 0 };
        is_at
    }

    pub(super) fn eat_symbol(&mut self, symbol: &str) -> bool {
        let is_at = self.is_at_symbol(symbol);
        self.at += usize::from(is_at);
        is_at
    }

    /// Takes the next token if it satisfies the condition.
    pub(super) fn eat_if(&mut self, fits: impl Fn(&Token<'a>) -> bool) -> Option<Token<'a>> {
        let token = self.peek().copied().filter(|token| fits(token))?;
        self.at += 1;
        Some(token)
    }

    pub(super) fn expect(&mut self, words: &[&str]) -> Result<(), String> {
        if self.eat(words) { Ok(()) } else { Err(self.expected(&format!("`{}`", words.join(" ")))) }
    }

    pub(super) fn expect_symbol(&mut self, symbol: &str) -> Result<(), String> {
        if self.eat_symbol(symbol) { Ok(()) } else { Err(self.expected(&format!("`{symbol}`"))) }
    }

    pub(super) fn expect_end(&self) -> Result<(), String> {
        if self.is_at_end() { Ok(()) } else { Err(self.expected("the end of the statement")) }
    }

    /// The next token as a name. SQLite also accepts a text in single quotes as a name.
    pub(super) fn name(&mut self, what: &str) -> Result<String, String> {
        let name = self.peek().and_then(|token| match token.kind {
            Kind::Word => (!LEXICON.is_reserved(token.text)).then(|| token.text.to_owned()),
            Kind::Quoted | Kind::Text => token.unquoted().map(String::from),
            _ => None,
        });
        let name = name.ok_or_else(|| self.expected(what))?;
        self.at += 1;
        Ok(name)
    }

    /// The content of the next pair of parentheses, which must be closed and not empty.
    pub(super) fn group(&mut self) -> Result<&'a str, String> {
        self.expect_symbol("(")?;
        let tokens = self.balanced(&[])?;
        let inside = self.text(tokens);
        if inside.is_empty() {
            return Err(self.expected("an expression"));
        }
        self.expect_symbol(")")?;
        Ok(inside)
    }

    /// Advances to the next of these marks, or to the closing parenthesis, outside of nested
    /// parentheses; returns the range of tokens before it.
    pub(super) fn balanced(&mut self, ends: &[&str]) -> Result<Range<usize>, String> {
        let from = self.at;
        let mut depth = 0;
        while let Some(token) = self.peek() {
            if token.is_symbol("(") {
                depth += 1;
            } else if depth == 0
                && (token.is_symbol(")") || ends.iter().any(|end| token.is_symbol(end)))
            {
                return Ok(from..self.at);
            } else if token.is_symbol(")") {
                depth -= 1;
            } else if token.is_symbol(";") {
                break;
            }
            self.at += 1;
        }
        Err(self.expected("`)`"))
    }

    /// The rest of the statement, up to a closing semicolon.
    pub(super) fn rest(&mut self) -> Result<&'a str, String> {
        let from = self.at;
        let mut depth = 0;
        while let Some(token) = self.peek() {
            depth += i32::from(token.is_symbol("(")) - i32::from(token.is_symbol(")"));
            if depth < 0 || token.is_symbol(";") {
                break;
            }
            self.at += 1;
        }
        if depth > 0 {
            return Err(self.expected("`)`"));
        }
        Ok(self.text(from..self.at))
    }

    pub(super) fn slice(&self, tokens: Range<usize>) -> &[Token<'a>] {
        &self.tokens[tokens]
    }

    /// The text of these tokens, including what is between them.
    pub(super) fn text(&self, tokens: Range<usize>) -> &'a str {
        match &self.tokens[tokens] {
            [] => "",
            [first, rest @ ..] => &self.sql[first.start..rest.last().unwrap_or(first).end()],
        }
    }

    /// The text from the token at this position up to the current one.
    pub(super) fn text_from(&self, from: usize) -> &'a str {
        self.text(from..self.at)
    }

    pub(super) fn position(&self) -> usize {
        self.at
    }

    /// White space and comments before the next token.
    pub(super) fn trivia(&self) -> &'a str {
        let from = if self.at == 0 { 0 } else { self.tokens[self.at - 1].end() };
        &self.sql[from..self.peek().map_or(self.sql.len(), |token| token.start)]
    }

    /// An error at the next token.
    pub(super) fn expected(&self, what: &str) -> String {
        match self.peek() {
            Some(token) => format!("expected {what} at `{}`", excerpt(&self.sql[token.start..])),
            None => format!("expected {what} at the end"),
        }
    }
}

/// Whether a token can be part of a type.
pub(super) fn is_of_type(token: &Token<'_>) -> bool {
    match token.kind {
        Kind::Word => {
            !LEXICON.is_reserved(token.text)
                && !is_one_of(token.text, JOINS)
                && !token.text.eq_ignore_ascii_case("INDEXED")
        }
        Kind::Quoted | Kind::Text => true,
        _ => false,
    }
}

/// Whether a token can be a default without parentheses or a sign.
pub(super) fn is_default(token: &Token<'_>) -> bool {
    match token.kind {
        Kind::Word => {
            token.is_word("NULL")
                || !LEXICON.is_reserved(token.text) && !is_one_of(token.text, JOINS)
        }
        Kind::Quoted => true,
        _ => is_constant(token),
    }
}

/// Whether a token is a number, a text or a blob.
pub(super) fn is_constant(token: &Token<'_>) -> bool {
    matches!(token.kind, Kind::Number | Kind::Text | Kind::Blob)
}

/// The beginning of a text, on one line.
fn excerpt(text: &str) -> String {
    let words: Vec<&str> = text.split_whitespace().take(8).collect();
    let text = words.join(" ");
    match text.char_indices().nth(40) {
        Some((end, _)) => format!("{}…", &text[..end]),
        None => text,
    }
}
