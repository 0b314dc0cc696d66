//! Parses the options that one database has: `sqlite(...)`, `postgres(...)` and `mysql(...)`.

use syn::ext::IdentExt;
use syn::parse::ParseStream;
use syn::{Ident, token};

use super::{Options, Reader, Spanned, Text};
use crate::attr::{Place, nested};

/// `postgres(unlogged, with("..."), tablespace = "...")`
#[derive(Default)]
pub(crate) struct Postgres {
    pub(crate) options: Vec<String>,
    pub(crate) with: Option<Text>,
    pub(crate) tablespace: Option<Text>,
}

/// `mysql(engine = "...", charset = "...", collate = "...")`, or of a field
/// `mysql(on_update_now, invisible, charset = "...")`
#[derive(Default)]
pub(crate) struct Mysql {
    pub(crate) engine: Option<Text>,
    pub(crate) charset: Option<Text>,
    pub(crate) collate: Option<Text>,
    /// Words without a value.
    pub(crate) options: Vec<String>,
}

impl Reader {
    /// `= "billing"`
    pub(crate) fn schema(self, input: ParseStream<'_>) -> syn::Result<Text> {
        let schema = self.text(input)?;
        if schema.value.contains('.') {
            let message =
                "a schema's name can't contain a dot, which separates it from the table's";
            return Err(syn::Error::new(schema.span, message));
        }
        Ok(schema)
    }

    /// `sqlite(strict, without_rowid)`
    pub(crate) fn sqlite(self, input: ParseStream<'_>) -> syn::Result<Vec<String>> {
        let mut found = Vec::new();
        self.options_of(input, &["strict", "without_rowid"], |option, _| {
            found.push(option);
            Ok(())
        })?;
        Ok(found)
    }

    pub(crate) fn postgres(self, input: ParseStream<'_>) -> syn::Result<Postgres> {
        let mut postgres = Postgres::default();
        self.options_of(input, &["unlogged", "with", "tablespace"], |option, input| {
            match option.as_str() {
                "with" => postgres.with = Some(self.parameters(input)?),
                "tablespace" => postgres.tablespace = Some(self.text(input)?),
                _ => postgres.options.push(option),
            }
            Ok(())
        })?;
        Ok(postgres)
    }

    pub(crate) fn mysql(self, input: ParseStream<'_>) -> syn::Result<Mysql> {
        let valid: &[&str] = match self.place {
            Place::Field => &["on_update_now", "invisible", "charset"],
            _ => &["engine", "charset", "collate"],
        };
        let mut mysql = Mysql::default();
        self.options_of(input, valid, |option, input| {
            match option.as_str() {
                "engine" => mysql.engine = Some(self.text(input)?),
                "charset" => mysql.charset = Some(self.text(input)?),
                "collate" => mysql.collate = Some(self.text(input)?),
                _ => mysql.options.push(option),
            }
            Ok(())
        })?;
        Ok(mysql)
    }

    /// Reads options in parentheses, at least one.
    fn options_of(
        self,
        input: ParseStream<'_>,
        valid: &'static [&'static str],
        mut read: impl FnMut(String, ParseStream<'_>) -> syn::Result<()>,
    ) -> syn::Result<()> {
        if !input.peek(token::Paren) {
            return Err(self.expected(input));
        }
        nested(input, |input| {
            if input.is_empty() {
                return Err(self.expected(input));
            }
            let mut options = Options::new(valid);
            while !input.is_empty() {
                read(options.next(input)?.0, input)?;
                self.comma(input)?;
            }
            Ok(())
        })
    }

    /// `= always`
    pub(crate) fn identity(self, input: ParseStream<'_>) -> syn::Result<Text> {
        self.equals(input)?;
        let span = if input.is_empty() { self.span } else { input.span() };
        let value = input.call(Ident::parse_any).map_or(String::new(), |ident| ident.to_string());
        if !["always", "by_default", "serial"].contains(&value.as_str()) {
            return Err(self.expected_at(span));
        }
        Ok(Spanned { value, span })
    }
}
