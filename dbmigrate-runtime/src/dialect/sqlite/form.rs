//! The form that readers of a type expect of its values, beyond what the declared type ensures.
//!
//! SQLite stores any text in a column of dates, and any bytes in a column of UUIDs, and readers of
//! the column then fail. The conditions here hold for the values that drivers can read as the type:
//! rusqlite and sqlx, with the types of chrono and time. If these differ, all of them have to read
//! the value: sqlx drops the time zone of a text that it reads as chrono's `NaiveDateTime`, and
//! rusqlite refuses the text.

use super::affinity::{Stored, has_no_nul};
use super::{decimal, words};
use crate::schema::Type;
use crate::sql::quote;

/// What readers of a type expect of a value.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Form<'a> {
    Boolean,
    Date,
    Time,
    /// A day and a time of day, without a time zone.
    DateTime,
    /// The same with or without one.
    Timestamp,
    Json,
    /// Exactly this many bytes.
    Bytes(u32),
    /// An integer in this range.
    Integer(i64, i64),
    /// A number that 32 bits hold, if not exactly.
    Single,
    /// At most so many characters.
    Text(u32),
    /// One of these texts.
    Variant(&'a [String]),
    /// A decimal number of any size.
    Numeric,
    /// One of so many digits, of which so many are after the point.
    Decimal(u32, u32),
}

impl<'a> Form<'a> {
    pub(super) fn of(ty: &'a Type) -> Option<Form<'a>> {
        Some(match ty {
            Type::Boolean => Form::Boolean,
            Type::Date => Form::Date,
            Type::Time => Form::Time,
            Type::DateTime => Form::DateTime,
            Type::Timestamp => Form::Timestamp,
            Type::Json => Form::Json,
            Type::Uuid => Form::Bytes(16),
            Type::FixedBinary(length) => Form::Bytes(*length),
            Type::Float => Form::Single,
            Type::String(length) => Form::Text(*length),
            Type::Enum(_, values) => Form::Variant(values),
            Type::Numeric => Form::Numeric,
            Type::Decimal(precision, scale) => Form::Decimal(*precision, *scale),
            Type::BigInteger => Form::Integer(i64::MIN, i64::MAX),
            Type::TinyInteger
            | Type::SmallInteger
            | Type::Integer
            | Type::TinyUnsigned
            | Type::SmallUnsigned
            | Type::Unsigned
            | Type::BigUnsigned => {
                let (least, most) = ty.integer_range()?;
                Form::Integer(least, most)
            }
            Type::Double
            | Type::Text
            | Type::Binary
            | Type::Array(_)
            | Type::Raw(_)
            | Type::PerDialect(_) => return None,
        })
    }

    /// The form that a new type requires, unless the old type's values already have it.
    pub(super) fn demanded(was: &Stored<'_>, to: &Stored<'a>) -> Option<Form<'a>> {
        let form = Form::of(&to.column.ty)?;
        // A type in SQLite's own words is taken to mean what dbmigrate means by it.
        let own_words = words::understood(&was.column.ty);
        let had = Form::of(own_words.as_ref().unwrap_or(&was.column.ty));
        // Any integer is one of 64 bits.
        let is_had =
            form == Form::Integer(i64::MIN, i64::MAX) || had.is_some_and(|had| had.is_within(form));
        (!is_had).then_some(form)
    }

    /// Whether each value of this form has the other one as well.
    fn is_within(self, other: Form<'_>) -> bool {
        match (self, other) {
            (Form::Integer(least, most), Form::Integer(other_least, other_most)) => {
                other_least <= least && most <= other_most
            }
            // Booleans are the integers 0 and 1.
            (Form::Boolean, Form::Integer(..)) | (Form::DateTime, Form::Timestamp) => true,
            (Form::Integer(..), Form::Single | Form::Numeric) => true,
            (Form::Decimal(..), Form::Numeric) => true,
            (Form::Integer(least, most), Form::Decimal(precision, scale)) => {
                n_digits(least).max(n_digits(most)) <= precision.saturating_sub(scale)
            }
            (Form::Integer(least, most), Form::Text(length)) => {
                let sign = u32::from(least < 0);
                (n_digits(least) + sign).max(n_digits(most)) <= length
            }
            (Form::Decimal(precision, scale), Form::Decimal(other_precision, other_scale)) => {
                let n_whole = precision.saturating_sub(scale);
                scale <= other_scale && n_whole <= other_precision.saturating_sub(other_scale)
            }
            // With a sign, a point, and a zero before the point.
            (Form::Decimal(precision, scale), Form::Text(length)) => {
                precision.max(scale + 1) + 2 <= length
            }
            (Form::Text(length), Form::Text(other)) => length <= other,
            (Form::Variant(values), Form::Text(length)) => {
                values.iter().all(|value| value.chars().count() <= length as usize)
            }
            (Form::Variant(values), Form::Variant(others)) => {
                values.iter().all(|value| others.contains(value))
            }
            _ => self == other,
        }
    }

