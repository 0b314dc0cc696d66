//! The names of PostgreSQL's types, and the meaning of types in its own words.

use std::borrow::Cow;

use crate::backend::Backend;
use crate::dialect::POSTGRES;
use crate::schema::Type;
use crate::sql::{Kind, quote};

/// The type in PostgreSQL's words.
///
/// # Errors
///
/// What is wrong with it, as a predicate: ``has no type for PostgreSQL``.
pub(super) fn type_name(ty: &Type) -> Result<String, String> {
    Ok(match ty {
        Type::Boolean => "boolean".to_owned(),
        Type::TinyInteger | Type::SmallInteger | Type::TinyUnsigned => "smallint".to_owned(),
        Type::Integer | Type::SmallUnsigned => "integer".to_owned(),
        Type::BigInteger | Type::Unsigned => "bigint".to_owned(),
        Type::BigUnsigned => "numeric(20, 0)".to_owned(),
        Type::Float => "real".to_owned(),
        Type::Double => "double precision".to_owned(),
        Type::Decimal(precision, scale) => format!("numeric({precision}, {scale})"),
        Type::Numeric => "numeric".to_owned(),
        Type::String(length) => format!("varchar({length})"),
        Type::Text => "text".to_owned(),
        Type::Date => "date".to_owned(),
        Type::Time => "time".to_owned(),
        Type::DateTime => "timestamp".to_owned(),
        Type::Timestamp => "timestamptz".to_owned(),
        Type::Uuid => "uuid".to_owned(),
        Type::Json => "jsonb".to_owned(),
        Type::Binary | Type::FixedBinary(_) => "bytea".to_owned(),
        Type::Enum(name, _) if name.is_empty() => "text".to_owned(),
        Type::Enum(name, _) => quote(name),
        // PostgreSQL doesn't tell arrays by their dimensions.
        Type::Array(of) if matches!(**of, Type::Array(_)) => type_name(of)?,
        Type::Array(of) => format!("{}[]", type_name(of)?),
        Type::Raw(_) | Type::PerDialect(_) => {
            let own = ty.own_words(Backend::Postgres).map(str::to_owned);
            own.ok_or_else(|| "has no type for PostgreSQL".to_owned())?
        }
    })
}

/// The enumeration that values of this type are of, if it is a type of its own: its name and its
/// values.
pub(super) fn enumeration(ty: &Type) -> Option<(&str, &[String])> {
    match ty {
        Type::Enum(name, values) => (!name.is_empty()).then_some((name, values)),
        Type::Array(of) => enumeration(of),
        _ => None,
    }
}

/// Whether two declared types begin with the same word, so that they differ in their precision.
pub(super) fn same_base(a: &str, b: &str) -> bool {
    let first = |declared: &str| {
        let tokens = POSTGRES.significant(declared);
        tokens.first().map(|token| token.text.to_ascii_lowercase())
    };
    let is_array = |declared: &str| declared.contains('[');
    first(a) == first(b) && !is_array(a) && !is_array(b)
}

/// Whether the type is a date and time without a time zone, of a precision of its own.
pub(super) fn is_local_timestamp(ty: &Type) -> bool {
    let Some(declared) = ty.own_words(Backend::Postgres) else { return false };
    let tokens = POSTGRES.significant(declared);
    tokens.first().is_some_and(|token| token.is_word("TIMESTAMP"))
        && !tokens.iter().any(|token| token.is_word("WITH"))
}

/// Whether values of the type are compared by a collation.
pub(super) fn is_collated(ty: &Type) -> bool {
    match plainly(ty).as_ref() {
        Type::Text | Type::String(_) | Type::Raw(_) | Type::PerDialect(_) => true,
        Type::Enum(name, _) => name.is_empty(),
        Type::Array(of) => is_collated(of),
        _ => false,
    }
}

/// The operator class that an index over a column of this type has by itself. The catalog doesn't
/// tell it.
pub(super) fn own_opclass(ty: &Type, method: &str) -> Option<&'static str> {
    Some(match (method, plainly(ty).as_ref()) {
        ("gin", Type::Json) => "jsonb_ops",
        ("gin", Type::Array(_)) => "array_ops",
        ("btree" | "hash" | "spgist", Type::Text | Type::String(_)) => "text_ops",
        ("btree" | "hash", ty) => match ty {
            Type::Boolean => "bool_ops",
            Type::TinyInteger | Type::SmallInteger | Type::TinyUnsigned => "int2_ops",
            Type::Integer | Type::SmallUnsigned => "int4_ops",
            Type::BigInteger | Type::Unsigned => "int8_ops",
            Type::BigUnsigned | Type::Decimal(..) | Type::Numeric => "numeric_ops",
            Type::Float => "float4_ops",
            Type::Double => "float8_ops",
            Type::Date => "date_ops",
            Type::Time => "time_ops",
            Type::DateTime => "timestamp_ops",
            Type::Timestamp => "timestamptz_ops",
            Type::Uuid => "uuid_ops",
            Type::Json => "jsonb_ops",
            Type::Binary | Type::FixedBinary(_) => "bytea_ops",
            Type::Enum(..) => "enum_ops",
            Type::Array(_) => "array_ops",
            _ => return None,
        },
        _ => return None,
    })
}

