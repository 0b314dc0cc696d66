//! Makes different spellings of the same thing equal before schemas are compared.
//!
//! The result is the models' schema in the terms of the migrations, so that `diff` can simply
//! compare, and a second `migrate` finds no difference.

use std::collections::BTreeSet;

use dbmigrate_runtime::Value;
use dbmigrate_runtime::engine::naming::Convention;
use dbmigrate_runtime::engine::sql::NEUTRAL;
use dbmigrate_runtime::schema::{
    Check, Column, DefaultValue, ForeignKey, Index, IndexColumn, IndexTerm, Schema, Sql, Table,
    Type, Unique,
};

/// The models' schema, with everything that is equivalent to the migrations spelled as it is there:
///
/// - Expressions that differ only in white space, case, quotes or outer parentheses.
/// - Constraints and indexes that differ only in their names, if the model doesn't name them. The
///   constraints of a renamed table or column keep the names that they got from the old name, and a
///   changed convention only applies to new ones. Only an index that was named by the convention
///   follows a rename, since that is cheap.
///
/// `migrations` is the schema that they build after the renames, `before` the one without them.
pub fn normalize(
    before: &Schema,
    migrations: &Schema,
    models: &Schema,
    naming: &Convention,
) -> Schema {
    let mut normalized = models.clone();
    let indexes = Names::of_indexes(models);
    let follows = Names::by_convention(before, naming);
    for (name, table) in &models.tables {
        let Some(was) = migrations.table(name) else { continue };
        if was == table {
            // What is equal is shared, which makes the comparison that follows fast.
            normalized.tables.share(&migrations.tables, name);
        } else if let Some(table) = normalized.tables.get_mut(name) {
            settle_table(was, table, naming);
            let by_convention =
                |index: &Index| index.name == naming.index(was.bare_name(), &index.columns);
            let stays = was.indexes.iter().filter(|index| !follows.0.contains(&index.name));
            indexes.keep(stays, &mut table.indexes, by_convention);
            settle_indexes(was, table);
        }
    }
    normalized
}

fn settle_table(was: &Table, table: &mut Table, naming: &Convention) {
    for column in &mut table.columns {
        if let Some(was) = was.find_column(&column.name) {
            settle_column(was, column);
        }
    }
    let names = Names::of(table);
    let (name, columns) = (table.bare_name().to_owned(), table.columns.clone());
    if let (Some(was), Some(key)) = (&was.primary_key, &mut table.primary_key) {
        let by_convention = key.name == naming.primary_key(&name, &key.columns);
        if by_convention && was.columns == key.columns && names.is_free(&was.name) {
            key.name.clone_from(&was.name);
        }
    }
    names.keep(&was.uniques, &mut table.uniques, |unique| {
        unique.name == naming.unique(&name, &unique.columns)
    });
    names.keep(&was.foreign_keys, &mut table.foreign_keys, |foreign_key| {
        foreign_key.name
            == naming.foreign_key(&name, &foreign_key.columns, &foreign_key.references_table)
    });
    names.keep(&was.checks, &mut table.checks, |check| {
        check.name == naming.table_check(&name, &check.expression)
            || columns.iter().any(|column| check.name == naming.check(&name, &column.name))
    });
}

fn settle_indexes(was: &Table, table: &mut Table) {
    for index in &mut table.indexes {
        let by_name = was.find_index(&index.name).filter(|candidate| index.is_same(candidate));
        // An index with another name is still the same index, so only a rename remains.
        if let Some(was) =
            by_name.or_else(|| was.indexes.iter().find(|candidate| index.is_same(candidate)))
        {
            *index = was.renamed(&index.name);
        }
    }
}

fn settle_column(was: &Column, column: &mut Column) {
    if same_default(&was.default, &column.default) {
        column.default.clone_from(&was.default);
    }
    if let (Some(was), Some(now)) = (&was.generated, &mut column.generated) {
        if same_expression(&was.expression, &now.expression) {
            now.expression.clone_from(&was.expression);
        }
    }
    if same_type(&was.ty, &column.ty) {
        column.ty.clone_from(&was.ty);
    }
}

/// Two types in a database's own words, for every database that the history is used with.
fn same_words(a: &str, b: &str) -> bool {
    NEUTRAL.same_expression(a, b)
}

/// Whether all texts are the same, those for all databases and those for one.
fn same_expression(a: &Sql, b: &Sql) -> bool {
    a.is_same(b, same_words)
}

fn same_default(a: &Option<DefaultValue>, b: &Option<DefaultValue>) -> bool {
    let is_null = |default: &Option<DefaultValue>| {
        matches!(default, None | Some(DefaultValue::Literal(Value::Null)))
    };
    match (a, b) {
        (Some(DefaultValue::Sql(a)), Some(DefaultValue::Sql(b))) => same_expression(a, b),
        // NaN isn't equal to anything, not even to itself.
        (
            Some(DefaultValue::Literal(Value::Real(a))),
            Some(DefaultValue::Literal(Value::Real(b))),
        ) => a.to_bits() == b.to_bits() || a == b,
        _ => is_null(a) && is_null(b),
    }
}

