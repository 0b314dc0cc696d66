//! Columns and their types.

use std::collections::BTreeMap;
use std::fmt;

use super::Sql;
use crate::Value;
use crate::backend::Backend;

/// A column: its name, type, nullability, default and other properties.
///
/// A new column is nullable and has no default.
///
/// # Example
///
/// ```
/// use dbmigrate_runtime::schema::{Column, Type};
///
/// let active = Column::new("active", Type::Boolean).not_null().default(true);
/// assert!(!active.nullable);
/// ```
#[derive(Debug, Clone, PartialEq)]
pub struct Column {
    /// The column's name, unquoted.
    pub name: String,
    /// The column's type.
    pub ty: Type,
    /// Whether `NULL` is allowed.
    pub nullable: bool,
    /// The default: the value of new rows that don't give one.
    pub default: Option<DefaultValue>,
    /// Whether a single integer primary key generates its values: `None` is the dialect's default,
    /// `Some(true)` never reuses a value, `Some(false)` generates none.
    pub autoincrement: Option<bool>,
    /// How the column generates its values on PostgreSQL; `None` is by default for a key that
    /// generates them, and not at all for another column.
    pub identity: Option<Identity>,
    /// The expression that a generated column is computed from.
    pub generated: Option<Generated>,
    /// The collation's name.
    pub collation: Option<String>,
    /// The character set, on MySQL and MariaDB.
    pub charset: Option<String>,
    /// Whether each change of a row sets the column to the current time, on MySQL and MariaDB.
    pub on_update_now: bool,
    /// Whether `SELECT *` leaves the column out, on MySQL and MariaDB.
    pub invisible: bool,
    /// The column's comment, on databases that have them.
    pub comment: Option<String>,
}

impl Column {
    /// A nullable column without a default.
    pub fn new(name: &str, ty: Type) -> Column {
        Column {
            name: name.to_owned(),
            ty,
            nullable: true,
            default: None,
            autoincrement: None,
            identity: None,
            generated: None,
            collation: None,
            charset: None,
            on_update_now: false,
            invisible: false,
            comment: None,
        }
    }

    /// Makes the column required: `NULL` is refused.
    #[must_use]
    pub fn not_null(mut self) -> Column {
        self.nullable = false;
        self
    }

    /// Sets the default; `None` and [`Value::Null`] mean `NULL`.
    #[must_use]
    pub fn default(mut self, value: impl Into<Value>) -> Column {
        self.default = Some(DefaultValue::Literal(value.into()));
        self
    }

    /// Sets the time of the insert, in UTC, as the default.
    #[must_use]
    pub fn default_now(mut self) -> Column {
        self.default = Some(DefaultValue::Now);
        self
    }

    /// Sets an SQL expression as the default.
    #[must_use]
    pub fn default_sql(mut self, expression: impl Into<Sql>) -> Column {
        self.default = Some(DefaultValue::Sql(expression.into()));
        self
    }

    /// Sets whether the key generates its values; see [`Column::autoincrement`](struct@Column).
    #[must_use]
    pub fn autoincrement(mut self, on: bool) -> Column {
        self.autoincrement = Some(on);
        self
    }

    /// Sets how the column generates its values on PostgreSQL.
    #[must_use]
    pub fn identity(mut self, identity: Identity) -> Column {
        self.identity = Some(identity);
        self
    }

    /// Computes the column from an SQL expression and stores the result.
    #[must_use]
    pub fn generated_stored(mut self, expression: impl Into<Sql>) -> Column {
        self.generated = Some(Generated { expression: expression.into(), stored: true });
        self
    }

    /// Computes the column from an SQL expression whenever it is read.
    #[must_use]
    pub fn generated_virtual(mut self, expression: impl Into<Sql>) -> Column {
        self.generated = Some(Generated { expression: expression.into(), stored: false });
        self
    }

    /// Sets the collation.
    #[must_use]
    pub fn collate(mut self, collation: &str) -> Column {
        self.collation = Some(collation.to_owned());
        self
    }

    /// Sets the character set, on MySQL and MariaDB.
    #[must_use]
    pub fn charset(mut self, name: &str) -> Column {
        self.charset = Some(name.to_owned());
        self
    }

    /// Sets the column to the current time whenever its row changes, on MySQL and MariaDB.
    #[must_use]
    pub fn on_update_now(mut self) -> Column {
        self.on_update_now = true;
        self
    }

    /// Leaves the column out of `SELECT *`, on MySQL and MariaDB.
    #[must_use]
    pub fn invisible(mut self) -> Column {
        self.invisible = true;
        self
    }

