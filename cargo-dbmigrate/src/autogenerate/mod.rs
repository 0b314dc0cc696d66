//! Autogenerate: the operations that turn the schema of the migrations into that of the models.

mod translate;
mod candidates;
mod convert;
mod diff;
mod fill;
mod flags;
mod question;
mod rename;
mod rewritten;
pub mod safe;
mod normalize;
mod way_back;
mod words;

use std::collections::BTreeMap;

use dbmigrate_runtime::engine::recording::{Allowed, Recording};
use dbmigrate_runtime::operations::Operation;
use dbmigrate_runtime::schema::Schema;

pub use convert::keeps;
pub use fill::{Held, Need, Why, answer, closed, neutral, rows};
pub use flags::{Flags, flags};
pub use question::{Question, Rename, shell};
pub use rewritten::rewritten;
pub use translate::{StorageRules, name_unnamed, translate};
pub use way_back::way_back;
pub use words::{detected, found};

use crate::error::{Error, Result};
use crate::models::Models;
use crate::scope::Scope;

/// A person's answers about the difference.
#[derive(Debug, Clone, Default)]
pub struct Answers {
    /// `old:new` for tables, `table.old:table.new` for columns.
    pub renames: Vec<String>,
    /// Whether everything that no rename mentions is dropped and added.
    pub no_renames: bool,
    /// Tables, and columns as `table.column`, that are dropped instead of renamed.
    pub dropped: Vec<String>,
    /// `table.column=expression`: the value for existing rows.
    pub fills: Vec<String>,
}

/// Operations with comments on some of them, by position. A comment after the last operation has
/// the number of operations as its position.
#[derive(Debug, Clone, Default)]
pub struct Commented {
    pub operations: Vec<Operation>,
    pub comments: BTreeMap<usize, String>,
    /// Why the operations can't be reversed, if they are a downgrade.
    pub irreversible: Option<String>,
    /// Whether they run outside of a transaction.
    pub no_transaction: bool,
    /// Why an upgrade stops before them, if it does.
    pub barrier: Option<String>,
    /// What `lint` is not to report.
    pub allowed: Vec<Allowed>,
    /// The SQL that steps run on each of their pieces, by position.
    pub code: BTreeMap<usize, String>,
}

impl Commented {
    /// The same without comments, as a revision records it.
    pub fn recording(&self) -> Recording {
        Recording {
            operations: self.operations.clone(),
            no_transaction: self.no_transaction,
            irreversible: self.irreversible.clone(),
            barrier: self.barrier.clone(),
            allowed: self.allowed.clone(),
        }
    }
}

/// A difference without open questions.
#[derive(Debug, Clone, Default)]
pub struct Changes {
    pub operations: Vec<Operation>,
    /// What operations do to values, by position: ``discards the data in table `user```.
    pub losses: BTreeMap<usize, String>,
    /// What the answers overrule in the models, as warnings.
    pub overruled: Vec<String>,
}

impl Changes {
    /// The operations, with comments on what they do to values.
    pub fn commented(&self) -> Commented {
        let comment = |(idx, loss): (&usize, &String)| (*idx, format!("This {loss}."));
        let comments = self.losses.iter().map(comment).collect();
        Commented { operations: self.operations.clone(), comments, ..Commented::default() }
    }
}

/// A difference, as far as it can be determined.
#[derive(Debug, Clone)]
pub enum Outcome {
    /// Ready to be written into a revision.
    Changes(Changes),
    /// A person has to decide first.
    Questions(Vec<Question>),
}

/// Compares the schema of the migrations with the models.
///
/// # Errors
///
/// An answer that belongs to no question, answers that contradict each other, and a difference that
/// can't be applied because of what the comparison leaves out.
pub fn changes(migrations: &Schema, models: &Models, answers: &Answers) -> Result<Outcome> {
    answers.fills.iter().try_for_each(|text| fill::check(text, models))?;
    let Difference { renames, unknown, overruled, before, after, mut operations } =
        difference(migrations, models, answers)?;
    rename::refuse_unknown(&unknown, false)?;
    let open = if answers.no_renames {
        Vec::new()
    } else {
        candidates::renames(&before, &after, &answers.dropped, models.dialect)
    };
    let filled = fill::fill(
        &mut operations,
        (&before, &after),
        &answers.fills,
        (models.dialect, &models.others),
    );
    // A column that may turn out to be renamed may not need a value.
    let is_open = |need: &&Need| {
        let column = need.place();
        !open.iter().flat_map(|rename| &rename.candidates).any(|text| *text == column)
    };
    let needs =
        filled.open.iter().filter(is_open).cloned().map(|need| Question::Fill(Box::new(need)));
    let questions: Vec<_> = open.iter().cloned().map(Question::Rename).chain(needs).collect();
    if !questions.is_empty() {
        return Ok(Outcome::Questions(questions));
    }
    rename::refuse_unknown(&unknown, true)?;
    filled.refuse_unused(&answers.fills)?;
    fill::refuse_unclear(&operations, (&before, &after), &answers.fills, models.dialect)?;
    let mut losses = BTreeMap::new();
    for (idx, operation) in operations.iter().enumerate() {
        let loss = match filled.lossy.get(&idx) {
            Some(rows) => {
                victim(operation).map(|victim| format!("may discard data in {victim} {rows}"))
            }
            None => discarded(operation, &before)
                .map(|discarded| format!("discards the data in {discarded}")),
        };
        losses.extend(loss.map(|loss| (renames.len() + idx, loss)));
    }
    let operations = [renames, operations].concat();
    fill::refuse_mistakes(&operations, migrations, &answers.fills, models.dialect)?;
    for other in &models.others {
        let prefix = format!("{}:", other.backend().name());
        let own = answers.fills.iter().filter(|fill| fill.starts_with(&prefix)).cloned();
        fill::refuse_mistakes(&operations, migrations, &own.collect::<Vec<_>>(), *other)?;
    }
    models.scope.refuse_unfit(&operations, migrations)?;
    models.scope.refuse_keyless(&operations, &models.schema)?;
    Ok(Outcome::Changes(Changes { operations, losses, overruled }))
}

