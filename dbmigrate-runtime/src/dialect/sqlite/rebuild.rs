//! Rebuilds a table, for every change that `ALTER TABLE` doesn't support.
//!
//! The procedure is that of sqlite.org's `lang_altertable.html`, section 7, plus what it leaves
//! out: a new table under another name gets the rows, the old table is dropped, and the new one is
//! renamed. Renaming uses `PRAGMA legacy_alter_table`, which leaves views and triggers that mention
//! the table unchanged. Foreign keys aren't enforced in the meantime.

mod rowid;
mod stored;

use std::collections::BTreeMap;

use rowid::{is_autoincrement, rowid_alias, rowid_name};

use super::super::{Facts, Guard, Refusal, Scratch, Statement, StatementKind, Task};
use super::affinity::{self, Conversion, Server};
use super::convert;
use super::ddl::{self, Ddl};
use super::definition::{ClauseKind, ColumnItem, ConstraintKind, Definition};
use super::edit::{edit, same_name};
use super::{filled, guards};
use crate::dialect::sqlite::lexicon::LEXICON;
use crate::operations::Operation;
use crate::schema::{Table, TableOption};
use crate::sql::quote;
use stored::Stored;

pub(super) use stored::definition;

/// A rebuild that collects the operations on its table.
pub(super) struct Rebuild {
    /// The table in the migrations before the rebuild.
    before: Table,
    /// The descriptions of the operations.
    reasons: Vec<String>,
    /// By column of the final table, the expression for its value; `None` means the column's
    /// default.
    values: BTreeMap<String, Option<String>>,
    /// By column, the fill for values that don't fit, with the column as it is at that point.
    fills: BTreeMap<String, filled::Fill>,
    /// Names of dropped indexes.
    dropped_indexes: Vec<String>,
    /// Names of new indexes, with their statements.
    new_indexes: Vec<(String, String)>,
    /// Whether the value of a column is read from another table.
    pub(super) reads_others: bool,
}

impl Rebuild {
    pub(super) fn new(before: &Table) -> Rebuild {
        Rebuild {
            before: before.clone(),
            reasons: Vec::new(),
            values: BTreeMap::new(),
            fills: BTreeMap::new(),
            dropped_indexes: Vec::new(),
            new_indexes: Vec::new(),
            reads_others: false,
        }
    }

    /// Whether the rebuild can include the operation. An expression for existing rows sees the rows
    /// as they are before the whole rebuild, so it can't use a value that the rebuild sets. A
    /// column is either copied from the one with its name or new, so a column that existed before
    /// can't be added again.
    pub(super) fn takes(&self, operation: &Operation) -> bool {
        if let Operation::AddColumn { column, .. } = operation {
            if self.before.columns.iter().any(|candidate| same_name(&candidate.name, &column.name))
            {
                return false;
            }
        }
        let using = operation.row_expression();
        let mut given = self.values.keys().chain(self.fills.keys());
        !using.is_some_and(|using| given.any(|column| LEXICON.mentions(using, column)))
    }

