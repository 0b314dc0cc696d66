//! SQL as tokens: enough to compare, search and rename in a text without understanding it.
//!
//! What a token is depends on the database, whose rules are a [`Lexicon`]. A dialect has its own;
//! where no database is known, it is [`NEUTRAL`].

mod expression;
mod lexer;
mod lexicon;
mod quotes;
mod rename;

use std::borrow::Cow;

pub use expression::is_balanced;
pub(crate) use expression::without_parentheses;
pub(crate) use lexicon::RULES;
pub use lexicon::{Comments, Lexicon, NEUTRAL, Names, Params, Statements, Words};
pub use quotes::{Escapes, Inside, Quotes};

/// A piece of SQL. All tokens of a text, one after the other, are the text.
#[derive(Debug, Clone, Copy)]
pub struct Token<'a> {
    /// What it is.
    pub kind: Kind,
    /// As it is written.
    pub text: &'a str,
    /// Where it begins in the text, in bytes.
    pub start: usize,
    /// The rules by which it was read.
    lexicon: &'static Lexicon,
}

/// What a token is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// White space.
    Space,
    /// `-- to the end of the line` or `/* between these */`; of one whose content is run, as
    /// MySQL's `/*!80000 this */`, the beginning and the end.
    Comment,
    /// A keyword or a name without quotes.
    Word,
    /// A name in quotes.
    Quoted,
    /// A text.
    Text,
    /// `x'00ff'`.
    Blob,
    /// A number without a sign.
    Number,
    /// A placeholder such as `?1` or `:name`.
    Param,
    /// A variable of the session, as MySQL's `@name`.
    Variable,
    /// An operator or punctuation mark, or a character that SQL doesn't know.
    Symbol,
}

impl<'a> Token<'a> {
    /// Where the token ends in the text, in bytes.
    pub fn end(&self) -> usize {
        self.start + self.text.len()
    }

    /// Whether it has a meaning: it is neither white space nor a comment.
    pub fn is_significant(&self) -> bool {
        !matches!(self.kind, Kind::Space | Kind::Comment)
    }

    /// Whether it is a comment that ends with its line.
    pub fn is_line_comment(&self) -> bool {
        self.kind == Kind::Comment && !self.text.starts_with("/*") && self.text != "*/"
    }

    /// Whether it is that keyword, in whatever case.
    pub fn is_word(&self, word: &str) -> bool {
        self.kind == Kind::Word && self.text.eq_ignore_ascii_case(word)
    }

    /// Whether it is that name, as a word or in quotes.
    pub fn is_name(&self, name: &str) -> bool {
        self.identifier().is_some_and(|identifier| self.lexicon.names.same(&identifier, name))
    }

    /// Whether it is that mark.
    pub fn is_symbol(&self, symbol: &str) -> bool {
        self.kind == Kind::Symbol && self.text == symbol
    }

    /// The name that a word or a quoted name stands for, in the spelling that it has in the
    /// catalog where that is the word's to say.
    pub fn identifier(&self) -> Option<Cow<'a, str>> {
        let is_lowered = self.lexicon.names == Names::LowerUnlessQuoted
            && self.text.contains(|char: char| char.is_ascii_uppercase());
        match self.kind {
            Kind::Word if is_lowered => Some(Cow::Owned(self.text.to_ascii_lowercase())),
            Kind::Word => Some(Cow::Borrowed(self.text)),
            Kind::Quoted => self.unquoted(),
            Kind::Space
            | Kind::Comment
            | Kind::Text
            | Kind::Blob
            | Kind::Number
            | Kind::Param
            | Kind::Variable
            | Kind::Symbol => None,
        }
    }

    /// What a quoted name or a text stands for, if it is closed.
    pub fn unquoted(&self) -> Option<Cow<'a, str>> {
        if !matches!(self.kind, Kind::Quoted | Kind::Text) {
            return None;
        }
        if let Some(quotes) = self.lexicon.quotes(self.text) {
            return quotes.content(self.text);
        }
        let tag = quotes::dollar_tag(self.text)?;
        let (_, is_closed) = self.lexicon.dollar_quoted(self.text)?;
        is_closed.then(|| Cow::Borrowed(&self.text[tag..self.text.len() - tag]))
    }

    /// Whether the token ends by itself: its quotes or its comment are closed.
    pub fn is_closed(&self) -> bool {
        match self.kind {
            Kind::Quoted | Kind::Text | Kind::Blob => match self.lexicon.quotes(self.text) {
                Some(quotes) => quotes.len(self.text).is_some(),
                None => self.lexicon.dollar_quoted(self.text).is_some_and(|(_, closed)| closed),
            },
            Kind::Comment => self.lexicon.comment(self.text).is_none_or(|(_, closed)| closed),
            Kind::Space
            | Kind::Word
            | Kind::Number
            | Kind::Param
            | Kind::Variable
            | Kind::Symbol => true,
        }
    }
}

/// A name in double quotes, as SQL's standard has it.
pub fn quote(name: &str) -> String {
    format!("\"{}\"", name.replace('"', "\"\""))
}

/// A text in single quotes, as SQL's standard has it.
pub fn quote_text(text: &str) -> String {
    format!("'{}'", text.replace('\'', "''"))
}

pub(crate) fn is_one_of(word: &str, words: &[&str]) -> bool {
    words.iter().any(|other| other.eq_ignore_ascii_case(word))
}

#[cfg(test)]
mod tests;
