//! Names and texts that PostgreSQL can't have.

use super::types;
use crate::Value;
use crate::dialect::Refusal;
use crate::operations::Operation;
use crate::schema::qualified::split;
use crate::schema::{Column, DefaultValue, Table, naming};

/// Refuses names that the server would cut or that stand for something else, and texts that it
/// can't store. `before` is the table before the operation.
pub(super) fn look(operation: &Operation, before: Option<&Table>) -> Result<(), Refusal> {
    let table = match operation {
        Operation::CreateTable(table) => Some(table),
        _ => before,
    };
    if let Some(table) = table.filter(|table| table.schema.is_none()) {
        if let (Some(schema), bare) = split(&table.name) {
            return Err(Refusal {
                message: format!(
                    "cannot {operation} on PostgreSQL: the name `{}` has a dot, which separates a \
                     schema from a table",
                    table.name
                ),
                hint: Some(format!(
                    "name the table without a dot, or put table `{bare}` into the schema with \
                     `#[model(schema = \"{schema}\")]`"
                )),
            });
        }
    }
    let mut names = Names { operation, long: None, is_nul: false };
    match operation {
        Operation::CreateTable(table) => names.table(table),
        Operation::RenameTable { to, .. } => names.relation(to),
        Operation::RenameColumn { to, .. } => names.name("column", to),
        Operation::RenameIndex { to, .. } => names.name("index", to),
        Operation::AddColumn { column, .. } => names.column(column),
        Operation::AlterColumn { column, change, .. } => {
            let mut to =
                Column::new(column, change.ty.clone().unwrap_or(crate::schema::Type::Text));
            to.default = change.default.clone().flatten();
            names.column(&to);
        }
        Operation::AddPrimaryKey { primary_key, .. } => {
            names.name("primary key", &primary_key.name);
        }
        Operation::AddUnique { unique, .. } => names.name("unique constraint", &unique.name),
        Operation::AddForeignKey { foreign_key, .. } => {
            names.name("foreign key", &foreign_key.name);
        }
        Operation::AddCheck { check, .. } => names.name("check", &check.name),
        Operation::CreateIndex { index, .. } => names.name("index", &index.name),
        Operation::BulkInsert { rows, .. } => {
            rows.iter().flatten().for_each(|value| names.value(value));
        }
        Operation::DropTable { .. }
        | Operation::AlterTable { .. }
        | Operation::DropColumn { .. }
        | Operation::DropPrimaryKey { .. }
        | Operation::DropUnique { .. }
        | Operation::DropForeignKey { .. }
        | Operation::DropCheck { .. }
        | Operation::DropIndex { .. }
        | Operation::Execute(_)
        | Operation::Run(_)
        | Operation::Makes(_)
        | Operation::Drops(_) => {}
    }
    names.refusal()
}

struct Names<'a> {
    operation: &'a Operation,
    /// The first name that is too long, with what it is of.
    long: Option<(&'static str, String)>,
    is_nul: bool,
}

impl Names<'_> {
    fn name(&mut self, what: &'static str, name: &str) {
        if name.len() > naming::LIMIT && self.long.is_none() {
            self.long = Some((what, name.to_owned()));
        }
    }

    fn relation(&mut self, table: &str) {
        let (schema, name) = split(table);
        schema.into_iter().for_each(|schema| self.name("schema", schema));
        self.name("table", name);
    }

    fn value(&mut self, value: &Value) {
        self.is_nul |= matches!(value, Value::Text(text) if text.contains('\0'));
    }

    fn table(&mut self, table: &Table) {
        self.relation(&table.name);
        table.columns.iter().for_each(|column| self.column(column));
        table.primary_key.iter().for_each(|key| self.name("primary key", &key.name));
        table.uniques.iter().for_each(|unique| self.name("unique constraint", &unique.name));
        table.foreign_keys.iter().for_each(|key| self.name("foreign key", &key.name));
        table.checks.iter().for_each(|check| self.name("check", &check.name));
        table.indexes.iter().for_each(|index| self.name("index", &index.name));
    }

    fn column(&mut self, column: &Column) {
        self.name("column", &column.name);
        if let Some(DefaultValue::Literal(value)) = &column.default {
            self.value(value);
        }
        if let Some((name, values)) = types::enumeration(&column.ty) {
            self.name("enumeration", name);
            values.iter().for_each(|value| self.name("value of an enumeration", value));
        }
    }

    fn refusal(self) -> Result<(), Refusal> {
        let operation = self.operation;
        if let Some((what, name)) = self.long {
            return Err(Refusal {
                message: format!(
                    "cannot {operation} on PostgreSQL: the {what} `{name}` has {} bytes, and \
                     PostgreSQL cuts names after {}",
                    name.len(),
                    naming::LIMIT
                ),
                hint: Some("choose a shorter name".to_owned()),
            });
        }
        if self.is_nul {
            return Err(Refusal {
                message: format!(
                    "cannot {operation} on PostgreSQL: a text contains the character NUL, which \
                     PostgreSQL can't store in texts"
                ),
                hint: Some("remove the character, or store bytes".to_owned()),
            });
        }
        Ok(())
    }
}
