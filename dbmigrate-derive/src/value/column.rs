//! Parses the values of `generated`, `default` and `type`.

use syn::ext::IdentExt;
use syn::parse::ParseStream;
use syn::{Ident, Lit, LitBool, LitStr, Token, token};

use super::sql::{DATABASES, Sql};
use super::{Options, Reader, list, number};
use crate::attr::nested;

/// `generated("...", stored)`
pub(crate) struct Generated {
    pub(crate) expression: Sql,
    pub(crate) stored: bool,
}

/// A column's default.
pub(crate) enum DefaultValue {
    Bool(bool),
    Integer(i64),
    Real(String),
    Text(String),
    Blob(Vec<u8>),
    Now,
    Sql(Sql),
}

impl Reader {
    pub(crate) fn generated(self, input: ParseStream<'_>) -> syn::Result<Generated> {
        if !input.peek(token::Paren) {
            return Err(self.expected(input));
        }
        nested(input, |input| {
            let expression = self.generated_sql(input)?;
            let how = input.call(Ident::parse_any).map_err(|_| self.expected(input))?;
            let stored = how == "stored";
            if !stored && how != "virtual" {
                return Err(self.expected_at(how.span()));
            }
            self.comma(input)?;
            Ok(Generated { expression, stored })
        })
    }

    /// The expression and the comma after it: `"...",` or `sqlite = "...", postgres = "...",`.
    fn generated_sql(self, input: ParseStream<'_>) -> syn::Result<Sql> {
        let mut expression = Sql::default();
        let mut options = Options::new(DATABASES);
        while input.peek(Ident) && input.peek2(Token![=]) {
            let (database, _) = options.next(input)?;
            expression.by_database.push((database, self.text(input)?.value));
            input.parse::<Token![,]>().map_err(|_| self.expected(input))?;
        }
        if expression.is_empty() {
            expression = self.sql(input)?;
            input.parse::<Token![,]>().map_err(|_| self.expected(input))?;
        }
        Ok(expression)
    }

    pub(crate) fn default(self, input: ParseStream<'_>) -> syn::Result<DefaultValue> {
        self.equals(input)?;
        let span = input.span();
        if input.peek(Ident) && !input.peek(LitBool) {
            let ident: Ident = input.parse()?;
            if ident == "now" && !input.peek(Token![::]) && !input.peek(token::Paren) {
                return Ok(DefaultValue::Now);
            }
            if ident == "sql" && input.peek(token::Paren) {
                return Ok(DefaultValue::Sql(nested(input, |input| self.sql_inside(input))?));
            }
            return Err(self.expected_at(span));
        }
        let negative = input.parse::<Option<Token![-]>>()?.is_some();
        let sign = if negative { "-" } else { "" };
        match input.parse::<Lit>().map_err(|_| self.expected_at(span))? {
            Lit::Int(lit_int) => match format!("{sign}{}", lit_int.base10_digits()).parse() {
                Ok(number) => Ok(DefaultValue::Integer(number)),
                Err(_) => {
                    let message = "expected a number that fits a signed 64-bit integer";
                    Err(syn::Error::new(lit_int.span(), message))
                }
            },
            Lit::Float(lit_float) => {
                Ok(DefaultValue::Real(format!("{sign}{}", lit_float.base10_digits())))
            }
            Lit::Bool(lit_bool) if !negative => Ok(DefaultValue::Bool(lit_bool.value)),
            Lit::Str(lit) if !negative => Ok(DefaultValue::Text(lit.value())),
            Lit::Char(lit_char) if !negative => {
                Ok(DefaultValue::Text(lit_char.value().to_string()))
            }
            Lit::ByteStr(lit_byte_str) if !negative => Ok(DefaultValue::Blob(lit_byte_str.value())),
            _ => Err(self.expected_at(span)),
        }
    }
}

/// A column type in an attribute.
pub(crate) enum Ty {
    /// `Decimal(10, 2)`
    Named(&'static str, Vec<u32>),
    /// `raw("citext")`
    Raw(String),
    /// `raw(sqlite = "TEXT", postgres = "citext")`
    PerDialect(Vec<(String, String)>),
}

/// The types that `type = ...` can name, with the number of their parameters.
const TYPES: &[(&str, usize)] = &[
    ("Boolean", 0),
    ("TinyInteger", 0),
    ("SmallInteger", 0),
    ("Integer", 0),
    ("BigInteger", 0),
    ("TinyUnsigned", 0),
    ("SmallUnsigned", 0),
    ("Unsigned", 0),
    ("BigUnsigned", 0),
    ("Float", 0),
    ("Double", 0),
    ("Decimal", 2),
    ("Numeric", 0),
    ("String", 1),
    ("Text", 0),
    ("Date", 0),
    ("Time", 0),
    ("DateTime", 0),
    ("Timestamp", 0),
    ("Uuid", 0),
    ("Json", 0),
    ("Binary", 0),
    ("FixedBinary", 1),
];

impl Reader {
    pub(crate) fn ty(self, input: ParseStream<'_>) -> syn::Result<Ty> {
        self.equals(input)?;
        if !input.peek(Ident) {
            return Err(self.expected(input));
        }
        let ident: Ident = input.parse()?;
        let name = ident.to_string();
        if name == "raw" {
            if !input.peek(token::Paren) {
                return Err(self.expected_at(ident.span()));
            }
            return nested(input, |input| self.raw(input));
        }
        let Some((name, arity)) = TYPES.iter().find(|(text, _)| *text == name) else {
            let names: Vec<&str> = TYPES.iter().map(|(text, _)| *text).collect();
            let message = format!(
                "unknown column type `{name}`; expected {} or `raw(\"...\")`",
                list(&names, ",")
            );
            return Err(syn::Error::new(ident.span(), message));
        };
        let mut numbers = Vec::new();
        if input.peek(token::Paren) {
            numbers = nested(input, |input| {
                let mut numbers = Vec::new();
                while !input.is_empty() {
                    let number =
                        number(input).map_err(|err| err.unwrap_or_else(|| self.expected(input)))?;
                    numbers.push(number.value);
                    self.comma(input)?;
                }
                Ok(numbers)
            })?;
        }
        let form = match arity {
            0 => format!("`{name}`"),
            1 => format!("`{name}(length)`"),
            _ => format!("`{name}(precision, scale)`"),
        };
        let fits = match numbers[..] {
            [] => true,
            [length] => length > 0,
            [precision, scale, ..] => precision > 0 && scale <= precision,
        };
        if numbers.len() != *arity || !fits {
            return Err(syn::Error::new(ident.span(), format!("expected {form}")));
        }
        Ok(Ty::Named(name, numbers))
    }

    /// A database's own type. A column on SQLite may have an empty one.
    fn type_text(self, input: ParseStream<'_>) -> syn::Result<String> {
        if input.fork().parse::<LitStr>().is_ok_and(|text| text.value().is_empty()) {
            return Ok(input.parse::<LitStr>()?.value());
        }
        Ok(self.literal(input)?.value)
    }

    fn raw(self, input: ParseStream<'_>) -> syn::Result<Ty> {
        if input.peek(LitStr) {
            let text = self.type_text(input)?;
            self.comma(input)?;
            return Ok(Ty::Raw(text));
        }
        let mut types = Vec::new();
        let mut options = Options::new(DATABASES);
        while !input.is_empty() {
            let (dialect, _) = options.next(input)?;
            self.equals(input)?;
            types.push((dialect, self.type_text(input)?));
            self.comma(input)?;
        }
        if types.is_empty() { Err(self.expected_at(self.span)) } else { Ok(Ty::PerDialect(types)) }
    }
}
