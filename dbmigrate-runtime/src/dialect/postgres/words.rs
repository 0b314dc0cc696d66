//! Types as PostgreSQL keeps them, and as `format_type` names them.

use crate::backend::Backend;
use crate::schema::Type;
use crate::sql::{self, Kind, Token};

use super::POSTGRES;
use super::types::type_name;

/// The type as PostgreSQL keeps it: every type that it doesn't tell apart from another one becomes
/// that one. `Err` is why it has no such type, as half a sentence.
pub(super) fn kept(ty: &Type) -> Result<Type, &'static str> {
    Ok(match ty {
        Type::TinyInteger | Type::TinyUnsigned => Type::SmallInteger,
        Type::SmallUnsigned => Type::Integer,
        Type::Unsigned => Type::BigInteger,
        Type::BigUnsigned => Type::Decimal(20, 0),
        Type::FixedBinary(_) => Type::Binary,
        Type::Enum(name, _) if name.is_empty() => Type::Text,
        Type::Array(of) => match kept(of)? {
            // Arrays have any number of dimensions.
            Type::Array(of) => Type::Array(of),
            of => Type::Array(Box::new(of)),
        },
        Type::Raw(_) | Type::PerDialect(_) => {
            read(ty.own_words(Backend::Postgres).ok_or("has no type for PostgreSQL")?)
        }
        Type::Boolean
        | Type::SmallInteger
        | Type::Integer
        | Type::BigInteger
        | Type::Float
        | Type::Double
        | Type::Decimal(..)
        | Type::Numeric
        | Type::String(_)
        | Type::Text
        | Type::Date
        | Type::Time
        | Type::DateTime
        | Type::Timestamp
        | Type::Uuid
        | Type::Json
        | Type::Binary
        | Type::Enum(..) => ty.clone(),
    })
}

/// The type's name in messages, in which an enumeration has its values.
pub(super) fn shown(ty: &Type) -> String {
    match ty {
        Type::Enum(name, values) if !name.is_empty() => {
            let values: Vec<_> = values.iter().map(|value| sql::quote_text(value)).collect();
            format!("{} ({})", sql::quote(name), values.join(", "))
        }
        Type::Array(of) => format!("{}[]", shown(of)),
        ty => type_name(ty).unwrap_or_else(|_| ty.to_string()),
    }
}

/// The type that a declaration or `format_type` names. A type that isn't portable stays in words,
/// as `format_type` spells it if that is known.
pub(super) fn read(declared: &str) -> Type {
    let tokens = POSTGRES.significant(declared);
    let Some(words) = Words::of(&tokens) else { return Type::raw(declared.trim()) };
    if words.is_array {
        let of = words.element();
        return Type::Array(Box::new(of));
    }
    words.element()
}

/// A type without quotes, in lower case.
struct Words {
    /// The name before the parentheses.
    name: String,
    /// The numbers in parentheses.
    numbers: Vec<String>,
    /// The words behind the parentheses, as in `time(3) with time zone`.
    rest: String,
    is_array: bool,
}

