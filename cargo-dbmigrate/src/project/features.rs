//! What a package's own features turn on in its dependencies.

use std::collections::{BTreeMap, BTreeSet};

/// The features in a package's manifest, with what each turns on.
pub type Features = BTreeMap<String, Vec<String>>;

/// Which features of a package are on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ChosenFeatures {
    pub named: Vec<String>,
    pub all: bool,
    pub default: bool,
}

/// The dependencies of a package with the chosen features: an optional one if a feature turns it on,
/// and each with the features that come with those of the package.
pub fn with_features(
    dependencies: &toml::Table,
    features: &Features,
    chosen: &ChosenFeatures,
) -> toml::Table {
    let mut open: Vec<&str> = chosen.named.iter().map(String::as_str).collect();
    open.extend(chosen.default.then_some("default"));
    if chosen.all {
        open.extend(features.keys().map(String::as_str));
        open.extend(dependencies.keys().map(String::as_str));
    }
    let (mut seen, mut turned_on) = (BTreeSet::new(), BTreeSet::new());
    let mut added: BTreeMap<&str, Vec<toml::Value>> = BTreeMap::new();
    while let Some(item) = open.pop() {
        if !seen.insert(item) {
            continue;
        }
        match (item.split_once('/'), features.get(item)) {
            (Some((dependency, feature)), _) => {
                let name = dependency.trim_end_matches('?');
                if name == dependency {
                    turned_on.insert(name);
                    // So does a feature of this name.
                    open.extend(features.get_key_value(name).map(|(name, _)| name.as_str()));
                }
                added.entry(name).or_default().push(feature.into());
            }
            (None, Some(items)) => open.extend(items.iter().map(String::as_str)),
            // An optional dependency is a feature by itself.
            (None, None) => {
                turned_on.insert(item.strip_prefix("dep:").unwrap_or(item));
            }
        }
    }
    let is_on = |name: &str, dependency: &toml::Value| {
        let is_optional = dependency.get("optional").and_then(toml::Value::as_bool);
        is_optional != Some(true) || turned_on.contains(name)
    };
    let with_added = |(name, dependency): (&String, &toml::Value)| {
        let added = added.get(name.as_str()).map_or(&[][..], Vec::as_slice);
        (name.clone(), adding(dependency, added))
    };
    let on = dependencies.iter().filter(|(name, dependency)| is_on(name, dependency));
    on.map(with_added).collect()
}

/// A dependency with more features.
pub fn adding(dependency: &toml::Value, features: &[toml::Value]) -> toml::Value {
    let mut table = match dependency {
        toml::Value::Table(table) => table.clone(),
        version => toml::Table::from_iter([("version".to_owned(), version.clone())]),
    };
    let own = table.get("features").and_then(toml::Value::as_array);
    let all = own.into_iter().flatten().chain(features).cloned().collect();
    table.insert("features".to_owned(), toml::Value::Array(all));
    table.into()
}
