//! Parses the values of `unique`, `index` and `check`.

use proc_macro2::{Span, TokenTree};
use syn::ext::IdentExt;
use syn::parse::ParseStream;
use syn::{Ident, LitStr, Token, token};

use super::{Names, Options, Reader, Spanned, Sql, Text};
use crate::attr::{Place, nested};

/// `unique(...)`, on a struct or on a field.
pub(crate) struct Unique {
    pub(crate) name: Option<Text>,
    pub(crate) columns: Names,
    pub(crate) nulls_not_distinct: bool,
    pub(crate) include: Names,
    pub(crate) deferrable: Option<Text>,
    pub(crate) span: Span,
}

/// `index(...)`, on a struct or on a field.
#[derive(Default)]
pub(crate) struct Index {
    pub(crate) name: Option<Text>,
    pub(crate) terms: Vec<Term>,
    pub(crate) unique: bool,
    pub(crate) filter: Option<Sql>,
    pub(crate) using: Option<Text>,
    pub(crate) include: Names,
    /// The position of `nulls_not_distinct`.
    pub(crate) nulls_not_distinct: Option<Span>,
    pub(crate) with: Option<Text>,
    pub(crate) concurrently: bool,
}

impl Index {
    /// Whether it is an exclusion constraint.
    pub(crate) fn is_exclusion(&self) -> bool {
        self.terms.iter().any(|term| term.operator.is_some())
    }

    /// Whether the index makes plain columns unique for all rows, so that a foreign key can refer
    /// to them.
    pub(crate) fn is_whole(&self) -> bool {
        let is_plain =
            |term: &Term| term.sql.is_none() && term.collation.is_none() && term.opclass.is_none();
        self.unique && self.filter.is_none() && self.terms.iter().all(is_plain)
    }
}

/// `a`, `a desc`, `a collate "NOCASE"`, `sql("lower(a)")`
pub(crate) struct Term {
    /// The field's name, or just the position of an expression.
    pub(crate) what: Text,
    pub(crate) sql: Option<Sql>,
    pub(crate) collation: Option<Text>,
    pub(crate) descending: bool,
    /// How many characters are indexed.
    pub(crate) prefix: Option<u32>,
    pub(crate) opclass: Option<Text>,
    /// `nulls_first` or `nulls_last`; empty without either.
    pub(crate) nulls: &'static str,
    /// The operator of an exclusion constraint.
    pub(crate) operator: Option<Text>,
}

impl Term {
    /// Whether two terms have one collation and class of operators.
    pub(crate) fn orders_as(&self, other: &Term) -> bool {
        let text = |text: &Option<Text>| text.as_ref().map(|text| text.value.clone());
        text(&self.collation) == text(&other.collation)
            && text(&self.opclass) == text(&other.opclass)
    }
}

