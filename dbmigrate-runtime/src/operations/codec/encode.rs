//! Encodes operations as text.

use std::collections::BTreeMap;

use crate::Value;
use crate::operations::json::EXACT;
use crate::operations::{
    Batch, ColumnChange, Execute, Json, Operation, OtherObject, Sql, Step, TableChange,
};
use crate::schema::{
    Check, Column, DefaultValue, Deferrable, ForeignKey, Generated, Index, IndexColumn, IndexTerm,
    Nulls, PrimaryKey, ReferentialAction, Table, Type, Unique,
};

/// Operations in the canonical encoding, a JSON array.
pub fn encode(operations: &[Operation]) -> String {
    list(operations, Form::Whole).to_string()
}

/// The parts of the operations that count for a checksum, in the same encoding.
pub(super) fn encode_counted(operations: &[Operation]) -> String {
    list(operations, Form::Counted).to_string()
}

/// How much of an operation is encoded.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Form {
    Whole,
    /// Without the parts that don't affect what the operation does.
    Counted,
}

fn list(operations: &[Operation], form: Form) -> Json<'_> {
    let counts = |operation: &&Operation| form == Form::Whole || !is_note(operation);
    Json::Array(operations.iter().filter(counts).map(|counted| operation(counted, form)).collect())
}

/// Whether the operation only declares what other operations do.
fn is_note(operation: &Operation) -> bool {
    matches!(operation, Operation::Makes(_) | Operation::Drops(_))
}

fn operation(encoded: &Operation, form: Form) -> Json<'_> {
    match encoded {
        Operation::CreateTable(created) => op("create_table", [("table", Some(table(created)))]),
        Operation::DropTable { table } => op("drop_table", [("table", text(table))]),
        Operation::RenameTable { from, to } => {
            op("rename_table", [("from", text(from)), ("to", text(to))])
        }
        Operation::AlterTable { table, change } => {
            op("alter_table", [("table", text(table)), ("change", Some(table_change(change)))])
        }
        Operation::AddColumn { table, column: added, using, before } => op(
            "add_column",
            [
                ("table", text(table)),
                ("column", Some(column(added))),
                ("using", using.as_ref().map(sql)),
                ("before", before.as_ref().map(Json::text)),
            ],
        ),
        Operation::DropColumn { table, column } => {
            op("drop_column", [("table", text(table)), ("column", text(column))])
        }
        Operation::AlterColumn { table, column, change } => op(
            "alter_column",
            [
                ("table", text(table)),
                ("column", text(column)),
                ("change", Some(column_change(change))),
            ],
        ),
        Operation::RenameColumn { table, from, to } => {
            op("rename_column", [("table", text(table)), ("from", text(from)), ("to", text(to))])
        }
        Operation::AddPrimaryKey { table, primary_key: added } => op(
            "add_primary_key",
            [("table", text(table)), ("primary_key", Some(primary_key(added)))],
        ),
        Operation::DropPrimaryKey { table, name } => {
            op("drop_primary_key", [("table", text(table)), ("name", text(name))])
        }
        Operation::AddUnique { table, unique: added } => {
            op("add_unique", [("table", text(table)), ("unique", Some(unique(added)))])
        }
        Operation::DropUnique { table, name } => {
            op("drop_unique", [("table", text(table)), ("name", text(name))])
        }
        Operation::AddForeignKey { table, foreign_key: added } => op(
            "add_foreign_key",
            [("table", text(table)), ("foreign_key", Some(foreign_key(added)))],
        ),
        Operation::DropForeignKey { table, name } => {
            op("drop_foreign_key", [("table", text(table)), ("name", text(name))])
        }
        Operation::AddCheck { table, check: added } => {
            op("add_check", [("table", text(table)), ("check", Some(check(added)))])
        }
        Operation::DropCheck { table, name } => {
            op("drop_check", [("table", text(table)), ("name", text(name))])
        }
        Operation::CreateIndex { table, index: created } => {
            op("create_index", [("table", text(table)), ("index", Some(index(created)))])
        }
        Operation::DropIndex { table, name } => {
            op("drop_index", [("table", text(table)), ("name", text(name))])
        }
        Operation::RenameIndex { table, from, to } => {
            op("rename_index", [("table", text(table)), ("from", text(from)), ("to", text(to))])
        }
        Operation::Execute(Execute { sql: statement, name, reverse, describes }) => {
            let is_whole = form == Form::Whole;
            let is_empty = describes.iter().all(|operation| is_note(operation) && !is_whole);
            op(
                "execute",
                [
                    ("sql", Some(sql(statement))),
                    ("describes", (!is_empty).then(|| list(describes, form))),
                    ("name", name.as_ref().filter(|_| is_whole).map(Json::text)),
                    ("reverse", reverse.as_ref().filter(|_| is_whole).map(sql)),
                ],
            )
        }
        Operation::BulkInsert { table, columns, rows } => op(
            "bulk_insert",
            [
                ("table", text(table)),
                ("columns", Some(Json::texts(columns))),
                ("rows", Some(Json::Array(rows.iter().map(|row| values(row)).collect()))),
            ],
        ),
        Operation::Run(Step { name, batch, .. }) => op(
            "run",
            [("step", text(name)), ("batch", batch.as_ref().map(|batch| batch_of(batch, form)))],
        ),
        Operation::Makes(object) => op("makes", other_object(object)),
        Operation::Drops(object) => op("drops", other_object(object)),
    }
}

