//! Parses the values of keys.

mod column;
mod constraint;
mod reference;
mod sql;
mod table;

use proc_macro2::Span;
use syn::ext::IdentExt;
use syn::parse::ParseStream;
use syn::{Ident, LitBool, LitInt, LitStr, Path, Token, token};

pub(crate) use column::{DefaultValue, Generated, Ty};
pub(crate) use constraint::{Check, Index, Unique};
pub(crate) use reference::{Actions, ForeignKey, Reference};
pub(crate) use sql::Sql;
pub(crate) use table::Mysql;

use crate::attr::{Key, Place, nested};

/// A value and its position in the source.
pub(crate) struct Spanned<T> {
    pub(crate) value: T,
    pub(crate) span: Span,
}

type Text = Spanned<String>;

/// Columns, by the names of their fields.
pub(crate) type Names = Vec<Text>;

/// Reads the value of one key.
#[derive(Clone, Copy)]
pub(crate) struct Reader {
    pub(crate) key: &'static Key,
    pub(crate) place: Place,
    pub(crate) span: Span,
}

impl Reader {
    /// An error that the value isn't what the key expects, at the position of the value.
    fn expected(self, input: ParseStream<'_>) -> syn::Error {
        let span = if input.is_empty() { self.span } else { input.span() };
        self.expected_at(span)
    }

    fn expected_at(self, span: Span) -> syn::Error {
        syn::Error::new(span, format!("expected `{}`", self.key.form(self.place)))
    }

    fn equals(self, input: ParseStream<'_>) -> syn::Result<()> {
        input.parse::<Token![=]>().map(drop).map_err(|_| self.expected(input))
    }

    /// `key`
    pub(crate) fn flag(self, input: ParseStream<'_>) -> syn::Result<Span> {
        if !input.is_empty() && !input.peek(Token![,]) {
            let message = format!("`{}` doesn't take a value", self.key.name);
            return Err(input.error(message));
        }
        Ok(self.span)
    }

    /// `key = "text"`
    pub(crate) fn text(self, input: ParseStream<'_>) -> syn::Result<Text> {
        self.equals(input)?;
        self.literal(input)
    }

    /// `"text"`
    fn literal(self, input: ParseStream<'_>) -> syn::Result<Text> {
        let text: LitStr = input.parse().map_err(|_| self.expected(input))?;
        let value = text.value();
        if value.trim().is_empty() {
            let message = format!("`{}` takes a string that isn't empty", self.key.name);
            return Err(syn::Error::new(text.span(), message));
        }
        if value.contains('\0') {
            let message = "no database takes a string with a NUL byte";
            return Err(syn::Error::new(text.span(), message));
        }
        Ok(Spanned { value, span: text.span() })
    }

    /// `key = 1`
    pub(crate) fn number(self, input: ParseStream<'_>) -> syn::Result<Spanned<u32>> {
        self.equals(input)?;
        self.bare_number(input)
    }

    fn bare_number(self, input: ParseStream<'_>) -> syn::Result<Spanned<u32>> {
        number(input).map_err(|err| err.unwrap_or_else(|| self.expected(input)))
    }

    /// `20`, but not 0.
    pub(crate) fn positive(self, input: ParseStream<'_>) -> syn::Result<u32> {
        let found = self.bare_number(input)?;
        if found.value == 0 {
            return Err(syn::Error::new(found.span, "expected a number from 1 to 4294967295"));
        }
        Ok(found.value)
    }

    /// `key` or `key = false`
    pub(crate) fn switch(self, input: ParseStream<'_>) -> syn::Result<Spanned<bool>> {
        if input.is_empty() || input.peek(Token![,]) {
            return Ok(Spanned { value: true, span: self.span });
        }
        self.equals(input)?;
        let value: LitBool = input.parse().map_err(|_| self.expected(input))?;
        Ok(Spanned { value: value.value, span: self.span })
    }

    /// `key = path`
    pub(crate) fn path(self, input: ParseStream<'_>) -> syn::Result<Path> {
        self.equals(input)?;
        input.call(Path::parse_mod_style).map_err(|_| self.expected(input))
    }

    /// `key(a, b)`
    pub(crate) fn names(self, input: ParseStream<'_>) -> syn::Result<Names> {
        if !input.peek(token::Paren) {
            return Err(self.expected(input));
        }
        nested(input, |input| self.names_inside(input))
    }

    pub(super) fn names_inside(self, input: ParseStream<'_>) -> syn::Result<Names> {
        let mut names = Vec::new();
        while !input.is_empty() {
            names.push(self.name(input)?);
            self.comma(input)?;
        }
        if names.is_empty() {
            return Err(syn::Error::new(input.span(), "expected the names of fields"));
        }
        Ok(names)
    }

    /// A field's name, or a column's name in quotes, which needn't be an identifier.
    fn name(self, input: ParseStream<'_>) -> syn::Result<Text> {
        if input.peek(LitStr) {
            return self.literal(input);
        }
        if !input.peek(Ident::peek_any) {
            return Err(input.error("expected the name of a field"));
        }
        let ident = input.call(Ident::parse_any)?;
        Ok(Spanned { value: ident.unraw().to_string(), span: ident.span() })
    }

    fn comma(self, input: ParseStream<'_>) -> syn::Result<()> {
        if !input.is_empty() {
            input.parse::<Token![,]>().map_err(|_| self.expected(input))?;
        }
        Ok(())
    }
}

/// A number, or the mistake in it, or `Err(None)` if there is no number.
fn number(input: ParseStream<'_>) -> Result<Spanned<u32>, Option<syn::Error>> {
    let number: LitInt = input.parse().map_err(|_| None)?;
    let value = number
        .base10_parse()
        .map_err(|_| syn::Error::new(number.span(), "expected a number from 0 to 4294967295"))?;
    Ok(Spanned { value, span: number.span() })
}

/// The options of a key in parentheses: which ones occurred, with their positions.
struct Options {
    seen: Vec<String>,
    valid: &'static [&'static str],
}

impl Options {
    fn new(valid: &'static [&'static str]) -> Options {
        Options { seen: Vec::new(), valid }
    }

    /// The next option's name, if it is a valid one that hasn't occurred yet.
    fn next(&mut self, input: ParseStream<'_>) -> syn::Result<(String, Span)> {
        let valid = || format!("expected {}", list(self.valid, "or"));
        if !input.peek(Ident::peek_any) {
            return Err(input.error(valid()));
        }
        let ident = input.call(Ident::parse_any)?;
        let name = ident.to_string();
        if !self.valid.contains(&name.as_str()) {
            let message = format!("unknown option `{name}`; {}", valid());
            return Err(syn::Error::new(ident.span(), message));
        }
        if self.seen.contains(&name) {
            let message = format!("`{name}` is given twice");
            return Err(syn::Error::new(ident.span(), message));
        }
        self.seen.push(name.clone());
        Ok((name, ident.span()))
    }
}

/// `` `a`, `b` or `c` ``
pub(crate) fn list<S: AsRef<str>>(names: &[S], last: &str) -> String {
    let quoted: Vec<String> = names.iter().map(|name| format!("`{}`", name.as_ref())).collect();
    match quoted.split_last() {
        Some((end, [])) => end.clone(),
        Some((end, rest)) if last != "," => format!("{} {last} {end}", rest.join(", ")),
        _ => quoted.join(", "),
    }
}
