//! What a rule is, and what it looks at.

use std::cell::OnceCell;
use std::collections::BTreeSet;

use dbmigrate_runtime::engine::dialect::{Cost, Dialect, Facts, Refusal, Statement, Task, Work};
use dbmigrate_runtime::engine::naming::Convention;
use dbmigrate_runtime::engine::{Backend, Migration, plan};
use dbmigrate_runtime::operations::{ColumnChange, Operation};
use dbmigrate_runtime::schema::{Column, Schema, Table};

/// A rule: what it finds in a revision, as data, and the function that looks for it.
pub struct Rule {
    /// Its name in settings, in revisions and in findings.
    pub id: &'static str,
    /// The level, unless the settings change it.
    pub level: Level,
    /// Whether the rule applies to a kind of database.
    pub is_for: fn(Backend) -> bool,
    /// What it finds, as a sentence.
    pub finds: &'static str,
    /// Why that matters, as a sentence.
    pub why: &'static str,
    /// How to make the change safely: a hint, so it begins in lower case.
    pub instead: &'static str,
    /// What `lint --fix` writes into the revision, if that helps.
    pub fix: Option<Fix>,
    pub look: Look,
}

/// An edit of the revision that settles a finding.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fix {
    /// `.concurrently()` for the index.
    Concurrently,
    /// `op.barrier(...)` for the revision, behind which the rule finds nothing about programs.
    Barrier {
        /// The hint about existing rows, which a barrier doesn't help, if the rule is also about
        /// them.
        rows: Option<&'static str>,
    },
    /// Revisions for the parts of its change, as `migrate --safe` writes them.
    Divide,
}

impl Fix {
    /// What it writes, in words.
    pub const fn text(self) -> &'static str {
        match self {
            Fix::Concurrently => "`.concurrently()`",
            Fix::Barrier { .. } => "`op.barrier(...)`",
            Fix::Divide => "divided into several revisions",
        }
    }
}

/// What a finding of a rule means.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Level {
    /// It is not reported.
    Allow,
    /// It is reported.
    Warn,
    /// It is reported, and the answer is no.
    Deny,
}

impl Level {
    /// The key in the settings.
    pub const fn key(self) -> &'static str {
        match self {
            Level::Allow => "allow",
            Level::Warn => "warn",
            Level::Deny => "deny",
        }
    }
}

/// The function of a rule.
pub enum Look {
    /// Looks at each operation, and says what is wrong with it: the rest of a sentence that begins
    /// with the operation.
    AtChange(fn(&Change<'_>) -> Vec<String>),
    /// Looks at the whole revision.
    AtRevision(fn(&Revised<'_>) -> Vec<Found>),
}

/// Something that a rule found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Found {
    /// The operation, by its position in the revision; `None` if it is about the whole revision.
    pub position: Option<usize>,
    /// What is wrong: the rest of a sentence that begins with the operation or the revision.
    pub message: String,
    /// What to do about it, if that is not what the rule says.
    pub hint: Option<String>,
}

impl From<String> for Found {
    fn from(message: String) -> Found {
        Found { position: None, message, hint: None }
    }
}

/// Every kind of database.
pub fn every(_: Backend) -> bool {
    true
}

/// PostgreSQL.
pub fn postgres(backend: Backend) -> bool {
    backend == Backend::Postgres
}

/// The databases on servers, which others use during a migration.
pub fn servers(backend: Backend) -> bool {
    postgres(backend) || backend.is_mysql_like()
}

/// A revision, as one kind of database runs its upgrade.
pub struct Revised<'a> {
    pub migration: &'a Migration,
    pub dialect: &'static dyn Dialect,
    /// The schema before and after it.
    pub before: Schema,
    pub after: Schema,
    /// Its operations with the SQL of this database, each followed by those that it describes.
    pub steps: Vec<Step>,
    /// The tables that it creates.
    pub created: BTreeSet<String>,
    /// What is known of the database.
    pub facts: Facts,
    /// Whether the database has run the revision already.
    pub is_applied: bool,
    /// What runs, once a rule has asked.
    pub tasks: OnceCell<Result<Vec<Task>, Refusal>>,
    /// The names that the project gives to constraints and indexes.
    pub naming: &'a Convention,
}

/// An operation of a revision, or one that its SQL describes.
pub struct Step {
    /// The operation's position in the revision, or that of the SQL.
    pub position: usize,
    pub operation: Operation,
    /// The tables that it names, as they are before it. One that is created in the same revision is
    /// not among them: it has no rows that matter, and no users.
    pub old: Vec<Table>,
    /// Whether it is described, so that SQL does it.
    pub is_described: bool,
    /// The operation in words, once they are compared with those of statements.
    words: OnceCell<String>,
}

impl Step {
    pub fn new(position: usize, operation: Operation, old: Vec<Table>, is_described: bool) -> Step {
        Step { position, operation, old, is_described, words: OnceCell::new() }
    }

    /// Whether the statement makes this change; it may make others, too.
    pub fn is_made_by(&self, statement: &Statement) -> bool {
        !self.is_described && statement.reason.contains(self.words())
    }

    /// Whether this change, and not another one in the same statement, costs that.
    fn is_cause_of(&self, cost: &Cost) -> bool {
        cost.causes.is_empty() || cost.causes.iter().any(|cause| cause.contains(self.words()))
    }

    fn words(&self) -> &str {
        self.words.get_or_init(|| self.operation.to_string())
    }
}

impl Revised<'_> {
    /// What runs, or why the upgrade is refused. Planning takes long where there are many tables, so
    /// rules ask last.
    pub fn tasks(&self) -> &Result<Vec<Task>, Refusal> {
        let recorded = &self.migration.upgrade.operations;
        let plan = || plan::tasks(recorded, &mut self.before.clone(), self.dialect, &self.facts);
        self.tasks.get_or_init(plan)
    }

    /// The statements of all tasks.
    pub fn statements(&self) -> impl Iterator<Item = &Statement> {
        self.tasks().iter().flatten().filter_map(Task::statement)
    }

    /// Whether an upgrade stops before it, until programs of the previous release are gone.
    pub fn has_barrier(&self) -> bool {
        self.migration.upgrade.barrier.is_some()
    }

    /// Whether it names a table that existed before it, so that others may use the table.
    pub fn has_old(&self) -> bool {
        self.steps.iter().any(|step| !step.old.is_empty())
    }

    /// The operations, as rules look at them.
    pub fn changes(&self) -> impl Iterator<Item = Change<'_>> {
        self.steps.iter().map(|step| Change { revised: self, step })
    }