/// The portable type for one in PostgreSQL's own words where there is one, and else the type.
pub(super) fn plainly(ty: &Type) -> Cow<'_, Type> {
    understood(ty).map_or(Cow::Borrowed(ty), Cow::Owned)
}

/// The portable type that holds the same values as a type in PostgreSQL's own words.
pub(super) fn understood(ty: &Type) -> Option<Type> {
    let declared = ty.own_words(Backend::Postgres)?;
    let tokens = POSTGRES.significant(declared);
    let is_array = tokens.iter().any(|token| token.is_symbol("["));
    let tokens: Vec<_> = tokens.iter().take_while(|token| !token.is_symbol("[")).collect();
    let words: Vec<String> = tokens
        .iter()
        .filter(|token| matches!(token.kind, Kind::Word | Kind::Quoted))
        .filter_map(|token| token.identifier())
        .map(|word| word.to_ascii_lowercase())
        .filter(|word| word != "pg_catalog")
        .collect();
    let numbers: Vec<u32> = tokens
        .iter()
        .filter(|token| token.kind == Kind::Number)
        .map(|token| token.text.parse().ok())
        .collect::<Option<_>>()?;
    let base = words_of(&words.join(" "), &numbers)?;
    Some(if is_array { Type::array(base) } else { base })
}

fn words_of(words: &str, numbers: &[u32]) -> Option<Type> {
    Some(match (words, numbers) {
        ("boolean" | "bool", []) => Type::Boolean,
        ("smallint" | "int2", []) => Type::SmallInteger,
        ("integer" | "int" | "int4", []) => Type::Integer,
        ("bigint" | "int8", []) => Type::BigInteger,
        ("real" | "float4", []) | ("float", [1..=24]) => Type::Float,
        ("double precision" | "float8" | "float", []) | ("float", [25..=53]) => Type::Double,
        ("numeric" | "decimal" | "dec", []) => Type::Numeric,
        ("numeric" | "decimal" | "dec", [precision]) => Type::Decimal(*precision, 0),
        ("numeric" | "decimal" | "dec", [precision, scale]) if scale <= precision => {
            Type::Decimal(*precision, *scale)
        }
        ("varchar" | "character varying" | "text", []) => Type::Text,
        ("varchar" | "character varying" | "char" | "character" | "bpchar", [length]) => {
            Type::String(*length)
        }
        ("char" | "character", []) => Type::String(1),
        ("date", []) => Type::Date,
        ("time" | "time without time zone", [] | [6]) => Type::Time,
        ("timestamp" | "timestamp without time zone", [] | [6]) => Type::DateTime,
        ("timestamptz" | "timestamp with time zone", [] | [6]) => Type::Timestamp,
        ("uuid", []) => Type::Uuid,
        ("jsonb" | "json", []) => Type::Json,
        ("bytea", []) => Type::Binary,
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_type_in_own_words_is_understood_by_what_postgresql_makes_of_it() {
        for (declared, expect) in [
            ("CHAR(36)", Some(Type::String(36))),
            ("character varying (20)", Some(Type::String(20))),
            ("int8", Some(Type::BigInteger)),
            ("DOUBLE precision", Some(Type::Double)),
            ("float(10)", Some(Type::Float)),
            ("numeric(8)", Some(Type::Decimal(8, 0))),
            ("DECIMAL(10, 2)", Some(Type::Decimal(10, 2))),
            // Values of less than 0.001.
            ("numeric(2,5)", None),
            ("timestamp with time zone", Some(Type::Timestamp)),
            // It rounds.
            ("timestamp(0)", None),
            ("integer[]", Some(Type::array(Type::Integer))),
            ("text[3][3]", Some(Type::array(Type::Text))),
            ("citext", None),
            ("interval", None),
            ("", None),
        ] {
            assert_eq!(understood(&Type::raw(declared)), expect, "{declared}");
        }
        assert_eq!(understood(&Type::Text), None);
        let types = Type::per_dialect([("sqlite", "INT"), ("postgres", "int2")]);
        assert_eq!(understood(&types), Some(Type::SmallInteger));
        assert_eq!(type_name(&types).as_deref(), Ok("int2"));
        let none = type_name(&Type::per_dialect([("mysql", "year")]));
        assert_eq!(none, Err("has no type for PostgreSQL".to_owned()));
    }
}
