//! The form that readers of a type expect of its values, beyond what the declared type ensures.
//!
//! SQLite stores any text in a column of dates, and any bytes in a column of UUIDs, and readers of
//! the column then fail. The conditions here hold for the values that drivers can read as the type.

use super::affinity::Stored;
use crate::schema::Type;
use crate::sql::quote;

/// The first version that always includes the JSON functions (sqlite.org,
/// `releaselog/3_38_0.html`).
const JSON: u32 = 3_038_000;

/// What readers of a type expect of a value.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Form {
    Boolean,
    Date,
    Time,
    /// A date and a time of day, with or without a time zone.
    DateTime,
    Json,
    /// Exactly this many bytes.
    Bytes(u32),
    /// An integer in this range.
    Integer(i64, i64),
}

impl Form {
    /// The form of a column's values, as far as readers rely on it. A type in SQLite's own words is
    /// taken to mean what dbmigrate means by it.
    fn had(stored: &Stored<'_>) -> Option<Form> {
        let words = [
            ("BOOLEAN", Form::Boolean),
            ("DATE", Form::Date),
            ("TIME", Form::Time),
            ("DATETIME", Form::DateTime),
        ];
        let is_it = |(word, _): &(&str, Form)| stored.declared.eq_ignore_ascii_case(word);
        Form::of(&stored.column.ty).or_else(|| words.into_iter().find(is_it).map(|(_, form)| form))
    }

    fn of(ty: &Type) -> Option<Form> {
        Some(match ty {
            Type::Boolean => Form::Boolean,
            Type::Date => Form::Date,
            Type::Time => Form::Time,
            Type::DateTime | Type::Timestamp => Form::DateTime,
            Type::Json => Form::Json,
            Type::Uuid => Form::Bytes(16),
            Type::FixedBinary(length) => Form::Bytes(*length),
            ty => {
                let (least, most) = ty.integer_range()?;
                Form::Integer(least, most)
            }
        })
    }

    /// The form that a new type requires, unless the old type's values already have it.
    pub(super) fn demanded(was: &Stored<'_>, to: &Stored<'_>, version: u32) -> Option<Form> {
        let form = Form::of(&to.column.ty)?;
        let is_had = match (Form::had(was), form) {
            (Some(Form::Integer(own_least, own_most)), Form::Integer(least, most)) => {
                least <= own_least && own_most <= most
            }
            // Booleans are the integers 0 and 1.
            (Some(Form::Boolean), Form::Integer(..)) => true,
            (had, form) => had == Some(form),
        };
        let is_known = form != Form::Json || version >= JSON;
        (!is_had && is_known).then_some(form)
    }

    /// Whether the declared type alone determines the form of the values.
    pub(super) fn is_said_by(self, declared: &str) -> bool {
        let word = match self {
            Form::Boolean => "BOOLEAN",
            Form::Date => "DATE",
            Form::Time => "TIME",
            Form::DateTime => "DATETIME",
            Form::Json | Form::Bytes(_) | Form::Integer(..) => return false,
        };
        declared.eq_ignore_ascii_case(word)
    }

    /// The condition for a value other than NULL to have the form.
    ///
    /// SQLite's date functions accept more than a reader does: `now`, the number of a day, and the
    /// 31st of February for a day in March. So the function's result has to be the same text.
    pub(super) fn condition(self, column: &str) -> String {
        let c = quote(column);
        let day = |text: &str| format!("date({text}, '+0 days') IS {text} COLLATE BINARY");
        match self {
            Form::Boolean => integer(&c),
            Form::Date => format!("typeof({c}) = 'text' AND {}", day(&c)),
            Form::Time => format!("typeof({c}) = 'text' AND {}", time(&c)),
            Form::DateTime => format!(
                "typeof({c}) = 'text' AND {} AND {c} GLOB '??????????[ T]*' AND {}",
                day(&format!("substr({c}, 1, 10)")),
                time(&format!("substr({c}, 12)"))
            ),
            Form::Json => format!("typeof({c}) <> 'blob' AND json_valid(CAST({c} AS TEXT))"),
            Form::Bytes(length) => format!("typeof({c}) = 'blob' AND length({c}) = {length}"),
            Form::Integer(least, most) => {
                format!("CAST({c} AS INTEGER) BETWEEN {least} AND {most}")
            }
        }
    }

    /// Whether the column's affinity leaves every value of this form unchanged.
    pub(super) fn is_all(self) -> bool {
        !matches!(self, Form::Json | Form::Integer(..))
    }
}

/// The condition for a value to be an integer, or to be converted to one exactly.
pub(super) fn integer(c: &str) -> String {
    // The column's own collation may exist only in the application.
    format!(
        "CASE typeof({c}) WHEN 'integer' THEN 1 WHEN 'real' THEN {c} = CAST({c} AS INTEGER) \
         WHEN 'text' THEN CAST(CAST({c} AS INTEGER) AS TEXT) = {c} COLLATE BINARY ELSE 0 END"
    )
}

/// The condition for a text to start with hours and minutes, followed only by optional seconds,
/// their fraction and a time zone. SQLite would also accept spaces, and the hour 24.
fn time(text: &str) -> String {
    format!(
        "({text} GLOB '[01][0-9]:[0-9]*' OR {text} GLOB '2[0-3]:[0-9]*') \
         AND {text} NOT GLOB '*[^0-9:.Z+-]*' AND time({text}) IS NOT NULL"
    )
}
