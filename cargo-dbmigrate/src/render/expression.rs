//! Values of the schema as the Rust expressions that build them.

use std::collections::BTreeMap;

use dbmigrate_runtime::Value;
use dbmigrate_runtime::engine::Backend;
use dbmigrate_runtime::operations::{ColumnChange, Sql, TableChange};
use dbmigrate_runtime::schema::{
    Check, Column, DefaultValue, Deferrable, ForeignKey, Index, IndexColumn, IndexTerm, PrimaryKey,
    ReferentialAction, Table, Type, Unique,
};
use proc_macro2::Literal;

pub fn text(it: &str) -> String {
    Literal::string(it).to_string()
}

pub fn texts<S: AsRef<str>>(items: &[S]) -> String {
    let items: Vec<_> = items.iter().map(|item| text(item.as_ref())).collect();
    format!("[{}]", items.join(", "))
}

pub fn table(it: &Table) -> String {
    let mut source = format!("Table::new({})", text(&it.name));
    let mut add = |method: &str, args: &str| source += &format!(".{method}({args})");
    for column in &it.columns {
        add("column", &self::column(column));
    }
    if let Some(it) = &it.primary_key {
        add("primary_key", &format!("{}, {}", text(&it.name), texts(&it.columns)));
    }
    for it in sorted(&it.uniques, |unique| &unique.name) {
        add("unique", &format!("{}, {}", text(&it.name), texts(&it.columns)));
    }
    for it in sorted(&it.foreign_keys, |foreign_key| &foreign_key.name) {
        add("foreign_key", &foreign_key(it));
    }
    for it in sorted(&it.checks, |check| &check.name) {
        add("check", &format!("{}, {}", text(&it.name), text(&it.expression)));
    }
    it.options.iter().for_each(|option| add(option.key(), ""));
    if let Some(it) = &it.comment {
        add("comment", &text(it));
    }
    source
}

fn sorted<T>(items: &[T], name: impl Fn(&T) -> &str) -> Vec<&T> {
    let mut items: Vec<&T> = items.iter().collect();
    items.sort_by(|a, b| name(a).cmp(name(b)));
    items
}

pub fn column(it: &Column) -> String {
    let mut source = format!("Column::new({}, {})", text(&it.name), ty(&it.ty));
    let mut add = |method: &str, args: &str| source += &format!(".{method}({args})");
    if !it.nullable {
        add("not_null", "");
    }
    match &it.default {
        None => {}
        Some(DefaultValue::Literal(it)) => add("default", &value(it)),
        Some(DefaultValue::Now) => add("default_now", ""),
        Some(DefaultValue::Sql(it)) => add("default_sql", &text(it)),
    }
    if let Some(on) = it.autoincrement {
        add("autoincrement", &on.to_string());
    }
    match &it.generated {
        None => {}
        Some(it) if it.stored => add("generated_stored", &text(&it.expression)),
        Some(it) => add("generated_virtual", &text(&it.expression)),
    }
    if let Some(it) = &it.collation {
        add("collate", &text(it));
    }
    if let Some(it) = &it.comment {
        add("comment", &text(it));
    }
    source
}

pub fn ty(ty: &Type) -> String {
    match ty {
        Type::Decimal(precision, scale) => format!("Type::Decimal({precision}, {scale})"),
        Type::String(length) => format!("Type::String({length})"),
        Type::FixedBinary(length) => format!("Type::FixedBinary({length})"),
        Type::Enum(name, values) => {
            format!("Type::enumeration({}, {})", text(name), texts(values))
        }
        Type::Array(of) => format!("Type::array({})", self::ty(of)),
        Type::Raw(it) => format!("Type::raw({})", text(it)),
        Type::PerDialect(types) => format!("Type::per_dialect({})", pairs(types)),
        Type::Boolean
        | Type::TinyInteger
        | Type::SmallInteger
        | Type::Integer
        | Type::BigInteger
        | Type::TinyUnsigned
        | Type::SmallUnsigned
        | Type::Unsigned
        | Type::BigUnsigned
        | Type::Float
        | Type::Double
        | Type::Numeric
        | Type::Text
        | Type::Date
        | Type::Time
        | Type::DateTime
        | Type::Timestamp
        | Type::Uuid
        | Type::Json
        | Type::Binary => format!("Type::{ty:?}"),
    }
}

fn pairs(items: &BTreeMap<String, String>) -> String {
    let items: Vec<_> =
        items.iter().map(|(key, item)| format!("({}, {})", text(key), text(item))).collect();
    format!("[{}]", items.join(", "))
}

/// A value as an argument of `impl Into<Value>`.
pub fn value(it: &Value) -> String {
    match it {
        Value::Null => "Value::Null".to_owned(),
        Value::Bool(it) => it.to_string(),
        Value::Integer(it) if i32::try_from(*it).is_ok() => it.to_string(),
        Value::Integer(it) => format!("{it}_i64"),
        Value::Real(it) if it.is_finite() => format!("{it:?}"),
        Value::Real(it) if it.is_nan() => "f64::NAN".to_owned(),
        Value::Real(it) if *it > 0.0 => "f64::INFINITY".to_owned(),
        Value::Real(_) => "f64::NEG_INFINITY".to_owned(),
        Value::Text(it) => text(it),
        Value::Blob(it) => {
            let bytes: Vec<_> = it.iter().map(|byte| format!("{byte}u8")).collect();
            format!("vec![{}]", bytes.join(", "))
        }
    }
}

