//! `drop-constraint`.

use dbmigrate_runtime::operations::Operation;
use dbmigrate_runtime::schema::{Check, ForeignKey, Table, Unique};

use super::unique_on_rows::columns;

use crate::autogenerate::safe::DROP_CONSTRAINT;
use crate::lint::rule::{Change, Level, Look, Rule, every};

pub const RULE: Rule = Rule {
    id: DROP_CONSTRAINT,
    level: Level::Warn,
    is_for: every,
    finds: "A foreign key, a unique constraint or a check is dropped, and the revision adds nothing \
            in its place.",
    why: "From then on the database accepts rows that violate it, and it can be added again only \
          after these are corrected. An upsert that names the columns of a unique constraint fails.",
    instead: "keep it, or make sure that no program and no query relies on it",
    fix: None,
    look: Look::AtChange(look),
};

fn look(change: &Change<'_>) -> Vec<String> {
    let (table, name) = match change.operation() {
        Operation::DropForeignKey { table, name }
        | Operation::DropUnique { table, name }
        | Operation::DropCheck { table, name } => (table, name),
        _ => return Vec::new(),
    };
    let Some(old) = change.old(table) else { return Vec::new() };
    let Some(dropped) = Dropped::of(old, change.operation(), name) else { return Vec::new() };
    let mut others = change.revised.changes();
    if others.any(|other| dropped.is_settled_by(&other, table)) {
        return Vec::new();
    }
    vec![dropped.message(table)]
}

/// The constraint that is dropped.
enum Dropped<'a> {
    ForeignKey(&'a ForeignKey),
    Unique(&'a Unique),
    Check(&'a Check),
}

impl<'a> Dropped<'a> {
    fn of(table: &'a Table, drop: &Operation, name: &str) -> Option<Dropped<'a>> {
        match drop {
            Operation::DropForeignKey { .. } => {
                let mut keys = table.foreign_keys.iter();
                keys.find(|key| key.name == name).map(Dropped::ForeignKey)
            }
            Operation::DropUnique { .. } => {
                let mut uniques = table.uniques.iter();
                uniques.find(|unique| unique.name == name).map(Dropped::Unique)
            }
            _ => {
                let mut checks = table.checks.iter();
                checks.find(|check| check.name == name).map(Dropped::Check)
            }
        }
    }

    /// Whether another change of the revision takes its place, or drops what it is about.
    fn is_settled_by(&self, other: &Change<'_>, table: &str) -> bool {
        let is_about = |of: &str| of == table;
        match (other.operation(), self) {
            (Operation::DropTable { table }, Dropped::ForeignKey(key)) => {
                is_about(table) || *table == key.references_table
            }
            (Operation::DropTable { table }, _) => is_about(table),
            (Operation::DropColumn { table, column }, dropped) => {
                is_about(table) && dropped.has_column(column, other)
            }
            (Operation::AddForeignKey { table, foreign_key }, Dropped::ForeignKey(key)) => {
                is_about(table) && foreign_key.columns == key.columns
            }
            (Operation::AddUnique { table, unique }, Dropped::Unique(was)) => {
                is_about(table) && is_within(&unique.columns, &was.columns)
            }
            (Operation::AddPrimaryKey { table, primary_key }, Dropped::Unique(was)) => {
                is_about(table) && is_within(&primary_key.columns, &was.columns)
            }
            (Operation::CreateIndex { table, index }, Dropped::Unique(was)) => {
                is_about(table) && index.unique && is_within(&columns(index), &was.columns)
            }
            (Operation::AddCheck { table, check }, Dropped::Check(was)) => {
                let lexicon = other.revised.dialect.lexicon();
                let is_same = lexicon.same_expression(&check.expression, &was.expression);
                is_about(table) && (check.name == was.name || is_same)
            }
            _ => false,
        }
    }

    fn has_column(&self, column: &String, change: &Change<'_>) -> bool {
        match self {
            Dropped::ForeignKey(key) => key.columns.contains(column),
            Dropped::Unique(unique) => unique.columns.contains(column),
            Dropped::Check(check) => {
                change.revised.dialect.lexicon().mentions(&check.expression, column)
            }
        }
    }

    fn message(&self, table: &str) -> String {
        match self {
            Dropped::ForeignKey(key) => {
                let to = &key.references_table;
                format!("from then on rows of table `{table}` may refer to no row of table `{to}`")
            }
            Dropped::Unique(_) => format!(
                "from then on rows of table `{table}` may have the same values, and a running \
                 program's upsert that names its columns fails"
            ),
            Dropped::Check(_) => {
                format!("from then on rows of table `{table}` may violate it")
            }
        }
    }
}

/// Whether values that are unique in these columns are so in those, too.
fn is_within(columns: &[String], others: &[String]) -> bool {
    !columns.is_empty() && columns.iter().all(|column| others.contains(column))
}