fn text(text: &str) -> Option<Json<'_>> {
    Some(Json::text(text))
}

/// The size of the pieces doesn't affect what they do together.
fn batch_of(Batch { table, columns, size, .. }: &Batch, form: Form) -> Json<'_> {
    let size = Json::Int(i64::try_from(*size).unwrap_or(i64::MAX));
    Json::object([
        ("table", text(table)),
        ("columns", Some(Json::texts(columns))),
        ("size", (form == Form::Whole).then_some(size)),
    ])
}

fn other_object(other_object: &OtherObject) -> [(&'static str, Option<Json<'_>>); 3] {
    [
        ("kind", Some(Json::text(&other_object.kind))),
        ("name", Some(Json::text(&other_object.name))),
        ("table", other_object.table.as_ref().map(Json::text)),
    ]
}

fn op<'a, const N: usize>(name: &'a str, members: [(&'a str, Option<Json<'a>>); N]) -> Json<'a> {
    Json::object([("op", Some(Json::text(name)))].into_iter().chain(members))
}

fn table(table: &Table) -> Json<'_> {
    let members = [
        ("name", Some(Json::text(&table.name))),
        ("schema", table.schema.as_ref().map(Json::text)),
        ("columns", Some(Json::Array(table.columns.iter().map(column).collect()))),
        ("primary_key", table.primary_key.as_ref().map(primary_key)),
        ("uniques", by_name(&table.uniques, |unique| &unique.name, unique)),
        (
            "foreign_keys",
            by_name(&table.foreign_keys, |foreign_key| &foreign_key.name, foreign_key),
        ),
        ("checks", by_name(&table.checks, |check| &check.name, check)),
        ("indexes", by_name(&table.indexes, |index| &index.name, index)),
    ];
    let options = table.options.iter().map(|option| (option.key(), flag(true)));
    let texts = [
        ("with", table.with.as_ref().map(Json::text)),
        ("tablespace", table.tablespace.as_ref().map(Json::text)),
        ("engine", table.engine.as_ref().map(Json::text)),
        ("charset", table.charset.as_ref().map(Json::text)),
        ("collation", table.collation.as_ref().map(Json::text)),
        ("comment", table.comment.as_ref().map(Json::text)),
    ];
    Json::object(members.into_iter().chain(options).chain(texts))
}

fn by_name<'a, T>(
    items: &'a [T],
    name: impl Fn(&T) -> &str,
    json: fn(&'a T) -> Json<'a>,
) -> Option<Json<'a>> {
    let mut items: Vec<&T> = items.iter().collect();
    items.sort_by(|a, b| name(a).cmp(name(b)));
    (!items.is_empty()).then(|| Json::Array(items.into_iter().map(json).collect()))
}

fn flag(on: bool) -> Option<Json<'static>> {
    on.then_some(Json::Bool(true))
}

fn column(column: &Column) -> Json<'_> {
    Json::object([
        ("name", Some(Json::text(&column.name))),
        ("type", Some(ty(&column.ty))),
        ("not_null", flag(!column.nullable)),
        ("default", column.default.as_ref().map(default)),
        ("autoincrement", column.autoincrement.map(Json::Bool)),
        ("identity", column.identity.map(|identity| Json::text(identity.key()))),
        ("generated", column.generated.as_ref().map(generated)),
        ("collation", column.collation.as_ref().map(Json::text)),
        ("charset", column.charset.as_ref().map(Json::text)),
        ("on_update_now", flag(column.on_update_now)),
        ("invisible", flag(column.invisible)),
        ("comment", column.comment.as_ref().map(Json::text)),
    ])
}

fn table_change(table_change: &TableChange) -> Json<'_> {
    let options =
        table_change.options.iter().map(|(option, on)| (option.key(), Some(Json::Bool(*on))));
    Json::object(options.chain([
        ("with", change(&table_change.with, Json::text)),
        ("tablespace", change(&table_change.tablespace, Json::text)),
        ("engine", change(&table_change.engine, Json::text)),
        ("charset", change(&table_change.charset, Json::text)),
        ("collation", change(&table_change.collation, Json::text)),
        ("comment", change(&table_change.comment, Json::text)),
    ]))
}

