//! Random schemas, and pairs of schemas that have much in common.
//!
//! A schema is built from small pools of names, so that most of what two schemas contain has the
//! same names. Whatever refers to missing columns is left out, so that SQLite accepts every schema.
//! `pair` returns two schemas, `schema` one.

use std::collections::BTreeSet;

use dbmigrate_runtime::Value;
use dbmigrate_runtime::engine::naming::Convention;
use dbmigrate_runtime::engine::sql;
use dbmigrate_runtime::schema::{
    Check, Column, DefaultValue, Deferrable, ForeignKey, Generated, Index, IndexColumn, PrimaryKey,
    ReferentialAction, Schema, Table, TableOption, Type, Unique,
};
use proptest::collection::vec;
use proptest::option;
use proptest::prelude::*;
use proptest::sample::select;

const TABLES: [&str; 4] = ["user", "Post", "order item", "größe"];
const COLUMNS: [&str; 6] = ["a", "b", "group", "last name", "ünï", "q\"uote"];
const KEY: &str = "id";

/// Two schemas: one, and a copy in which some parts come from another draw.
pub fn pair() -> impl Strategy<Value = (Schema, Schema)> {
    // How many eighths of the parts change: a few, half, or all.
    let share = select(vec![1_u8, 4, 8]);
    (schema_draw(), schema_draw(), vec(0..8_u8, 256), share).prop_map(
        |(from, other, dice, share)| {
            let mut dice = dice.into_iter().cycle();
            let mut is_changed = || dice.next().is_some_and(|byte| byte < share);
            let to = from.mixed(&other, &mut is_changed);
            (from.schema(), to.schema())
        },
    )
}

/// A schema.
pub fn schema() -> impl Strategy<Value = Schema> {
    schema_draw().prop_map(|schema_draw| schema_draw.schema())
}

/// What was drawn for a schema: a table, or nothing, for each name.
#[derive(Debug, Clone)]
struct SchemaDraw(Vec<Option<TableDraw>>);

#[derive(Debug, Clone)]
struct TableDraw {
    columns: Vec<Option<ColumnDraw>>,
    key: KeyDraw,
    autoincrement: Option<bool>,
    uniques: Vec<Option<(bool, Vec<usize>)>>,
    foreign_keys: Vec<Option<KeyTo>>,
    checks: Vec<Option<(bool, usize, usize)>>,
    indexes: Vec<Option<IndexDraw>>,
    strict: bool,
    without_rowid: bool,
    comment: Option<String>,
}

#[derive(Debug, Clone)]
struct ColumnDraw {
    ty: Type,
    nullable: bool,
    default: u8,
    /// Computed from an earlier column, stored or not.
    generated: Option<(usize, bool)>,
    collation: Option<&'static str>,
    comment: Option<String>,
}

#[derive(Debug, Clone, Copy)]
enum KeyDraw {
    None,
    Id,
    Columns(usize, Option<usize>),
}

#[derive(Debug, Clone)]
struct KeyTo {
    column: usize,
    table: usize,
    on: (ReferentialAction, ReferentialAction),
    deferrable: Option<Deferrable>,
    named: bool,
}

#[derive(Debug, Clone)]
struct IndexDraw {
    /// A column or an expression over it, whether it is descending, and whether it has a collation.
    terms: Vec<(usize, bool, bool, bool)>,
    unique: bool,
    filter: Option<usize>,
    named: bool,
}

fn schema_draw() -> impl Strategy<Value = SchemaDraw> {
    vec(option::weighted(0.7, table_draw()), TABLES.len()).prop_map(SchemaDraw)
}

fn comment() -> impl Strategy<Value = Option<String>> {
    option::weighted(0.1, select(vec!["one".to_owned(), "it's\n\"two\"".to_owned()]))
}

fn table_draw() -> impl Strategy<Value = TableDraw> {
    let n = COLUMNS.len();
    let key = prop_oneof![
        1 => Just(KeyDraw::None),
        5 => Just(KeyDraw::Id),
        2 => (0..n, option::of(0..n)).prop_map(|(one, other)| KeyDraw::Columns(one, other)),
    ];
    let foreign_key = (
        (0..n, 0..TABLES.len()),
        (action(), action()),
        option::weighted(
            0.2,
            select(vec![Deferrable::InitiallyDeferred, Deferrable::InitiallyImmediate]),
        ),
        any::<bool>(),
    )
        .prop_map(|((column, table), on, deferrable, named)| KeyTo {
            column,
            table,
            on,
            deferrable,
            named,
        });
    let index = (
        vec((0..n, any::<bool>(), any::<bool>(), any::<bool>()), 1..3),
        any::<bool>(),
        option::weighted(0.3, 0..n),
        any::<bool>(),
    )
        .prop_map(|(terms, unique, filter, named)| IndexDraw { terms, unique, filter, named });
    (
        vec(option::weighted(0.7, column_draw()), n),
        (key, option::weighted(0.2, any::<bool>())),
        vec(option::weighted(0.3, (any::<bool>(), vec(0..n, 1..3))), 2),
        vec(option::weighted(0.3, foreign_key), 2),
        vec(option::weighted(0.3, (any::<bool>(), 0..n, 0..4_usize)), 2),
        vec(option::weighted(0.3, index), 2),
        (proptest::bool::weighted(0.2), proptest::bool::weighted(0.2), comment()),
    )
        .prop_map(
            |(columns, (key, autoincrement), uniques, foreign_keys, checks, indexes, name)| {
                let (strict, without_rowid, comment) = name;
                TableDraw {
                    columns,
                    key,
                    autoincrement,
                    uniques,
                    foreign_keys,
                    checks,
                    indexes,
                    strict,
                    without_rowid,
                    comment,
                }
            },
        )
}