    /// Whether the declared type alone determines the form of the values.
    pub(super) fn is_declared_by(self, declared: &str) -> bool {
        let word = match self {
            Form::Boolean => "BOOLEAN",
            Form::Date => "DATE",
            Form::Time => "TIME",
            Form::Text(length) => return declared == format!("VARCHAR({length})"),
            Form::Decimal(..) => return decimal::digits(declared).is_some(),
            Form::Single => return declared.eq_ignore_ascii_case("REAL"),
            // Both are declared alike.
            Form::DateTime | Form::Timestamp => return false,
            // A declared type has no word for these.
            Form::Json | Form::Bytes(_) | Form::Integer(..) | Form::Variant(_) | Form::Numeric => {
                return false;
            }
        };
        declared.eq_ignore_ascii_case(word)
    }

    /// The condition for a value other than NULL to have the form, once a column of that declared
    /// type has converted it. The value is an SQL expression.
    ///
    /// SQLite's date functions accept more than a reader does: `now`, the number of a day, and the
    /// 31st of February for a day in March. So the function's result has to be the same text.
    pub(super) fn condition(self, c: &str, declared: &str) -> String {
        let day = |text: &str| format!("date({text}, '+0 days') IS {text} COLLATE BINARY");
        match self {
            Form::Boolean => format!("({}) AND CAST({c} AS INTEGER) IN (0, 1)", integer(c)),
            Form::Date => format!("typeof({c}) = 'text' AND {}", day(c)),
            Form::Time => format!("typeof({c}) = 'text' AND {}", time(c, c, false)),
            Form::DateTime | Form::Timestamp => format!(
                "typeof({c}) = 'text' AND {} AND {c} GLOB '??????????[ T]??:??:*' AND {}",
                day(&format!("substr({c}, 1, 10)")),
                time(c, &format!("substr({c}, 12)"), self == Form::Timestamp)
            ),
            Form::Json => json(c),
            Form::Bytes(length) => format!("typeof({c}) = 'blob' AND length({c}) = {length}"),
            Form::Integer(least, most) => {
                format!("CAST({c} AS INTEGER) BETWEEN {least} AND {most}")
            }
            // More is read as infinity.
            Form::Single => {
                let number = format!("abs(CAST({c} AS REAL))");
                format!("({number} < 3.4028235677973366e38 OR {number} = 9e999)")
            }
            // A text has no more characters than bytes, and `length` ends at the character 0.
            Form::Text(length) => format!(
                "(length(CAST({c} AS BLOB)) <= {length} OR length({c}) <= {length} AND {})",
                has_no_nul(c)
            ),
            Form::Variant(values) => {
                let values: Vec<_> = (values.iter())
                    .map(|value| super::ddl::literal(&crate::Value::from(value.as_str())))
                    .collect();
                format!("{c} COLLATE BINARY IN ({})", values.join(", "))
            }
            Form::Numeric => decimal::is_number(c),
            Form::Decimal(precision, scale) => {
                decimal::in_range(c, precision, scale, decimal::digits(declared).is_some())
            }
        }
    }

    /// Whether the column's affinity leaves every value of this form unchanged.
    pub(super) fn is_all(self) -> bool {
        matches!(
            self,
            Form::Boolean
                | Form::Date
                | Form::Time
                | Form::DateTime
                | Form::Timestamp
                | Form::Bytes(_)
        )
    }
}

/// The condition for a stored value of a column, other than NULL, to be read as the column's type.
/// `None` if the readers of the type aren't known.
pub(super) fn read(stored: &Stored<'_>) -> Option<String> {
    read_of(&quote(&stored.column.name), stored)
}

