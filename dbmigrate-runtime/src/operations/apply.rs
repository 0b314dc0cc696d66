//! Replay: the effect of an operation on a schema in memory.

use std::fmt;

use super::{ColumnChange, Operation};
use crate::schema::{Column, ForeignKey, Index, IndexTerm, Schema, Table, Unique, Written};
use crate::sql::NEUTRAL;

/// An operation that doesn't fit the schema that it is applied to.
///
/// The message is one lowercase sentence such as ``cannot drop column `age` of table `user`: it
/// does not exist``.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ReplayError {
    operation: String,
    why: String,
}

impl fmt::Display for ReplayError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "cannot {}: {}", self.operation, self.why)
    }
}

impl std::error::Error for ReplayError {}

impl Operation {
    /// Changes a schema as the operation changes a database.
    ///
    /// Raw SQL has the effect that it declares with `describes`; inserts and steps have none.
    ///
    /// # Errors
    ///
    /// When the schema lacks the object or already has it, or when something else still needs it.
    /// The schema is then unchanged, except after raw SQL that describes several operations.
    pub fn apply(&self, schema: &mut Schema) -> Result<(), ReplayError> {
        self.apply_inner(schema).map_err(|why| ReplayError { operation: self.to_string(), why })?;
        self.note(schema);
        Ok(())
    }

    /// Notes what decides later whether views can be created again.
    fn note(&self, schema: &mut Schema) {
        let may_concern_views = !schema.written.is_empty();
        let noted = match self {
            Operation::Execute(statement) => {
                let names_view = |text: &str| NEUTRAL.mentions(text, "view");
                // Once there is a view, any SQL may be about it.
                (may_concern_views || statement.sql.texts().any(names_view))
                    .then(|| Written::Sql(statement.sql.clone()))
            }
            Operation::RenameTable { from, .. } => Some(Written::RenamedTable(from.clone())),
            Operation::RenameColumn { table, from, .. } => {
                Some(Written::RenamedColumn(table.clone(), from.clone()))
            }
            Operation::AddColumn { table, column, .. } => {
                Some(Written::AddedColumn(table.clone(), column.name.clone()))
            }
            _ => None,
        };
        let is_sql = matches!(self, Operation::Execute(_));
        schema.written.extend(noted.filter(|_| may_concern_views || is_sql));
    }