fn action() -> impl Strategy<Value = ReferentialAction> {
    select(vec![
        ReferentialAction::NoAction,
        ReferentialAction::Restrict,
        ReferentialAction::Cascade,
        ReferentialAction::SetNull,
        ReferentialAction::SetDefault,
    ])
}

/// Every type that SQLite can declare; types with arguments occur several times.
fn column_type() -> impl Strategy<Value = Type> {
    select(vec![
        Type::Boolean,
        Type::TinyInteger,
        Type::SmallInteger,
        Type::Integer,
        Type::BigInteger,
        Type::TinyUnsigned,
        Type::SmallUnsigned,
        Type::Unsigned,
        Type::BigUnsigned,
        Type::Float,
        Type::Double,
        Type::Decimal(10, 2),
        Type::Decimal(12, 4),
        Type::Numeric,
        Type::String(50),
        Type::String(100),
        Type::Text,
        Type::Date,
        Type::Time,
        Type::DateTime,
        Type::Timestamp,
        Type::Uuid,
        Type::Json,
        Type::Binary,
        Type::FixedBinary(16),
        Type::enumeration("Status", ["new", "it's \"done\""]),
        Type::enumeration("Status", ["new", "sent", "it's \"done\""]),
        Type::enumeration("State", ["sent"]),
        Type::raw("TEXT"),
        Type::raw("blob"),
        Type::per_dialect([("postgres", "citext"), ("sqlite", "TEXT")]),
    ])
}

fn column_draw() -> impl Strategy<Value = ColumnDraw> {
    (
        column_type(),
        any::<bool>(),
        0..8_u8,
        option::weighted(0.15, (0..COLUMNS.len(), any::<bool>())),
        option::weighted(0.1, select(vec!["NOCASE", "RTRIM"])),
        comment(),
    )
        .prop_map(|(ty, nullable, default, generated, collation, comment)| ColumnDraw {
            ty,
            nullable,
            default,
            generated,
            collation,
            comment,
        })
}

/// One of the two.
fn either<T: Clone>(a: &T, b: &T, is_changed: &mut impl FnMut() -> bool) -> T {
    if is_changed() { b } else { a }.clone()
}

fn each<T: Clone>(a: &[T], b: &[T], is_changed: &mut impl FnMut() -> bool) -> Vec<T> {
    a.iter().zip(b).map(|(a, b)| either(a, b, is_changed)).collect()
}

impl SchemaDraw {
    fn mixed(&self, other: &SchemaDraw, is_changed: &mut impl FnMut() -> bool) -> SchemaDraw {
        let tables = self.0.iter().zip(&other.0).map(|pair| match pair {
            (Some(a), Some(b)) => Some(a.mixed(b, is_changed)),
            (a, b) => either(a, b, is_changed),
        });
        SchemaDraw(tables.collect())
    }

    fn schema(&self) -> Schema {
        let tables = self.0.iter().zip(TABLES).enumerate();
        let tables = tables
            .filter_map(|(nth, (table_draw, name))| Some(table_draw.as_ref()?.table(nth, name)));
        let mut schema = Schema::from_tables(tables);
        let keys: Vec<(String, Vec<String>)> = (schema.tables.values())
            .map(|table| {
                let key = table.primary_key.as_ref().map(|primary_key| primary_key.columns.clone());
                (table.name.clone(), key.unwrap_or_default())
            })
            .collect();
        let mut index_names = BTreeSet::new();
        for table in schema.tables.values_mut() {
            table.indexes.retain(|index| index_names.insert(index.name.clone()));
            // The referenced column exists and is a key by itself.
            table.foreign_keys.retain(|key| {
                keys.iter().any(|(name, columns)| {
                    *name == key.references_table && *columns == key.references_columns
                })
            });
        }
        schema
    }
}