impl Words {
    /// The parts of a type; `None` if it has others, such as quotes.
    fn of(tokens: &[Token<'_>]) -> Option<Words> {
        let mut words = Words {
            name: String::new(),
            numbers: Vec::new(),
            rest: String::new(),
            is_array: false,
        };
        let mut tokens = tokens.iter().peekable();
        let mut name = &mut words.name;
        while let Some(token) = tokens.next() {
            match token.kind {
                Kind::Word if token.is_word("ARRAY") => words.is_array = true,
                Kind::Word if !words.is_array => {
                    if !name.is_empty() && !name.ends_with('.') {
                        name.push(' ');
                    }
                    name.push_str(&token.text.to_ascii_lowercase());
                }
                Kind::Symbol if token.text == "." => name.push('.'),
                Kind::Symbol if token.text == "(" && words.numbers.is_empty() => {
                    for inner in tokens.by_ref() {
                        match inner.kind {
                            Kind::Number => words.numbers.push(inner.text.to_owned()),
                            Kind::Symbol if inner.text == "-" => return None,
                            Kind::Symbol if inner.text == "," => {}
                            Kind::Symbol if inner.text == ")" => break,
                            _ => return None,
                        }
                    }
                    name = &mut words.rest;
                }
                // An array's lengths and dimensions aren't kept.
                Kind::Symbol if token.text == "[" => {
                    words.is_array = true;
                    tokens.next_if(|token| token.kind == Kind::Number);
                    tokens.next_if(|token| token.is_symbol("]"))?;
                }
                _ => return None,
            }
        }
        (!words.name.is_empty()).then_some(words)
    }

    /// The type of a value, or of an array's elements.
    fn element(&self) -> Type {
        let number = |idx: usize| self.numbers.get(idx).and_then(|number| number.parse().ok());
        let name = self.name.strip_prefix("pg_catalog.").unwrap_or(&self.name);
        let zone = self.rest.as_str();
        match (name, number(0), number(1)) {
            ("boolean" | "bool", None, _) => Type::Boolean,
            ("smallint" | "int2", None, _) => Type::SmallInteger,
            ("integer" | "int" | "int4", None, _) => Type::Integer,
            ("bigint" | "int8", None, _) => Type::BigInteger,
            ("real" | "float4", None, _) | ("float", Some(0..=24), _) => Type::Float,
            ("double precision" | "float8" | "float", _, _) => Type::Double,
            ("numeric" | "decimal" | "dec", None, _) => Type::Numeric,
            // More digits after the point than digits are only PostgreSQL's.
            ("numeric" | "decimal" | "dec", Some(precision), scale)
                if scale.is_none_or(|scale| scale <= precision) =>
            {
                Type::Decimal(precision, scale.unwrap_or(0))
            }
            ("numeric" | "decimal" | "dec", Some(precision), Some(scale)) => {
                Type::raw(&format!("numeric({precision},{scale})"))
            }
            ("character varying" | "varchar" | "char varying", Some(length), _) => {
                Type::String(length)
            }
            ("character varying" | "varchar" | "char varying", None, _) => {
                Type::raw("character varying")
            }
            ("character" | "char", length, _) => {
                Type::raw(&format!("character({})", length.unwrap_or(1)))
            }
            ("bpchar", Some(length), _) => Type::raw(&format!("character({length})")),
            ("text", None, _) => Type::Text,
            ("date", None, _) => Type::Date,
            ("uuid", None, _) => Type::Uuid,
            ("jsonb", None, _) => Type::Json,
            ("bytea", None, _) => Type::Binary,
            ("time" | "time without time zone", None, _) => Type::Time,
            ("timestamp" | "timestamp without time zone", None, _) => Type::DateTime,
            ("timestamptz" | "timestamp with time zone", None, _) => Type::Timestamp,
            ("timetz", None, _) => Type::raw("time with time zone"),
            ("time" | "timestamp", Some(digits), _) => {
                let zone = if zone.is_empty() { "without time zone" } else { zone };
                Type::raw(&format!("{name}({digits}) {zone}"))
            }
            ("timetz" | "timestamptz", Some(digits), _) => {
                let name = name.trim_end_matches("tz");
                Type::raw(&format!("{name}({digits}) with time zone"))
            }
            ("bit", length, _) => Type::raw(&format!("bit({})", length.unwrap_or(1))),
            ("varbit", length, _) => Type::raw(&with_length("bit varying", length)),
            (name, ..) => {
                let mut words = name.to_owned();
                if !self.numbers.is_empty() {
                    words += &format!("({})", self.numbers.join(","));
                }
                if !zone.is_empty() {
                    words += &format!(" {zone}");
                }
                Type::Raw(words)
            }
        }
    }
}

fn with_length(name: &str, length: Option<u32>) -> String {
    length.map_or_else(|| name.to_owned(), |length| format!("{name}({length})"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spellings_of_a_type_are_the_same_type() {
        for (spellings, expected) in [
            (&["int", "INT4", "integer", "pg_catalog.int4"][..], Type::Integer),
            (&["bigint", "int8"], Type::BigInteger),
            (&["float(24)", "real"], Type::Float),
            (&["float", "float(25)", "double  precision"], Type::Double),
            (&["decimal(10)", "numeric(10,0)", "NUMERIC (10, 0)"], Type::Decimal(10, 0)),
            (&["decimal"], Type::Numeric),
            (&["varchar(5)", "character varying(5)"], Type::String(5)),
            (&["char", "character", "character(1)"], Type::raw("character(1)")),
            (&["varchar"], Type::raw("character varying")),
            (&["time", "time without time zone"], Type::Time),
            (&["timestamptz", "timestamp with time zone"], Type::Timestamp),
            (&["timestamptz(3)", "timestamp(3) with time zone"], {
                Type::raw("timestamp(3) with time zone")
            }),
            (&["time(3)"], Type::raw("time(3) without time zone")),
            (&["int[]", "int[3]", "int array", "integer[][]"], Type::array(Type::Integer)),
            (&["varchar(5)[]"], Type::array(Type::String(5))),
            (&["CITEXT", "citext"], Type::raw("citext")),
            (&["interval day to second"], Type::raw("interval day to second")),
            (&["numeric(3,-2)"], Type::raw("numeric(3,-2)")),
            (&["varbit(5)", "bit varying(5)"], Type::raw("bit varying(5)")),
            (&["\"Mixed\""], Type::raw("\"Mixed\"")),
            (&["other.mood"], Type::raw("other.mood")),
        ] {
            for spelling in spellings {
                assert_eq!(read(spelling), expected, "{spelling}");
            }
        }
    }

    #[test]
    fn every_type_is_read_as_it_is_kept() {
        for ty in [
            Type::Boolean,
            Type::TinyInteger,
            Type::SmallInteger,
            Type::Integer,
            Type::BigInteger,
            Type::TinyUnsigned,
            Type::SmallUnsigned,
            Type::Unsigned,
            Type::BigUnsigned,
            Type::Float,
            Type::Double,
            Type::Decimal(10, 2),
            Type::Numeric,
            Type::String(20),
            Type::Text,
            Type::Date,
            Type::Time,
            Type::DateTime,
            Type::Timestamp,
            Type::Uuid,
            Type::Json,
            Type::Binary,
            Type::FixedBinary(16),
            Type::array(Type::TinyInteger),
            Type::raw("citext"),
        ] {
            assert_eq!(read(&type_name(&ty).unwrap()), kept(&ty).unwrap(), "{ty}");
        }
        let elsewhere = Type::per_dialect([("sqlite", "INT")]);
        assert_eq!(kept(&Type::array(elsewhere)), Err("has no type for PostgreSQL"));
    }
}