    fn apply_inner(&self, schema: &mut Schema) -> Result<(), String> {
        match self {
            Operation::CreateTable(table) => create_table(schema, table),
            Operation::DropTable { table } => match schema.tables.remove(table) {
                Some(_) => Ok(()),
                None => Err(no_table(table)),
            },
            Operation::RenameTable { from, to } => rename_table(schema, from, to),
            Operation::AlterTable { table, change } => {
                let table = get(schema, table)?;
                for (option, on) in &change.options {
                    table.options.set(*option, *on);
                }
                let texts = [
                    (&mut table.with, &change.with),
                    (&mut table.tablespace, &change.tablespace),
                    (&mut table.engine, &change.engine),
                    (&mut table.charset, &change.charset),
                    (&mut table.collation, &change.collation),
                    (&mut table.comment, &change.comment),
                ];
                for (text, changed) in texts {
                    if let Some(changed) = changed {
                        text.clone_from(changed);
                    }
                }
                Ok(())
            }
            Operation::AddColumn { table, column, using: _, before } => {
                let table = get(schema, table)?;
                absent(table.find_column(&column.name).is_some())?;
                let place = match before {
                    None => table.columns.len(),
                    Some(before) => {
                        known(table, std::slice::from_ref(before))?;
                        let is_next = |column: &Column| column.name == *before;
                        table.columns.iter().position(is_next).unwrap_or(table.columns.len())
                    }
                };
                table.columns.insert(place, column.clone());
                Ok(())
            }
            Operation::DropColumn { table, column } => drop_column(get(schema, table)?, column),
            Operation::AlterColumn { table, column, change } => {
                change.apply(get_column(get(schema, table)?, column)?);
                Ok(())
            }
            Operation::RenameColumn { table, from, to } => rename_column(schema, table, from, to),
            Operation::AddPrimaryKey { table, primary_key } => {
                let table = get(schema, table)?;
                if let Some(key) = &table.primary_key {
                    return Err(format!("the table has the primary key `{}`", key.name));
                }
                known(table, &primary_key.columns)?;
                table.primary_key = Some(primary_key.clone());
                Ok(())
            }
            Operation::DropPrimaryKey { table, name } => {
                let key = &mut get(schema, table)?.primary_key;
                exists(key.take_if(|key| key.name == *name).is_some())
            }
            Operation::AddUnique { table, unique } => {
                let table = get(schema, table)?;
                free_name(table, &unique.name)?;
                known(table, &unique.columns)?;
                known(table, &unique.include)?;
                table.uniques.push(unique.clone());
                Ok(())
            }
            Operation::DropUnique { table, name } => {
                remove(&mut get(schema, table)?.uniques, |unique| unique.name == *name)
            }
            Operation::AddForeignKey { table, foreign_key } => {
                let table = get(schema, table)?;
                free_name(table, &foreign_key.name)?;
                known(table, &foreign_key.columns)?;
                table.foreign_keys.push(foreign_key.clone());
                Ok(())
            }
            Operation::DropForeignKey { table, name } => {
                remove(&mut get(schema, table)?.foreign_keys, |foreign_key| {
                    foreign_key.name == *name
                })
            }
            Operation::AddCheck { table, check } => {
                let table = get(schema, table)?;
                free_name(table, &check.name)?;
                table.checks.push(check.clone());
                Ok(())
            }
            Operation::DropCheck { table, name } => {
                remove(&mut get(schema, table)?.checks, |check| check.name == *name)
            }
            Operation::CreateIndex { table, index } => {
                let table = get(schema, table)?;
                free_index_name(&table.indexes, &index.name)?;
                known(table, &index_columns(index))?;
                table.indexes.push(index.clone());
                Ok(())
            }
            Operation::DropIndex { table, name } => {
                remove(&mut get(schema, table)?.indexes, |index| index.name == *name)
            }
            Operation::RenameIndex { table, from, to } => {
                let table = get(schema, table)?;
                free_index_name(&table.indexes, to)?;
                let index = table.indexes.iter_mut().find(|index| index.name == *from);
                index.ok_or_else(missing)?.name.clone_from(to);
                Ok(())
            }
            Operation::Execute(statement) => statement
                .describes
                .iter()
                .try_for_each(|operation| operation.apply(schema))
                .map_err(|replay_error| replay_error.to_string()),
            Operation::BulkInsert { table, columns, rows } => {
                known(get(schema, table)?, columns)?;
                match rows.iter().find(|row| row.len() != columns.len()) {
                    Some(row) => {
                        Err(format!("a row has {} values for {} columns", row.len(), columns.len()))
                    }
                    None => Ok(()),
                }
            }
            Operation::Run(_) | Operation::Makes(_) | Operation::Drops(_) => Ok(()),
        }
    }
}

impl ColumnChange {
    /// Applies the changes to a column.
    pub fn apply(&self, column: &mut Column) {
        fn set<T: Clone>(to: &mut T, from: &Option<T>) {
            if let Some(found) = from {
                to.clone_from(found);
            }
        }
        set(&mut column.ty, &self.ty);
        set(&mut column.nullable, &self.nullable);
        set(&mut column.default, &self.default);
        set(&mut column.autoincrement, &self.autoincrement);
        set(&mut column.identity, &self.identity);
        set(&mut column.generated, &self.generated);
        set(&mut column.collation, &self.collation);
        set(&mut column.charset, &self.charset);
        set(&mut column.on_update_now, &self.on_update_now);
        set(&mut column.invisible, &self.invisible);
        set(&mut column.comment, &self.comment);
    }
}

