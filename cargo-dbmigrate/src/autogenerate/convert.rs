//! Which types can hold every value of which other types.

use dbmigrate_runtime::engine::dialect::Dialect;
use dbmigrate_runtime::schema::{Column, Type};

/// Whether rows keep their values when a column's type changes, so that there is no question to
/// ask. A database's own types are interpreted by its dialect.
pub fn keeps(from: &Type, to: &Type, dialect: &dyn Dialect) -> bool {
    let (own_from, own_to) = (dialect.understood(from), dialect.understood(to));
    widens(own_from.as_ref().unwrap_or(from), own_to.as_ref().unwrap_or(to))
        || dialect.keeps_values(from, to)
}

/// An expression that converts each value of a column to another type, if only one conversion makes
/// sense.
pub fn counterpart(
    column: &str,
    from: &Type,
    to: &Column,
    dialect: &dyn Dialect,
) -> Option<String> {
    dialect.counterpart(column, from, to)
}

/// A neutral value of a column's type, in SQL.
pub fn neutral(column: &Column, dialect: &dyn Dialect) -> String {
    dialect.neutral(&column.ty).unwrap_or_else(|| "''".to_owned())
}

/// Whether every value of one type is also a value of the other, and is preserved when a database
/// converts it. For all other changes, a person has to decide.
fn widens(from: &Type, to: &Type) -> bool {
    if from == to {
        return true;
    }
    match from {
        // Booleans are stored as 0 and 1.
        Type::Boolean => to.is_integer(),
        Type::TinyInteger
        | Type::SmallInteger
        | Type::Integer
        | Type::BigInteger
        | Type::TinyUnsigned
        | Type::SmallUnsigned
        | Type::Unsigned
        | Type::BigUnsigned => integer(from).is_some_and(|integer| integer.fits(to)),
        Type::Float => *to == Type::Double,
        Type::Double => false,
        Type::Decimal(precision, scale) => match to {
            Type::Decimal(to_precision, to_scale) => {
                to_scale >= scale
                    && to_precision.saturating_sub(*to_scale) >= precision.saturating_sub(*scale)
            }
            // The sign and the point need two more characters.
            Type::String(length) => *length >= precision.saturating_add(2),
            Type::Numeric | Type::Text => true,
            _ => false,
        },
        Type::String(length) => match to {
            Type::String(to) => to >= length,
            Type::Text => true,
            _ => false,
        },
        // The text of these values is what the database itself would write. Adding a time zone or a
        // time of day would be a guess.
        Type::Numeric | Type::Date | Type::Time | Type::DateTime | Type::Timestamp | Type::Json => {
            *to == Type::Text
        }
        Type::Enum(_, values) => match to {
            Type::Enum(_, to) => values.iter().all(|value| to.contains(value)),
            Type::String(length) => {
                values.iter().all(|value| value.chars().count() <= *length as usize)
            }
            Type::Text => true,
            _ => false,
        },
        Type::FixedBinary(_) => *to == Type::Binary,
        Type::Array(from) => match to {
            Type::Array(to) => widens(from, to),
            _ => false,
        },
        // One database stores it as text and another as bytes.
        Type::Uuid | Type::Text | Type::Binary => false,
        // A database's own types, which only its dialect can interpret.
        Type::Raw(_) | Type::PerDialect(_) => false,
    }
}

/// Whether one of the types could have replaced the other.
pub fn alike(a: &Type, b: &Type, dialect: &dyn Dialect) -> bool {
    keeps(a, b, dialect) || keeps(b, a, dialect)
}

struct Integer {
    signed: bool,
    bits: u32,
}

fn integer(ty: &Type) -> Option<Integer> {
    let (signed, bits) = match ty {
        Type::TinyInteger => (true, 8),
        Type::SmallInteger => (true, 16),
        Type::Integer => (true, 32),
        Type::BigInteger => (true, 64),
        Type::TinyUnsigned => (false, 8),
        Type::SmallUnsigned => (false, 16),
        Type::Unsigned => (false, 32),
        Type::BigUnsigned => (false, 64),
        _ => return None,
    };
    Some(Integer { signed, bits })
}

impl Integer {
    fn fits(&self, to: &Type) -> bool {
        if let Some(to) = integer(to) {
            return match (self.signed, to.signed) {
                (true, false) => false,
                (false, true) => to.bits > self.bits,
                _ => to.bits >= self.bits,
            };
        }
        match to {
            // The integers that a float of 24 or 53 bits of precision represents exactly.
            Type::Float => self.bits <= 16,
            Type::Double => self.bits <= 32,
            Type::Decimal(precision, scale) => precision.saturating_sub(*scale) >= self.digits(),
            Type::String(length) => *length > self.digits(),
            Type::Numeric | Type::Text => true,
            _ => false,
        }
    }

    fn digits(&self) -> u32 {
        match self.bits {
            8 => 3,
            16 => 5,
            32 => 10,
            _ => 20,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(from: Type, wider: &[Type], others: &[Type]) {
        for to in wider {
            assert!(widens(&from, to), "{from} to {to}");
        }
        for to in others {
            assert!(!widens(&from, to), "{from} to {to}");
        }
    }

    #[test]
    fn an_integer_goes_where_all_its_digits_do() {
        check(Type::SmallInteger, &[Type::Integer, Type::Float, Type::Decimal(7, 2)], &[]);
        check(Type::Unsigned, &[Type::BigInteger, Type::Double], &[Type::Integer, Type::Float]);
        check(
            Type::BigInteger,
            &[Type::Text, Type::Numeric, Type::String(21)],
            &[Type::BigUnsigned, Type::Double, Type::String(20), Type::Boolean],
        );
        check(Type::Boolean, &[Type::Integer], &[Type::Text]);
        check(Type::BigUnsigned, &[Type::Numeric], &[Type::BigInteger]);
    }

    #[test]
    fn text_goes_where_it_isnt_cut_nor_read() {
        check(Type::String(50), &[Type::String(50), Type::Text], &[Type::String(49)]);
        check(Type::Text, &[], &[Type::String(1000), Type::Integer, Type::Json]);
        let old = Type::enumeration("Status", ["new", "done"]);
        let renamed = Type::enumeration("State", ["done", "old", "new"]);
        check(
            old,
            &[renamed, Type::String(4)],
            &[Type::enumeration("S", ["new"]), Type::String(3)],
        );
    }

    #[test]
    fn numbers_and_times_keep_what_they_say() {
        check(
            Type::Decimal(10, 2),
            &[Type::Decimal(12, 4), Type::Numeric],
            &[Type::Decimal(10, 4), Type::Decimal(12, 1), Type::Double],
        );
        check(Type::Double, &[], &[Type::Float, Type::Text, Type::Numeric]);
        check(Type::DateTime, &[Type::Text], &[Type::Timestamp, Type::Date]);
        check(Type::Uuid, &[], &[Type::Text, Type::Binary]);
        check(Type::FixedBinary(4), &[Type::Binary], &[Type::FixedBinary(5)]);
        check(Type::array(Type::Integer), &[Type::array(Type::BigInteger)], &[Type::Text]);
        check(Type::raw("citext"), &[], &[Type::Text, Type::raw("text")]);
    }
}
