//! The names of types, and the meaning of types in the database's own words.

use std::borrow::Cow;

use super::flavor::{Flavor, text};
use crate::schema::Type;
use crate::sql::Kind;

/// The longest text of limited length that a table can have: a row has 65,535 bytes, and a character
/// up to four.
pub(super) const MAX_CHARS: u32 = 16_383;

/// The length of a column for an enumeration without a name.
const ENUMERATION: usize = 255;

/// The type in the database's words.
///
/// # Errors
///
/// What is wrong with it, as a predicate: ``has no type for MySQL``.
pub(super) fn type_name(flavor: Flavor, ty: &Type) -> Result<String, String> {
    Ok(match ty {
        Type::Boolean => "tinyint(1)".to_owned(),
        Type::TinyInteger => "tinyint".to_owned(),
        Type::SmallInteger => "smallint".to_owned(),
        Type::Integer => "int".to_owned(),
        Type::BigInteger => "bigint".to_owned(),
        Type::TinyUnsigned => "tinyint unsigned".to_owned(),
        Type::SmallUnsigned => "smallint unsigned".to_owned(),
        Type::Unsigned => "int unsigned".to_owned(),
        Type::BigUnsigned => "bigint unsigned".to_owned(),
        Type::Float => "float".to_owned(),
        Type::Double => "double".to_owned(),
        Type::Decimal(precision, scale) => {
            if *precision > 65 || *scale > 30 {
                return Err(format!(
                    "has {precision} digits and {scale} of them after the point, and {} has at \
                     most 65 and 30",
                    flavor.title()
                ));
            }
            format!("decimal({precision},{scale})")
        }
        Type::Numeric => "decimal(65,30)".to_owned(),
        Type::String(length) if *length > MAX_CHARS => {
            return Err(format!(
                "has {length} characters, and {} has at most {MAX_CHARS} in a text with a limit",
                flavor.title()
            ));
        }
        Type::String(length) => format!("varchar({length})"),
        Type::Text => "longtext".to_owned(),
        Type::Date => "date".to_owned(),
        Type::Time => "time(6)".to_owned(),
        Type::DateTime => "datetime(6)".to_owned(),
        Type::Timestamp => "timestamp(6)".to_owned(),
        Type::Uuid => "binary(16)".to_owned(),
        Type::Json => "json".to_owned(),
        Type::Binary => "longblob".to_owned(),
        Type::FixedBinary(length) => format!("varbinary({length})"),
        Type::Enum(name, values) if name.is_empty() => {
            let longest = values.iter().map(|value| value.chars().count()).max();
            format!("varchar({})", longest.unwrap_or_default().max(ENUMERATION))
        }
        Type::Enum(_, values) => {
            let values: Vec<_> = values.iter().map(|value| text(value)).collect();
            format!("enum({})", values.join(","))
        }
        Type::Array(_) => return Err(format!("is a list, and {} has no lists", flavor.title())),
        Type::Raw(_) | Type::PerDialect(_) => own_words(flavor, ty)
            .map(str::to_owned)
            .ok_or_else(|| format!("has no type for {}", flavor.title()))?,
    })
}

/// The database's own type as SQL, if the type is given that way; MariaDB takes MySQL's.
pub(super) fn own_words(flavor: Flavor, ty: &Type) -> Option<&str> {
    ty.own_words(flavor.backend()).or_else(|| ty.own_words(Flavor::Mysql.backend()))
}

/// The portable type for one in the database's own words where there is one, and else the type.
pub(super) fn plainly(flavor: Flavor, ty: &Type) -> Cow<'_, Type> {
    understood(flavor, ty).map_or(Cow::Borrowed(ty), Cow::Owned)
}

/// The portable type that holds the same values as a type in the database's own words.
pub(super) fn understood(flavor: Flavor, ty: &Type) -> Option<Type> {
    let declared = own_words(flavor, ty)?;
    let words = Words::of(flavor, declared)?;
    if words.name == "enum" {
        return Some(Type::Enum("enum".to_owned(), words.texts));
    }
    match read(flavor, declared) {
        Type::Raw(_) => words.understood(),
        ty => Some(ty),
    }
}

/// The type as the database keeps it: every type that it doesn't tell apart from another one becomes
/// that one.
///
/// # Errors
///
/// As [`type_name`].
pub(super) fn kept(flavor: Flavor, ty: &Type) -> Result<Type, String> {
    match ty {
        // A text with a check on MariaDB, whose catalog doesn't show the word.
        Type::Json => Ok(Type::Json),
        ty if is_told_apart(ty) => Ok(ty.clone()),
        ty => Ok(read(flavor, &type_name(flavor, ty)?)),
    }
}

