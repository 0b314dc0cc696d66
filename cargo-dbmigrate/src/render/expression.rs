//! The Rust expressions that build values of the schema.

use std::collections::BTreeMap;

use dbmigrate_runtime::Value;
use dbmigrate_runtime::engine::Backend;
use dbmigrate_runtime::operations::{ColumnChange, Sql, TableChange};
use dbmigrate_runtime::schema::{
    Check, Column, DefaultValue, Deferrable, ForeignKey, Index, IndexColumn, IndexTerm, Nulls,
    PrimaryKey, ReferentialAction, Table, Type, Unique,
};
use proc_macro2::Literal;

pub fn text(text: &str) -> String {
    Literal::string(text).to_string()
}

pub fn texts<S: AsRef<str>>(items: &[S]) -> String {
    let items: Vec<_> = items.iter().map(|item| text(item.as_ref())).collect();
    format!("[{}]", items.join(", "))
}

pub fn table(table: &Table) -> String {
    let mut source = format!("Table::new({})", text(table.bare_name()));
    let mut add = |method: &str, args: &str| source += &format!(".{method}({args})");
    if let Some(schema) = &table.schema {
        add("schema", &text(schema));
    }
    for column in &table.columns {
        add("column", &self::column(column));
    }
    if let Some(primary_key) = &table.primary_key {
        add(
            "primary_key",
            &format!("{}, {}", text(&primary_key.name), texts(&primary_key.columns)),
        );
    }
    for unique in sorted(&table.uniques, |unique| &unique.name) {
        if unique.is_plain() {
            add("unique", &format!("{}, {}", text(&unique.name), texts(&unique.columns)));
        } else {
            add("unique_constraint", &self::unique(unique));
        }
    }
    for key in sorted(&table.foreign_keys, |foreign_key| &foreign_key.name) {
        add("foreign_key", &foreign_key(key));
    }
    for check in sorted(&table.checks, |check| &check.name) {
        add("check", &format!("{}, {}", text(&check.name), sql(&check.expression)));
    }
    table.options.iter().for_each(|option| add(option.key(), ""));
    let texts = [
        ("with", &table.with),
        ("tablespace", &table.tablespace),
        ("engine", &table.engine),
        ("charset", &table.charset),
        ("collate", &table.collation),
    ];
    for (method, value) in texts {
        if let Some(value) = value {
            add(method, &text(value));
        }
    }
    if let Some(comment) = &table.comment {
        add("comment", &text(comment));
    }
    source
}

fn sorted<T>(items: &[T], name: impl Fn(&T) -> &str) -> Vec<&T> {
    let mut items: Vec<&T> = items.iter().collect();
    items.sort_by(|a, b| name(a).cmp(name(b)));
    items
}

pub fn column(column: &Column) -> String {
    let mut source = format!("Column::new({}, {})", text(&column.name), ty(&column.ty));
    let mut add = |method: &str, args: &str| source += &format!(".{method}({args})");
    if !column.nullable {
        add("not_null", "");
    }
    match &column.default {
        None => {}
        Some(DefaultValue::Literal(default)) => add("default", &value(default)),
        Some(DefaultValue::Now) => add("default_now", ""),
        Some(DefaultValue::Sql(default)) => add("default_sql", &sql(default)),
    }
    if let Some(on) = column.autoincrement {
        add("autoincrement", &on.to_string());
    }
    if let Some(identity) = column.identity {
        add("identity", &format!("Identity::{identity:?}"));
    }
    match &column.generated {
        None => {}
        Some(generated) if generated.stored => add("generated_stored", &sql(&generated.expression)),
        Some(generated) => add("generated_virtual", &sql(&generated.expression)),
    }
    if let Some(collation) = &column.collation {
        add("collate", &text(collation));
    }
    if let Some(charset) = &column.charset {
        add("charset", &text(charset));
    }
    if column.on_update_now {
        add("on_update_now", "");
    }
    if column.invisible {
        add("invisible", "");
    }
    if let Some(comment) = &column.comment {
        add("comment", &text(comment));
    }
    source
}

