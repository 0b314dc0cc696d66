//! The derives of structs, which the types of their fields need as well.

use std::collections::BTreeMap;

use syn::ext::IdentExt as _;

use crate::inspect::{self, ColumnCode};

/// The derives that need no import.
const STANDARD: [&str; 9] =
    ["Clone", "Copy", "Debug", "Default", "Eq", "Hash", "Ord", "PartialEq", "PartialOrd"];

/// Others that every enum can have.
const OTHERS: [&str; 2] = ["Deserialize", "Serialize"];

/// An enum for an enumeration of the database.
pub(super) struct Enum {
    pub(super) name: String,
    /// The name of the enumeration.
    pub(super) in_database: String,
    /// Its derives that structs with a field of it may need.
    pub(super) derives: Vec<String>,
}

/// The last part of a path.
fn last(path: &str) -> &str {
    path.rsplit("::").next().unwrap_or_default()
}

/// The derives among attributes, as they are written.
fn all(attributes: &[syn::Attribute]) -> Vec<String> {
    let mut derives = Vec::new();
    for attribute in attributes.iter().filter(|attribute| attribute.path().is_ident("derive")) {
        // What can't be read is for the compiler to report.
        let _ = attribute.parse_nested_meta(|derive| {
            let names = derive.path.segments.iter().map(|segment| segment.ident.to_string());
            let root = if derive.path.leading_colon.is_some() { "::" } else { "" };
            derives.push(format!("{root}{}", names.collect::<Vec<_>>().join("::")));
            Ok(())
        });
    }
    derives
}

/// Those that an enum needs if a struct with a field of it has them, and that every enum can have.
pub(super) fn shared(attributes: &[syn::Attribute]) -> Vec<String> {
    let is_shared = |derive: &String| [&STANDARD[..], &OTHERS].concat().contains(&last(derive));
    all(attributes).into_iter().filter(is_shared).collect()
}

/// The enumeration of the database that an enum stands for, if it is one.
pub(super) fn enumeration(item: &syn::ItemEnum) -> Option<Enum> {
    let name = item.ident.unraw().to_string();
    let mut in_database = inspect::snake(&name);
    let mut is_text = false;
    let own = item.attrs.iter().filter(|attribute| attribute.path().is_ident("column_type"));
    for attribute in own {
        let _ = attribute.parse_nested_meta(|meta| {
            is_text |= meta.path.is_ident("text");
            let is_name = meta.path.is_ident("name");
            if let Ok(value) = meta.value() {
                let value: syn::Lit = value.parse()?;
                match value {
                    syn::Lit::Str(text) if is_name => in_database = text.value(),
                    _ => {}
                }
            }
            Ok(())
        });
    }
    let is_column_type = all(&item.attrs).iter().any(|derive| last(derive) == "ColumnType");
    let derives = shared(&item.attrs);
    (is_column_type && !is_text).then_some(Enum { name, in_database, derives })
}

/// The derives that enums need because structs with a field of them have them.
#[derive(Default)]
pub(super) struct SharedDerives {
    /// By the names of the enums.
    derives: BTreeMap<String, Vec<String>>,
}

impl SharedDerives {
    /// Adds those of a struct with a field of this enum.
    pub(super) fn add(&mut self, enumeration: Option<&str>, derives: &[String]) {
        let Some(name) = enumeration.map(last) else { return };
        // Another file may not import what the struct's file does.
        let has_path =
            |derive: &&String| STANDARD.contains(&derive.as_str()) || derive.contains("::");
        let own = self.derives.entry(name.to_owned()).or_default();
        own.extend(derives.iter().filter(has_path).cloned());
    }

    /// Those of an enum that is declared beside a struct with these derives.
    pub(super) fn of(&self, enumeration: &str, beside: &[String]) -> Vec<String> {
        let mut derives = beside.to_vec();
        for other in self.derives.get(last(enumeration)).into_iter().flatten() {
            if derives.iter().all(|own| last(own) != last(other)) {
                derives.push(other.clone());
            }
        }
        derives
    }
}