/// Whether the catalog has a name for exactly this type.
fn is_told_apart(ty: &Type) -> bool {
    match ty {
        Type::String(length) => *length <= MAX_CHARS,
        Type::Decimal(..)
        | Type::Enum(..)
        | Type::Array(_)
        | Type::Raw(_)
        | Type::PerDialect(_) => false,
        _ => true,
    }
}

/// The type that a server makes of a text whose character set is `binary`: bytes.
pub(super) fn as_bytes(flavor: Flavor, ty: &Type) -> Option<Type> {
    let mut words = Words::of(flavor, &type_name(flavor, ty).ok()?)?;
    let name = match words.name.as_str() {
        "char" => "binary",
        "varchar" => "varbinary",
        "tinytext" => "tinyblob",
        "text" => "blob",
        "mediumtext" => "mediumblob",
        "longtext" => "longblob",
        _ => return None,
    };
    name.clone_into(&mut words.name);
    Some(words.portable().unwrap_or_else(|| Type::raw(&words.spelled(flavor))))
}

/// The type's name in messages.
pub(super) fn shown(flavor: Flavor, ty: &Type) -> String {
    type_name(flavor, ty).unwrap_or_else(|_| ty.to_string())
}

/// The type that a declaration or the catalog names. A type that isn't portable stays in words, as
/// the catalog spells it.
pub(super) fn read(flavor: Flavor, declared: &str) -> Type {
    read_with_width(flavor, declared).0
}

/// The same, with the width in which the values of an integer type are shown, if it is not the
/// usual one.
pub(super) fn read_with_width(flavor: Flavor, declared: &str) -> (Type, Option<u32>) {
    let Some(words) = Words::of(flavor, declared) else {
        return (Type::raw(declared.trim()), None);
    };
    let ty = words.portable().unwrap_or_else(|| Type::raw(&words.spelled(flavor)));
    (ty, words.odd_width())
}

/// A declared type in parts.
pub(super) struct Words {
    /// The name before the parentheses, in lower case and in its usual spelling.
    pub(super) name: String,
    pub(super) numbers: Vec<u32>,
    /// The values of an enumeration or a set.
    pub(super) texts: Vec<String>,
    is_unsigned: bool,
    is_zerofill: bool,
    /// The width of an integer, which is only for showing.
    width: Option<u32>,
}

impl Words {
    pub(super) fn of(flavor: Flavor, declared: &str) -> Option<Words> {
        let tokens = flavor.lexicon().significant(declared);
        let mut declared = String::new();
        let mut words = Words {
            name: String::new(),
            numbers: Vec::new(),
            texts: Vec::new(),
            is_unsigned: false,
            is_zerofill: false,
            width: None,
        };
        for token in &tokens {
            match token.kind {
                Kind::Word if token.is_word("UNSIGNED") => words.is_unsigned = true,
                Kind::Word if token.is_word("SIGNED") => {}
                Kind::Word if token.is_word("ZEROFILL") => {
                    (words.is_unsigned, words.is_zerofill) = (true, true);
                }
                Kind::Word => {
                    declared.push_str(if declared.is_empty() { "" } else { " " });
                    declared.extend(token.text.chars().map(|char| char.to_ascii_lowercase()));
                }
                Kind::Number => words.numbers.push(token.text.parse().ok()?),
                Kind::Text => words.texts.push(token.unquoted()?.into_owned()),
                _ if ["(", ")", ","].iter().any(|symbol| token.is_symbol(symbol)) => {}
                _ => return None,
            }
        }
        let (name, fixed): (&str, &[u32]) = match declared.as_str() {
            "integer" | "int4" => ("int", &[]),
            "int1" => ("tinyint", &[]),
            "int2" => ("smallint", &[]),
            "int3" | "middleint" => ("mediumint", &[]),
            "int8" => ("bigint", &[]),
            "bool" | "boolean" => ("tinyint", &[1]),
            "dec" | "numeric" | "fixed" => ("decimal", &[]),
            "double precision" | "real" | "float8" => ("double", &[]),
            "float4" => ("float", &[]),
            "character" => ("char", &[]),
            "character varying" | "char varying" | "varcharacter" => ("varchar", &[]),
            "long" | "long varchar" => ("mediumtext", &[]),
            "long varbinary" => ("mediumblob", &[]),
            "serial" => {
                words.is_unsigned = true;
                ("bigint", &[])
            }
            _ => ("", &[]),
        };
        words.name = if name.is_empty() { declared } else { name.to_owned() };
        words.numbers.extend(fixed);
        if words.name == "decimal" {
            words.numbers.resize(words.numbers.len().max(2), 0);
            if words.numbers[0] == 0 {
                words.numbers[0] = 10;
            }
        }
        if matches!(words.name.as_str(), "char" | "binary" | "bit") && words.numbers.is_empty() {
            words.numbers.push(1);
        }
        if words.name == "float" && words.numbers.len() == 1 {
            if words.numbers[0] > 24 {
                words.name = "double".to_owned();
            }
            words.numbers.clear();
        }
        let is_integer = is_integer(&words.name);
        let is_boolean = words.name == "tinyint" && words.numbers == [1] && !words.is_unsigned;
        if is_integer && !is_boolean && !words.is_zerofill || words.name == "year" {
            words.width = words.numbers.first().copied();
            words.numbers.clear();
        }
        let has_fraction = matches!(words.name.as_str(), "time" | "datetime" | "timestamp");
        if has_fraction && words.numbers == [0] {
            words.numbers.clear();
        }
        Some(words)
    }

