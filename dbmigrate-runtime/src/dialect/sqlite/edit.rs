//! Edits the text of a stored table definition.
//!
//! Only what the operations change is rewritten. Everything else stays as it was found: clauses
//! that a schema can't represent, such as `ON CONFLICT`, and additions by others.

use super::super::Refusal;
use super::ddl::{self, Ddl};
use super::definition::{
    Clause, ClauseKind, ColumnItem, ConstraintItem, ConstraintKind, Definition, KeyColumn,
};
use crate::backend::Backend;
use crate::dialect::sqlite::lexicon::LEXICON;
use crate::schema::{Check, Column, ForeignKey, Table, TableOption, Type, Unique};
use crate::sql;

/// Edits a table's definition to match the schema, given the table before and after.
pub(super) fn edit(
    ddl: &Ddl<'_>,
    definition: &mut Definition,
    before: &Table,
    after: &Table,
) -> Result<(), Refusal> {
    let counts = |table: &Table| {
        table.generated_key().is_some_and(|column| column.autoincrement == Some(true))
    };
    if after.has(TableOption::WithoutRowid) && counts(after) {
        return Err(ddl.refuse_counting());
    }
    let mut edit = Edit { ddl, definition, before, after };
    edit.columns()?;
    edit.primary_key()?;
    edit.uniques()?;
    edit.foreign_keys()?;
    edit.checks()?;
    if after.has(TableOption::Strict) && !before.has(TableOption::Strict) {
        ddl::needs(ddl.facts, ddl.operation, 3_037_000)?;
    }
    for option in TableOption::of(Backend::Sqlite)
        .filter(|table_option| before.has(*table_option) != after.has(*table_option))
    {
        edit.definition.options.set(option, after.has(option));
    }
    Ok(())
}

pub(super) fn same_name(one: &str, other: &str) -> bool {
    one.eq_ignore_ascii_case(other)
}

fn same_names<'a>(one: &[String], other: impl Iterator<Item = &'a str>) -> bool {
    one.iter().map(|text| text.to_ascii_lowercase()).eq(other.map(str::to_ascii_lowercase))
}

struct Edit<'a> {
    ddl: &'a Ddl<'a>,
    definition: &'a mut Definition,
    before: &'a Table,
    after: &'a Table,
}

