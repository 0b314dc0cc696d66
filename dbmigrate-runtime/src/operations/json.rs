//! JSON for recordings, the version table and the pipe to a runner.
//!
//! It is written by this module, since a checksum needs one fixed form: no spaces, members in the
//! given order. It is parsed by a library.

use std::fmt;

use tinyjson::JsonValue;

/// A JSON value whose objects keep the order of their members.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Json {
    Null,
    Bool(bool),
    /// An integer of at most 53 bits; callers encode larger ones as text.
    Int(i64),
    Text(String),
    Array(Vec<Json>),
    Object(Vec<(String, Json)>),
}

/// Integers up to this limit survive a reader that uses floating point numbers.
pub(crate) const EXACT: i64 = 1 << 53;

impl Json {
    pub(crate) fn text(value: impl Into<String>) -> Json {
        Json::Text(value.into())
    }

    pub(crate) fn texts<S: AsRef<str>>(items: impl IntoIterator<Item = S>) -> Json {
        Json::Array(items.into_iter().map(|item| Json::text(item.as_ref())).collect())
    }

    /// An object with those of the members that have a value.
    pub(crate) fn object<'a>(members: impl IntoIterator<Item = (&'a str, Option<Json>)>) -> Json {
        let members = members.into_iter().filter_map(|(key, value)| Some((key.to_owned(), value?)));
        Json::Object(members.collect())
    }

    pub(crate) fn parse(text: &str) -> Result<Json, String> {
        text.parse::<JsonValue>().map_err(|err| err.to_string())?.try_into()
    }

    #[cfg(feature = "runner")]
    pub(crate) fn get(&self, key: &str) -> Option<&Json> {
        match self {
            Json::Object(members) => {
                members.iter().find(|(member, _)| member == key).map(|(_, value)| value)
            }
            _ => None,
        }
    }

    pub(crate) fn as_str(&self) -> Option<&str> {
        match self {
            Json::Text(text) => Some(text),
            _ => None,
        }
    }

    pub(crate) fn as_int(&self) -> Option<i64> {
        match self {
            Json::Int(integer) => Some(*integer),
            _ => None,
        }
    }

    pub(crate) fn as_bool(&self) -> Option<bool> {
        match self {
            Json::Bool(flag) => Some(*flag),
            _ => None,
        }
    }

    pub(crate) fn as_array(&self) -> Option<&[Json]> {
        match self {
            Json::Array(items) => Some(items),
            _ => None,
        }
    }
}

impl TryFrom<JsonValue> for Json {
    type Error = String;

    fn try_from(value: JsonValue) -> Result<Json, String> {
        Ok(match value {
            JsonValue::Null => Json::Null,
            JsonValue::Boolean(value) => Json::Bool(value),
            JsonValue::Number(number) if number.fract() == 0.0 && number.abs() <= EXACT as f64 => {
                Json::Int(number as i64)
            }
            JsonValue::Number(value) => return Err(format!("unexpected number {value}")),
            JsonValue::String(value) => Json::Text(value),
            JsonValue::Array(items) => {
                Json::Array(items.into_iter().map(Json::try_from).collect::<Result<_, _>>()?)
            }
            JsonValue::Object(members) => {
                let members =
                    members.into_iter().map(|(key, json_value)| Ok((key, json_value.try_into()?)));
                Json::Object(members.collect::<Result<_, String>>()?)
            }
        })
    }
}

impl fmt::Display for Json {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Json::Null => f.write_str("null"),
            Json::Bool(flag) => write!(f, "{flag}"),
            Json::Int(integer) => write!(f, "{integer}"),
            Json::Text(text) => write_text(f, text),
            Json::Array(items) => {
                f.write_str("[")?;
                for (idx, item) in items.iter().enumerate() {
                    f.write_str(if idx == 0 { "" } else { "," })?;
                    item.fmt(f)?;
                }
                f.write_str("]")
            }
            Json::Object(members) => {
                f.write_str("{")?;
                for (idx, (key, member)) in members.iter().enumerate() {
                    f.write_str(if idx == 0 { "" } else { "," })?;
                    write_text(f, key)?;
                    f.write_str(":")?;
                    member.fmt(f)?;
                }
                f.write_str("}")
            }
        }
    }
}

fn write_text(f: &mut fmt::Formatter<'_>, text: &str) -> fmt::Result {
    f.write_str("\"")?;
    let mut rest = text;
    while let Some(at) = rest.find(|c: char| c == '"' || c == '\\' || c.is_control()) {
        f.write_str(&rest[..at])?;
        let special = rest[at..].chars().next().unwrap_or_default();
        match special {
            '"' | '\\' => write!(f, "\\{special}")?,
            special => write!(f, "\\u{:04x}", u32::from(special))?,
        }
        rest = &rest[at + special.len_utf8()..];
    }
    f.write_str(rest)?;
    f.write_str("\"")
}