impl TableDraw {
    fn mixed(&self, other: &TableDraw, is_changed: &mut impl FnMut() -> bool) -> TableDraw {
        let columns = self.columns.iter().zip(&other.columns).map(|pair| match pair {
            (Some(a), Some(b)) => Some(a.mixed(b, is_changed)),
            (a, b) => either(a, b, is_changed),
        });
        let columns: Vec<_> = columns.collect();
        let indexes = self.indexes.iter().zip(&other.indexes).map(|pair| match pair {
            // The same with another name, too.
            (Some(a), Some(b)) => Some(IndexDraw {
                named: either(&a.named, &b.named, is_changed),
                ..either(a, b, is_changed)
            }),
            (a, b) => either(a, b, is_changed),
        });
        let indexes: Vec<_> = indexes.collect();
        TableDraw {
            columns,
            key: either(&self.key, &other.key, is_changed),
            autoincrement: either(&self.autoincrement, &other.autoincrement, is_changed),
            uniques: each(&self.uniques, &other.uniques, is_changed),
            foreign_keys: each(&self.foreign_keys, &other.foreign_keys, is_changed),
            checks: each(&self.checks, &other.checks, is_changed),
            indexes,
            strict: either(&self.strict, &other.strict, is_changed),
            without_rowid: either(&self.without_rowid, &other.without_rowid, is_changed),
            comment: either(&self.comment, &other.comment, is_changed),
        }
    }

    fn table(&self, nth: usize, name: &str) -> Table {
        let mut table = Table { comment: self.comment.clone(), ..Table::new(name) };
        let has = |idx: &usize| self.columns[*idx].is_some();
        let named = |idx: usize| COLUMNS[idx].to_owned();
        let key: Vec<usize> = match self.key {
            KeyDraw::Columns(one, other) => {
                let other = other.filter(|other| *other != one);
                [Some(one), other].into_iter().flatten().filter(has).collect()
            }
            KeyDraw::None | KeyDraw::Id => Vec::new(),
        };
        if matches!(self.key, KeyDraw::Id) || self.columns.iter().all(Option::is_none) {
            let mut id = Column::new(KEY, Type::BigInteger).not_null();
            id.autoincrement = self.autoincrement;
            table.columns.push(id);
        }
        table.options.set(TableOption::Strict, self.strict);
        for (idx, column) in self.columns.iter().enumerate() {
            if let Some(column) = column {
                // A column of a key isn't generated and is required.
                table.columns.push(column.column(self, idx, key.contains(&idx)));
            }
        }
        let columns = match self.key {
            KeyDraw::Id => vec![KEY.to_owned()],
            _ => key.iter().map(|key| named(*key)).collect(),
        };
        if !columns.is_empty() {
            table.primary_key = Some(PrimaryKey {
                name: Convention::default().primary_key(name, &columns),
                columns,
            });
        }
        if self.without_rowid && table.primary_key.is_some() {
            table.options.set(TableOption::WithoutRowid, true);
            // Its key never generates values.
            table.columns.iter_mut().for_each(|column| column.autoincrement = None);
        }
        self.constraints(nth, &mut table);
        table
    }

    fn constraints(&self, nth: usize, table: &mut Table) {
        let name = table.name.clone();
        let has = |idx: &usize| self.columns[*idx].is_some();
        for (own, columns) in self.uniques.iter().flatten() {
            let mut columns = columns.clone();
            columns.dedup();
            if columns.iter().all(has) {
                let columns: Vec<_> =
                    columns.iter().map(|column| COLUMNS[*column].to_owned()).collect();
                let by_convention = Convention::default().unique(&name, &columns);
                let name = if *own { "own unique".to_owned() } else { by_convention };
                table.uniques.push(Unique { name, columns, ..Unique::default() });
            }
        }
        for key_to in self.foreign_keys.iter().flatten().filter(|key_to| has(&key_to.column)) {
            let (columns, target) = ([COLUMNS[key_to.column]], TABLES[key_to.table]);
            let by_convention = Convention::default().foreign_key(&name, &columns, target);
            let name = if key_to.named { "own key" } else { &by_convention };
            let mut key = ForeignKey::new(name, columns, target, [KEY]);
            (key.on_delete, key.on_update) = key_to.on;
            key.deferrable = key_to.deferrable;
            table.foreign_keys.push(key);
        }
        for (own, column, how) in self.checks.iter().flatten().filter(|check| has(&check.1)) {
            let quoted = sql::quote(COLUMNS[*column]);
            let expression = match how {
                0 => format!("{quoted} IS NOT NULL"),
                1 => format!("{quoted}  is not null"),
                2 => format!("length({quoted}) < 100"),
                _ => format!("{quoted} <> 'a' OR ({quoted} IS NULL)"),
            };
            let by_convention = Convention::default().table_check(&name, &(&expression).into());
            let name = if *own { "own check" } else { &by_convention };
            table.checks.push(Check::new(name, &expression));
        }
        for (idx, drawn) in self.indexes.iter().enumerate() {
            let Some(index_draw) = drawn
                .as_ref()
                .filter(|index_draw| index_draw.terms.iter().all(|term| has(&term.0)))
            else {
                continue;
            };
            // Some names move from one table to another.
            let mut index = index_draw.index("");
            index.name = if index_draw.named {
                format!("own index {}", (nth + idx) % TABLES.len())
            } else {
                Convention::default().index(&name, &index.columns)
            };
            table.indexes.push(index);
        }
        distinct(&mut table.uniques, |unique| &unique.name);
        distinct(&mut table.foreign_keys, |foreign_key| &foreign_key.name);
        distinct(&mut table.checks, |check| &check.name);
        distinct(&mut table.indexes, |index| &index.name);
    }
}