/// A database's own types may differ in case.
fn same_type(a: &Type, b: &Type) -> bool {
    match (a, b) {
        (Type::Raw(a), Type::Raw(b)) => same_words(a, b),
        (Type::Array(a), Type::Array(b)) => a == b || same_type(a, b),
        (Type::PerDialect(a), Type::PerDialect(b)) => {
            a.len() == b.len()
                && a.iter()
                    .zip(b)
                    .all(|((dialect, a), (other, b))| dialect == other && same_words(a, b))
        }
        _ => false,
    }
}

/// The names of a table's constraints, or of all indexes; each is unique in its database.
struct Names(BTreeSet<String>);

impl Names {
    fn of(table: &Table) -> Names {
        let names = (table.primary_key.iter().map(|primary_key| &primary_key.name))
            .chain(table.uniques.iter().map(|unique| &unique.name))
            .chain(table.foreign_keys.iter().map(|foreign_key| &foreign_key.name))
            .chain(table.checks.iter().map(|check| &check.name));
        Names(names.cloned().collect())
    }

    fn of_indexes(schema: &Schema) -> Names {
        let indexes = schema.tables.values().flat_map(|table| &table.indexes);
        Names(indexes.map(|index| index.name.clone()).collect())
    }

    /// The names of indexes that were named by the convention.
    fn by_convention(schema: &Schema, naming: &Convention) -> Names {
        let tables = schema.tables.values();
        let indexes =
            tables.flat_map(|table| table.indexes.iter().map(move |index| (table, index)));
        let names = indexes
            .filter(|(table, index)| index.name == naming.index(table.bare_name(), &index.columns))
            .map(|(_, index)| index.name.clone());
        Names(names.collect())
    }

    /// Whether a constraint can keep a name that the models don't know.
    fn is_free(&self, name: &str) -> bool {
        !self.0.contains(name)
    }

    fn keep<'a, T: Constraint + 'a>(
        &self,
        was: impl IntoIterator<Item = &'a T>,
        now: &mut [T],
        by_convention: impl Fn(&T) -> bool,
    ) {
        let mut left: Vec<&T> = was.into_iter().collect();
        let mut open = Vec::new();
        for named in now {
            let same = left.iter().position(|was| was.name() == named.name() && named.is_same(was));
            match same {
                Some(idx) => *named = left.remove(idx).clone(),
                None => open.push(named),
            }
        }
        for named in open.into_iter().filter(|candidate| by_convention(candidate)) {
            let same = left.iter().position(|was| self.is_free(was.name()) && named.is_same(was));
            if let Some(idx) = same {
                *named = left.remove(idx).clone();
            }
        }
    }
}

/// Something with a name and a definition, which is the same under another name.
trait Constraint: Clone {
    fn name(&self) -> &str;

    fn is_same(&self, other: &Self) -> bool;
}

impl Constraint for Unique {
    fn name(&self) -> &str {
        &self.name
    }

    fn is_same(&self, other: &Unique) -> bool {
        Unique { name: other.name.clone(), ..self.clone() } == *other
    }
}

impl Constraint for ForeignKey {
    fn name(&self) -> &str {
        &self.name
    }

    fn is_same(&self, other: &ForeignKey) -> bool {
        ForeignKey { name: other.name.clone(), ..self.clone() } == *other
    }
}

impl Constraint for Check {
    fn name(&self) -> &str {
        &self.name
    }

    fn is_same(&self, other: &Check) -> bool {
        same_expression(&self.expression, &other.expression)
    }
}

impl Constraint for Index {
    fn name(&self) -> &str {
        &self.name
    }

    fn is_same(&self, other: &Index) -> bool {
        let same_filter = match (&self.filter, &other.filter) {
            (Some(a), Some(b)) => same_expression(a, b),
            (a, b) => a == b,
        };
        let same_column = |a: &IndexColumn, b: &IndexColumn| {
            let same_term = match (&a.term, &b.term) {
                (IndexTerm::Expression(a), IndexTerm::Expression(b)) => same_expression(a, b),
                (a, b) => a == b,
            };
            same_term && IndexColumn { term: b.term.clone(), ..a.clone() } == *b
        };
        let mut columns = self.columns.iter().zip(&other.columns);
        // How an index is built makes no difference to it.
        let like_other = Index {
            name: other.name.clone(),
            columns: other.columns.clone(),
            filter: other.filter.clone(),
            concurrently: other.concurrently,
            ..self.clone()
        };
        same_filter
            && like_other == *other
            && self.columns.len() == other.columns.len()
            && columns.all(|(a, b)| same_column(a, b))
    }
}