    /// Sets the comment.
    #[must_use]
    pub fn comment(mut self, comment: &str) -> Column {
        self.comment = Some(comment.to_owned());
        self
    }
}

/// How a column generates its values on PostgreSQL.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Identity {
    /// As an identity column, and no other value is accepted.
    Always,
    /// As an identity column, if a new row gives no value.
    ByDefault,
    /// From a sequence of its own, as the type `serial` does.
    Serial,
}

impl Identity {
    /// All ways.
    pub const ALL: [Identity; 3] = [Identity::Always, Identity::ByDefault, Identity::Serial];

    /// The word in attributes, and wherever operations are stored.
    pub fn key(self) -> &'static str {
        match self {
            Identity::Always => "always",
            Identity::ByDefault => "by_default",
            Identity::Serial => "serial",
        }
    }

    /// The way with this word.
    pub fn by_key(key: &str) -> Option<Identity> {
        Identity::ALL.into_iter().find(|identity| identity.key() == key)
    }
}

/// A column's default.
#[derive(Debug, Clone, PartialEq)]
pub enum DefaultValue {
    /// A fixed value.
    Literal(Value),
    /// The time of the insert, in UTC.
    Now,
    /// An SQL expression, used as it is written.
    Sql(Sql),
}

impl DefaultValue {
    /// The value for a column of this type, if the default is a literal. The text of a UUID, with
    /// or without dashes, becomes its bytes, since databases without a UUID type store those.
    pub fn literal_of(&self, ty: &Type) -> Option<Value> {
        match (self, ty) {
            (DefaultValue::Literal(Value::Text(text)), Type::Uuid) => {
                Some(uuid_bytes(text).map_or_else(|| text.as_str().into(), Value::Blob))
            }
            (DefaultValue::Literal(value), _) => Some(value.clone()),
            (DefaultValue::Now | DefaultValue::Sql(_), _) => None,
        }
    }
}

fn uuid_bytes(text: &str) -> Option<Vec<u8>> {
    let lengths: Vec<_> = text.split('-').map(str::len).collect();
    if lengths != [8, 4, 4, 4, 12] && lengths != [32] {
        return None;
    }
    let digits: Option<Vec<_>> =
        text.chars().filter(|digit| *digit != '-').map(|digit| digit.to_digit(16)).collect();
    digits?.chunks(2).map(|pair| u8::try_from(pair[0] * 16 + pair[1]).ok()).collect()
}

impl fmt::Display for DefaultValue {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            DefaultValue::Literal(value) => write!(f, "{value}"),
            DefaultValue::Now => f.write_str("now"),
            DefaultValue::Sql(text) => write!(f, "({text})"),
        }
    }
}

/// How a generated column is computed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Generated {
    /// The SQL expression.
    pub expression: Sql,
    /// Whether the result is stored; otherwise it is computed on every read.
    pub stored: bool,
}

/// A column's type, independent of the database.
///
/// Each dialect translates it to a type of its own; [`Type::Raw`] is passed on unchanged.
#[derive(Debug, Clone, PartialEq, Eq)]
#[cfg_attr(not(feature = "exhaustive"), non_exhaustive)]
pub enum Type {
    /// True or false.
    Boolean,
    /// A signed integer of 8 bits.
    TinyInteger,
    /// A signed integer of 16 bits.
    SmallInteger,
    /// A signed integer of 32 bits.
    Integer,
    /// A signed integer of 64 bits.
    BigInteger,
    /// An unsigned integer of 8 bits.
    TinyUnsigned,
    /// An unsigned integer of 16 bits.
    SmallUnsigned,
    /// An unsigned integer of 32 bits.
    Unsigned,
    /// An unsigned integer of 64 bits; a database without such a type stores at most 63 bits.
    BigUnsigned,
    /// A floating point number of 32 bits.
    Float,
    /// A floating point number of 64 bits.
    Double,
    /// A decimal number: the number of digits, and how many of them follow the point.
    Decimal(u32, u32),
    /// A decimal number without a fixed precision.
    Numeric,
    /// Text of at most this many characters.
    String(u32),
    /// Text of any length.
    Text,
    /// A date.
    Date,
    /// A time of day.
    Time,
    /// A date and a time of day, without a time zone.
    DateTime,
    /// An instant: a date and a time of day with a time zone.
    Timestamp,
    /// A UUID.
    Uuid,
    /// A JSON document.
    Json,
    /// Bytes of any length.
    Binary,
    /// Exactly this many bytes.
    FixedBinary(u32),
    /// One of these texts, in this order. The name is used for the type on databases with named
    /// enumerations; without a name it is text with a check there as well.
    Enum(String, Vec<String>),
    /// A list of values, on databases that have arrays.
    Array(Box<Type>),
    /// A database's own type, as SQL.
    Raw(String),
    /// A different type for each dialect, as SQL, by the dialect's name.
    PerDialect(BTreeMap<String, String>),
}

