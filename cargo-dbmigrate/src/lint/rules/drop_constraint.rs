//! `drop-constraint`.

use dbmigrate_runtime::operations::Operation;

use super::unique_on_rows::columns;

use crate::autogenerate::safe::{Constraint, DROP_CONSTRAINT};
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
    let table = change.operation().tables().first().and_then(|table| change.old(table));
    let dropped = table.and_then(|table| {
        let constraint = Constraint::dropped(change.operation(), table)?;
        Some(Dropped { table: &table.name, constraint })
    });
    let Some(dropped) = dropped else { return Vec::new() };
    let mut others = change.revised.changes();
    if others.any(|other| dropped.is_settled_by(&other)) {
        return Vec::new();
    }
    vec![dropped.message()]
}

/// The constraint that is dropped, with its table.
struct Dropped<'a> {
    table: &'a str,
    constraint: Constraint<'a>,
}

impl Dropped<'_> {
    /// Whether another change of the revision takes its place, or drops what it is about.
    fn is_settled_by(&self, other: &Change<'_>) -> bool {
        let lexicon = other.revised.dialect.lexicon();
        let is_about = |of: &str| of == self.table;
        match (other.operation(), &self.constraint) {
            (Operation::DropTable { table }, Constraint::ForeignKey(key)) => {
                is_about(table) || *table == key.references_table
            }
            (Operation::DropTable { table }, _) => is_about(table),
            (Operation::DropColumn { table, column }, dropped) => {
                let mentions = |text: &str, name: &str| lexicon.mentions(text, name);
                is_about(table) && dropped.has_column(column, mentions)
            }
            (Operation::AddForeignKey { table, foreign_key }, Constraint::ForeignKey(key)) => {
                is_about(table) && foreign_key.columns == key.columns
            }
            (Operation::AddUnique { table, unique }, Constraint::Unique(was)) => {
                is_about(table) && is_within(&unique.columns, &was.columns)
            }
            (Operation::AddPrimaryKey { table, primary_key }, Constraint::Unique(was)) => {
                is_about(table) && is_within(&primary_key.columns, &was.columns)
            }
            (Operation::CreateIndex { table, index }, Constraint::Unique(was)) => {
                is_about(table) && index.unique && is_within(&columns(index), &was.columns)
            }
            (Operation::AddCheck { table, check }, Constraint::Check(was)) => {
                let is_same = lexicon.same_expression(&check.expression, &was.expression);
                is_about(table) && (check.name == was.name || is_same)
            }
            _ => false,
        }
    }

    fn message(&self) -> String {
        let table = self.table;
        match &self.constraint {
            Constraint::ForeignKey(key) => {
                let to = &key.references_table;
                format!("from then on rows of table `{table}` may refer to no row of table `{to}`")
            }
            Constraint::Unique(_) => format!(
                "from then on rows of table `{table}` may have the same values, and a running \
                 program's upsert that names its columns fails"
            ),
            Constraint::Check(_) => {
                format!("from then on rows of table `{table}` may violate it")
            }
        }
    }
}

/// Whether values that are unique in these columns are so in those, too.
fn is_within(columns: &[String], others: &[String]) -> bool {
    !columns.is_empty() && columns.iter().all(|column| others.contains(column))
}