impl Edit<'_> {
    fn columns(&mut self) -> Result<(), Refusal> {
        let (before, after) = (self.before, self.after);
        let is_gone = |column: &&Column| after.find_column(&column.name).is_none();
        for gone in before.columns.iter().filter(is_gone) {
            let idx = self.place(&gone.name)?;
            self.definition.remove_column(idx);
        }
        for (nth, column) in self.after.columns.iter().enumerate() {
            match self.before.find_column(&column.name) {
                None => {
                    let text = self.ddl.column_of(self.after, column)?;
                    let item = ColumnItem::new(text).map_err(|why| self.garbled(&why))?;
                    // After all existing columns, including those that others added.
                    let next = after.columns[nth + 1..].iter().find_map(|column| {
                        let columns = &self.definition.columns;
                        columns.iter().position(|item| same_name(&item.name, &column.name))
                    });
                    let place = next.unwrap_or(self.definition.columns.len());
                    self.definition.insert_column(place, item);
                }
                Some(was) => self.column(was, column)?,
            }
        }
        Ok(())
    }

    fn column(&mut self, was: &Column, to: &Column) -> Result<(), Refusal> {
        let ddl = self.ddl;
        let (type_was, type_to) = (ddl.declared(self.before, was)?, ddl.declared(self.after, to)?);
        let enum_was =
            enum_values(was).map(|enum_value| ddl::enum_condition(&was.name, enum_value));
        let enum_to = enum_values(to).map(|enum_value| ddl::enum_condition(&to.name, enum_value));
        let default = ddl::default_of;
        let generated = |column: &Column| column.generated.as_ref().map(ddl::generated_clause);
        let collation = |column: &Column| {
            column.collation.as_ref().map(|collation| format!("COLLATE {}", sql::quote(collation)))
        };
        let is_same = type_was == type_to
            && enum_was == enum_to
            && was.nullable == to.nullable
            && default(was) == default(to)
            && generated(was) == generated(to)
            && collation(was) == collation(to);
        if is_same {
            return Ok(());
        }
        let idx = self.place(&was.name)?;
        let table = &self.after.name;
        let item = &mut self.definition.columns[idx];
        if type_was != type_to {
            item.set_type(&type_to);
        }
        if was.nullable != to.nullable {
            item.remove_clauses(|clause| {
                matches!(clause.kind, ClauseKind::NotNull { .. } | ClauseKind::Null)
            });
        }
        let mut add = Vec::new();
        if was.nullable && !to.nullable {
            add.push("NOT NULL".to_owned());
        }
        if default(was) != default(to) {
            item.remove_clauses(|clause| matches!(clause.kind, ClauseKind::Default(_)));
            add.extend(default(to));
        }
        if generated(was) != generated(to) {
            if to.generated.is_some() {
                ddl::needs(ddl.facts, ddl.operation, 3_031_000)?;
            }
            item.remove_clauses(|clause| matches!(clause.kind, ClauseKind::Generated { .. }));
            add.extend(generated(to));
        }
        if collation(was) != collation(to) {
            item.remove_clauses(|clause| matches!(clause.kind, ClauseKind::Collate(_)));
            add.extend(collation(to));
        }
        if enum_was != enum_to {
            if let Some(was) = &enum_was {
                let is_condition = |check: &str| LEXICON.same_expression(check, was);
                let is_check = |clause: &Clause| matches!(&clause.kind, ClauseKind::Check(check) if is_condition(check));
                let found = item.clauses.iter().any(is_check);
                item.remove_clauses(is_check);
                let is_check = |constraint: &ConstraintItem| matches!(&constraint.kind, ConstraintKind::Check(check) if is_condition(check));
                let found = self.definition.remove_constraints(is_check) || found;
                if !found {
                    return Err(self.missing(&format!("check `{was}`")));
                }
            }
            add.extend(
                enum_values(to).map(|enum_value| ddl::enum_clause(table, &to.name, enum_value)),
            );
        }
        let item = &mut self.definition.columns[idx];
        let res = add.iter().try_for_each(|add| item.push_clause(add));
        res.map_err(|why| self.garbled(&why))
    }

    fn primary_key(&mut self) -> Result<(), Refusal> {
        let shape = |table: &Table| {
            let autoincrement =
                table.generated_key().map(|column| column.autoincrement == Some(true));
            (table.primary_key.clone(), autoincrement)
        };
        if shape(self.before) == shape(self.after) {
            return Ok(());
        }
        let is_clause = |clause: &Clause| matches!(clause.kind, ClauseKind::PrimaryKey { .. });
        let is_of_table = |constraint: &ConstraintItem| {
            matches!(constraint.kind, ConstraintKind::PrimaryKey { .. })
        };
        if self.before.primary_key.is_some() {
            let is_new = |column_item: &ColumnItem| {
                !self.before.columns.iter().any(|was| same_name(&was.name, &column_item.name))
            };
            let mut found = false;
            for item in
                self.definition.columns.iter_mut().filter(|column_item| !is_new(column_item))
            {
                found |= item.clauses.iter().any(is_clause);
                item.remove_clauses(is_clause);
            }
            found |= self.definition.remove_constraints(is_of_table);
            if !found && !self.has_lost_column_of_key() {
                return Err(self.missing("primary key"));
            }
        }
        let Some(key) = &self.after.primary_key else { return Ok(()) };
        if let Some(column) = self.after.generated_key() {
            let idx = self.place(&column.name)?;
            let item = &mut self.definition.columns[idx];
            if !item.clauses.iter().any(is_clause) {
                let clause = ddl::key_clause(&key.name, column.autoincrement == Some(true));
                item.push_clause(&clause).map_err(|why| self.garbled(&why))?;
            }
            return Ok(());
        }
        self.push_constraint(ddl::primary_key(key))
    }

    /// Whether a removed column also removed the primary key.
    fn has_lost_column_of_key(&self) -> bool {
        let key = self.before.primary_key.iter().flat_map(|primary_key| &primary_key.columns);
        key.into_iter().any(|key| self.after.find_column(key).is_none())
    }

    fn uniques(&mut self) -> Result<(), Refusal> {
        for unique in
            self.before.uniques.iter().filter(|unique| !self.after.uniques.contains(unique))
        {
            self.remove(&unique.name, "unique constraint", &Shape::Unique(unique))?;
        }
        for unique in
            self.after.uniques.iter().filter(|unique| !self.before.uniques.contains(unique))
        {
            self.push_constraint(ddl::unique(unique))?;
        }
        Ok(())
    }

    fn foreign_keys(&mut self) -> Result<(), Refusal> {
        let gone = |foreign_key: &&ForeignKey| !self.after.foreign_keys.contains(foreign_key);
        for foreign_key in self.before.foreign_keys.iter().filter(gone) {
            self.remove(&foreign_key.name, "foreign key", &Shape::ForeignKey(foreign_key))?;
        }
        for foreign_key in &self.after.foreign_keys {
            let is_written = self.before.foreign_keys.contains(foreign_key)
                || self.definition.has_constraint(&foreign_key.name);
            if !is_written {
                self.push_constraint(ddl::foreign_key(foreign_key))?;
            }
        }
        Ok(())
    }

    fn checks(&mut self) -> Result<(), Refusal> {
        for check in self.before.checks.iter().filter(|check| !self.after.checks.contains(check)) {
            self.remove(&check.name, "check", &Shape::Check(check))?;
        }
        for check in self.after.checks.iter().filter(|check| !self.before.checks.contains(check)) {
            self.push_constraint(ddl::check(check))?;
        }
        Ok(())
    }

    fn push_constraint(&mut self, text: String) -> Result<(), Refusal> {
        let item = ConstraintItem::new(text).map_err(|why| self.garbled(&why))?;
        self.definition.constraints.push(item);
        Ok(())
    }

    /// Removes a constraint by its name, or an unnamed constraint by its content.
    fn remove(&mut self, name: &str, what: &str, shape: &Shape<'_>) -> Result<(), Refusal> {
        for is_named in [true, false] {
            let fits = |text: &Option<String>| match text {
                Some(text) => is_named && same_name(text, name),
                None => !is_named,
            };
            let constraint = |constraint: &ConstraintItem| {
                fits(&constraint.name) && shape.of_table(&constraint.kind, is_named)
            };
            if let Some(idx) = self.definition.constraints.iter().position(constraint) {
                self.definition.remove_constraint(idx);
                return Ok(());
            }
            for item in &mut self.definition.columns {
                let column = item.name.clone();
                let clause = |clause: &Clause| {
                    fits(&clause.name) && shape.of_column(&clause.kind, &column, is_named)
                };
                if item.clauses.iter().any(clause) {
                    item.remove_clauses(clause);
                    return Ok(());
                }
            }
        }
        // A removed column also removed the constraints that were written with it.
        let lost = |columns: &[String]| {
            columns.iter().any(|column| self.after.find_column(column).is_none())
        };
        let is_lost = match shape {
            Shape::Unique(unique) => lost(&unique.columns),
            Shape::ForeignKey(foreign_key) => lost(&foreign_key.columns),
            Shape::Check(_) => self
                .before
                .columns
                .iter()
                .any(|column| self.after.find_column(&column.name).is_none()),
        };
        if is_lost { Ok(()) } else { Err(self.missing(&format!("{what} `{name}`"))) }
    }

    fn place(&self, column: &str) -> Result<usize, Refusal> {
        let found = self
            .definition
            .columns
            .iter()
            .position(|column_item| same_name(&column_item.name, column));
        found.ok_or_else(|| self.missing(&format!("column `{column}`")))
    }

    fn missing(&self, what: &str) -> Refusal {
        let table = &self.definition.name;
        self.ddl.refuse(
            &format!("table `{table}` in the database has no {what}"),
            "the database differs from what the migrations build: `cargo dbmigrate check` lists \
             the differences",
        )
    }

    fn garbled(&self, why: &str) -> Refusal {
        self.ddl.refuse(why, "check the SQL expressions of the operation")
    }
}