pub fn ty(ty: &Type) -> String {
    match ty {
        Type::Decimal(precision, scale) => format!("Type::Decimal({precision}, {scale})"),
        Type::String(length) => format!("Type::String({length})"),
        Type::FixedBinary(length) => format!("Type::FixedBinary({length})"),
        Type::Enum(name, values) if name.is_empty() => {
            format!("Type::text_enumeration({})", texts(values))
        }
        Type::Enum(name, values) => {
            format!("Type::enumeration({}, {})", text(name), texts(values))
        }
        Type::Array(of) => format!("Type::array({})", self::ty(of)),
        Type::Raw(ty) => format!("Type::raw({})", text(ty)),
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
pub fn value(value: &Value) -> String {
    match value {
        Value::Null => "Value::Null".to_owned(),
        Value::Bool(flag) => flag.to_string(),
        Value::Integer(integer) if i32::try_from(*integer).is_ok() => integer.to_string(),
        Value::Integer(integer) => format!("{integer}_i64"),
        Value::Real(real) if real.is_finite() => format!("{real:?}"),
        Value::Real(real) if real.is_nan() => "f64::NAN".to_owned(),
        Value::Real(real) if *real > 0.0 => "f64::INFINITY".to_owned(),
        Value::Real(_) => "f64::NEG_INFINITY".to_owned(),
        Value::Text(string) => text(string),
        Value::Blob(bytes) => {
            let bytes: Vec<_> = bytes.iter().map(|byte| format!("{byte}u8")).collect();
            format!("vec![{}]", bytes.join(", "))
        }
    }
}

/// A row as an argument of `impl IntoValues`: a tuple, as long as the trait supports its length.
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

pub fn primary_key(primary_key: &PrimaryKey) -> String {
    format!("PrimaryKey::new({}, {})", text(&primary_key.name), texts(&primary_key.columns))
}

pub fn unique(unique: &Unique) -> String {
    let mut source = format!("Unique::new({}, {})", text(&unique.name), texts(&unique.columns));
    if unique.nulls_not_distinct {
        source += ".nulls_not_distinct()";
    }
    if !unique.include.is_empty() {
        source += &format!(".include({})", texts(&unique.include));
    }
    source + deferrable(unique.deferrable)
}

pub fn check(check: &Check) -> String {
    format!("Check::new({}, {})", text(&check.name), sql(&check.expression))
}

pub fn foreign_key(foreign_key: &ForeignKey) -> String {
    let mut source = format!(
        "ForeignKey::new({}, {}, {}, {})",
        text(&foreign_key.name),
        texts(&foreign_key.columns),
        text(&foreign_key.references_table),
        texts(&foreign_key.references_columns)
    );
    for (method, action) in
        [("on_delete", foreign_key.on_delete), ("on_update", foreign_key.on_update)]
    {
        if action != ReferentialAction::NoAction {
            source += &format!(".{method}(Action::{action:?})");
        }
    }
    source + deferrable(foreign_key.deferrable)
}

fn deferrable(deferrable: Option<Deferrable>) -> &'static str {
    match deferrable {
        None => "",
        Some(Deferrable::InitiallyImmediate) => ".deferrable(Deferrable::InitiallyImmediate)",
        Some(Deferrable::InitiallyDeferred) => ".deferrable(Deferrable::InitiallyDeferred)",
    }
}

pub fn index(index: &Index) -> String {
    // Leading plain columns are passed to the constructor.
    let is_plain =
        |column: &&IndexColumn| matches!(column.term, IndexTerm::Column(_)) && column.is_plain();
    let first: Vec<&IndexColumn> = index.columns.iter().take_while(is_plain).collect();
    let names: Vec<String> = first.iter().map(|column| column.to_string()).collect();
    let mut source = format!("Index::new({}, {})", text(&index.name), texts(&names));
    for column in &index.columns[first.len()..] {
        source += &format!(".column({})", index_column(column));
    }
    if index.unique {
        source += ".unique()";
    }
    if let Some(method) = &index.using {
        source += &format!(".using({})", text(method));
    }
    if !index.include.is_empty() {
        source += &format!(".include({})", texts(&index.include));
    }
    if index.nulls_not_distinct {
        source += ".nulls_not_distinct()";
    }
    if let Some(parameters) = &index.with {
        source += &format!(".with({})", text(parameters));
    }
    if let Some(condition) = &index.filter {
        source += &format!(".filter({})", sql(condition));
    }
    if index.concurrently {
        source += ".concurrently()";
    }
    source
}

fn index_column(column: &IndexColumn) -> String {
    let mut source = match &column.term {
        IndexTerm::Column(name) => format!("IndexColumn::new({})", text(name)),
        IndexTerm::Expression(expression) => {
            format!("IndexColumn::expression({})", sql(expression))
        }
    };
    if column.descending {
        source += ".desc()";
    }
    if let Some(collation) = &column.collation {
        source += &format!(".collate({})", text(collation));
    }
    if let Some(prefix) = column.prefix {
        source += &format!(".prefix({prefix})");
    }
    if let Some(opclass) = &column.opclass {
        source += &format!(".opclass({})", text(opclass));
    }
    source += match column.nulls {
        None => "",
        Some(Nulls::First) => ".nulls_first()",
        Some(Nulls::Last) => ".nulls_last()",
    };
    if let Some(operator) = &column.operator {
        source += &format!(".excludes({})", text(operator));
    }
    source
}

pub fn sql(sql: &Sql) -> String {
    match (&sql.any, sql.by_dialect.as_slice()) {
        (Some(any), []) => text(any),
        (any, by_dialect) => {
            // There are no other backends, and no database would use their texts.
            let is_known = |(name, _): &&(String, String)| Backend::by_name(name).is_some();
            let texts = by_dialect.iter().filter(is_known);
            let texts = texts.map(|(dialect, sql)| format!(".{dialect}({})", text(sql)));
            let begin = match any {
                Some(any) => format!("Sql::from({})", text(any)),
                None => "Sql::new()".to_owned(),
            };
            begin + &texts.collect::<String>()
        }
    }
}

/// A text of several lines as a raw literal, which keeps them; `None` for other texts.
pub fn raw(text: &str) -> Option<String> {
    if !text.contains('\n') || text.contains('\r') {
        return None;
    }
    let after_quotes = text.split('"').skip(1);
    let n_hashes = after_quotes.map(|rest| rest.len() - rest.trim_start_matches('#').len() + 1);
    let hashes = "#".repeat(n_hashes.max().unwrap_or_default());
    Some(format!("r{hashes}\"{text}\"{hashes}"))
}

pub fn table_change(change: &TableChange) -> String {
    let mut source = "TableChange::new()".to_owned();
    for (option, on) in &change.options {
        source += &format!(".{}({on})", option.key());
    }
    let texts = [
        ("with", &change.with),
        ("tablespace", &change.tablespace),
        ("engine", &change.engine),
        ("charset", &change.charset),
        ("collate", &change.collation),
        ("comment", &change.comment),
    ];
    for (method, changed) in texts {
        if let Some(changed) = changed {
            source += &format!(".{method}({})", option(changed));
        }
    }
    source
}

fn option(value: &Option<String>) -> String {
    match value {
        None => "None".to_owned(),
        Some(value) => format!("Some({})", text(value)),
    }
}

pub fn column_change(change: &ColumnChange) -> String {
    let mut source = "ColumnChange::new()".to_owned();
    let mut add = |method: &str, args: &str| source += &format!(".{method}({args})");
    if let Some(new_type) = &change.ty {
        add("ty", &ty(new_type));
    }
    match change.nullable {
        None => {}
        Some(true) => add("nullable", ""),
        Some(false) => add("not_null", ""),
    }
    match &change.default {
        None => {}
        Some(None) => add("no_default", ""),
        Some(Some(DefaultValue::Literal(default))) => add("default", &value(default)),
        Some(Some(DefaultValue::Now)) => add("default_now", ""),
        Some(Some(DefaultValue::Sql(default))) => add("default_sql", &sql(default)),
    }
    if let Some(autoincrement) = change.autoincrement {
        add("autoincrement", &format!("{autoincrement:?}"));
    }
    match change.identity {
        None => {}
        Some(None) => add("identity", "None"),
        Some(Some(identity)) => add("identity", &format!("Some(Identity::{identity:?})")),
    }
    match &change.generated {
        None => {}
        Some(None) => add("not_generated", ""),
        Some(Some(generated)) if generated.stored => {
            add("generated_stored", &sql(&generated.expression))
        }
        Some(Some(generated)) => add("generated_virtual", &sql(&generated.expression)),
    }
    if let Some(collation) = &change.collation {
        add("collate", &option(collation));
    }
    if let Some(charset) = &change.charset {
        add("charset", &option(charset));
    }
    if let Some(on) = change.on_update_now {
        add("on_update_now", &on.to_string());
    }
    if let Some(on) = change.invisible {
        add("invisible", &on.to_string());
    }
    if let Some(comment) = &change.comment {
        add("comment", &option(comment));
    }
    if let Some(expression) = &change.using {
        add("using", &sql(expression));
    }
    if let Some(expression) = &change.fill {
        add("fill", &sql(expression));
    }
    source
}