    /// The width of an integer, if it is not the usual one. It makes no difference to the values, and
    /// zeros before them are a type of their own.
    fn odd_width(&self) -> Option<u32> {
        let usual = match (self.name.as_str(), self.is_unsigned) {
            ("tinyint", false) => 4,
            ("tinyint", true) => 3,
            ("smallint", false) => 6,
            ("smallint", true) => 5,
            ("mediumint", false) => 9,
            ("mediumint", true) => 8,
            ("int", false) => 11,
            ("int", true) => 10,
            ("bigint", _) => 20,
            _ => return None,
        };
        self.width.filter(|width| *width != usual)
    }

    /// The portable type that is declared in this way.
    fn portable(&self) -> Option<Type> {
        if self.is_zerofill {
            return None;
        }
        let unsigned = |yes: Type, no: Type| if self.is_unsigned { yes } else { no };
        Some(match (self.name.as_str(), self.numbers.as_slice()) {
            ("tinyint", [1]) => Type::Boolean,
            ("tinyint", _) => unsigned(Type::TinyUnsigned, Type::TinyInteger),
            ("smallint", _) => unsigned(Type::SmallUnsigned, Type::SmallInteger),
            ("int", _) => unsigned(Type::Unsigned, Type::Integer),
            ("bigint", _) => unsigned(Type::BigUnsigned, Type::BigInteger),
            _ if self.is_unsigned => return None,
            ("float", []) => Type::Float,
            ("double", []) => Type::Double,
            ("decimal", [65, 30]) => Type::Numeric,
            ("decimal", [precision, scale]) => Type::Decimal(*precision, *scale),
            ("varchar", [length]) => Type::String(*length),
            ("longtext", []) => Type::Text,
            ("date", []) => Type::Date,
            ("time", [6]) => Type::Time,
            ("datetime", [6]) => Type::DateTime,
            ("timestamp", [6]) => Type::Timestamp,
            ("binary", [16]) => Type::Uuid,
            ("json", []) => Type::Json,
            ("longblob", []) => Type::Binary,
            ("varbinary", [length]) => Type::FixedBinary(*length),
            _ => return None,
        })
    }

    /// The portable type that holds the same values, and is declared in another way.
    fn understood(&self) -> Option<Type> {
        if self.is_unsigned {
            return None;
        }
        Some(match (self.name.as_str(), self.numbers.as_slice()) {
            ("mediumint", _) => Type::Integer,
            ("tinytext" | "text" | "mediumtext", _) => Type::Text,
            ("tinyblob" | "blob" | "mediumblob", _) => Type::Binary,
            ("char", [length]) => Type::String(*length),
            ("uuid", []) => Type::Uuid,
            _ => return None,
        })
    }

    /// The type as the catalogs spell it, without widths that make no difference.
    fn spelled(&self, flavor: Flavor) -> String {
        let mut text = self.name.clone();
        let numbers = self.numbers.iter().map(ToString::to_string);
        let texts = self.texts.iter().map(|value| super::flavor::text(value));
        let inside: Vec<_> = numbers.chain(texts).collect();
        if !inside.is_empty() {
            text += &format!("({})", inside.join(","));
        }
        if self.is_unsigned {
            text += " unsigned";
        }
        if self.is_zerofill {
            text += " zerofill";
        }
        let _ = flavor;
        text
    }
}

fn is_integer(name: &str) -> bool {
    matches!(name, "tinyint" | "smallint" | "mediumint" | "int" | "bigint")
}

/// What the values of a column are compared by, as far as keys and defaults depend on it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Storage {
    /// A text of at most this many characters.
    Text(u32),
    /// A text that a key can only contain the beginning of.
    LongText,
    /// Bytes of which a key can only contain the beginning.
    LongBytes,
    /// Bytes, at most as many.
    Bytes(u32),
    /// A document, which can't be in a key.
    Json,
    /// Everything else.
    Other,
}

