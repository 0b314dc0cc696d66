//! Column types as constants, from which generic types can be built.

use crate::schema::Type;

/// A column's type as a constant, for implementations of [`ColumnType`](crate::ColumnType).
///
/// This is [`schema::Type`](crate::schema::Type) without allocation: types that contain others
/// (`Option<T>`, `Vec<T>`) hold a reference.
///
/// # Example
///
/// ```
/// use dbmigrate_runtime::ColumnType;
/// use dbmigrate_runtime::model::Ty;
///
/// struct CountryCode([u8; 2]);
///
/// impl ColumnType for CountryCode {
///     const TY: Ty = Ty::string(2);
/// }
/// ```
#[derive(Debug, Clone, Copy)]
pub struct Ty(pub(crate) Kind);

#[derive(Debug, Clone, Copy)]
pub(crate) enum Kind {
    /// A type that is only a tag; see the table of plain types.
    Plain(u8),
    /// One character, which a column holds as a string of that length.
    Char,
    String(u32),
    FixedBinary(u32),
    Decimal(u32, u32),
    Raw(&'static str),
    PerDialect(&'static [(&'static str, &'static str)]),
    Enum(&'static str, &'static [&'static str]),
    Nullable(&'static Ty),
    Array(&'static Ty),
}

/// The first bytes, in a record, of types with parameters. Plain types have tags of their own, all
/// of them smaller than these.
pub(crate) mod tag {
    pub(crate) const STRING: u8 = 100;
    pub(crate) const FIXED_BINARY: u8 = 101;
    pub(crate) const DECIMAL: u8 = 102;
    pub(crate) const RAW: u8 = 103;
    pub(crate) const PER_DIALECT: u8 = 104;
    pub(crate) const ENUM: u8 = 105;
    pub(crate) const NULLABLE: u8 = 106;
    pub(crate) const ARRAY: u8 = 107;
}

macro_rules! plain_types {
    ($($tag:literal $constant:ident $variant:ident $words:literal;)*) => {
        impl Ty {
            $(
                #[doc = concat!("[`Type::", stringify!($variant), "`](crate::schema::Type::", stringify!($variant), ")")]
                pub const $constant: Ty = Ty(Kind::Plain($tag));
            )*
        }

        /// The type for a tag in a record.
        pub(crate) fn plain(tag: u8) -> Option<Type> {
            match tag {
                $($tag => Some(Type::$variant),)*
                _ => None,
            }
        }

        /// The type for a name in `type = ...`.
        pub(crate) fn plain_named(name: &str) -> Option<Type> {
            match name {
                $(stringify!($variant) => Some(Type::$variant),)*
                _ => None,
            }
        }

        const fn plain_words(tag: u8) -> &'static str {
            match tag {
                $($tag => $words,)*
                _ => "",
            }
        }
    };
}

plain_types! {
    1 BOOLEAN Boolean "boolean";
    2 TINY_INTEGER TinyInteger "tiny integer";
    3 SMALL_INTEGER SmallInteger "small integer";
    4 INTEGER Integer "integer";
    5 BIG_INTEGER BigInteger "big integer";
    6 TINY_UNSIGNED TinyUnsigned "tiny unsigned";
    7 SMALL_UNSIGNED SmallUnsigned "small unsigned";
    8 UNSIGNED Unsigned "unsigned";
    9 BIG_UNSIGNED BigUnsigned "big unsigned";
    10 FLOAT Float "float";
    11 DOUBLE Double "double";
    12 NUMERIC Numeric "numeric";
    13 TEXT Text "text";
    14 DATE Date "date";
    15 TIME Time "time";
    16 DATE_TIME DateTime "datetime";
    17 TIMESTAMP Timestamp "timestamp";
    18 UUID Uuid "uuid";
    19 JSON Json "json";
    20 BINARY Binary "binary";
}

impl Ty {
    /// Text of at most this many characters.
    pub const fn string(length: u32) -> Ty {
        Ty(Kind::String(length))
    }

    /// Text of exactly one character.
    pub(crate) const CHAR: Ty = Ty(Kind::Char);

    /// Exactly this many bytes.
    pub const fn fixed_binary(length: u32) -> Ty {
        Ty(Kind::FixedBinary(length))
    }

    /// A decimal number with `precision` digits, `scale` of them after the point.
    pub const fn decimal(precision: u32, scale: u32) -> Ty {
        Ty(Kind::Decimal(precision, scale))
    }

    /// A database's own type, as SQL.
    pub const fn raw(sql: &'static str) -> Ty {
        Ty(Kind::Raw(sql))
    }

    /// A different type for each dialect, as SQL: pairs of dialect (`sqlite`, `postgres`, `mysql`)
    /// and type.
    pub const fn per_dialect(types: &'static [(&'static str, &'static str)]) -> Ty {
        Ty(Kind::PerDialect(types))
    }

    /// An enumeration: the type's name and its values, in order.
    pub const fn enumeration(name: &'static str, values: &'static [&'static str]) -> Ty {
        Ty(Kind::Enum(name, values))
    }

    /// An enumeration that is text with a check, also on databases with named enumerations.
    pub const fn text_enumeration(values: &'static [&'static str]) -> Ty {
        Ty::enumeration("", values)
    }

    /// The same type, but nullable.
    pub const fn nullable(of: &'static Ty) -> Ty {
        Ty(Kind::Nullable(of))
    }

    /// A list of values of this type.
    pub const fn array(of: &'static Ty) -> Ty {
        Ty(Kind::Array(of))
    }

    /// The same type without nullability.
    pub(crate) const fn not_null(&self) -> &Ty {
        let mut ty = self;
        while let Kind::Nullable(of) = ty.0 {
            ty = of;
        }
        ty
    }

    pub(crate) const fn is_nullable(&self) -> bool {
        matches!(self.0, Kind::Nullable(_))
    }

    pub(crate) const fn is_text(&self) -> bool {
        matches!(self.not_null().0, Kind::Plain(13) | Kind::Char | Kind::String(_))
    }

    pub(crate) const fn is_decimal(&self) -> bool {
        matches!(self.not_null().0, Kind::Plain(12) | Kind::Decimal(..))
    }

    pub(crate) const fn is_integer(&self) -> bool {
        matches!(self.not_null().0, Kind::Plain(2..=9))
    }

    pub(crate) const fn is_boolean(&self) -> bool {
        matches!(self.not_null().0, Kind::Plain(1))
    }

    pub(crate) const fn is_float(&self) -> bool {
        matches!(self.not_null().0, Kind::Plain(10 | 11))
    }

    /// Whether it is a date or a time.
    pub(crate) const fn is_time(&self) -> bool {
        matches!(self.not_null().0, Kind::Plain(14..=17))
    }

    pub(crate) const fn is_binary(&self) -> bool {
        matches!(self.not_null().0, Kind::Plain(20) | Kind::FixedBinary(_))
    }

    /// Whether it is bytes; a UUID is.
    pub(crate) const fn is_bytes(&self) -> bool {
        self.is_binary() || matches!(self.not_null().0, Kind::Plain(18))
    }

    /// Whether it is a database's own type.
    pub(crate) const fn is_own(&self) -> bool {
        matches!(self.not_null().0, Kind::Raw(_) | Kind::PerDialect(_))
    }

    /// Whether a text of this many characters is too long for the type.
    pub(crate) const fn is_longer(&self, length: u32) -> bool {
        match self.not_null().0 {
            Kind::String(most) => length > most,
            Kind::Char => length > 1,
            _ => false,
        }
    }

    pub(crate) const fn is_char(&self) -> bool {
        matches!(self.not_null().0, Kind::Char)
    }

    /// Whether the type requires a different number of bytes.
    pub(crate) const fn is_other_length(&self, length: usize) -> bool {
        match self.not_null().0 {
            Kind::FixedBinary(exact) => exact as usize != length,
            Kind::Plain(18) => length != 16,
            _ => false,
        }
    }

    /// The range of an integer type with less than 64 bits: its name, its minimum and its maximum.
    pub(crate) const fn range(&self) -> Option<(&'static str, i64, i64)> {
        match self.not_null().0 {
            Kind::Plain(1) => Some(("0 to 1", 0, 1)),
            Kind::Plain(2) => Some(("-128 to 127", -128, 127)),
            Kind::Plain(3) => Some(("-32768 to 32767", -32_768, 32_767)),
            Kind::Plain(4) => Some(("-2147483648 to 2147483647", i32::MIN as i64, i32::MAX as i64)),
            Kind::Plain(6) => Some(("0 to 255", 0, 255)),
            Kind::Plain(7) => Some(("0 to 65535", 0, 65_535)),
            Kind::Plain(8) => Some(("0 to 4294967295", 0, u32::MAX as i64)),
            Kind::Plain(9) => Some(("0 to 9223372036854775807", 0, i64::MAX)),
            _ => None,
        }
    }

    /// The name of the type in messages.
    pub(crate) const fn words(&self) -> &'static str {
        match self.not_null().0 {
            Kind::Plain(tag) => plain_words(tag),
            Kind::Char => "char",
            Kind::String(_) => "string",
            Kind::FixedBinary(_) => "binary of a fixed length",
            Kind::Decimal(..) => "decimal",
            Kind::Raw(sql) => sql,
            Kind::PerDialect(_) => "one per dialect",
            Kind::Enum(..) => "enum",
            Kind::Nullable(_) => "",
            Kind::Array(_) => "array",
        }
    }

    /// Whether columns of these types hold the same values, apart from nullability.
    pub(crate) const fn same(&self, other: &Ty) -> bool {
        match (self.not_null().0, other.not_null().0) {
            (Kind::Plain(one), Kind::Plain(two)) => one == two,
            (Kind::String(one), Kind::String(two)) => one == two,
            (Kind::Char, Kind::Char | Kind::String(1)) | (Kind::String(1), Kind::Char) => true,
            (Kind::FixedBinary(one), Kind::FixedBinary(two)) => one == two,
            (Kind::Decimal(p, s), Kind::Decimal(precision, scale)) => p == precision && s == scale,
            (Kind::Raw(one), Kind::Raw(two)) => same_text(one, two),
            (Kind::PerDialect(one), Kind::PerDialect(two)) => {
                let mut idx = 0;
                let mut same = one.len() == two.len();
                while same && idx < one.len() {
                    same = same_text(one[idx].0, two[idx].0) && same_text(one[idx].1, two[idx].1);
                    idx += 1;
                }
                same
            }
            (Kind::Enum(one, values), Kind::Enum(two, others)) => {
                let mut idx = 0;
                let mut same = same_text(one, two) && values.len() == others.len();
                while same && idx < values.len() {
                    same = same_text(values[idx], others[idx]);
                    idx += 1;
                }
                same
            }
            (Kind::Array(one), Kind::Array(two)) => one.same(two),
            _ => false,
        }
    }
}

/// `==` for constants.
pub(crate) const fn same_text(one: &str, two: &str) -> bool {
    let (one, two) = (one.as_bytes(), two.as_bytes());
    let mut idx = 0;
    if one.len() != two.len() {
        return false;
    }
    while idx < one.len() {
        if one[idx] != two[idx] {
            return false;
        }
        idx += 1;
    }
    true
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_plain_type_reads_back_and_says_its_name() {
        for tag in 1..=20 {
            let ty = plain(tag).unwrap();
            assert_eq!(ty.to_string(), plain_words(tag));
            assert_eq!(plain_named(&format!("{ty:?}")), Some(ty));
        }
        assert_eq!(plain(21), None);
    }

    #[test]
    fn types_are_the_same_whatever_they_say_of_null() {
        const NULLABLE: Ty = Ty::nullable(&Ty::BIG_INTEGER);
        assert!(NULLABLE.same(&Ty::BIG_INTEGER));
        assert!(!NULLABLE.same(&Ty::INTEGER));
        assert!(Ty::enumeration("a", &["x", "y"]).same(&Ty::enumeration("a", &["x", "y"])));
        assert!(!Ty::enumeration("a", &["x", "y"]).same(&Ty::enumeration("a", &["x"])));
        assert!(!Ty::array(&Ty::TEXT).same(&Ty::array(&Ty::UUID)));
        assert!(!Ty::raw("citext").same(&Ty::raw("ltree_")));
    }
}