fn column_change(column_change: &ColumnChange) -> Json<'_> {
    Json::object([
        ("type", column_change.ty.as_ref().map(ty)),
        ("not_null", column_change.nullable.map(|nullable| Json::Bool(!nullable))),
        ("default", change(&column_change.default, default)),
        ("autoincrement", change(&column_change.autoincrement, |on| Json::Bool(*on))),
        ("identity", change(&column_change.identity, |identity| Json::text(identity.key()))),
        ("generated", change(&column_change.generated, generated)),
        ("collation", change(&column_change.collation, Json::text)),
        ("charset", change(&column_change.charset, Json::text)),
        ("on_update_now", column_change.on_update_now.map(Json::Bool)),
        ("invisible", column_change.invisible.map(Json::Bool)),
        ("comment", change(&column_change.comment, Json::text)),
        ("using", column_change.using.as_ref().map(sql)),
        ("fill", column_change.fill.as_ref().map(sql)),
    ])
}

/// A change of something optional: its new value, or null if it is removed.
fn change<'a, T>(
    change: &'a Option<Option<T>>,
    json: impl FnOnce(&'a T) -> Json<'a>,
) -> Option<Json<'a>> {
    change.as_ref().map(|value| value.as_ref().map_or(Json::Null, json))
}

pub(super) fn simple_type(ty: &Type) -> Option<&'static str> {
    Some(match ty {
        Type::Boolean => "boolean",
        Type::TinyInteger => "tiny_integer",
        Type::SmallInteger => "small_integer",
        Type::Integer => "integer",
        Type::BigInteger => "big_integer",
        Type::TinyUnsigned => "tiny_unsigned",
        Type::SmallUnsigned => "small_unsigned",
        Type::Unsigned => "unsigned",
        Type::BigUnsigned => "big_unsigned",
        Type::Float => "float",
        Type::Double => "double",
        Type::Numeric => "numeric",
        Type::Text => "text",
        Type::Date => "date",
        Type::Time => "time",
        Type::DateTime => "datetime",
        Type::Timestamp => "timestamp",
        Type::Uuid => "uuid",
        Type::Json => "json",
        Type::Binary => "binary",
        Type::Decimal(..)
        | Type::String(_)
        | Type::FixedBinary(_)
        | Type::Enum(..)
        | Type::Array(_)
        | Type::Raw(_)
        | Type::PerDialect(_) => return None,
    })
}

fn ty(ty: &Type) -> Json<'_> {
    let number = |number: u32| Json::Int(number.into());
    let (key, value) = match ty {
        Type::Decimal(precision, scale) => {
            ("decimal", Json::Array(vec![number(*precision), number(*scale)]))
        }
        Type::String(length) => ("string", number(*length)),
        Type::FixedBinary(length) => ("fixed_binary", number(*length)),
        Type::Enum(name, values) => {
            return Json::object([
                ("enum", Some(Json::text(name))),
                ("values", Some(Json::texts(values))),
            ]);
        }
        Type::Array(of) => ("array", self::ty(of)),
        Type::Raw(ty) => ("raw", Json::text(ty)),
        Type::PerDialect(types) => ("per_dialect", pairs(types)),
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
        | Type::Binary => return Json::text(simple_type(ty).unwrap_or_default()),
    };
    Json::object([(key, Some(value))])
}

fn pairs<'a>(items: impl IntoIterator<Item = (&'a String, &'a String)>) -> Json<'a> {
    let items: BTreeMap<_, _> = items.into_iter().collect();
    Json::object(items.into_iter().map(|(key, item)| (key.as_str(), Some(Json::text(item)))))
}

fn default(default_value: &DefaultValue) -> Json<'_> {
    match default_value {
        DefaultValue::Literal(json) => Json::object([("value", Some(value(json)))]),
        DefaultValue::Now => Json::text("now"),
        DefaultValue::Sql(expression) => Json::object([("sql", Some(sql(expression)))]),
    }
}

fn generated(generated: &Generated) -> Json<'_> {
    Json::object([
        ("expression", Some(sql(&generated.expression))),
        ("stored", flag(generated.stored)),
    ])
}

fn primary_key(primary_key: &PrimaryKey) -> Json<'_> {
    named_columns(&primary_key.name, &primary_key.columns)
}

fn unique(unique: &Unique) -> Json<'_> {
    Json::object([
        ("name", Some(Json::text(&unique.name))),
        ("columns", Some(Json::texts(&unique.columns))),
        ("nulls_not_distinct", flag(unique.nulls_not_distinct)),
        ("include", some_texts(&unique.include)),
        ("deferrable", unique.deferrable.map(deferrable)),
    ])
}

/// A list, unless it is empty.
fn some_texts(texts: &[String]) -> Option<Json<'_>> {
    (!texts.is_empty()).then(|| Json::texts(texts))
}

