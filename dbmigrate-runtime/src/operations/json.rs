//! JSON for recordings, the version table and the pipe to a runner.
//!
//! It is written by this module, since a checksum needs one fixed form: no spaces, members in the
//! given order.

mod read;

use std::borrow::Cow;
use std::fmt;

/// A JSON value whose objects keep the order of their members. Texts are borrowed from what was
/// read, or from what is to be written.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Json<'a> {
    Null,
    Bool(bool),
    /// An integer of at most 53 bits; callers encode larger ones as text.
    Int(i64),
    Text(Cow<'a, str>),
    Array(Vec<Json<'a>>),
    Object(Vec<(Cow<'a, str>, Json<'a>)>),
}

/// Integers up to this limit survive a reader that uses floating point numbers.
pub(crate) const EXACT: i64 = 1 << 53;

impl<'a> Json<'a> {
    pub(crate) fn text(text: impl Into<Cow<'a, str>>) -> Json<'a> {
        Json::Text(text.into())
    }

    pub(crate) fn texts<S: AsRef<str> + ?Sized + 'a>(
        items: impl IntoIterator<Item = &'a S>,
    ) -> Json<'a> {
        Json::Array(items.into_iter().map(|item| Json::text(item.as_ref())).collect())
    }

    /// An object with those of the members that have a value.
    pub(crate) fn object(
        members: impl IntoIterator<Item = (&'a str, Option<Json<'a>>)>,
    ) -> Json<'a> {
        let members = members.into_iter().filter_map(|(key, value)| Some((key.into(), value?)));
        Json::Object(members.collect())
    }

    /// Reads what [`Json`] writes, and the white space and escapes that others may add.
    pub(crate) fn parse(text: &'a str) -> Result<Json<'a>, String> {
        read::read(text)
    }

    /// The same value with its texts copied, for when what was read is gone.
    #[cfg(feature = "runner")]
    pub(crate) fn into_owned(self) -> Json<'static> {
        let owned = |text: Cow<'_, str>| Cow::Owned(text.into_owned());
        match self {
            Json::Null => Json::Null,
            Json::Bool(flag) => Json::Bool(flag),
            Json::Int(integer) => Json::Int(integer),
            Json::Text(text) => Json::Text(owned(text)),
            Json::Array(items) => Json::Array(items.into_iter().map(Json::into_owned).collect()),
            Json::Object(members) => {
                let members = members.into_iter();
                Json::Object(members.map(|(key, json)| (owned(key), json.into_owned())).collect())
            }
        }
    }

    pub(crate) fn get(&self, key: &str) -> Option<&Json<'a>> {
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

    pub(crate) fn as_array(&self) -> Option<&[Json<'a>]> {
        match self {
            Json::Array(items) => Some(items),
            _ => None,
        }
    }
}

impl fmt::Display for Json<'_> {
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