    /// Adds an operation; `table` is the table before it.
    pub(super) fn push(&mut self, operation: &Operation, table: &Table) {
        self.reasons.push(operation.to_string());
        let using = operation.row_expression();
        self.reads_others |= reads_others(operation);
        let name = &table.name;
        match operation {
            Operation::AddColumn { column, .. } => {
                self.values.insert(column.name.clone(), using.map(str::to_owned));
            }
            Operation::DropColumn { column, .. } => {
                self.values.remove(column);
                self.fills.remove(column);
            }
            Operation::AlterColumn { column, change, .. } => {
                if let Some(using) = &change.using {
                    self.values.insert(column.clone(), Some(using.as_str().to_owned()));
                } else if let (Some(fill), Some(was)) = (&change.fill, table.find_column(column)) {
                    let mut now = was.clone();
                    change.apply(&mut now);
                    let fill = filled::Fill { expression: fill.as_str().to_owned(), column: now };
                    self.fills.insert(column.clone(), fill);
                }
            }
            Operation::DropIndex { name, .. } => self.drop_index(name),
            Operation::CreateIndex { index, .. } => {
                self.new_indexes.push((index.name.clone(), ddl::create_index(name, index)));
            }
            Operation::RenameIndex { from, to, .. } => {
                if let Some(index) = table.find_index(from) {
                    self.drop_index(from);
                    let create = ddl::create_index(name, &index.renamed(to));
                    self.new_indexes.push((to.clone(), create));
                }
            }
            Operation::CreateTable(_)
            | Operation::DropTable { .. }
            | Operation::RenameTable { .. }
            | Operation::AlterTable { .. }
            | Operation::RenameColumn { .. }
            | Operation::AddPrimaryKey { .. }
            | Operation::DropPrimaryKey { .. }
            | Operation::AddUnique { .. }
            | Operation::DropUnique { .. }
            | Operation::AddForeignKey { .. }
            | Operation::DropForeignKey { .. }
            | Operation::AddCheck { .. }
            | Operation::DropCheck { .. }
            | Operation::Execute(_)
            | Operation::BulkInsert { .. }
            | Operation::Run(_)
            | Operation::Makes(_)
            | Operation::Drops(_) => {}
        }
    }

    fn drop_index(&mut self, name: &str) {
        self.dropped_indexes.push(name.to_owned());
        self.new_indexes.retain(|(new_index, _)| new_index != name);
    }

    /// Whether the table has this index in the rebuild so far.
    pub(super) fn has_index(&self, name: &str) -> bool {
        let is_dropped = self.dropped_indexes.iter().any(|dropped| dropped == name);
        !is_dropped && self.before.find_index(name).is_some()
    }

    /// The tasks of the rebuild, given the final table.
    pub(super) fn tasks(&self, ddl: &Ddl<'_>, after: &Table) -> Result<Vec<Task>, Refusal> {
        let stored = Stored::find(ddl, &self.before)?;
        let was = stored.definition;
        let mut definition = was.clone();
        edit(ddl, &mut definition, &self.before, after)?;
        let table = was.name.clone();
        let is_kept =
            |name: &String| !self.dropped_indexes.iter().any(|dropped| same_name(dropped, name));
        let kept = stored.indexes.iter().filter(|(name, _)| is_kept(name));
        let indexes: Vec<_> = kept.chain(&self.new_indexes).collect();
        refuse_lost(ddl.facts, &was, &definition, &indexes)?;
        let scratch = scratch_name(ddl.facts, &table);
        let (old, new) = (quote(&table), quote(&scratch));
        let scratch_table = Scratch { name: scratch.clone(), table: table.clone() };
        let mut out = Tasks { reason: self.reason(), scratch: scratch_table, tasks: Vec::new() };
        if ddl.facts.objects.is_none() {
            out.note(format!(
                "table `{table}` is rebuilt from the migrations alone: triggers on it, and \
                 anything added to it outside the migrations, are unknown here and would be lost"
            ));
        }
        out.tasks.extend(self.fitting(ddl, &was, &definition, after).into_iter().map(Task::Guard));
        // `CHECK (user.age > 0)` would name no column while the table has its temporary name.
        out.push(LEXICON.without_qualifier(&definition.text(&scratch), &table).into_owned());
        let (columns, values) = self.columns(ddl, &was, &definition, after);
        let from = format!("FROM {old}");
        // This overrides an ON CONFLICT clause of the table, which might skip rows.
        let insert = format!("INSERT OR ABORT INTO {new} ({columns}) SELECT {values} {from}");
        out.push(insert);
        out.tasks.push(Task::Guard(Guard {
            sql: format!(
                "SELECT n FROM (SELECT (SELECT count(*) FROM {old} NOT INDEXED) - \
                 (SELECT count(*) FROM {new} NOT INDEXED) AS n) WHERE n <> 0"
            ),
            failure: format!("copying table `{table}` lost {{}} row(s)"),
            hint: None,
            warning: None,
        }));
        let given = guards::Given {
            ddl,
            before: &self.before,
            after,
            values: &self.values,
            fills: &self.fills,
        };
        let columns = definition.columns.iter().filter(|item| !is_generated(item));
        let check = |item| given.check((&table, &scratch), item).map(Task::Guard);
        out.tasks.extend(columns.filter_map(check));
        if is_autoincrement(&was) && is_autoincrement(&definition) {
            // Without this, the key of a deleted row could be used again.
            let literal = |text: &str| ddl::literal(&crate::Value::from(text));
            let (old, new) = (literal(&table), literal(&scratch));
            out.push(format!("DELETE FROM sqlite_sequence WHERE name = {new}"));
            out.push(format!(
                "INSERT INTO sqlite_sequence (name, seq) SELECT {new}, seq FROM sqlite_sequence \
                 WHERE name = {old}"
            ));
        }
        for statistics in &stored.statistics {
            out.push(moved(statistics, &table, &scratch));
        }
        out.push(format!("DROP TABLE {old}"));
        out.push("PRAGMA legacy_alter_table = ON".to_owned());
        out.push(format!("ALTER TABLE {new} RENAME TO {old}"));
        out.push("PRAGMA legacy_alter_table = OFF".to_owned());
        indexes.iter().for_each(|(_, sql)| out.push(sql.clone()));
        stored.triggers.iter().for_each(|trigger| out.push(trigger.clone()));
        for statistics in &stored.statistics {
            out.push(moved(statistics, &scratch, &table));
            // The primary key of a WITHOUT ROWID table has the table's name here. The indexes of
            // constraints may have been renumbered.
            let numbered = if self.before.uniques == after.uniques
                && self.before.primary_key == after.primary_key
            {
                ""
            } else {
                " OR idx LIKE 'sqlite_autoindex%'"
            };
            out.push(format!(
                "DELETE FROM {statistics} WHERE tbl = {} AND idx <> tbl AND (idx NOT IN \
                 (SELECT name FROM sqlite_master WHERE type = 'index'){numbered})",
                ddl::literal(&crate::Value::from(table.as_str()))
            ));
        }
        Ok(out.tasks)
    }

