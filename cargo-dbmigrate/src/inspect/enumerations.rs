//! The enums for the enumerations of a database. Tables share those of PostgreSQL, which have names.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;

use dbmigrate_runtime::engine::dialect::Comparing;

use super::code::ExistingEnum;
use super::names;
use crate::render::text;

/// The code of an enum for an enumeration of the database with these values.
pub(super) fn code(
    (name, in_database): (&str, &str),
    values: &[String],
    comparing: &Comparing,
) -> String {
    let mut code = "#[derive(ColumnType)]\n".to_owned();
    // Where there are no enumerations, all of them are texts.
    if in_database.is_empty() && !comparing.keeps_definitions {
        code += "#[column_type(text)]\n";
    } else if !["", "enum"].contains(&in_database) && names::snake(name) != in_database {
        let _ = writeln!(code, "#[column_type(name = {})]", text(in_database));
    }
    let _ = writeln!(code, "pub enum {name} {{");
    let mut used = BTreeSet::new();
    for value in values {
        let variant = names::unused(names::of_type(value), &mut used);
        if names::snake(&variant) != *value {
            let _ = writeln!(code, "    #[column_type(rename = {})]", text(value));
        }
        let _ = writeln!(code, "    {variant},");
    }
    code + "}\n"
}

/// The enums that exist or have been declared.
pub(super) struct Enumerations {
    /// Their places, by their crates and their names in the database.
    places: BTreeMap<(String, String), Place>,
}

struct Place {
    /// The module, as its own crate names it; `None` in a file with only new models.
    module: Option<String>,
    name: String,
}

/// The crate of new models.
const OWN: &str = "crate";

impl Enumerations {
    /// The existing enums.
    pub(super) fn of(existing: &[ExistingEnum]) -> Enumerations {
        let places = existing.iter().filter_map(|existing| {
            let (krate, module) = crate_and_module(&existing.path)?;
            let name = existing.path.rsplit("::").next()?.to_owned();
            let key = (krate.to_owned(), existing.in_database.clone());
            Some((key, Place { module: Some(module), name }))
        });
        Enumerations { places: places.collect() }
    }

    /// The enum for an enumeration, as the module of this model names it; the path of a new model is
    /// `None`.
    pub(super) fn find(&self, in_database: &str, user: Option<&str>) -> Option<String> {
        let from = user.and_then(crate_and_module);
        let krate = from.as_ref().map_or(OWN, |(krate, _)| krate);
        let place = self.places.get(&(krate.to_owned(), in_database.to_owned()))?;
        let from = from.map(|(_, module)| module);
        match &place.module {
            Some(module) if from.as_ref() != Some(module) => {
                Some(format!("{module}::{}", place.name))
            }
            _ => Some(place.name.clone()),
        }
    }

    /// Remembers an enum that is declared beside this model.
    pub(super) fn add(&mut self, in_database: &str, beside: Option<&str>, name: &str) {
        let beside = beside.and_then(crate_and_module);
        let krate = beside.as_ref().map_or(OWN, |(krate, _)| krate).to_owned();
        let module = beside.map(|(_, module)| module);
        let place = Place { module, name: name.to_owned() };
        self.places.insert((krate, in_database.to_owned()), place);
    }
}

/// The crate of an item, and its module as the crate itself names it: `shop::models::User` is in
/// `crate::models` of `shop`.
fn crate_and_module(path: &str) -> Option<(&str, String)> {
    let (module, _) = path.rsplit_once("::")?;
    let krate = module.split("::").next()?;
    Some((krate, format!("{OWN}{}", &module[krate.len()..])))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_enum_is_named_as_its_user_has_to() {
        let existing = |path: &str| ExistingEnum { in_database: "mood".into(), path: path.into() };
        let there = [existing("crate::a::Mood"), existing("shop::Mood")];
        let mut enumerations = Enumerations::of(&there);
        let find = |enumerations: &Enumerations, user| enumerations.find("mood", user);
        let all = [Some("crate::a::User"), Some("crate::User"), None, Some("shop::x::User")];
        assert_eq!(
            all.map(|user| find(&enumerations, user).unwrap()),
            ["Mood", "crate::a::Mood", "crate::a::Mood", "crate::Mood"]
        );
        assert_eq!(enumerations.find("state", None), None);
        enumerations.add("state", None, "State");
        assert_eq!(enumerations.find("state", None).unwrap(), "State");
        assert_eq!(enumerations.find("state", Some("shop::User")), None);
    }
}