/// The content of a constraint, to find one that has no name.
enum Shape<'a> {
    Unique(&'a Unique),
    ForeignKey(&'a ForeignKey),
    Check(&'a Check),
}

impl Shape<'_> {
    /// Whether a constraint is of this kind and, unless it is identified by name, has this content.
    fn of_table(&self, kind: &ConstraintKind, is_named: bool) -> bool {
        match (self, kind) {
            (Shape::Unique(unique), ConstraintKind::Unique { columns, .. }) => {
                is_named || same_names(&unique.columns, names(columns))
            }
            (Shape::ForeignKey(foreign_key), ConstraintKind::ForeignKey { columns, reference }) => {
                is_named
                    || (same_names(&foreign_key.columns, columns.iter().map(String::as_str))
                        && same_name(&foreign_key.references_table, &reference.table))
            }
            (Shape::Check(check), ConstraintKind::Check(expression)) => {
                is_named || LEXICON.same_expression(&check.expression, expression)
            }
            _ => false,
        }
    }

    fn of_column(&self, kind: &ClauseKind, column: &str, is_named: bool) -> bool {
        match (self, kind) {
            (Shape::Unique(unique), ClauseKind::Unique { .. }) => {
                is_named || same_names(&unique.columns, [column].into_iter())
            }
            (Shape::ForeignKey(foreign_key), ClauseKind::References(reference)) => {
                is_named
                    || (same_names(&foreign_key.columns, [column].into_iter())
                        && same_name(&foreign_key.references_table, &reference.table))
            }
            (Shape::Check(check), ClauseKind::Check(expression)) => {
                is_named || LEXICON.same_expression(&check.expression, expression)
            }
            _ => false,
        }
    }
}

fn names(columns: &[KeyColumn]) -> impl Iterator<Item = &str> {
    columns.iter().map(|column| column.name.as_str())
}

fn enum_values(column: &Column) -> Option<&Vec<String>> {
    match &column.ty {
        Type::Enum(_, values) => Some(values),
        _ => None,
    }
}