    /// Whether the table exists before the revision, so that it has rows and users.
    pub fn is_old(&self, table: &str) -> bool {
        let is_known = self.before.table(table).is_some() || self.after.table(table).is_some();
        is_known && !self.created.contains(table)
    }
}

/// One operation in its revision.
pub struct Change<'a> {
    pub revised: &'a Revised<'a>,
    pub step: &'a Step,
}

impl<'a> Change<'a> {
    pub fn operation(&self) -> &'a Operation {
        &self.step.operation
    }

    /// A table that the operation names, as it is before it, if it is older than the revision.
    pub fn old(&self, table: &str) -> Option<&'a Table> {
        self.step.old.iter().find(|old| old.name == table)
    }

    /// What an altered column was, if it is older than the revision, and how it changes.
    pub fn altered(&self) -> Option<(&'a Column, &'a ColumnChange)> {
        let Operation::AlterColumn { table, column, change } = self.operation() else {
            return None;
        };
        Some((self.old(table)?.find_column(column)?, change))
    }

    /// The statements that make this change; one of them may make others, too.
    pub fn statements(&self) -> impl Iterator<Item = &'a Statement> + use<'a> {
        self.statements_where(|_| true)
    }

    /// Those of the statements that this holds for, which is asked first: comparing all operations
    /// with all statements takes long where there are many.
    fn statements_where<F: Fn(&Statement) -> bool>(
        &self,
        holds: F,
    ) -> impl Iterator<Item = &'a Statement> + use<'a, F> {
        let step = self.step;
        let revised: &'a Revised<'a> = self.revised;
        revised.statements().filter(move |statement| holds(statement) && step.is_made_by(statement))
    }

    /// What those of the statements cost that do this work because of this change, and lock a table
    /// that is older than the revision.
    pub fn costs_to_others(&self, work: Work) -> impl Iterator<Item = &'a Cost> {
        let revised: &'a Revised<'a> = self.revised;
        let is_meant = move |cost: &Cost| {
            cost.work == work && cost.locks.iter().any(|(table, _)| revised.is_old(table))
        };
        let is_of_old = !self.step.old.is_empty();
        let statements = is_of_old.then(|| {
            self.statements_where(move |statement| statement.cost.as_ref().is_some_and(&is_meant))
        });
        let costs =
            statements.into_iter().flatten().filter_map(|statement| statement.cost.as_ref());
        costs.filter(|cost| self.step.is_cause_of(cost))
    }

    /// What these statements cost.
    pub fn costs(&self) -> impl Iterator<Item = &'a Cost> + use<'a> {
        self.statements().filter_map(|statement| statement.cost.as_ref())
    }
}