/// `check("age > 0")`
pub(crate) struct Check {
    pub(crate) name: Option<Text>,
    pub(crate) expression: Sql,
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
        let mut unique = Unique {
            name: None,
            columns: Vec::new(),
            nulls_not_distinct: false,
            include: Vec::new(),
            deferrable: None,
            span: self.span,
        };
        if !self.has_more(input)? {
            return Ok(unique);
        }
        nested(input, |input| {
            if self.place != Place::Field && !has_options(input) {
                unique.columns = self.names_inside(input)?;
                return Ok(());
            }
            let mut options = Options::new(self.valid(
                &["name", "columns", "nulls_not_distinct", "include", "deferrable"],
                &["name", "nulls_not_distinct", "include", "deferrable"],
            ));
            while !input.is_empty() {
                match options.next(input)?.0.as_str() {
                    "name" => unique.name = Some(self.text(input)?),
                    "nulls_not_distinct" => unique.nulls_not_distinct = true,
                    "include" => unique.include = self.names(input)?,
                    "deferrable" => unique.deferrable = Some(self.deferrable(input)?),
                    _ => unique.columns = self.names(input)?,
                }
                self.comma(input)?;
            }
            self.has_columns(unique.columns.is_empty())
        })?;
        Ok(unique)
    }

    /// `primary_key(a, b)` and `primary_key(name = "...", columns(a, b))`, on a struct: the name and
    /// the columns.
    pub(crate) fn primary_key(self, input: ParseStream<'_>) -> syn::Result<(Option<Text>, Names)> {
        if !input.peek(token::Paren) {
            return Err(self.expected(input));
        }
        nested(input, |input| {
            if !has_options(input) {
                return Ok((None, self.names_inside(input)?));
            }
            let (mut name, mut columns) = (None, Names::new());
            let mut options = Options::new(&["name", "columns"]);
            while !input.is_empty() {
                match options.next(input)?.0.as_str() {
                    "name" => name = Some(self.text(input)?),
                    _ => columns = self.names(input)?,
                }
                self.comma(input)?;
            }
            self.has_columns(columns.is_empty())?;
            Ok((name, columns))
        })
    }

    /// `index(a, b desc)` and `index(name = "...", columns(a), unique, where = "...")`; on a
    /// field `index` and the same without columns.
    pub(crate) fn index(self, input: ParseStream<'_>) -> syn::Result<Index> {
        let mut index = Index::default();
        if !self.has_more(input)? {
            return Ok(index);
        }
        nested(input, |input| {
            if self.place != Place::Field && !has_options(input) {
                index.terms = self.terms(input)?;
                return Ok(());
            }
            let mut options = Options::new(self.valid(
                &[
                    "name",
                    "columns",
                    "unique",
                    "where",
                    "using",
                    "include",
                    "nulls_not_distinct",
                    "with",
                    "concurrently",
                ],
                &[
                    "name",
                    "unique",
                    "where",
                    "using",
                    "include",
                    "nulls_not_distinct",
                    "with",
                    "concurrently",
                ],
            ));
            while !input.is_empty() {
                let (option, span) = options.next(input)?;
                match option.as_str() {
                    "name" => index.name = Some(self.text(input)?),
                    "unique" => index.unique = true,
                    "using" => index.using = Some(self.text(input)?),
                    "include" => index.include = self.names(input)?,
                    "nulls_not_distinct" => index.nulls_not_distinct = Some(span),
                    "with" => index.with = Some(self.parameters(input)?),
                    "concurrently" => index.concurrently = true,
                    "where" => index.filter = Some(self.sql_value(input)?),
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
        match index.nulls_not_distinct.filter(|_| !index.unique) {
            Some(span) => {
                let message = "`nulls_not_distinct` is for unique indexes; add `unique`";
                Err(syn::Error::new(span, message))
            }
            None => Ok(index),
        }
    }

    /// `exclude(name = "...", using = "gist", elements(a with "=", b with "&&"), where = "...")`
    pub(crate) fn exclude(self, input: ParseStream<'_>) -> syn::Result<Index> {
        let mut index = Index::default();
        if !input.peek(token::Paren) {
            return Err(self.expected(input));
        }
        nested(input, |input| {
            let mut options = Options::new(&["name", "using", "elements", "where"]);
            while !input.is_empty() {
                match options.next(input)?.0.as_str() {
                    "name" => index.name = Some(self.text(input)?),
                    "using" => index.using = Some(self.text(input)?),
                    "where" => index.filter = Some(self.sql_value(input)?),
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
        match index.terms.iter().find(|term| term.operator.is_none()) {
            Some(term) => {
                let message = "an element needs an operator, as in `room with \"=\"`";
                Err(syn::Error::new(term.what.span, message))
            }
            None => Ok(index),
        }
    }

    /// `("fillfactor = 70")`
    pub(super) fn parameters(self, input: ParseStream<'_>) -> syn::Result<Text> {
        if !input.peek(token::Paren) {
            return Err(self.expected(input));
        }
        nested(input, |input| self.literal(input))
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
        let (what, sql) = if is_sql {
            let sql = nested(input, |input| self.sql_inside(input))?;
            (Spanned { value: String::new(), span: what.span }, Some(sql))
        } else {
            (what, None)
        };
        let mut term = Term {
            what,
            sql,
            collation: None,
            descending: false,
            prefix: None,
            opclass: None,
            nulls: "",
            operator: None,
        };
        while input.peek(Ident::peek_any) {
            let ident = input.call(Ident::parse_any)?;
            if ident == "desc" {
                term.descending = true;
            } else if ident == "collate" {
                term.collation = Some(self.literal(input)?);
            } else if ident == "prefix" && self.key.name == "index" {
                term.prefix = Some(self.positive(input)?);
            } else if ident == "opclass" {
                term.opclass = Some(self.literal(input)?);
            } else if ident == "with" && self.key.name == "exclude" {
                term.operator = Some(self.literal(input)?);
            } else if ident == "nulls_first" {
                term.nulls = "nulls_first";
            } else if ident == "nulls_last" {
                term.nulls = "nulls_last";
            } else if ident != "asc" {
                if self.key.name == "exclude" {
                    let message = "expected `with \"...\"` after an element";
                    return Err(syn::Error::new(ident.span(), message));
                }
                let message = "expected `desc`, `collate \"...\"`, `prefix 20`, \
                               `opclass \"...\"`, `nulls_first`, `nulls_last` or `,` after a column";
                return Err(syn::Error::new(ident.span(), message));
            }
        }
        Ok(term)
    }

    /// `check("...")`, `check(name = "...", expr = "...")` and `check(sqlite = "...", ...)`
    pub(crate) fn check(self, input: ParseStream<'_>) -> syn::Result<Check> {
        if !input.peek(token::Paren) {
            return Err(self.expected(input));
        }
        nested(input, |input| {
            if input.peek(LitStr) {
                let expression = self.sql_inside(input)?;
                return Ok(Check { name: None, expression });
            }
            let (mut name, mut expression) = (None, None);
            let mut by_database = Vec::new();
            let mut options =
                Options::new(&["name", "expr", "sqlite", "postgres", "mysql", "mariadb"]);
            while !input.is_empty() {
                let (option, span) = options.next(input)?;
                match option.as_str() {
                    "name" => name = Some(self.text(input)?),
                    "expr" => expression = Some((self.sql_value(input)?, span)),
                    _ => by_database.push((option, self.text(input)?.value)),
                }
                self.comma(input)?;
            }
            match expression {
                Some((_, span)) if !by_database.is_empty() => {
                    let message = "`expr` is for all databases; write it or one for each of them";
                    Err(syn::Error::new(span, message))
                }
                Some((expression, _)) => Ok(Check { name, expression }),
                None if by_database.is_empty() => Err(self.expected_at(self.span)),
                None => {
                    let expression = Sql { by_database, ..Sql::default() };
                    Ok(Check { name, expression })
                }
            }
        })
    }
}