    /// Finds values that no longer fit their columns, unless an expression replaces them.
    fn fitting(
        &self,
        ddl: &Ddl<'_>,
        was: &Definition,
        to: &Definition,
        after: &Table,
    ) -> Vec<Guard> {
        let mut checks = Vec::new();
        for item in to.columns.iter().filter(|column_item| !is_generated(column_item)) {
            let name = &item.name;
            let set = self.values.iter().find(|(column, _)| same_name(column, name));
            let old = was.columns.iter().find(|column_item| same_name(&column_item.name, name));
            let Some(old) = old.filter(|_| !matches!(set, Some((_, None)))) else {
                let is_set = matches!(set, Some((_, Some(_))));
                let is_key =
                    rowid_alias(to).is_some_and(|column_item| same_name(&column_item.name, name));
                if is_not_null(item) && default(item).is_none() && !is_set && !is_key {
                    checks.push(guards::no_rows(&was.name, name));
                }
                continue;
            };
            let is_filled = self.fills.keys().any(|column| same_name(column, name));
            let is_kept = match set {
                None => !is_filled,
                Some((_, value)) => {
                    value.as_ref().is_some_and(|value| LEXICON.same_expression(value, &quote(name)))
                }
            };
            let fitting = || {
                let conversion = self.conversion(ddl, old, item, after)?;
                convert::check(&was.name, name, &conversion)
            };
            if is_filled {
                // Its own misfits get the fill, as far as the database can tell them.
                let conversion = self.conversion(ddl, old, item, after);
                checks.extend(
                    conversion
                        .and_then(|conversion| convert::untold_json(&was.name, name, &conversion)),
                );
            }
            let only_null = set.and_then(|(_, value)| value.as_deref());
            if only_null.is_some_and(|value| convert::fills_null(value, name)) {
                // Values other than NULL stay as they are.
                checks.extend(fitting());
            }
            if is_kept {
                checks.extend(fitting());
                // SQLite would generate a key for `NULL`.
                let is_key = |definition| {
                    rowid_alias(definition)
                        .is_some_and(|column_item| same_name(&column_item.name, name))
                };
                let becomes_key = !is_key(was) && is_key(to);
                if !is_not_null(old) && (is_not_null(item) || becomes_key) {
                    let mut columns = after.columns.iter();
                    let column = columns.find(|column| same_name(&column.name, name));
                    checks.push(guards::not_null(&was.name, name, column.map(|column| &column.ty)));
                }
            }
        }
        checks
    }