fn create_table(schema: &mut Schema, table: &Table) -> Result<(), String> {
    absent(schema.tables.contains_key(&table.name))?;
    if table.columns.is_empty() {
        return Err("it has no column".to_owned());
    }
    for (idx, column) in table.columns.iter().enumerate() {
        if table.columns[..idx].iter().any(|candidate| candidate.name == column.name) {
            return Err(format!("it has two columns `{}`", column.name));
        }
    }
    if let Some(primary_key) = &table.primary_key {
        known(table, &primary_key.columns)?;
    }
    let constraints = table.uniques.iter().flat_map(|unique| [&unique.columns, &unique.include]);
    constraints
        .chain(table.foreign_keys.iter().map(|foreign_key| &foreign_key.columns))
        .try_for_each(|columns| known(table, columns))?;
    for (place, index) in table.indexes.iter().enumerate() {
        free_index_name(&table.indexes[..place], &index.name)?;
        known(table, &index_columns(index))?;
    }
    schema.tables.insert(table.name.clone(), table.clone());
    Ok(())
}

fn rename_table(schema: &mut Schema, from: &str, to: &str) -> Result<(), String> {
    if schema.tables.contains_key(to) {
        return Err(format!("table `{to}` already exists"));
    }
    let mut table = schema.tables.remove(from).ok_or_else(|| no_table(from))?;
    let was = table.bare_name().to_owned();
    table.rename(to);
    // `CHECK (user.age > 0)`
    let now = table.bare_name().to_owned();
    if was != now {
        rewrite_expressions(&mut table, |name| NEUTRAL.rename_qualifier(name, &was, &now));
    }
    schema.tables.insert(to.to_owned(), table);
    let refers = |key: &ForeignKey| key.references_table == from;
    let tables = schema.tables.matching_mut(|table| table.foreign_keys.iter().any(refers));
    let foreign_keys = tables.flat_map(|table| &mut table.foreign_keys);
    for foreign_key in foreign_keys.filter(|foreign_key| foreign_key.references_table == from) {
        to.clone_into(&mut foreign_key.references_table);
    }
    Ok(())
}

fn drop_column(table: &mut Table, column: &str) -> Result<(), String> {
    exists(table.find_column(column).is_some())?;
    if let Some(user) = table.user_of_column(column) {
        return Err(format!("{user} uses it; drop that first"));
    }
    if table.columns.len() == 1 {
        return Err("it is the table's only column; drop the table".to_owned());
    }
    table.columns.retain(|candidate| candidate.name != column);
    Ok(())
}

impl Table {
    /// A description of the constraint or index that uses a column.
    pub(crate) fn user_of_column(&self, column: &str) -> Option<String> {
        let has = |columns: &[String]| columns.iter().any(|name| name == column);
        let key = self.primary_key.iter().filter(|primary_key| has(&primary_key.columns));
        let key = key.map(|key| format!("primary key `{}`", key.name));
        let uses = |unique: &&Unique| has(&unique.columns) || has(&unique.include);
        let uniques = self.uniques.iter().filter(uses);
        let uniques = uniques.map(|unique| format!("unique constraint `{}`", unique.name));
        let foreign_keys = self.foreign_keys.iter().filter(|foreign_key| has(&foreign_key.columns));
        let foreign_keys =
            foreign_keys.map(|foreign_key| format!("foreign key `{}`", foreign_key.name));
        let indexes = self.indexes.iter().filter(|index| has(&index_columns(index)));
        let indexes = indexes.map(|index| format!("index `{}`", index.name));
        key.chain(uniques).chain(foreign_keys).chain(indexes).next()
    }
}