fn deferrable(deferrable: Deferrable) -> Json<'static> {
    Json::text(match deferrable {
        Deferrable::InitiallyImmediate => "initially_immediate",
        Deferrable::InitiallyDeferred => "initially_deferred",
    })
}

fn named_columns<'a>(name: &'a str, columns: &'a [String]) -> Json<'a> {
    Json::object([("name", Some(Json::text(name))), ("columns", Some(Json::texts(columns)))])
}

fn check(check: &Check) -> Json<'_> {
    Json::object([
        ("name", Some(Json::text(&check.name))),
        ("expression", Some(sql(&check.expression))),
    ])
}

pub(super) const ACTIONS: [(ReferentialAction, &str); 5] = [
    (ReferentialAction::NoAction, "no_action"),
    (ReferentialAction::Restrict, "restrict"),
    (ReferentialAction::Cascade, "cascade"),
    (ReferentialAction::SetNull, "set_null"),
    (ReferentialAction::SetDefault, "set_default"),
];

fn action(referential_action: ReferentialAction) -> Option<Json<'static>> {
    let text =
        ACTIONS.iter().find(|(action, _)| *action == referential_action).map(|(_, text)| *text);
    text.filter(|_| referential_action != ReferentialAction::NoAction).map(Json::text)
}

fn foreign_key(foreign_key: &ForeignKey) -> Json<'_> {
    Json::object([
        ("name", Some(Json::text(&foreign_key.name))),
        ("columns", Some(Json::texts(&foreign_key.columns))),
        ("references_table", Some(Json::text(&foreign_key.references_table))),
        ("references_columns", Some(Json::texts(&foreign_key.references_columns))),
        ("on_delete", action(foreign_key.on_delete)),
        ("on_update", action(foreign_key.on_update)),
        ("deferrable", foreign_key.deferrable.map(deferrable)),
    ])
}

fn index(index: &Index) -> Json<'_> {
    Json::object([
        ("name", Some(Json::text(&index.name))),
        ("columns", Some(Json::Array(index.columns.iter().map(index_column).collect()))),
        ("unique", flag(index.unique)),
        ("filter", index.filter.as_ref().map(sql)),
        ("using", index.using.as_ref().map(Json::text)),
        ("include", some_texts(&index.include)),
        ("nulls_not_distinct", flag(index.nulls_not_distinct)),
        ("with", index.with.as_ref().map(Json::text)),
        ("concurrently", flag(index.concurrently)),
    ])
}

fn index_column(index_column: &IndexColumn) -> Json<'_> {
    match index_column {
        IndexColumn { term: IndexTerm::Column(text), .. } if index_column.is_plain() => {
            Json::text(text)
        }
        IndexColumn { term, descending, collation, prefix, opclass, nulls, operator } => {
            let (key, term) = match term {
                IndexTerm::Column(column) => ("column", Json::text(column)),
                IndexTerm::Expression(expression) => ("expression", sql(expression)),
            };
            Json::object([
                (key, Some(term)),
                ("descending", flag(*descending)),
                ("collation", collation.as_ref().map(Json::text)),
                ("prefix", prefix.map(|length| Json::Int(length.into()))),
                ("opclass", opclass.as_ref().map(Json::text)),
                (
                    "nulls",
                    nulls.map(|nulls| {
                        Json::text(match nulls {
                            Nulls::First => "first",
                            Nulls::Last => "last",
                        })
                    }),
                ),
                ("operator", operator.as_ref().map(Json::text)),
            ])
        }
    }
}

fn sql(sql: &Sql) -> Json<'_> {
    match (&sql.any, sql.by_dialect.as_slice()) {
        (Some(any), []) => Json::text(any),
        (any, by_dialect) => Json::object([
            ("any", any.as_ref().map(Json::text)),
            ("by_dialect", Some(pairs(by_dialect.iter().map(|(key, text)| (key, text))))),
        ]),
    }
}

pub(crate) fn values(items: &[Value]) -> Json<'_> {
    Json::Array(items.iter().map(value).collect())
}

/// A value. One that JSON can't represent exactly becomes an object that names its kind.
pub(crate) fn value(value: &Value) -> Json<'_> {
    let tagged = |tag, text: String| Json::object([(tag, Some(Json::text(text)))]);
    match value {
        Value::Null => Json::Null,
        Value::Bool(flag) => Json::Bool(*flag),
        Value::Integer(integer) if (-EXACT..=EXACT).contains(integer) => Json::Int(*integer),
        Value::Integer(integer) => tagged("integer", integer.to_string()),
        Value::Real(real) => tagged("real", format!("{real:?}")),
        Value::Text(text) => Json::text(text),
        Value::Blob(bytes) => {
            tagged("blob", bytes.iter().map(|byte| format!("{byte:02x}")).collect())
        }
    }
}