/// How a column of this type is stored.
pub(super) fn storage(flavor: Flavor, ty: &Type) -> Storage {
    match ty {
        Type::String(length) if *length <= MAX_CHARS => Storage::Text(*length),
        Type::Text => Storage::LongText,
        Type::Binary => Storage::LongBytes,
        Type::Uuid => Storage::Bytes(16),
        Type::FixedBinary(length) => Storage::Bytes(*length),
        Type::Json => Storage::Json,
        Type::Enum(..) | Type::Raw(_) | Type::PerDialect(_) => storage_of_words(flavor, ty),
        _ => Storage::Other,
    }
}

fn storage_of_words(flavor: Flavor, ty: &Type) -> Storage {
    let Ok(declared) = type_name(flavor, ty) else { return Storage::Other };
    let Some(words) = Words::of(flavor, &declared) else { return Storage::Other };
    match (words.name.as_str(), words.numbers.as_slice()) {
        ("varchar" | "char", [length]) => Storage::Text(*length),
        ("tinytext" | "text" | "mediumtext" | "longtext", _) => Storage::LongText,
        ("tinyblob" | "blob" | "mediumblob" | "longblob", _) => Storage::LongBytes,
        ("varbinary" | "binary", [length]) => Storage::Bytes(*length),
        ("json", _) => Storage::Json,
        _ => Storage::Other,
    }
}

/// Whether a type has a collation.
pub(super) fn is_collated(flavor: Flavor, ty: &Type) -> bool {
    match storage(flavor, ty) {
        Storage::Text(_) | Storage::LongText => true,
        Storage::LongBytes | Storage::Bytes(_) | Storage::Json => false,
        Storage::Other if is_told_apart(ty) => false,
        Storage::Other => {
            let declared = type_name(flavor, ty).unwrap_or_default();
            let words = Words::of(flavor, &declared);
            words.is_some_and(|words| matches!(words.name.as_str(), "enum" | "set"))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_type_in_the_catalog_is_read_as_the_type_that_was_declared() {
        let types = [
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
            Type::String(100),
            Type::Text,
            Type::Date,
            Type::Time,
            Type::DateTime,
            Type::Timestamp,
            Type::Uuid,
            Type::Json,
            Type::Binary,
            Type::FixedBinary(32),
        ];
        for flavor in [Flavor::Mysql, Flavor::Mariadb] {
            for ty in &types {
                assert_eq!(read(flavor, &type_name(flavor, ty).unwrap()), *ty);
            }
        }
    }

    #[test]
    fn widths_and_other_spellings_make_no_difference() {
        for (catalog, expect) in [
            ("bigint(20)", Type::BigInteger),
            ("int(10) unsigned", Type::Unsigned),
            ("tinyint(4)", Type::TinyInteger),
            ("tinyint(1)", Type::Boolean),
            ("INTEGER", Type::Integer),
            ("dec", Type::Decimal(10, 0)),
            ("double precision", Type::Double),
            ("year(4)", Type::raw("year")),
            ("int(10) unsigned zerofill", Type::raw("int(10) unsigned zerofill")),
            ("enum('a','it''s')", Type::raw("enum('a','it''s')")),
            ("datetime(3)", Type::raw("datetime(3)")),
            ("mediumint(9)", Type::raw("mediumint")),
            ("uuid", Type::raw("uuid")),
            ("point", Type::raw("point")),
        ] {
            assert_eq!(read(Flavor::Mariadb, catalog), expect, "{catalog}");
        }
        let width = |declared| read_with_width(Flavor::Mariadb, declared).1;
        assert_eq!(width("tinyint(1) unsigned"), Some(1));
        assert_eq!(width("int(5)"), Some(5));
        for usual in ["int(11)", "bigint(20) unsigned", "int", "tinyint(1)", "int(5) zerofill"] {
            assert_eq!(width(usual), None, "{usual}");
        }
        let types = Type::per_dialect([("sqlite", "INT"), ("mysql", "int8")]);
        assert_eq!(understood(Flavor::Mariadb, &types), Some(Type::BigInteger));
        assert_eq!(understood(Flavor::Mysql, &Type::raw("mediumtext")), Some(Type::Text));
        assert_eq!(understood(Flavor::Mysql, &Type::raw("point")), None);
        assert_eq!(
            type_name(Flavor::Mysql, &Type::array(Type::Integer)),
            Err("is a list, and MySQL has no lists".to_owned())
        );
    }
}
