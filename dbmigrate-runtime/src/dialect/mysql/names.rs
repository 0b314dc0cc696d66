//! Names and texts that the servers can't have.

use super::flavor::Flavor;
use super::types;
use crate::dialect::Refusal;
use crate::operations::Operation;
use crate::schema::qualified::split;
use crate::schema::{Column, Table};

/// The longest name, in characters.
const LIMIT: usize = 64;

/// The longest comment of a column, in characters.
const COLUMN_COMMENT: usize = 1024;

/// The longest comment of a table, in characters.
const TABLE_COMMENT: usize = 2048;

/// Refuses names and comments that are too long.
pub(super) fn look(flavor: Flavor, operation: &Operation) -> Result<(), Refusal> {
    let mut names = Names { flavor, why: None };
    match operation {
        Operation::CreateTable(table) => names.table(table),
        Operation::RenameTable { from, to } => {
            names.name("table", to);
            if split(from).0.is_none() {
                names.schema(split(to).0);
            }
        }
        Operation::RenameColumn { to, .. } => names.name("column", to),
        Operation::RenameIndex { to, .. } => names.name("index", to),
        Operation::AddColumn { column, .. } => names.column(column),
        Operation::AlterColumn { column, change, .. } => {
            let ty = change.ty.clone().unwrap_or(crate::schema::Type::Text);
            let mut to = Column::new(column, ty);
            to.comment = change.comment.clone().flatten();
            names.column(&to);
        }
        Operation::AlterTable { change, .. } => {
            names.comment("table", change.comment.as_ref().and_then(Option::as_ref), TABLE_COMMENT);
        }
        Operation::AddPrimaryKey { .. } => {}
        Operation::AddUnique { unique, .. } => names.name("unique constraint", &unique.name),
        Operation::AddForeignKey { foreign_key, .. } => {
            names.name("foreign key", &foreign_key.name);
        }
        Operation::AddCheck { check, .. } => names.name("check", &check.name),
        Operation::CreateIndex { index, .. } => names.name("index", &index.name),
        Operation::DropTable { .. }
        | Operation::DropColumn { .. }
        | Operation::DropPrimaryKey { .. }
        | Operation::DropUnique { .. }
        | Operation::DropForeignKey { .. }
        | Operation::DropCheck { .. }
        | Operation::DropIndex { .. }
        | Operation::Execute(_)
        | Operation::BulkInsert { .. }
        | Operation::Run(_)
        | Operation::Makes(_)
        | Operation::Drops(_) => {}
    }
    let Some((why, hint)) = names.why else { return Ok(()) };
    Err(Refusal {
        message: format!("cannot {operation} on {}: {why}", flavor.title()),
        hint: Some(hint.to_owned()),
    })
}

struct Names {
    flavor: Flavor,
    /// The first thing that is wrong, and what to do about it.
    why: Option<(String, &'static str)>,
}

impl Names {
    fn wrong(&mut self, why: String, hint: &'static str) {
        self.why.get_or_insert((why, hint));
    }

    /// What PostgreSQL calls a schema is a database here, of which a history has one.
    fn schema(&mut self, schema: Option<&str>) {
        let Some(schema) = schema else { return };
        let title = self.flavor.title();
        let why = format!(
            "the table is in the schema `{schema}`, and {title} has no schemas within a database"
        );
        let hint = "remove `schema` from the model, or leave the database out of `dialects` in \
                    dbmigrate.toml";
        self.wrong(why, hint);
    }

    fn name(&mut self, what: &'static str, name: &str) {
        let length = name.chars().count();
        if length > LIMIT {
            let title = self.flavor.title();
            let why = format!(
                "the {what} `{name}` has {length} characters, and names of {title} have at most \
                 {LIMIT}"
            );
            self.wrong(why, "choose a shorter name");
        }
        if name.ends_with(' ') {
            let title = self.flavor.title();
            let why = format!(
                "the {what} `{name}` ends in a space, which {title} does not allow in names"
            );
            self.wrong(why, "choose another name");
        }
    }

    fn comment(&mut self, what: &'static str, comment: Option<&String>, limit: usize) {
        let length = comment.map_or(0, |comment| comment.chars().count());
        if length > limit {
            let title = self.flavor.title();
            let why = format!(
                "the comment of the {what} has {length} characters, and {title} keeps at most \
                 {limit}"
            );
            self.wrong(why, "write a shorter comment");
        }
    }

    fn table(&mut self, table: &Table) {
        self.schema(table.schema.as_deref());
        self.name("table", &table.name);
        self.comment("table", table.comment.as_ref(), TABLE_COMMENT);
        table.columns.iter().for_each(|column| self.column(column));
        table.uniques.iter().for_each(|unique| self.name("unique constraint", &unique.name));
        table.foreign_keys.iter().for_each(|key| self.name("foreign key", &key.name));
        table.checks.iter().for_each(|check| self.name("check", &check.name));
        table.indexes.iter().for_each(|index| self.name("index", &index.name));
    }

    fn column(&mut self, column: &Column) {
        self.name("column", &column.name);
        self.comment("column", column.comment.as_ref(), COLUMN_COMMENT);
        if let Err(why) = types::type_name(self.flavor, &column.ty) {
            let why = format!("column `{}` {why}", column.name);
            self.wrong(why, "choose another type with `#[model(type = ...)]`");
        }
    }
}
