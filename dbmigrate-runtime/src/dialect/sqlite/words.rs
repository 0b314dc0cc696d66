//! The meaning of declared types in SQLite's own words.

use super::affinity::{Affinity, affinity};
use super::decimal;
use crate::backend::Backend;
use crate::dialect::sqlite::lexicon::LEXICON;
use crate::schema::Type;
use crate::sql::{Kind, Token};

/// The portable type that holds the same values as a column with a type in SQLite's own words.
///
/// A declared type only determines the conversion of values, and every integer has 64 bits. A
/// length isn't enforced, but if it is written it is taken seriously.
pub(super) fn understood(ty: &Type) -> Option<Type> {
    let declared = own_words(ty)?;
    match decimal::digits(declared).as_deref() {
        Some([]) => return Some(Type::Numeric),
        Some([precision]) => return Some(Type::Decimal(*precision, 0)),
        Some([precision, scale, ..]) => return Some(Type::Decimal(*precision, *scale)),
        None => {}
    }
    match affinity(declared) {
        Affinity::Integer => Some(Type::BigInteger),
        Affinity::Real => Some(Type::Double),
        Affinity::Text => Some(length(declared).map_or(Type::Text, Type::String)),
        // A column without a declared type holds anything.
        Affinity::Blob if declared.is_empty() => None,
        Affinity::Blob => Some(Type::Binary),
        Affinity::Numeric => {
            let words = [
                ("BOOLEAN", Type::Boolean),
                ("BOOL", Type::Boolean),
                ("DATE", Type::Date),
                ("TIME", Type::Time),
                ("DATETIME", Type::DateTime),
            ];
            // A type can be quoted, and has the same meaning.
            let tokens = LEXICON.significant(declared);
            let quoted = tokens.first().filter(|_| tokens.len() == 1).and_then(Token::unquoted);
            let declared = quoted.as_deref().unwrap_or(declared);
            let is_declared = |(word, _): &(&str, Type)| declared.eq_ignore_ascii_case(word);
            words.into_iter().find(is_declared).map(|(_, ty)| ty)
        }
    }
}

/// The declared type, if it is given in SQLite's own words.
pub(super) fn own_words(ty: &Type) -> Option<&str> {
    ty.own_words(Backend::Sqlite)
}

/// The number in parentheses, as in `CHAR(36)`.
fn length(declared: &str) -> Option<u32> {
    let tokens = LEXICON.significant(declared);
    let mut numbers = tokens.iter().filter(|token| token.kind == Kind::Number);
    numbers.next().filter(|_| numbers.next().is_none())?.text.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_declared_type_is_understood_by_what_sqlite_makes_of_it() {
        for (declared, expect) in [
            ("CHAR(36)", Some(Type::String(36))),
            ("character varying (20)", Some(Type::String(20))),
            ("clob", Some(Type::Text)),
            ("TINYINT", Some(Type::BigInteger)),
            ("double precision", Some(Type::Double)),
            ("blob", Some(Type::Binary)),
            ("numeric(8)", Some(Type::Decimal(8, 0))),
            ("DECIMAL(10, 2)", Some(Type::Decimal(10, 2))),
            ("numeric", Some(Type::Numeric)),
            ("date", Some(Type::Date)),
            ("bool", Some(Type::Boolean)),
            ("Boolean", Some(Type::Boolean)),
            ("[date]", Some(Type::Date)),
            ("MONEY", None),
            ("", None),
        ] {
            assert_eq!(understood(&Type::raw(declared)), expect, "{declared}");
        }
        assert_eq!(understood(&Type::Text), None);
        let types = Type::per_dialect([("sqlite", "INT"), ("postgres", "oid")]);
        assert_eq!(understood(&types), Some(Type::BigInteger));
        assert_eq!(understood(&Type::per_dialect([("postgres", "oid")])), None);
    }
}