/// The operations that turn the migrations into the models, without any answers. A possible rename
/// counts as a drop and an add.
///
/// # Errors
///
/// Models that contradict each other.
pub fn plain(migrations: &Schema, models: &Models) -> Result<Vec<Operation>> {
    let Difference { renames, operations, .. } =
        difference(migrations, models, &Answers::default())?;
    Ok([renames, operations].concat())
}

/// The renames that are answered, or declared in the models.
///
/// # Errors
///
/// As [`changes`].
pub fn renames(migrations: &Schema, models: &Models, answers: &Answers) -> Result<Vec<Operation>> {
    Ok(difference(migrations, models, answers)?.renames)
}

/// The operations that turn the models into the migrations.
pub fn back(models: &Models, migrations: &Schema) -> Vec<Operation> {
    let migrations = managed(migrations, models);
    let normalized = normalize::normalize(&migrations, &migrations, &models.schema, &models.naming);
    compared(&normalized, &migrations, &models.scope)
}

/// The operations that turn one schema into another, if both use the same terms.
pub fn between(from: &Schema, to: &Schema) -> Vec<Operation> {
    diff::diff(from, to)
}

/// The same without what the scope leaves out.
pub fn compared(from: &Schema, to: &Schema, scope: &Scope) -> Vec<Operation> {
    between(&scope.compared(from), &scope.compared(to))
}

/// A schema without the tables that models only describe: they aren't managed (any more).
pub fn managed(schema: &Schema, models: &Models) -> Schema {
    let mut managed = schema.clone();
    let unmanaged = models.records.iter().filter(|record| record.unmanaged);
    let names = unmanaged.map(|record| &record.table.name);
    for name in names.filter(|name| models.schema.table(name).is_none()) {
        managed.tables.remove(name);
    }
    managed
}

struct Difference {
    renames: Vec<Operation>,
    /// Renames in the models whose old name doesn't exist. They only matter if a revision is
    /// written.
    unknown: Vec<rename::Unknown>,
    /// Warnings about renames in the models that a flag overrules.
    overruled: Vec<String>,
    /// The schema after the renames.
    before: Schema,
    after: Schema,
    /// The operations from there to the models.
    operations: Vec<Operation>,
}

fn difference(migrations: &Schema, models: &Models, answers: &Answers) -> Result<Difference> {
    let scope = &models.scope;
    let managed = managed(migrations, models);
    let sides = rename::Sides {
        from: &scope.compared(&managed),
        to: &scope.compared(&models.schema),
        all_from: &managed,
        all_to: &models.schema,
        folding: scope.names.folding,
    };
    let rename::Renames { operations: renames, unknown, overruled } =
        rename::renames(sides, &models.records, answers)?;
    scope.refuse_unfit(&renames, &managed)?;
    let mut before = managed.clone();
    for operation in &renames {
        operation.apply(&mut before).map_err(|err| Error::new(err.to_string()))?;
    }
    // Patterns name objects as the migrations do, so the models have to use the same terms first.
    let after = normalize::normalize(&managed, &before, &models.schema, &models.naming);
    let (before, after) = (scope.compared(&before), scope.compared(&after));
    let operations = diff::diff(&before, &after);
    Ok(Difference { renames, unknown, overruled, before, after, operations })
}

/// What the operation discards for certain, given the schema before it.
pub fn discarded(operation: &Operation, before: &Schema) -> Option<String> {
    let holds_values = |table: &str, column: &str| {
        let column = before.table(table).and_then(|table| table.find_column(column));
        column.is_some_and(|column| column.generated.is_none())
    };
    let discards = match operation {
        Operation::DropTable { .. } => true,
        Operation::DropColumn { table, column } => holds_values(table, column),
        Operation::AlterColumn { table, column, change } => {
            matches!(change.generated, Some(Some(_))) && holds_values(table, column)
        }
        Operation::CreateTable(_)
        | Operation::RenameTable { .. }
        | Operation::AlterTable { .. }
        | Operation::AddColumn { .. }
        | Operation::RenameColumn { .. }
        | Operation::AddPrimaryKey { .. }
        | Operation::DropPrimaryKey { .. }
        | Operation::AddUnique { .. }
        | Operation::DropUnique { .. }
        | Operation::AddForeignKey { .. }
        | Operation::DropForeignKey { .. }
        | Operation::AddCheck { .. }
        | Operation::DropCheck { .. }
        | Operation::CreateIndex { .. }
        | Operation::DropIndex { .. }
        | Operation::RenameIndex { .. }
        | Operation::Execute(_)
        | Operation::BulkInsert { .. }
        | Operation::Run(_)
        | Operation::Makes(_)
        | Operation::Drops(_) => false,
    };
    victim(operation).filter(|_| discards)
}

fn victim(operation: &Operation) -> Option<String> {
    match operation {
        Operation::DropTable { table } => Some(format!("table `{table}`")),
        Operation::DropColumn { table, column } | Operation::AlterColumn { table, column, .. } => {
            Some(format!("column `{column}` of `{table}`"))
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests;
