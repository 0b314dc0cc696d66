//! Parses the values of `unique`, `index` and `check`.

use proc_macro2::{Span, TokenTree};
use syn::ext::IdentExt;
use syn::parse::ParseStream;
use syn::{Ident, LitStr, Token, token};

use super::{Names, Options, Reader, Text};
use crate::attr::{Place, nested};

/// `unique(...)`, on a struct or on a field.
pub(crate) struct Unique {
    pub(crate) name: Option<Text>,
    pub(crate) columns: Names,
    pub(crate) span: Span,
}

/// `index(...)`, on a struct or on a field.
pub(crate) struct Index {
    pub(crate) name: Option<Text>,
    pub(crate) terms: Vec<Term>,
    pub(crate) unique: bool,
    pub(crate) filter: Option<Text>,
}

impl Index {
    /// Whether the index makes plain columns unique for all rows, so that a foreign key can refer
    /// to them.
    pub(crate) fn is_whole(&self) -> bool {
        let is_plain = |term: &Term| !term.is_sql && term.collation.is_none();
        self.unique && self.filter.is_none() && self.terms.iter().all(is_plain)
    }
}

/// `a`, `a desc`, `a collate "NOCASE"`, `sql("lower(a)")`
pub(crate) struct Term {
    pub(crate) what: Text,
    pub(crate) is_sql: bool,
    pub(crate) collation: Option<Text>,
    pub(crate) descending: bool,
}

/// `check("age > 0")`
pub(crate) struct Check {
    pub(crate) name: Option<Text>,
    pub(crate) expression: Text,
}

/// Whether the parentheses contain options, and not just columns.
fn has_options(input: ParseStream<'_>) -> bool {
    let ahead = input.fork();
    while !ahead.is_empty() {
        let Ok(token) = ahead.parse::<TokenTree>() else { return false };
        if let TokenTree::Ident(ident) = &token {
            let is_columns = ident == "columns" && ahead.peek(token::Paren);
            if is_columns || ahead.peek(Token![=]) {
                return true;
            }
        }
    }
    false
}

impl Reader {
    /// `unique(a, b)` and `unique(name = "...", columns(a, b))`; on a field `unique` and
    /// `unique(name = "...")`.
    pub(crate) fn unique(self, input: ParseStream<'_>) -> syn::Result<Unique> {
        let mut unique = Unique { name: None, columns: Vec::new(), span: self.span };
        if !self.has_more(input)? {
            return Ok(unique);
        }
        nested(input, |input| {
            if self.place != Place::Field && !has_options(input) {
                unique.columns = self.names_inside(input)?;
                return Ok(());
            }
            let mut options = Options::new(self.valid(&["name", "columns"], &["name"]));
            while !input.is_empty() {
                match options.next(input)?.0.as_str() {
                    "name" => unique.name = Some(self.text(input)?),
                    _ => unique.columns = self.names(input)?,
                }
                self.comma(input)?;
            }
            self.has_columns(unique.columns.is_empty())
        })?;
        Ok(unique)
    }

    /// `index(a, b desc)` and `index(name = "...", columns(a), unique, where = "...")`; on a
    /// field `index` and the same without columns.
    pub(crate) fn index(self, input: ParseStream<'_>) -> syn::Result<Index> {
        let mut index = Index { name: None, terms: Vec::new(), unique: false, filter: None };
        if !self.has_more(input)? {
            return Ok(index);
        }
        nested(input, |input| {
            if self.place != Place::Field && !has_options(input) {
                index.terms = self.terms(input)?;
                return Ok(());
            }
            let mut options = Options::new(
                self.valid(&["name", "columns", "unique", "where"], &["name", "unique", "where"]),
            );
            while !input.is_empty() {
                match options.next(input)?.0.as_str() {
                    "name" => index.name = Some(self.text(input)?),
                    "unique" => index.unique = true,
                    "where" => index.filter = Some(self.text(input)?),
                    _ => {
                        if !input.peek(token::Paren) {
                            return Err(self.expected(input));
                        }
                        index.terms = nested(input, |input| self.terms(input))?;
                    }
                }
                self.comma(input)?;
            }
            self.has_columns(index.terms.is_empty())
        })?;
        Ok(index)
    }

    /// Whether parentheses follow; only a field's key can omit them.
    fn has_more(self, input: ParseStream<'_>) -> syn::Result<bool> {
        let alone = input.is_empty() || input.peek(Token![,]);
        match (input.peek(token::Paren), alone, self.place) {
            (true, ..) => Ok(true),
            (false, true, Place::Field) => Ok(false),
            _ => Err(self.expected(input)),
        }
    }

    fn valid(
        self,
        on_struct: &'static [&'static str],
        on_field: &'static [&'static str],
    ) -> &'static [&'static str] {
        if self.place == Place::Field { on_field } else { on_struct }
    }

    fn has_columns(self, none: bool) -> syn::Result<()> {
        if none && self.place != Place::Field { Err(self.expected_at(self.span)) } else { Ok(()) }
    }

    fn terms(self, input: ParseStream<'_>) -> syn::Result<Vec<Term>> {
        let mut terms = Vec::new();
        while !input.is_empty() {
            terms.push(self.term(input)?);
            self.comma(input)?;
        }
        if terms.is_empty() {
            return Err(syn::Error::new(input.span(), "expected the names of fields"));
        }
        Ok(terms)
    }

    fn term(self, input: ParseStream<'_>) -> syn::Result<Term> {
        let what = self.name(input)?;
        let is_sql = what.value == "sql" && input.peek(token::Paren);
        let what = if is_sql { nested(input, |input| self.literal(input))? } else { what };
        let mut term = Term { what, is_sql, collation: None, descending: false };
        while input.peek(Ident::peek_any) {
            let ident = input.call(Ident::parse_any)?;
            if ident == "desc" {
                term.descending = true;
            } else if ident == "collate" {
                term.collation = Some(self.literal(input)?);
            } else if ident != "asc" {
                let message = "expected `desc`, `collate \"...\"` or `,` after a column";
                return Err(syn::Error::new(ident.span(), message));
            }
        }
        Ok(term)
    }

    /// `check("...")` and `check(name = "...", expr = "...")`
    pub(crate) fn check(self, input: ParseStream<'_>) -> syn::Result<Check> {
        if !input.peek(token::Paren) {
            return Err(self.expected(input));
        }
        nested(input, |input| {
            if input.peek(LitStr) {
                let expression = self.literal(input)?;
                self.comma(input)?;
                return Ok(Check { name: None, expression });
            }
            let (mut name, mut expression) = (None, None);
            let mut options = Options::new(&["name", "expr"]);
            while !input.is_empty() {
                match options.next(input)?.0.as_str() {
                    "name" => name = Some(self.text(input)?),
                    _ => expression = Some(self.text(input)?),
                }
                self.comma(input)?;
            }
            let expression = expression.ok_or_else(|| self.expected_at(self.span))?;
            Ok(Check { name, expression })
        })
    }
}