/// The same of the value of another column, in SQL.
pub(super) fn read_of(c: &str, stored: &Stored<'_>) -> Option<String> {
    let Stored { declared, column } = stored;
    let kinds = match &column.ty {
        Type::Float | Type::Double => "IN ('real', 'integer')",
        Type::Uuid | Type::Binary | Type::FixedBinary(_) => "= 'blob'",
        Type::Decimal(..) if decimal::digits(declared).is_some() => "IN ('real', 'integer')",
        Type::String(_)
        | Type::Text
        | Type::Date
        | Type::Time
        | Type::DateTime
        | Type::Timestamp
        | Type::Json
        | Type::Enum(..)
        | Type::Decimal(..)
        | Type::Numeric => "= 'text'",
        Type::Boolean
        | Type::TinyInteger
        | Type::SmallInteger
        | Type::Integer
        | Type::BigInteger
        | Type::TinyUnsigned
        | Type::SmallUnsigned
        | Type::Unsigned
        | Type::BigUnsigned => "= 'integer'",
        Type::Array(_) | Type::Raw(_) | Type::PerDialect(_) => return None,
    };
    let kind = format!("typeof({c}) {kinds}");
    Some(match Form::of(&column.ty) {
        Some(Form::Integer(i64::MIN, i64::MAX)) | None => kind,
        Some(Form::Integer(least, most)) => format!("{kind} AND {c} BETWEEN {least} AND {most}"),
        Some(Form::Boolean) => format!("{kind} AND {c} IN (0, 1)"),
        // These say the kind themselves.
        Some(form) if form.is_all() => form.condition(c, declared),
        Some(form) => format!("{kind} AND {}", form.condition(c, declared)),
    })
}

fn n_digits(number: i64) -> u32 {
    number.unsigned_abs().checked_ilog10().map_or(1, |digits| digits + 1)
}

/// The condition for a value to be an integer, or to be converted to one exactly.
pub(super) fn integer(c: &str) -> String {
    // The column's own collation may exist only in the application.
    format!(
        "CASE typeof({c}) WHEN 'integer' THEN 1 WHEN 'real' THEN {c} = CAST({c} AS INTEGER) \
         WHEN 'text' THEN CAST(CAST({c} AS INTEGER) AS TEXT) = {c} COLLATE BINARY ELSE 0 END"
    )
}

/// How many arrays and objects can be around each other in JSON for programs to read it.
const JSON_LEVELS: u32 = 127;

/// The condition for a value to be JSON that programs read. SQLite also takes numbers for valid that
/// no `f64` holds, and halves of surrogate pairs, which are no characters: its functions read them
/// as infinity, and `GLOB` reads them as U+FFFD. And it takes more levels than readers do. A text
/// that has none of them need not be parsed a second time.
fn json(c: &str) -> String {
    let has_half = |text: &str| {
        format!("replace(part.{text}, char(65533), '') GLOB '*' || char(65533) || '*'")
    };
    // Names of columns are none of `json_tree`'s own where the text has another name.
    let is_odd = format!(
        "({c} GLOB '*\\u[dD][89a-fA-F]*' OR {c} GLOB '*[0-9][eE]*' OR length({c}) > 308) \
         AND EXISTS (SELECT 1 FROM (SELECT CAST({c} AS TEXT) AS json_text) AS whole, \
         json_tree(whole.json_text) AS part WHERE part.atom IN (9e999, -9e999) OR {} OR {})",
        has_half("atom"),
        has_half("key"),
    );
    // Level by level, so that the work is at most that of reading the text once for each.
    let too_deep = JSON_LEVELS + 1;
    let is_deep = format!(
        "length({c}) - length(replace(replace({c}, '[', ''), '{{', '')) > {JSON_LEVELS} \
         AND EXISTS (WITH RECURSIVE nested (json_text, level) AS (SELECT CAST({c} AS TEXT), 1 \
         UNION ALL SELECT part.value, nested.level + 1 \
         FROM nested, json_each(nested.json_text) AS part \
         WHERE nested.level < {too_deep} AND part.type IN ('array', 'object')) \
         SELECT 1 FROM nested WHERE level = {too_deep})"
    );
    format!(
        "CASE WHEN typeof({c}) = 'blob' OR NOT json_valid(CAST({c} AS TEXT)) THEN 0 \
         WHEN {is_odd} THEN 0 WHEN {is_deep} THEN 0 ELSE 1 END AND {}",
        has_no_nul(c)
    )
}

/// The condition for a part of a text to start with hours and minutes, followed only by optional
/// seconds, their fraction and perhaps a time zone. SQLite would also accept spaces, and the hour
/// 24.
fn time(c: &str, text: &str, with_zone: bool) -> String {
    let signs = if with_zone { "0-9:.Z+-" } else { "0-9:." };
    format!(
        "({text} GLOB '[01][0-9]:[0-9]*' OR {text} GLOB '2[0-3]:[0-9]*') \
         AND {text} NOT GLOB '*[^{signs}]*' AND time({text}) IS NOT NULL AND {}",
        has_no_nul(c)
    )
}
