//! Values that are exchanged between a program and a database.

use std::fmt;

/// One value of a row, a parameter or a column's default.
///
/// Databases that have no boolean store [`Value::Bool`] as the integer 0 or 1.
///
/// # Example
///
/// ```
/// use dbmigrate_runtime::Value;
///
/// assert_eq!(Value::from(3), Value::Integer(3));
/// assert_eq!(Value::from(None::<i64>), Value::Null);
/// assert_eq!(Value::from("it's").to_string(), "'it''s'");
/// ```
#[derive(Debug, Clone, PartialEq)]
#[cfg_attr(not(feature = "exhaustive"), non_exhaustive)]
pub enum Value {
    /// No value.
    Null,
    /// A truth value.
    Bool(bool),
    /// A signed integer of up to 64 bits.
    Integer(i64),
    /// A floating point number.
    Real(f64),
    /// Text in UTF-8.
    Text(String),
    /// Bytes.
    Blob(Vec<u8>),
}

/// Writes the value as an SQL literal that every supported database accepts, for messages.
impl fmt::Display for Value {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Value::Null => f.write_str("NULL"),
            Value::Bool(true) => f.write_str("TRUE"),
            Value::Bool(false) => f.write_str("FALSE"),
            Value::Integer(integer) => write!(f, "{integer}"),
            Value::Real(real) => write!(f, "{real:?}"),
            Value::Text(text) => write!(f, "'{}'", text.replace('\'', "''")),
            Value::Blob(bytes) => {
                f.write_str("X'")?;
                bytes.iter().try_for_each(|byte| write!(f, "{byte:02X}"))?;
                f.write_str("'")
            }
        }
    }
}

macro_rules! value_from {
    ($($ty:ty => |$from:ident| $value:expr;)*) => {
        $(impl From<$ty> for Value {
            fn from($from: $ty) -> Value {
                $value
            }
        })*
    };
}

value_from! {
    bool => |value| Value::Bool(value);
    i8 => |value| Value::Integer(value.into());
    i16 => |value| Value::Integer(value.into());
    i32 => |value| Value::Integer(value.into());
    i64 => |value| Value::Integer(value);
    u8 => |value| Value::Integer(value.into());
    u16 => |value| Value::Integer(value.into());
    u32 => |value| Value::Integer(value.into());
    f32 => |value| Value::Real(value.into());
    f64 => |value| Value::Real(value);
    &str => |text| Value::Text(text.to_owned());
    String => |text| Value::Text(text);
    &[u8] => |bytes| Value::Blob(bytes.to_owned());
    Vec<u8> => |value| Value::Blob(value);
}

impl<T: Into<Value>> From<Option<T>> for Value {
    fn from(value: Option<T>) -> Value {
        value.map_or(Value::Null, Into::into)
    }
}

/// A list of values: the parameters of a statement or one row of a bulk insert.
///
/// Implemented for tuples of up to twelve convertible values, for arrays and vectors of [`Value`],
/// and for `()`, the empty list. This trait can't be implemented outside of this crate.
pub trait IntoValues: sealed::IntoValues {}

impl<T: sealed::IntoValues> IntoValues for T {}

pub(crate) mod sealed {
    use super::Value;

    pub trait IntoValues {
        /// The values in order.
        fn into_values(self) -> Vec<Value>;
    }
}

impl sealed::IntoValues for () {
    fn into_values(self) -> Vec<Value> {
        Vec::new()
    }
}

impl sealed::IntoValues for Vec<Value> {
    fn into_values(self) -> Vec<Value> {
        self
    }
}

impl sealed::IntoValues for &[Value] {
    fn into_values(self) -> Vec<Value> {
        self.to_vec()
    }
}

impl<T: Into<Value>, const N: usize> sealed::IntoValues for [T; N] {
    fn into_values(self) -> Vec<Value> {
        self.into_iter().map(Into::into).collect()
    }
}

macro_rules! tuple_values {
    ($($name:ident)+) => {
        impl<$($name: Into<Value>),+> sealed::IntoValues for ($($name,)+) {
            #[expect(non_snake_case, reason = "the macro names variables after their type parameters")]
            fn into_values(self) -> Vec<Value> {
                let ($($name,)+) = self;
                vec![$($name.into()),+]
            }
        }
    };
}

tuple_values!(A);
tuple_values!(A B);
tuple_values!(A B C);
tuple_values!(A B C D);
tuple_values!(A B C D E);
tuple_values!(A B C D E F);
tuple_values!(A B C D E F G);
tuple_values!(A B C D E F G H);
tuple_values!(A B C D E F G H I);
tuple_values!(A B C D E F G H I J);
tuple_values!(A B C D E F G H I J K);
tuple_values!(A B C D E F G H I J K L);

/// A type that a column of a [`Row`](crate::Row) can be read as.
pub trait FromValue: Sized {
    /// What the type expects, for the message about a mismatch.
    const EXPECTED: &'static str;

    /// The value as this type, or `None` if it is of another kind.
    fn from_value(value: &Value) -> Option<Self>;
}

impl FromValue for Value {
    const EXPECTED: &'static str = "any value";

    fn from_value(value: &Value) -> Option<Value> {
        Some(value.clone())
    }
}

impl FromValue for bool {
    const EXPECTED: &'static str = "a boolean";

    fn from_value(value: &Value) -> Option<bool> {
        match value {
            Value::Bool(value) => Some(*value),
            Value::Integer(value) => Some(*value != 0),
            _ => None,
        }
    }
}

macro_rules! integer_from_value {
    ($($ty:ty)*) => {
        $(impl FromValue for $ty {
            const EXPECTED: &'static str = concat!("an integer that fits ", stringify!($ty));

            fn from_value(value: &Value) -> Option<$ty> {
                match value {
                    Value::Integer(value) => <$ty>::try_from(*value).ok(),
                    _ => None,
                }
            }
        })*
    };
}

integer_from_value!(i8 i16 i32 i64 u8 u16 u32 u64 usize);

impl FromValue for f64 {
    const EXPECTED: &'static str = "a number";

    fn from_value(value: &Value) -> Option<f64> {
        match value {
            Value::Real(value) => Some(*value),
            Value::Integer(value) => Some(*value as f64),
            _ => None,
        }
    }
}

impl FromValue for String {
    const EXPECTED: &'static str = "text";

    fn from_value(value: &Value) -> Option<String> {
        match value {
            Value::Text(value) => Some(value.clone()),
            _ => None,
        }
    }
}

impl FromValue for Vec<u8> {
    const EXPECTED: &'static str = "bytes";

    fn from_value(value: &Value) -> Option<Vec<u8>> {
        match value {
            Value::Blob(bytes) => Some(bytes.clone()),
            _ => None,
        }
    }
}

impl<T: FromValue> FromValue for Option<T> {
    const EXPECTED: &'static str = T::EXPECTED;

    fn from_value(value: &Value) -> Option<Option<T>> {
        match value {
            Value::Null => Some(None),
            _ => T::from_value(value).map(Some),
        }
    }
}