/// Keeps the first item with each name.
fn distinct<T>(items: &mut Vec<T>, name: impl Fn(&T) -> &str) {
    items.sort_by(|a, b| name(a).cmp(name(b)));
    items.dedup_by(|a, b| name(a) == name(b));
}

impl ColumnDraw {
    fn mixed(&self, other: &ColumnDraw, is_changed: &mut impl FnMut() -> bool) -> ColumnDraw {
        // A default fits its type.
        let ty = if is_changed() { other } else { self };
        ColumnDraw {
            ty: ty.ty.clone(),
            nullable: either(&self.nullable, &other.nullable, is_changed),
            default: either(&self.default, &other.default, is_changed),
            generated: either(&self.generated, &other.generated, is_changed),
            collation: either(&self.collation, &other.collation, is_changed),
            comment: either(&self.comment, &other.comment, is_changed),
        }
    }

    fn column(&self, table: &TableDraw, idx: usize, is_key: bool) -> Column {
        let mut column = Column::new(COLUMNS[idx], self.ty.clone());
        column.nullable = self.nullable && !is_key;
        column.collation = self.collation.map(str::to_owned);
        column.comment.clone_from(&self.comment);
        // Computed from a column at an earlier position, so that there is no circle.
        let from = self.generated.filter(|(of, _)| *of < idx && table.columns[*of].is_some());
        match from.filter(|_| !is_key) {
            Some((of, stored)) => {
                let expression = format!("{} || ''", sql::quote(COLUMNS[of]));
                column.generated = Some(Generated { expression: expression.into(), stored });
                // In a STRICT table only text accepts the result.
                column.ty = Type::Text;
            }
            None => column.default = self.default(),
        }
        if table.strict && matches!(column.ty, Type::Raw(_) | Type::PerDialect(_)) {
            column.ty = Type::raw("TEXT");
        }
        column
    }

    fn default(&self) -> Option<DefaultValue> {
        let literal = |value: Value| Some(DefaultValue::Literal(value));
        match (self.default, &self.ty) {
            (0, Type::Boolean) => literal(Value::Bool(true)),
            (0, Type::Enum(_, values)) => literal(Value::Text(values[0].clone())),
            (0, Type::Uuid | Type::Binary | Type::FixedBinary(_)) => {
                literal(Value::Blob(vec![0, 255]))
            }
            (0, Type::Float | Type::Double) => literal(Value::Real(-1.5)),
            (0, ty) if ty.is_integer() => literal(Value::Integer(-7)),
            (0, _) => literal(Value::Text("it's".to_owned())),
            (1, Type::Date | Type::Time | Type::DateTime | Type::Timestamp | Type::Text) => {
                Some(DefaultValue::Now)
            }
            (2, Type::Text | Type::String(_)) => Some(DefaultValue::Sql("lower('A')".into())),
            (3, Type::Text | Type::String(_)) => Some(DefaultValue::Sql("LOWER( 'A' )".into())),
            (4, _) => literal(Value::Null),
            _ => None,
        }
    }
}

impl IndexDraw {
    fn index(&self, name: &str) -> Index {
        let terms = self.terms.iter().map(|(column, computed, descending, collated)| {
            let column = COLUMNS[*column];
            let part = if *computed {
                IndexColumn::expression(format!("lower({})", sql::quote(column)))
            } else {
                IndexColumn::new(column)
            };
            let collation = collated.then(|| "NOCASE".to_owned());
            IndexColumn { descending: *descending, collation, ..part }
        });
        // A filter over a missing column would belong to no table.
        let filter = self.filter.filter(|filter| self.terms.iter().any(|term| term.0 == *filter));
        Index {
            name: name.to_owned(),
            columns: terms.collect(),
            unique: self.unique,
            filter: filter
                .map(|filter| format!("{} IS NOT NULL", sql::quote(COLUMNS[filter])).into()),
            ..Index::default()
        }
    }
}
