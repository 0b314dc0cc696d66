//! Parses SQL: one text for all databases, or one for each.

use syn::LitStr;
use syn::parse::ParseStream;
use syn::{Ident, token};

use super::{Options, Reader};
use crate::attr::nested;

/// The databases that may have a text of their own, as the runtime's `Backend` names them.
pub(super) const DATABASES: &[&str] = &["sqlite", "postgres", "mysql", "mariadb"];

/// SQL that a person wrote.
#[derive(Default)]
pub(crate) struct Sql {
    /// The text for all databases; empty if there is one for each.
    pub(crate) any: String,
    /// Texts by database.
    pub(crate) by_database: Vec<(String, String)>,
}

impl Sql {
    pub(crate) fn is_empty(&self) -> bool {
        self.any.is_empty() && self.by_database.is_empty()
    }
}

impl Reader {
    /// `= "..."` or `= sql(sqlite = "...", postgres = "...")`
    pub(super) fn sql_value(self, input: ParseStream<'_>) -> syn::Result<Sql> {
        self.equals(input)?;
        self.sql(input)
    }

    /// `"..."`, `sql("...")` or `sql(sqlite = "...", postgres = "...")`
    pub(super) fn sql(self, input: ParseStream<'_>) -> syn::Result<Sql> {
        if input.peek(LitStr) {
            let any = self.literal(input)?.value;
            return Ok(Sql { any, ..Sql::default() });
        }
        let is_sql = input.peek(Ident) && input.peek2(token::Paren);
        if !is_sql || input.parse::<Ident>()? != "sql" {
            return Err(self.expected(input));
        }
        nested(input, |input| self.sql_inside(input))
    }

    /// `"..."` or `sqlite = "...", postgres = "..."`
    pub(super) fn sql_inside(self, input: ParseStream<'_>) -> syn::Result<Sql> {
        let mut sql = Sql::default();
        if input.peek(LitStr) {
            sql.any = self.literal(input)?.value;
            self.comma(input)?;
            return Ok(sql);
        }
        let mut options = Options::new(DATABASES);
        while !input.is_empty() {
            let (database, _) = options.next(input)?;
            sql.by_database.push((database, self.text(input)?.value));
            self.comma(input)?;
        }
        if sql.is_empty() { Err(self.expected_at(self.span)) } else { Ok(sql) }
    }
}