/// The code of an enum with these derives before its own.
pub(super) fn added(code: &str, derives: &[String]) -> String {
    let list: String = derives.iter().map(|derive| format!("{derive}, ")).collect();
    let code = code.replacen("#[derive(", &format!("#[derive({list}"), 1);
    if derives.iter().any(|derive| last(derive) == "Default") {
        return code.replacen(" {\n", " {\n    #[default]\n", 1);
    }
    code
}

/// Which of a struct's derives the types of new fields lack, in words; `existing` are the enums
/// that are not declared together with the fields.
pub(super) fn unmet(derives: &[String], fields: &[&ColumnCode], existing: &[&Enum]) -> Vec<String> {
    let mut unmet = Vec::new();
    for derive in derives.iter().map(|derive| last(derive)) {
        for code in fields {
            let enumeration = code.enumeration.as_deref().map(last);
            let own = existing.iter().find(|own| Some(own.name.as_str()) == enumeration);
            let field = code.field.lines().last().unwrap_or_default().trim();
            let field = field.trim_start_matches("pub ").trim_end_matches(',');
            if !has(&code.rust, enumeration.is_some(), derive) {
                unmet.push(format!("`{derive}`, because of `{field}`"));
            } else if own.is_some_and(|own| !has_derive(own, &code.rust, derive)) {
                unmet
                    .push(format!("`{derive}`, because of `{field}`: the enum does not derive it"));
            }
        }
    }
    unmet
}

fn has_derive(own: &Enum, rust: &str, derive: &str) -> bool {
    // These have a default even if what they contain has none.
    let is_wrapped = rust.starts_with("Option<") || rust.starts_with("Vec<");
    own.derives.iter().any(|other| last(other) == derive) || derive == "Default" && is_wrapped
}

/// Whether the type of a field has what a derive needs, apart from an enum in it.
fn has(rust: &str, is_enum: bool, derive: &str) -> bool {
    let words: Vec<&str> =
        rust.split(|char: char| !char.is_alphanumeric() && char != '_').collect();
    let names = |types: &[&str]| !is_enum && types.iter().any(|ty| words.contains(ty));
    let length = rust.strip_prefix("[u8; ").and_then(|rest| rest.strip_suffix(']'));
    let length: Option<usize> = length.and_then(|length| length.parse().ok());
    match derive {
        "Copy" => !rust.contains("Vec<") && !names(&["String", "Value", "BigDecimal"]),
        "Eq" | "Ord" | "Hash" if names(&["f32", "f64"]) => false,
        "Ord" | "PartialOrd" => !names(&["Value"]),
        // The standard library implements it for arrays of up to 32 elements, and the crate `time`
        // for none of its types.
        "Default" => !rust.starts_with("time::") && length.is_none_or(|length| length <= 32),
        _ => true,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn derives_need_what_types_have() {
        let lacks = |rust: &str| -> Vec<&str> {
            STANDARD.into_iter().filter(|derive| !has(rust, false, derive)).collect()
        };
        assert_eq!(lacks("Option<i64>"), [""; 0]);
        assert_eq!(lacks("Option<String>"), ["Copy"]);
        assert_eq!(lacks("f64"), ["Eq", "Hash", "Ord"]);
        assert_eq!(lacks("Vec<f32>"), ["Copy", "Eq", "Hash", "Ord"]);
        assert_eq!(lacks("serde_json::Value"), ["Copy", "Ord", "PartialOrd"]);
        assert_eq!(lacks("time::Date"), ["Default"]);
        assert_eq!(lacks("Option<time::Date>"), [""; 0]);
        assert_eq!(lacks("[u8; 64]"), ["Default"]);
        assert_eq!(lacks("[u8; 16]"), [""; 0]);
        assert!(has("Value", true, "Copy") && !has("Vec<Value>", true, "Copy"));
    }
}