    /// A column's type before and after the rebuild.
    fn conversion<'a>(
        &'a self,
        ddl: &Ddl<'_>,
        was: &'a ColumnItem,
        to: &'a ColumnItem,
        after: &'a Table,
    ) -> Option<Conversion<'a>> {
        let find = |table: &'a Table, item: &'a ColumnItem| {
            let column = table.columns.iter().find(|column| same_name(&column.name, &item.name))?;
            Some(affinity::Stored { declared: &item.ty, column })
        };
        let (was, to) = (find(&self.before, was)?, find(after, to)?);
        Some(Conversion { was, to, server: Server::of(ddl.facts) })
    }

    fn reason(&self) -> String {
        let mut reasons = self.reasons.clone();
        reasons.dedup();
        reasons.join(", ")
    }

    /// The columns of the new table that are filled from the old one, and their values.
    fn columns(
        &self,
        ddl: &Ddl<'_>,
        was: &Definition,
        to: &Definition,
        after: &Table,
    ) -> (String, String) {
        let mut columns = Vec::new();
        let mut values = Vec::new();
        for item in to.columns.iter().filter(|column_item| !is_generated(column_item)) {
            let set = self.values.iter().find(|(name, _)| same_name(name, &item.name));
            let value = match set {
                Some((_, value)) => value.clone(),
                None => {
                    let was = was
                        .columns
                        .iter()
                        .find(|column_item| same_name(&column_item.name, &item.name));
                    was.map(|was| {
                        let is_of_column = |(name, _): &(&String, _)| same_name(name, &was.name);
                        let fill = self.fills.iter().find(is_of_column).map(|(_, fill)| fill);
                        let conversion = self.conversion(ddl, was, item, after);
                        filled::value(was, item, conversion.as_ref(), fill)
                    })
                }
            };
            let Some(value) = value else { continue };
            columns.push(quote(&item.name));
            values.push(ddl::closed(&value));
        }
        let has_rowid =
            ![was, to].iter().any(|definition| definition.options.has(TableOption::WithoutRowid));
        if let Some(rowid) = has_rowid.then(|| rowid_name(was, to)).flatten() {
            // A new key takes over the rowids that the rows had before.
            let name = match rowid_alias(to) {
                None => Some(rowid.to_owned()),
                Some(alias) => Some(quote(&alias.name)).filter(|name| !columns.contains(name)),
            };
            if let Some(name) = name {
                columns.insert(0, name);
                values.insert(0, rowid.to_owned());
            }
        }
        if let (true, Some(item)) =
            (columns.is_empty(), to.columns.iter().find(|column_item| !is_generated(column_item)))
        {
            // No value is taken over, but the rows themselves are.
            columns.push(quote(&item.name));
            values.push(default(item).unwrap_or("NULL").to_owned());
        }
        (columns.join(", "), values.join(", "))
    }
}