impl Type {
    /// The minimum and maximum of an integer type that is smaller than 64 signed bits.
    pub fn integer_range(&self) -> Option<(i64, i64)> {
        Some(match self {
            Type::TinyInteger => (i8::MIN.into(), i8::MAX.into()),
            Type::SmallInteger => (i16::MIN.into(), i16::MAX.into()),
            Type::Integer => (i32::MIN.into(), i32::MAX.into()),
            Type::TinyUnsigned => (0, u8::MAX.into()),
            Type::SmallUnsigned => (0, u16::MAX.into()),
            Type::Unsigned => (0, u32::MAX.into()),
            Type::BigUnsigned => (0, i64::MAX),
            _ => return None,
        })
    }

    /// Whether the type is an integer, signed or not.
    pub fn is_integer(&self) -> bool {
        match self {
            Type::TinyInteger
            | Type::SmallInteger
            | Type::Integer
            | Type::BigInteger
            | Type::TinyUnsigned
            | Type::SmallUnsigned
            | Type::Unsigned
            | Type::BigUnsigned => true,
            Type::Boolean
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
            | Type::FixedBinary(_)
            | Type::Enum(..)
            | Type::Array(_)
            | Type::Raw(_)
            | Type::PerDialect(_) => false,
        }
    }

    /// The database's own type as SQL, if the type is given that way.
    #[doc(hidden)]
    pub fn own_words(&self, backend: Backend) -> Option<&str> {
        match self {
            Type::Raw(words) => Some(words),
            Type::PerDialect(types) => {
                let of = |backend: Backend| types.get(backend.name()).map(String::as_str);
                of(backend).or_else(|| of(backend.fallback()?))
            }
            _ => None,
        }
    }

    /// An enumeration: the type's name and its values, in order.
    pub fn enumeration<const N: usize>(name: &str, values: [&str; N]) -> Type {
        Type::Enum(name.to_owned(), values.map(str::to_owned).into())
    }

    /// An enumeration that is text with a check, also on databases with named enumerations.
    pub fn text_enumeration<const N: usize>(values: [&str; N]) -> Type {
        Type::enumeration("", values)
    }

    /// A list of values of this type.
    pub fn array(of: Type) -> Type {
        Type::Array(Box::new(of))
    }

    /// A database's own type, as SQL.
    pub fn raw(sql: &str) -> Type {
        Type::Raw(sql.to_owned())
    }

    /// A different type for each dialect, as SQL: pairs of dialect (`sqlite`, `postgres`, `mysql`)
    /// and type.
    pub fn per_dialect<const N: usize>(types: [(&str, &str); N]) -> Type {
        Type::PerDialect(types.map(|(dialect, ty)| (dialect.to_owned(), ty.to_owned())).into())
    }
}

impl fmt::Display for Type {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Type::Boolean => "boolean",
            Type::TinyInteger => "tiny integer",
            Type::SmallInteger => "small integer",
            Type::Integer => "integer",
            Type::BigInteger => "big integer",
            Type::TinyUnsigned => "tiny unsigned",
            Type::SmallUnsigned => "small unsigned",
            Type::Unsigned => "unsigned",
            Type::BigUnsigned => "big unsigned",
            Type::Float => "float",
            Type::Double => "double",
            Type::Numeric => "numeric",
            Type::Text => "text",
            Type::Date => "date",
            Type::Time => "time",
            Type::DateTime => "datetime",
            Type::Timestamp => "timestamp",
            Type::Uuid => "uuid",
            Type::Json => "json",
            Type::Binary => "binary",
            Type::Raw(text) => text,
            Type::Decimal(precision, scale) => {
                return write!(f, "decimal({precision}, {scale})");
            }
            Type::String(length) => return write!(f, "string({length})"),
            Type::FixedBinary(length) => return write!(f, "binary({length})"),
            Type::Enum(name, values) if name.is_empty() => {
                return write!(f, "text enum({})", values.join(", "));
            }
            Type::Enum(name, values) => return write!(f, "enum {name}({})", values.join(", ")),
            Type::Array(of) => return write!(f, "array of {of}"),
            Type::PerDialect(types) => {
                let texts: Vec<_> =
                    types.iter().map(|(dialect, ty)| format!("{dialect}: {ty}")).collect();
                return f.write_str(&texts.join(", "));
            }
        })
    }
}
