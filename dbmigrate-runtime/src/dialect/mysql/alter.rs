//! Changes of columns and primary keys.

use super::class::{self, Class};
use super::clause::Clause;
use super::column::Definition;
use super::convert::{self, Conversion};
use super::effect::Effect;
use super::flavor::{closed, quote, quoted};
use super::given::{Given, replacing};
use super::{charset, constant, guards, size};

use super::planner::Planner;
use super::text_enum;
use crate::dialect::Refusal;
use crate::operations::ColumnChange;
use crate::schema::{Column, IndexTerm, Table};

impl Planner<'_> {
    pub(super) fn add_column(
        &mut self,
        idx: usize,
        (table, after): (&str, &Table),
        column: &Column,
        using: Option<&str>,
    ) -> Result<(), Refusal> {
        let ddl = self.ddl(idx);
        let definition = ddl.definition(after, column)?;
        let place = place(after, &column.name);
        let is_last = place.is_empty();
        let (flavor, facts, limits) = (self.flavor, self.facts, self.limits(table));
        let is_virtual = column.generated.as_ref().is_some_and(|generated| !generated.stored);
        let class_of = |definition: &Definition| {
            let class = class::add_column(flavor, facts, definition, is_last);
            let class = if is_last { class } else { limits.of_place(flavor, class, is_virtual) };
            limits.of_column(flavor, class, is_virtual)
        };
        let add = |definition: &Definition| {
            let sql = format!("ADD COLUMN {} {}{place}", quote(&column.name), definition.sql());
            let effect = Effect::Column(table.to_owned(), column.name.clone(), true);
            let clause = Clause::new(sql, class_of(definition), &column.name, effect);
            Clause { is_new_column: true, ..clause }
        };
        let check = text_enum::check_of(table, column);
        if !definition.auto_increment && definition.generated.is_none() {
            let value = using.map(str::to_owned).or_else(|| definition.default.clone());
            self.new_values.insert((table.to_owned(), column.name.clone()), value);
        }
        let Some(using) = using else {
            let has_value = definition.default.is_some()
                || definition.generated.is_some()
                || definition.auto_increment;
            if !definition.nullable && !has_value {
                self.guard_existing(table, guards::no_rows(table, &column.name));
            }
            let mut clauses = vec![add(&definition)];
            clauses.extend(check.map(|check| self.add_check(table, &check)));
            // Only a key can generate values, so it comes with the column.
            if definition.auto_increment {
                clauses.push(primary_key(table, after, Class::Open));
            }
            self.alter(idx, table, clauses);
            return Ok(());
        };
        if constant::is_one(self.flavor, using) {
            if !column.nullable {
                self.guard_existing(table, guards::given(table, &column.name, using, None));
            }
            let using = closed(using);
            let first = Definition { default: Some(format!("({using})")), ..definition.clone() };
            let plain = Definition { default: Some(using), ..definition.clone() };
            let takes_plain = !matches!(
                super::types::storage(self.flavor, &column.ty),
                super::types::Storage::LongText
                    | super::types::Storage::LongBytes
                    | super::types::Storage::Json
            );
            let first = if takes_plain { plain } else { first };
            let mut clauses = vec![add(&first)];
            clauses.extend(check.map(|check| self.add_check(table, &check)));
            self.alter(idx, table, clauses);
            if first != definition {
                self.modify(idx, table, &column.name, [&first, &definition]);
            }
            return Ok(());
        }
        let is_required = !column.nullable;
        self.guard_given(after, Given { column, value: using, condition: None, is_required });
        let bare = Definition { nullable: true, default: None, ..definition.clone() };
        self.alter(idx, table, vec![add(&bare)]);
        self.update(idx, (after, &column.name), using, None)?;
        if bare != definition {
            self.modify(idx, table, &column.name, [&bare, &definition]);
        }
        let check = check.map(|check| self.add_check(table, &check));
        self.alter(idx, table, check.into_iter().collect());
        Ok(())
    }

    /// Changes a definition.
    fn modify(&mut self, idx: usize, table: &str, column: &str, [was, to]: [&Definition; 2]) {
        let class = self.modified(table, was, to);
        let modify = self.modify_column(table, column, to, class);
        self.alter(idx, table, vec![modify]);
    }

    pub(super) fn drop_column(&mut self, idx: usize, before: &Table, table: &str, column: &str) {
        self.guard_indexes(before, column);
        self.guard_views(idx, table, Some(column));
        let mut clauses = Vec::new();
        // The check of an enumeration goes first.
        if let Some(check) =
            before.find_column(column).and_then(|own| text_enum::check_of(table, own))
        {
            clauses.push(self.drop_check(table, &check.name));
        }
        let sql = format!("DROP COLUMN {}", quote(column));
        let effect = Effect::Column(table.to_owned(), column.to_owned(), false);
        let generated = before.find_column(column).and_then(|own| own.generated.as_ref());
        let is_virtual = generated.is_some_and(|generated| !generated.stored);
        let class = class::drop_column(self.flavor, self.facts);
        let class = self.limits(table).of_column(self.flavor, class, is_virtual);
        clauses.push(Clause::new(sql, class, column, effect));
        self.drop_own(table, column);
        self.alter(idx, table, clauses);
    }

    pub(super) fn rename_column(
        &mut self,
        idx: usize,
        [before, after]: [&Table; 2],
        from: &str,
        to: &str,
    ) -> Result<(), Refusal> {
        self.guard_views(idx, &before.name, Some(from));
        let table = &after.name;
        let mut clauses = self.changed_value_checks(before, after);
        let sql = format!("RENAME COLUMN {} TO {}", quote(from), quote(to));
        let effect = Effect::Column(table.clone(), to.to_owned(), true);
        let class = if self.is_in_key(table, to) {
            class::small(self.flavor)
        } else {
            class::rename_column(self.flavor, self.facts)
        };
        let own = from.to_owned();
        clauses.push(Clause::new(sql, class, to, effect).with_names([&own]));
        self.rename_own(table, from, to);
        if !self.flavor.is_mariadb() {
            // MySQL refuses to rename what an expression names.
            for (was, is) in before.checks.iter().zip(&after.checks) {
                if was.expression != is.expression || self.names(&was.expression, from) {
                    clauses.push(self.set_check_aside(idx, table, &was.name)?);
                    clauses.push(self.add_check(table, is));
                }
            }
            for (was, is) in before.indexes.iter().zip(&after.indexes) {
                let is_named = was.columns.iter().any(|key| match &key.term {
                    IndexTerm::Expression(expression) => self.names(expression, from),
                    IndexTerm::Column(_) => false,
                });
                if is_named {
                    clauses.push(self.set_index_aside(idx, table, &was.name)?);
                    let add = format!("ADD {}", self.ddl(idx).index(after, is)?);
                    let class = self.index_again_class(after, is);
                    clauses.push(Clause::new(add, class, &is.name, Effect::Unseen));
                }
            }
            for (was, is) in before.columns.iter().zip(&after.columns) {
                let Some(generated) = &was.generated else { continue };
                if self.names(&generated.expression, from) {
                    clauses.push(self.recomputed(idx, [before, after], [was, is])?);
                }
            }
        }
        self.alter(idx, table, clauses);
        Ok(())
    }

    /// Gives a generated column its new expression.
    pub(super) fn recomputed(
        &mut self,
        idx: usize,
        [before, after]: [&Table; 2],
        [was, is]: [&Column; 2],
    ) -> Result<Clause, Refusal> {
        let ddl = self.ddl(idx);
        let (was, to) = (ddl.definition(before, was)?, ddl.definition(after, is)?);
        // The server has the expression in words of its own, which name the old column.
        if let Some(part) = self.own_part(&after.name, &is.name) {
            part.definition.generated.clone_from(&to.generated);
            part.is_outdated &= part.definition.check.is_some();
        }
        let class = class::recompute(self.flavor, &to);
        let to = self.whole(idx, (&after.name, &is.name), [&was, &to])?;
        Ok(self.modify_column(&after.name, &is.name, &to, class))
    }

    pub(super) fn names(&self, expression: &str, column: &str) -> bool {
        self.flavor.lexicon().mentions(expression, column)
    }

    /// Adds or drops a primary key, and what generates its values.
    pub(super) fn change_primary_key(
        &mut self,
        idx: usize,
        [before, after]: [&Table; 2],
    ) -> Result<(), Refusal> {
        let table = &after.name;
        let mut clauses = Vec::new();
        if let (Some(key), None) = (&before.primary_key, &after.primary_key) {
            // The columns of a key are required, and those that generate values have to be in one.
            clauses.extend(self.redefined(idx, [before, after], &key.columns)?);
            let effect = Effect::Index(table.clone(), "PRIMARY".to_owned(), false);
            let sql = "DROP PRIMARY KEY".to_owned();
            clauses.push(Clause::new(sql, Class::Copy, "PRIMARY", effect).with_needs(&key.columns));
        }
        if let (None, Some(key)) = (&before.primary_key, &after.primary_key) {
            self.ddl(idx).primary_key(after, key)?;
            for name in &key.columns {
                let column = before.find_column(name);
                if let Some(column) = column.filter(|column| column.nullable) {
                    let guard = guards::not_null(self.flavor, table, name, Some(&column.ty));
                    self.guard_existing(table, guard);
                }
            }
            let what = format!("primary key `{}`", key.name);
            self.guard_existing(table, guards::unique(table, &what, &key.columns));
            let class = self.limits(table).of_rebuild(self.flavor, Class::Rebuild);
            clauses.push(primary_key(table, after, class));
            clauses.extend(self.redefined(idx, [before, after], &key.columns)?);
        }
        self.alter(idx, table, clauses);
        Ok(())
    }

    /// Gives columns the definitions that they have after a change of the table, where these differ.
    fn redefined(
        &mut self,
        idx: usize,
        [before, after]: [&Table; 2],
        columns: &[String],
    ) -> Result<Vec<Clause>, Refusal> {
        let mut clauses = Vec::new();
        for name in columns {
            let (Some(was), Some(is)) = (before.find_column(name), after.find_column(name)) else {
                continue;
            };
            let ddl = self.ddl(idx);
            let (was, is) = (ddl.definition(before, was)?, ddl.definition(after, is)?);
            if was != is {
                let to = self.whole(idx, (&after.name, name), [&was, &is])?;
                let class = self.modified(&after.name, &was, &is);
                clauses.push(self.modify_column(&after.name, name, &to, class));
            }
        }
        Ok(clauses)
    }

    pub(super) fn alter_column(
        &mut self,
        idx: usize,
        [before, after]: [&Table; 2],
        column: &str,
        change: &ColumnChange,
    ) -> Result<(), Refusal> {
        let (Some(was), Some(to)) = (before.find_column(column), after.find_column(column)) else {
            return Ok(());
        };
        let ddl = self.ddl(idx);
        let [from, into] = [ddl.definition(before, was)?, ddl.definition(after, to)?];
        let own = match self.own(idx, &after.name, column)? {
            Some(own) => own,
            None => Definition { check: self.own_check(before, column), ..from.clone() },
        };
        let target = own.changed(&from, &into);
        let altered = Altered { before, after, was, to, from, into, own, target };
        match (&was.generated, &to.generated) {
            (None, None) => {}
            (Some(was), Some(is)) if was.stored == is.stored => {}
            // The values stay.
            (Some(was), None) if was.stored => {}
            (Some(_), None) => return self.swap(idx, &altered, &quote(column)),
            (_, Some(_)) => return self.replace(idx, &altered),
        }
        self.change(idx, &altered, change)
    }

    /// Changes a column in its place.
    fn change(
        &mut self,
        idx: usize,
        altered: &Altered<'_>,
        change: &ColumnChange,
    ) -> Result<(), Refusal> {
        let Altered { before, after, was, to, from, into, .. } = altered;
        let (table, column) = (&after.name, &to.name);
        let is_typed = from.ty != into.ty || from.collate != into.collate;
        if super::types::is_collated(self.flavor, &to.ty) && to.generated.is_none() {
            let collations = [
                charset::of_column(self.flavor, before, was),
                charset::of_column(self.flavor, after, to),
            ];
            self.guard_characters(table, column, [&collations[0], &collations[1]]);
        }
        let is_required = from.nullable && !into.nullable && to.generated.is_none();
        let conversion = convert::conversion(self.flavor, column, &was.ty, &to.ty);
        let misfit = match &conversion {
            Conversion::All => None,
            _ => convert::misfit(self.flavor, column, &was.ty, &to.ty),
        };
        let own = quote(column);
        let lexicon = self.flavor.lexicon();
        let using = change.using.as_deref().filter(|using| !lexicon.same_expression(using, &own));
        let fill = change.fill.as_deref().filter(|_| change.using.is_none());
        let is_null = is_required.then(|| format!("{own} IS NULL"));
        let unfit = match (&misfit, &is_null) {
            (Some(misfit), Some(is_null)) => Some(format!("({misfit}) OR {is_null}")),
            (Some(condition), None) | (None, Some(condition)) => Some(condition.clone()),
            (None, None) => None,
        };
        let value_checks = self.changed_value_checks(before, after);
        let (gone, new): (Vec<_>, Vec<_>) =
            value_checks.into_iter().partition(|clause| clause.sql.starts_with("DROP"));
        if is_typed && to.generated.is_none() {
            let given = match (using, fill, &unfit) {
                (Some(using), ..) => Some((using, None, format!("({})", closed(using)))),
                (None, Some(fill), Some(unfit)) => {
                    Some((fill, Some(unfit.as_str()), replacing(column, unfit, fill)))
                }
                _ => None,
            };
            if let Some((value, condition, whole)) = given {
                let is_required = !into.nullable;
                let column = *to;
                self.guard_given(after, Given { column, value, condition, is_required });
                return self.swap(idx, altered, &whole);
            }
            if let Some(misfit) = &misfit {
                let guard = guards::fitting(self.flavor, table, [was, to], misfit, &into.ty);
                self.guard_existing(table, guard);
            }
        }
        let given = match (using, fill, &unfit) {
            (Some(using), ..) => Some((using.to_owned(), None)),
            (None, Some(fill), Some(unfit)) => Some((fill.to_owned(), Some(unfit.clone()))),
            _ => None,
        };
        if !is_typed && given.is_none() {
            if let Some(misfit) = &misfit {
                let guard = guards::fitting(self.flavor, table, [was, to], misfit, &into.ty);
                self.guard_existing(table, guard);
            }
        }
        match &given {
            Some((value, condition)) => {
                let is_required = !into.nullable;
                let (column, condition) = (*to, condition.as_deref());
                self.guard_given(after, Given { column, value, condition, is_required });
            }
            None if is_required => {
                let guard = guards::not_null(self.flavor, table, column, Some(&was.ty));
                self.guard_existing(table, guard);
            }
            None => {}
        }
        let frees = !from.nullable && into.nullable;
        self.alter(idx, table, gone);
        if let (Some((value, condition)), false) = (&given, frees) {
            self.update(idx, (after, column), value, condition.as_deref())?;
        }
        if is_typed {
            self.set_keys_aside(idx, table, column);
        }
        self.modify_all(idx, altered)?;
        if let (Some((value, condition)), true) = (&given, frees) {
            self.update(idx, (after, column), value, condition.as_deref())?;
        }
        self.alter(idx, table, new);
        Ok(())
    }

    /// Changes a definition, with those of the indexes that depend on it.
    fn modify_all(&mut self, idx: usize, altered: &Altered<'_>) -> Result<(), Refusal> {
        let Altered { before, after, to, from, into, own, target, .. } = altered;
        if from == into {
            return Ok(());
        }
        let table = &after.name;
        let ddl = self.ddl(idx);
        let mut clauses = Vec::new();
        let mut added = Vec::new();
        for (was, is) in before.indexes.iter().zip(&after.indexes) {
            let definition = ddl.index(after, is)?;
            if ddl.index(before, was)? != definition {
                clauses.push(self.set_index_aside(idx, table, &was.name)?);
                let add = format!("ADD {definition}");
                let class = self.index_again_class(after, is);
                added.push(Clause::new(add, class, &is.name, Effect::Unseen));
            }
        }
        for (was, is) in before.uniques.iter().zip(&after.uniques) {
            ddl.unique(after, is)?;
            let is_hashed =
                |of: &Table, columns: &[String]| size::is_hashed(self.flavor, of, columns);
            if is_hashed(before, &was.columns) != is_hashed(after, &is.columns) {
                let add = format!("ADD {}", ddl.unique(after, is)?);
                clauses.push(self.set_index_aside(idx, table, &was.name)?);
                added.push(Clause::new(add, Class::Copy, &is.name, Effect::Unseen));
            }
        }
        for key in &after.foreign_keys {
            ddl.foreign_key(after, key)?;
        }
        if let Some(key) = &after.primary_key {
            ddl.primary_key(after, key)?;
        }
        let class = self.modified(table, own, target);
        clauses.push(self.modify_column(table, &to.name, target, class));
        clauses.extend(added);
        self.alter(idx, table, clauses);
        Ok(())
    }
}