/// Fails if a removed column is still named by one of these indexes, or by a check or generated
/// column of the new table. SQLite writes names in double quotes when it renames a column, and
/// would take such a name for a text.
fn refuse_lost(
    facts: &Facts,
    was: &Definition,
    to: &Definition,
    indexes: &[&(String, String)],
) -> Result<(), Refusal> {
    const INDEX: &str = "drop the index first, in the same revision: with `op.drop_index`, or with \
                         `op.execute` if no revision created it";
    const CHECK: &str = "drop the check in the same revision";
    const GENERATED: &str = "drop or change that column in the same revision";
    let check = |name: &Option<String>, text: &str| match name {
        Some(name) => format!("check `{name}`"),
        None => format!("the check `{text}`"),
    };
    let mut texts = Vec::new();
    for (name, sql) in indexes {
        // After the names of the index and of the table.
        let text = sql.split_once('(').map_or("", |(_, text)| text);
        texts.push((format!("index `{name}`"), text, INDEX));
    }
    for constraint in &to.constraints {
        if let ConstraintKind::Check(text) = &constraint.kind {
            texts.push((check(&constraint.name, text), text, CHECK));
        }
    }
    for column in &to.columns {
        for clause in &column.clauses {
            match &clause.kind {
                ClauseKind::Check(text) => texts.push((check(&clause.name, text), text, CHECK)),
                ClauseKind::Generated { expression, .. } => {
                    texts.push((format!("column `{}`", column.name), expression, GENERATED));
                }
                _ => {}
            }
        }
    }
    let stays = |column_item: &&ColumnItem| {
        to.columns.iter().any(|column| same_name(&column.name, &column_item.name))
    };
    for column in was
        .columns
        .iter()
        .filter(|column_item| !stays(column_item))
        .map(|column_item| &column_item.name)
    {
        let found = texts.iter().find(|(_, text, _)| LEXICON.names_column(text, column));
        if let Some((what, _, hint)) = found {
            let (table, column) = (was.name.clone(), column.clone());
            let operation = &Operation::DropColumn { table, column };
            let why = format!("{what} uses it");
            return Err(Ddl { facts, operation }.refuse(&why, hint));
        }
    }
    Ok(())
}

/// Whether that expression may read other tables.
pub(super) fn reads_others(operation: &Operation) -> bool {
    operation.row_expression().is_some_and(|text| LEXICON.mentions(text, "select"))
}

struct Tasks {
    reason: String,
    scratch: Scratch,
    tasks: Vec<Task>,
}

impl Tasks {
    fn push(&mut self, sql: String) {
        let (reason, scratch) = (self.reason.clone(), Some(self.scratch.clone()));
        let kind = StatementKind::Rebuild;
        self.tasks.push(Task::Statement(Statement { sql, reason, kind, scratch, cost: None }));
    }

    fn note(&mut self, text: String) {
        self.tasks.push(Task::Note(text));
    }
}

/// The prefix of the new table's temporary name.
const SCRATCH: &str = "dbmigrate_new_";

/// A name for the new table that isn't used in the database.
pub(super) fn scratch_name(facts: &Facts, table: &str) -> String {
    let objects = facts.objects.as_deref().unwrap_or_default();
    let is_free = |name: &String| !objects.iter().any(|object| same_name(&object.name, name));
    let plain = format!("{SCRATCH}{table}");
    if is_free(&plain) {
        return plain;
    }
    let mut names = (2_u32..).map(|n| format!("{SCRATCH}{n}_{table}"));
    names.find(is_free).unwrap_or(plain)
}

fn moved(statistics: &str, from: &str, to: &str) -> String {
    let literal = |text: &str| ddl::literal(&crate::Value::from(text));
    format!("UPDATE {statistics} SET tbl = {} WHERE tbl = {}", literal(to), literal(from))
}

fn is_generated(item: &ColumnItem) -> bool {
    item.clauses.iter().any(|clause| matches!(clause.kind, ClauseKind::Generated { .. }))
}

fn default(item: &ColumnItem) -> Option<&str> {
    item.clauses.iter().find_map(|clause| match &clause.kind {
        ClauseKind::Default(clause) if !clause.eq_ignore_ascii_case("NULL") => {
            Some(clause.as_str())
        }
        _ => None,
    })
}

fn is_not_null(item: &ColumnItem) -> bool {
    item.clauses.iter().any(|clause| matches!(clause.kind, ClauseKind::NotNull { .. }))
}