/// A row as an argument of `impl IntoValues`: a tuple, as long as the trait has one.
pub fn row(items: &[Value]) -> String {
    let values: Vec<_> = items.iter().map(value).collect();
    match values.len() {
        0 | 13.. => {
            let values: Vec<_> =
                values.iter().map(|value| format!("Value::from({value})")).collect();
            format!("vec![{}]", values.join(", "))
        }
        1 => format!("({},)", values[0]),
        _ => format!("({})", values.join(", ")),
    }
}

pub fn primary_key(it: &PrimaryKey) -> String {
    format!("PrimaryKey::new({}, {})", text(&it.name), texts(&it.columns))
}

pub fn unique(it: &Unique) -> String {
    format!("Unique::new({}, {})", text(&it.name), texts(&it.columns))
}

pub fn check(it: &Check) -> String {
    format!("Check::new({}, {})", text(&it.name), text(&it.expression))
}

pub fn foreign_key(it: &ForeignKey) -> String {
    let mut source = format!(
        "ForeignKey::new({}, {}, {}, {})",
        text(&it.name),
        texts(&it.columns),
        text(&it.references_table),
        texts(&it.references_columns)
    );
    for (method, action) in [("on_delete", it.on_delete), ("on_update", it.on_update)] {
        if action != ReferentialAction::NoAction {
            source += &format!(".{method}(Action::{action:?})");
        }
    }
    match it.deferrable {
        None => {}
        Some(Deferrable::InitiallyImmediate) => {
            source += ".deferrable(Deferrable::InitiallyImmediate)";
        }
        Some(Deferrable::InitiallyDeferred) => {
            source += ".deferrable(Deferrable::InitiallyDeferred)";
        }
    }
    source
}

pub fn index(it: &Index) -> String {
    // The columns that are just columns come first, in the constructor.
    let plain = |index_column: &&IndexColumn| {
        matches!(index_column.term, IndexTerm::Column(_))
            && !index_column.descending
            && index_column.collation.is_none()
    };
    let first: Vec<&IndexColumn> = it.columns.iter().take_while(plain).collect();
    let names: Vec<String> = first.iter().map(|index_column| index_column.to_string()).collect();
    let mut source = format!("Index::new({}, {})", text(&it.name), texts(&names));
    for it in &it.columns[first.len()..] {
        source += &format!(".column({})", index_column(it));
    }
    if it.unique {
        source += ".unique()";
    }
    if let Some(it) = &it.filter {
        source += &format!(".filter({})", text(it));
    }
    source
}

fn index_column(it: &IndexColumn) -> String {
    let mut source = match &it.term {
        IndexTerm::Column(it) => format!("IndexColumn::new({})", text(it)),
        IndexTerm::Expression(it) => format!("IndexColumn::expression({})", text(it)),
    };
    if it.descending {
        source += ".desc()";
    }
    if let Some(it) = &it.collation {
        source += &format!(".collate({})", text(it));
    }
    source
}

pub fn sql(it: &Sql) -> String {
    match (&it.any, it.by_dialect.as_slice()) {
        (Some(any), []) => text(any),
        (any, by_dialect) => {
            // Others there are none, and no database would take their texts.
            let is_known = |(name, _): &&(String, String)| Backend::by_name(name).is_some();
            let texts = by_dialect.iter().filter(is_known);
            let texts = texts.map(|(dialect, found)| format!(".{dialect}({})", text(found)));
            let begin = match any {
                Some(any) => format!("Sql::from({})", text(any)),
                None => "Sql::new()".to_owned(),
            };
            begin + &texts.collect::<String>()
        }
    }
}

pub fn table_change(it: &TableChange) -> String {
    let mut source = "TableChange::new()".to_owned();
    for (option, on) in &it.options {
        source += &format!(".{}({on})", option.key());
    }
    if let Some(it) = &it.comment {
        source += &format!(".comment({})", option(it));
    }
    source
}

fn option(it: &Option<String>) -> String {
    match it {
        None => "None".to_owned(),
        Some(it) => format!("Some({})", text(it)),
    }
}

pub fn column_change(it: &ColumnChange) -> String {
    let mut source = "ColumnChange::new()".to_owned();
    let mut add = |method: &str, args: &str| source += &format!(".{method}({args})");
    if let Some(it) = &it.ty {
        add("ty", &ty(it));
    }
    match it.nullable {
        None => {}
        Some(true) => add("nullable", ""),
        Some(false) => add("not_null", ""),
    }
    match &it.default {
        None => {}
        Some(None) => add("no_default", ""),
        Some(Some(DefaultValue::Literal(it))) => add("default", &value(it)),
        Some(Some(DefaultValue::Now)) => add("default_now", ""),
        Some(Some(DefaultValue::Sql(it))) => add("default_sql", &text(it)),
    }
    if let Some(it) = it.autoincrement {
        add("autoincrement", &format!("{it:?}"));
    }
    match &it.generated {
        None => {}
        Some(None) => add("not_generated", ""),
        Some(Some(it)) if it.stored => add("generated_stored", &text(&it.expression)),
        Some(Some(it)) => add("generated_virtual", &text(&it.expression)),
    }
    if let Some(it) = &it.collation {
        add("collate", &option(it));
    }
    if let Some(it) = &it.comment {
        add("comment", &option(it));
    }
    if let Some(it) = &it.using {
        add("using", &text(it));
    }
    if let Some(expression) = &it.fill {
        add("fill", &text(expression));
    }
    source
}