/// A column that changes.
pub(super) struct Altered<'a> {
    pub(super) before: &'a Table,
    pub(super) after: &'a Table,
    pub(super) was: &'a Column,
    pub(super) to: &'a Column,
    /// Its declared definitions.
    pub(super) from: Definition,
    pub(super) into: Definition,
    /// What the server has, and what it gets.
    pub(super) own: Definition,
    pub(super) target: Definition,
}

/// Where a column is, unless it is the last one: ` AFTER x`.
fn place(table: &Table, column: &str) -> String {
    let position = table.columns.iter().position(|other| other.name == column);
    match position {
        Some(at) if at + 1 == table.columns.len() => String::new(),
        Some(0) => " FIRST".to_owned(),
        Some(at) => format!(" AFTER {}", quote(&table.columns[at - 1].name)),
        None => String::new(),
    }
}

pub(super) fn primary_key(table: &str, after: &Table, class: Class) -> Clause {
    let columns = after.primary_key.as_ref().map(|key| key.columns.clone()).unwrap_or_default();
    let effect = Effect::Index(table.to_owned(), "PRIMARY".to_owned(), true);
    let sql = format!("ADD PRIMARY KEY ({})", quoted(&columns));
    Clause::new(sql, class, "PRIMARY", effect).with_names(&columns)
}