fn rename_column(schema: &mut Schema, table: &str, from: &str, to: &str) -> Result<(), String> {
    {
        let table = get(schema, table)?;
        if table.find_column(to).is_some() {
            return Err(format!("column `{to}` already exists"));
        }
        to.clone_into(&mut get_column(table, from)?.name);
        let rename = |columns: &mut Vec<String>| {
            columns
                .iter_mut()
                .filter(|column| *column == from)
                .for_each(|column| to.clone_into(column));
        };
        table.primary_key.iter_mut().for_each(|primary_key| rename(&mut primary_key.columns));
        for unique in &mut table.uniques {
            rename(&mut unique.columns);
            rename(&mut unique.include);
        }
        table.indexes.iter_mut().for_each(|index| rename(&mut index.include));
        table.foreign_keys.iter_mut().for_each(|foreign_key| rename(&mut foreign_key.columns));
        for column in table.indexes.iter_mut().flat_map(|index| &mut index.columns) {
            match &mut column.term {
                IndexTerm::Column(text) if text == from => to.clone_into(text),
                IndexTerm::Column(_) | IndexTerm::Expression(_) => {}
            }
        }
        rewrite_expressions(table, |text| NEUTRAL.rename_identifier(text, from, to));
    }
    let refers = |key: &ForeignKey| key.references_table == table;
    let tables = schema.tables.matching_mut(|table| table.foreign_keys.iter().any(refers));
    for foreign_key in tables.flat_map(|table| &mut table.foreign_keys) {
        if foreign_key.references_table == table {
            let columns = foreign_key.references_columns.iter_mut();
            columns.filter(|column| *column == from).for_each(|column| to.clone_into(column));
        }
    }
    Ok(())
}

/// Rewrites all expressions of a table.
fn rewrite_expressions(table: &mut Table, rewrite: impl Fn(&str) -> String) {
    let checks = table.checks.iter_mut().map(|check| &mut check.expression);
    let generated = table.columns.iter_mut().filter_map(|column| column.generated.as_mut());
    let of_index = |index: &mut Index| {
        if let Some(filter) = &mut index.filter {
            *filter = filter.map(&rewrite);
        }
        for column in &mut index.columns {
            if let IndexTerm::Expression(expression) = &mut column.term {
                *expression = expression.map(&rewrite);
            }
        }
    };
    table.indexes.iter_mut().for_each(of_index);
    for expression in checks.chain(generated.map(|generated| &mut generated.expression)) {
        *expression = expression.map(&rewrite);
    }
}

fn index_columns(index: &Index) -> Vec<String> {
    let columns = index.columns.iter().filter_map(|column| match &column.term {
        IndexTerm::Column(column) => Some(column.clone()),
        IndexTerm::Expression(_) => None,
    });
    columns.chain(index.include.iter().cloned()).collect()
}

fn get<'a>(schema: &'a mut Schema, table: &str) -> Result<&'a mut Table, String> {
    schema.tables.get_mut(table).ok_or_else(|| no_table(table))
}

fn get_column<'a>(table: &'a mut Table, column: &str) -> Result<&'a mut Column, String> {
    table.columns.iter_mut().find(|candidate| candidate.name == column).ok_or_else(missing)
}

fn no_table(table: &str) -> String {
    format!("table `{table}` does not exist")
}

fn missing() -> String {
    "it does not exist".to_owned()
}

fn exists(found: bool) -> Result<(), String> {
    if found { Ok(()) } else { Err(missing()) }
}

fn absent(found: bool) -> Result<(), String> {
    if found { Err("it already exists".to_owned()) } else { Ok(()) }
}

fn remove<T>(list: &mut Vec<T>, is_removed: impl Fn(&T) -> bool) -> Result<(), String> {
    let idx = list.iter().position(is_removed).ok_or_else(missing)?;
    list.remove(idx);
    Ok(())
}

fn known(table: &Table, columns: &[String]) -> Result<(), String> {
    match columns.iter().find(|column| table.find_column(column).is_none()) {
        Some(column) => Err(format!("table `{}` has no column `{column}`", table.name)),
        None => Ok(()),
    }
}

fn free_name(table: &Table, name: &str) -> Result<(), String> {
    let mut names = (table.primary_key.iter().map(|primary_key| &primary_key.name))
        .chain(table.uniques.iter().map(|unique| &unique.name))
        .chain(table.foreign_keys.iter().map(|foreign_key| &foreign_key.name))
        .chain(table.checks.iter().map(|check| &check.name));
    absent(names.any(|text| text == name))
}

/// Whether other tables can have an index of that name is for the database to say.
fn free_index_name(indexes: &[Index], name: &str) -> Result<(), String> {
    absent(indexes.iter().any(|index| index.name == name))
}
