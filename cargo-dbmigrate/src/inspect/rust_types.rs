//! The Rust types for column types.

use std::collections::{BTreeMap, BTreeSet};

use dbmigrate_runtime::schema::Type;

use crate::project::name_of;

/// Which crates' types a package can use for columns.
#[derive(Debug, Clone, Default)]
pub struct Crates {
    /// Those that it depends on and whose features of the runtime it has turned on, with the names
    /// that it gives them.
    used: BTreeMap<String, String>,
    /// Those that it depends on without the feature.
    lacking: BTreeSet<&'static str>,
}

/// The crates that have types for columns; the runtime's features have their names.
const CRATES: [&str; 7] =
    ["chrono", "time", "jiff", "uuid", "rust_decimal", "bigdecimal", "serde_json"];

impl Crates {
    /// Those of a package with these dependencies, of which one is on the runtime.
    pub fn of(dependencies: &toml::Table, runtime: &str) -> Crates {
        let runtime = dependencies.get(runtime);
        let features = runtime.and_then(|runtime| runtime.get("features"));
        let features = features.and_then(toml::Value::as_array).into_iter().flatten();
        let named = features.filter_map(toml::Value::as_str).filter_map(|feature| {
            let name = name_of(dependencies, feature)?;
            Some((feature.to_owned(), name.replace('-', "_")))
        });
        let used: BTreeMap<String, String> = named.collect();
        let lacking = CRATES
            .into_iter()
            .filter(|name| !used.contains_key(*name) && name_of(dependencies, name).is_some());
        Crates { lacking: lacking.collect(), used }
    }

    /// The first of these crates' types whose crate is there.
    fn first(&self, types: &[(&str, &str)]) -> Option<String> {
        types.iter().find_map(|(feature, ty)| {
            let name = self.used.get(*feature)?;
            Some(ty.replace(&format!("{feature}::"), &format!("{name}::")))
        })
    }
}

/// A Rust type, and whether the column type has to be said beside it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct RustType {
    pub(super) text: String,
    /// The type that the attribute names.
    pub(super) said: Option<Type>,
    /// The feature of the runtime with which it would be the type of a crate.
    pub(super) lacks: Option<&'static str>,
}

/// The Rust type of a column whose type is `ty`, as the natural type `natural` is held in Rust.
/// Enumerations have a name of their own.
pub(super) fn of(
    ty: &Type,
    natural: &Type,
    crates: &Crates,
    enumeration: Option<&str>,
) -> RustType {
    let plain = |text: &str| (text.to_owned(), true);
    let mut lacks = None;
    // A crate's type if there is one, and otherwise one of Rust's own, which means something else.
    let mut of_crates = |types: &[(&str, &str)], otherwise: &str| {
        let otherwise = || {
            let is_lacking = |name: &&&str| types.iter().any(|(feature, _)| feature == *name);
            lacks = crates.lacking.iter().find(is_lacking).copied();
            (otherwise.to_owned(), false)
        };
        crates.first(types).map_or_else(otherwise, |text| (text, true))
    };
    // Whether the Rust type alone means the column type.
    let (text, is_meant) = match natural {
        Type::Boolean => plain("bool"),
        Type::TinyInteger => plain("i8"),
        Type::SmallInteger => plain("i16"),
        Type::Integer => plain("i32"),
        Type::BigInteger => plain("i64"),
        Type::TinyUnsigned => plain("u8"),
        Type::SmallUnsigned => plain("u16"),
        Type::Unsigned => plain("u32"),
        Type::BigUnsigned => plain("u64"),
        Type::Float => plain("f32"),
        Type::Double => plain("f64"),
        Type::String(_) | Type::Text => plain("String"),
        Type::Binary => plain("Vec<u8>"),
        Type::FixedBinary(length) => (format!("[u8; {length}]"), true),
        Type::Decimal(..) | Type::Numeric => of_crates(
            &[("rust_decimal", "rust_decimal::Decimal"), ("bigdecimal", "bigdecimal::BigDecimal")],
            "String",
        ),
        Type::Date => of_crates(
            &[
                ("chrono", "chrono::NaiveDate"),
                ("time", "time::Date"),
                ("jiff", "jiff::civil::Date"),
            ],
            "String",
        ),
        Type::Time => of_crates(
            &[
                ("chrono", "chrono::NaiveTime"),
                ("time", "time::Time"),
                ("jiff", "jiff::civil::Time"),
            ],
            "String",
        ),
        Type::DateTime => of_crates(
            &[
                ("chrono", "chrono::NaiveDateTime"),
                ("time", "time::PrimitiveDateTime"),
                ("jiff", "jiff::civil::DateTime"),
            ],
            "String",
        ),
        Type::Timestamp => of_crates(
            &[
                ("chrono", "chrono::DateTime<chrono::Utc>"),
                ("time", "time::OffsetDateTime"),
                ("jiff", "jiff::Timestamp"),
            ],
            "String",
        ),
        // Bytes, unless it is a word for what may be text.
        Type::Uuid if matches!(ty, Type::Raw(_)) => of_crates(&[("uuid", "uuid::Uuid")], "String"),
        Type::Uuid => of_crates(&[("uuid", "uuid::Uuid")], "Vec<u8>"),
        Type::Json => of_crates(&[("serde_json", "serde_json::Value")], "String"),
        Type::Enum(..) => match enumeration {
            Some(name) => (name.to_owned(), true),
            None => ("String".to_owned(), false),
        },
        Type::Array(of) => {
            let element = self::of(of, of, crates, enumeration);
            let is_bytes = **of == Type::TinyUnsigned;
            lacks = element.lacks;
            (format!("Vec<{}>", element.text), element.said.is_none() && !is_sized(of) && !is_bytes)
        }
        Type::Raw(_) | Type::PerDialect(_) => ("String".to_owned(), false),
    };
    let said = (!is_meant || (ty != natural && !is_sized_like(ty, natural))).then(|| ty.clone());
    RustType { text, said, lacks }
}

/// Whether a type has a length or digits, which an attribute of the field says.
fn is_sized(ty: &Type) -> bool {
    matches!(ty, Type::String(_) | Type::Decimal(..))
}

/// Whether two types differ only in what `length`, `precision` and `scale` say.
fn is_sized_like(one: &Type, other: &Type) -> bool {
    let is_text = |ty: &Type| matches!(ty, Type::String(_) | Type::Text);
    let is_decimal = |ty: &Type| matches!(ty, Type::Decimal(..) | Type::Numeric);
    is_text(one) && is_text(other) || is_decimal(one) && is_decimal(other)
}
