//! Changes of a column.

use super::aside::Changing;
use super::cases::Cases;
use super::convert::{self, Conversion};
use super::ddl;
use super::planner::{Planner, Rows};
use super::{cost, guards, keys, literal, sequence, types};
use crate::dialect::{Guard, POSTGRES, Refusal, Work};
use crate::operations::ColumnChange;
use crate::schema::{Column, DefaultValue, Generated, Table, Type, naming};
use crate::sql::{Kind, quote};

/// The first version that changes the expression of a generated column.
const SET_EXPRESSION: u32 = 170_000;

/// What happens to the rows of a column that changes.
enum Given {
    /// They keep their values.
    Nothing,
    /// The new type's values come from an expression; `None` if the database converts them.
    ByType(Option<String>),
    /// They are updated, with a condition, before the rest of the change.
    ByUpdate(String, Option<String>),
}

/// A column that changes.
struct Altered<'a> {
    table: &'a Table,
    /// The column as far as it hasn't changed yet.
    was: &'a Column,
    to: &'a Column,
    change: &'a ColumnChange,
    rows: Rows,
}

impl Planner<'_> {
    pub(super) fn alter_column(
        &mut self,
        idx: usize,
        table: &Table,
        was: &Column,
        change: &ColumnChange,
    ) -> Result<(), Refusal> {
        let mut to = was.clone();
        change.apply(&mut to);
        let mut was = was.clone();
        let rows;
        if let Some((settled, given)) = self.settled.remove(&idx) {
            (was.ty, rows) = (settled.ty, given);
            if rows == Rows::Given {
                was.default = settled.default;
            }
        } else {
            let name =
                |column: &Column| types::enumeration(&column.ty).map(|(name, _)| name.to_owned());
            if self.renames_enumeration(idx, &was, &to) {
                was.ty = to.ty.clone();
            }
            self.before_change = Some(was.clone());
            rows = self.provide_enumeration(idx, &table.name, &to)?;
            self.before_change = None;
            if name(&was).is_some() && name(&was) == name(&to) {
                was.ty = to.ty.clone();
                if rows == Rows::Given {
                    was.default = to.default.clone();
                }
            }
        }
        if was.generated != to.generated && !self.regenerate(idx, table, &mut was, &to)? {
            self.comment_change(idx, table, &was, &to);
            return Ok(());
        }
        let altered = Altered { table, was: &was, to: &to, change, rows };
        self.change(idx, &altered)?;
        self.comment_change(idx, table, &was, &to);
        Ok(())
    }

    fn comment_change(&mut self, idx: usize, table: &Table, was: &Column, to: &Column) {
        if was.comment != to.comment {
            let sql = ddl::comment_on_column(&table.name, &to.name, to.comment.as_deref());
            self.push(idx, sql, Some(cost::comment(&table.name)));
        }
    }

    /// Renames an enumeration that only this column uses, if nothing else changes with it.
    fn renames_enumeration(&mut self, idx: usize, was: &Column, to: &Column) -> bool {
        let (Some((from, values)), Some((name, new))) =
            (types::enumeration(&was.ty), types::enumeration(&to.ty))
        else {
            return false;
        };
        let is_free = !self.enumerations.contains_key(name) && self.schema.table(name).is_none();
        let mut columns = self.schema.tables.values().flat_map(|table| &table.columns);
        let is_used = columns
            .any(|column| types::enumeration(&column.ty).is_some_and(|(other, _)| other == from));
        if from == name || values != new || !is_free || is_used {
            return false;
        }
        let (from, name, values) = (from.to_owned(), name.to_owned(), values.to_vec());
        self.push(idx, format!("ALTER TYPE {} RENAME TO {}", quote(&from), quote(&name)), None);
        self.enumerations.remove(&from);
        self.enumerations.insert(name, values);
        true
    }

    /// Changes how a column is generated. Returns whether the rest of the change has still to be
    /// made; `was` is then the column so far.
    fn regenerate(
        &mut self,
        idx: usize,
        table: &Table,
        was: &mut Column,
        to: &Column,
    ) -> Result<bool, Refusal> {
        let own = quote(&to.name);
        let is_stored = |generated: &Option<Generated>| {
            generated.as_ref().is_some_and(|generated| generated.stored)
        };
        let (stored, stays_stored) = (is_stored(&was.generated), is_stored(&to.generated));
        if stored && to.generated.is_none() {
            let drop = format!("ALTER COLUMN {own} DROP EXPRESSION");
            self.alter(idx, &table.name, &drop, Work::None);
            (was.generated, was.default) = (None, None);
            return Ok(true);
        }
        if let (true, true, Some(generated)) = (stored, stays_stored, &to.generated) {
            if self.facts.version >= SET_EXPRESSION {
                let expression = literal::closed(&generated.expression);
                let set = format!("ALTER COLUMN {own} SET EXPRESSION AS ({expression})");
                self.alter(idx, &table.name, &set, Work::Rewrite);
                was.generated.clone_from(&to.generated);
                return Ok(true);
            }
        }
        self.replace(idx, table, was, to)?;
        Ok(false)
    }

    /// Replaces a column by a new one, which takes over its values unless it is generated.
    fn replace(
        &mut self,
        idx: usize,
        table: &Table,
        was: &mut Column,
        to: &Column,
    ) -> Result<(), Refusal> {
        let own = quote(&to.name);
        let replaced: &[&str] = &[&to.name];
        let changing = Changing { table, retyped: &[], is_other_meaning: false, replaced };
        let up = self.set_aside(idx, changing)?;
        let ddl = self.ddl(idx);
        let drop = format!("DROP COLUMN {own}");
        if to.generated.is_some() {
            let add = format!("ADD COLUMN {}", ddl.column(table, to, false)?);
            self.alter(idx, &table.name, &drop, Work::None);
            self.alter(idx, &table.name, &add, ddl::work_of_column(to, false));
        } else {
            let scratch = naming::limited(format!("dbmigrate_new_{}", to.name));
            let bare =
                Column { name: scratch.clone(), nullable: true, default: None, ..to.clone() };
            let add = format!("ADD COLUMN {}", ddl.column(table, &bare, false)?);
            self.alter(idx, &table.name, &add, Work::None);
            let conversion = convert::conversion(&own, &was.ty, &to.ty, self.facts.version);
            let value = conversion.using.unwrap_or_else(|| own.clone());
            let fill = format!(
                "ALTER COLUMN {name} TYPE {ty} USING {value}",
                name = quote(&scratch),
                ty = ddl.declared_collated(&table.name, to)?
            );
            self.alter(idx, &table.name, &fill, Work::Rewrite);
            self.alter(idx, &table.name, &drop, Work::None);
            let rename = format!("RENAME COLUMN {} TO {own}", quote(&scratch));
            self.alter(idx, &table.name, &rename, Work::None);
            let mut rest = Vec::new();
            if let Some(default) = ddl::default_of(to) {
                rest.push(format!("ALTER COLUMN {own} SET DEFAULT {default}"));
            }
            if !to.nullable {
                rest.push(format!("ALTER COLUMN {own} SET NOT NULL"));
            }
            if !rest.is_empty() {
                self.alter(idx, &table.name, &rest.join(", "), Work::Scan);
            }
        }
        // The comment went with the column.
        was.comment = None;
        self.push_all(idx, up);
        Ok(())
    }

    /// Changes a column's type, default and nullability, and gives its rows their values.
    fn change(&mut self, idx: usize, altered: &Altered<'_>) -> Result<(), Refusal> {
        let Altered { table, was, to, change, rows } = *altered;
        let ddl = self.ddl(idx);
        let own = quote(&to.name);
        let is_typed =
            ddl.declared_collated(&table.name, was)? != ddl.declared_collated(&table.name, to)?;
        let conversion = convert::conversion(&own, &was.ty, &to.ty, self.facts.version);
        let is_required = was.nullable && !to.nullable;
        let is_proved = table.checks.iter().any(|check| {
            POSTGRES.same_expression(&check.expression, &format!("{own} IS NOT NULL"))
        });
        let given = if rows != Rows::Open || to.generated.is_some() {
            if is_typed { Given::ByType(None) } else { Given::Nothing }
        } else {
            self.given_to(idx, altered, &conversion, is_typed)?
        };
        let is_own = |using: &str| POSTGRES.same_expression(using, &own);
        let has_expression =
            change.using.as_deref().is_some_and(|using| !is_own(using)) || change.fill.is_some();
        if is_required && !has_expression && !is_proved {
            self.guard_not_null(&table.name, to);
        }
        let mut key = self.generating(table).as_deref() == Some(&to.name);
        if key && is_typed && !keys::can_generate(&to.ty) {
            self.stop_generating(idx, &table.name, &to.name);
            self.generating.insert(table.name.clone(), None);
            key = false;
        }
        let up = if is_typed {
            let is_other_meaning = !convert::keeps_meaning(&was.ty, &to.ty);
            let retyped: &[&str] = &[&to.name];
            let changing = Changing { table, retyped, is_other_meaning, replaced: &[] };
            self.set_aside(idx, changing)?
        } else {
            Vec::new()
        };
        let in_key = table
            .primary_key
            .as_ref()
            .is_some_and(|primary_key| primary_key.columns.contains(&to.name));
        let frees = !was.nullable && to.nullable && !in_key;
        let defaults =
            (ddl::default_of(was).filter(|_| !key), ddl::default_of(to).filter(|_| !key));
        let mut parts = Parts::new(&own);
        if frees {
            parts.push("DROP NOT NULL", Work::None);
        }
        let is_by_update = matches!(given, Given::ByUpdate(..));
        if is_by_update {
            self.alter_parts(idx, table, &mut parts);
        }
        if let Given::ByUpdate(value, condition) = &given {
            let condition =
                condition.as_ref().map_or(String::new(), |condition| format!(" WHERE {condition}"));
            let update =
                format!("UPDATE {} SET {own} = {value}{condition}", ddl::relation(&table.name));
            self.update_rows(idx, &table.name, update);
        }
        if is_typed {
            if defaults.0.is_some() {
                parts.push("DROP DEFAULT", Work::None);
            }
            let ty = ddl.declared_collated(&table.name, to)?;
            let value = match given {
                Given::ByType(value) => value,
                Given::Nothing | Given::ByUpdate(..) => None,
            };
            let scratch = match value {
                Some(value) if POSTGRES.mentions(&value, "select") => {
                    Some(self.compute(idx, table, to, &value)?)
                }
                Some(value) => {
                    parts.push(&format!("TYPE {ty} USING {value}"), Work::Rewrite);
                    None
                }
                None => {
                    if conversion.in_utc {
                        self.guard(guards::in_utc(&to.name));
                    }
                    let collated = was.collation != to.collation && types::is_collated(&to.ty);
                    let work = if collated { Work::IndexBuild } else { Work::None };
                    parts.push(&format!("TYPE {ty}"), work.max(conversion.work));
                    None
                }
            };
            if let Some(scratch) = &scratch {
                parts.push(&format!("TYPE {ty} USING {}", quote(scratch)), Work::Rewrite);
            }
            if let Some(default) = &defaults.1 {
                parts.push(&format!("SET DEFAULT {default}"), Work::None);
            }
            if is_required {
                parts.push("SET NOT NULL", Work::Scan);
            }
            self.alter_parts(idx, table, &mut parts);
            if let Some(scratch) = scratch {
                let drop = format!("DROP COLUMN {}", quote(&scratch));
                self.alter(idx, &table.name, &drop, Work::None);
            }
            if key {
                self.push(idx, sequence::widened(&table.name, &to.name, &ty), None);
            }
        } else {
            match &defaults.1 {
                _ if defaults.0 == defaults.1 => {}
                Some(default) => parts.push(&format!("SET DEFAULT {default}"), Work::None),
                None => parts.push("DROP DEFAULT", Work::None),
            }
            let mut proof = None;
            if is_required && !is_proved && self.is_validated_later(&table.name) {
                // A new default is there before others have to obey the check.
                self.alter_parts(idx, table, &mut parts);
                proof = Some(self.prove_not_null(idx, table, to));
            }
            if is_required {
                let is_proved = is_proved || proof.is_some();
                parts.push("SET NOT NULL", if is_proved { Work::None } else { Work::Scan });
            }
            self.alter_parts(idx, table, &mut parts);
            if let Some(check) = proof {
                let drop = format!("DROP CONSTRAINT {}", quote(&check));
                self.alter(idx, &table.name, &drop, Work::None);
            }
        }
        self.push_all(idx, up);
        Ok(())
    }

    fn alter_parts(&mut self, idx: usize, table: &Table, parts: &mut Parts<'_>) {
        if !parts.changes.is_empty() {
            let changes = std::mem::take(&mut parts.changes).join(", ");
            self.alter(idx, &table.name, &changes, parts.work);
        }
    }

    /// What the rows get: the expression that the change gives them, or what the conversion makes
    /// of their values.
    fn given_to(
        &mut self,
        idx: usize,
        altered: &Altered<'_>,
        conversion: &Conversion,
        is_typed: bool,
    ) -> Result<Given, Refusal> {
        let Altered { table, was, to, change, .. } = *altered;
        let own = quote(&to.name);
        let ty = self.ddl(idx).declared(&table.name, to)?;
        let fits = conversion.fits.as_ref().filter(|_| was.ty != to.ty);
        let guard_fitting = |planner: &mut Self, fits: Option<&String>| {
            let Some(fits) = fits else { return };
            let is_said = is_typed && !matches!(to.ty, Type::Enum(..));
            let said = if is_said { ty.clone() } else { to.ty.to_string() };
            let guard = guards::fitting(&table.name, [was, to], fits, &said);
            if planner.may_have_rows(&table.name) {
                planner.guard_values(guard);
            }
        };
        // What the rest of `coalesce(a, ...)` is for NULL, the column's own values are converted.
        if let Some(rest) =
            change.using.as_ref().and_then(|using| convert::for_null(using, &to.name))
        {
            guard_fitting(self, fits);
            let value = converted(&rest, to, &ty);
            if !is_typed {
                return Ok(Given::ByUpdate(value, Some(format!("{own} IS NULL"))));
            }
            let kept = kept(&own, to, &ty, conversion);
            return Ok(Given::ByType(Some(format!("coalesce({kept}, {value})"))));
        }
        let is_other = |using: &&str| !POSTGRES.same_expression(using, &own);
        if let Some(using) = change.using.as_deref().filter(is_other) {
            let is_boolean = *types::plainly(&was.ty) == Type::Boolean;
            let cases = Cases::of(using, &to.name, is_boolean);
            let cases = cases.filter(|_| was.ty != to.ty && is_typed);
            if let Some(cases) = cases {
                if let Some(fits) = fits.filter(|_| cases.keeps()) {
                    let fits = cases.of_kept("TRUE", &format!("({fits})"));
                    guard_fitting(self, Some(&fits));
                }
                let kept = kept(&own, to, &ty, conversion);
                let is_text = matches!(to.ty, Type::Text | Type::String(_));
                let of = if is_text { "text" } else { ty.as_str() };
                if let Type::String(_) = to.ty {
                    self.guard_given(table, to, &cases.converted(of, &kept));
                }
                return Ok(Given::ByType(Some(cases.converted(of, &kept))));
            }
            self.guard_given(table, to, using);
            let value = converted(using, to, &ty);
            return Ok(if is_typed {
                Given::ByType(Some(value))
            } else {
                Given::ByUpdate(value, None)
            });
        }
        let Some(fill) = change.fill.as_ref().filter(|_| change.using.is_none()) else {
            guard_fitting(self, fits);
            return Ok(if is_typed {
                Given::ByType(conversion.using.clone())
            } else {
                Given::Nothing
            });
        };
        let is_untold = matches!(*types::plainly(&to.ty), Type::Json)
            && is_typed
            && fits.is_none()
            && *types::plainly(&was.ty) != Type::Json;
        if is_untold {
            let why = format!(
                "PostgreSQL {} can't tell which of the values are JSON, which `.fill` needs",
                ddl::version(self.facts.version)
            );
            let hint = "give all rows a value with `.using(\"...\")`";
            return Err(self.ddl(idx).refuse(&why, hint));
        }
        self.guard_given(table, to, fill);
        let keeps = match (to.nullable, fits) {
            (true, None) => None,
            (false, None) => Some(format!("{own} IS NOT NULL")),
            (true, Some(fits)) => Some(format!("{own} IS NULL OR ({fits})")),
            (false, Some(fits)) => Some(format!("{own} IS NOT NULL AND ({fits})")),
        };
        let value = converted(fill, to, &ty);
        Ok(match (keeps, is_typed) {
            (None, true) => Given::ByType(conversion.using.clone()),
            (None, false) => Given::Nothing,
            (Some(keeps), true) => {
                let kept = conversion.using.clone().unwrap_or_else(|| {
                    if was.ty == to.ty { own.clone() } else { format!("{own}::{ty}") }
                });
                Given::ByType(Some(format!("CASE WHEN {keeps} THEN {kept} ELSE {value} END")))
            }
            (Some(_), false) if fits.is_none() => {
                Given::ByUpdate(value, Some(format!("{own} IS NULL")))
            }
            (Some(keeps), false) => Given::ByUpdate(value, Some(format!("NOT ({keeps})"))),
        })
    }

    /// Adds a column whose rows all get one value: as the default for as long as the column is
    /// added, which writes no row.
    ///
    /// See <https://www.postgresql.org/docs/current/ddl-alter.html#DDL-ALTER-ADDING-A-COLUMN>.
    pub(super) fn add_with_constant(
        &mut self,
        idx: usize,
        table: &Table,
        column: &Column,
        constant: &str,
    ) -> Result<(), Refusal> {
        let ddl = self.ddl(idx);
        let value = converted(constant, column, &ddl.declared(&table.name, column)?);
        let default = Some(DefaultValue::Sql(value.into()));
        let filled = Column { default, ..column.clone() };
        let add = format!("ADD COLUMN {}", ddl.column(table, &filled, false)?);
        let own = quote(&column.name);
        let settle = ddl::default_of(column).map_or_else(
            || format!("ALTER COLUMN {own} DROP DEFAULT"),
            |default| format!("ALTER COLUMN {own} SET DEFAULT {default}"),
        );
        self.alter(idx, &table.name, &add, Work::None);
        self.alter(idx, &table.name, &settle, Work::None);
        Ok(())
    }

    /// Gives the rows of a new column their values, and then the column its default and NOT NULL.
    pub(super) fn give(
        &mut self,
        idx: usize,
        table: &str,
        column: &Column,
        using: &str,
    ) -> Result<(), Refusal> {
        let own = quote(&column.name);
        let ddl = self.ddl(idx);
        let ty = ddl.declared(table, column)?;
        let value = converted(using, column, &ty);
        let mut parts = Parts::new(&own);
        if POSTGRES.mentions(using, "select") {
            let update = format!("UPDATE {} SET {own} = {value}", ddl::relation(table));
            self.update_rows(idx, table, update);
        } else {
            // The table is locked anyway, and this writes each row once and runs no triggers.
            let collated = ddl.declared_collated(table, column)?;
            parts.push(&format!("TYPE {collated} USING {value}"), Work::Rewrite);
        }
        if let Some(default) = ddl::default_of(column) {
            parts.push(&format!("SET DEFAULT {default}"), Work::None);
        }
        if !column.nullable {
            parts.push("SET NOT NULL", Work::Scan);
        }
        if !parts.changes.is_empty() {
            self.alter(idx, table, &parts.changes.join(", "), parts.work);
        }
        Ok(())
    }

    /// Computes values that need a query, which `USING` can't have, into a column of their own.
    fn compute(
        &mut self,
        idx: usize,
        table: &Table,
        to: &Column,
        value: &str,
    ) -> Result<String, Refusal> {
        let scratch = naming::limited(format!("dbmigrate_new_{}", to.name));
        let name = quote(&scratch);
        let ty = self.ddl(idx).declared(&table.name, to)?;
        self.alter(idx, &table.name, &format!("ADD COLUMN {name} {ty}"), Work::None);
        let update = format!("UPDATE {} SET {name} = {value}", ddl::relation(&table.name));
        self.update_rows(idx, &table.name, update);
        Ok(scratch)
    }

    /// Checks what an expression gives to a column whose type would round it, or take more than
    /// the column is for.
    pub(super) fn guard_given(&mut self, table: &Table, to: &Column, expression: &str) {
        let from = match to.ty {
            Type::Decimal(..) => Type::Numeric,
            // What is too long by blanks alone would be cut without a word.
            Type::String(length) if !is_short(expression, length) => Type::Text,
            Type::TinyInteger | Type::TinyUnsigned | Type::SmallUnsigned | Type::Unsigned => {
                Type::BigInteger
            }
            _ => return,
        };
        let (Some(fits), Ok(ty)) = (
            convert::conversion("value", &from, &to.ty, self.facts.version).fits,
            types::type_name(&from),
        ) else {
            return;
        };
        let (name, own) = (ddl::relation(&table.name), &to.name);
        if self.may_have_rows(&table.name) {
            self.guard_values(Guard::given(
                format!(
                    "SELECT count(*) FROM (SELECT ({})::{ty} AS value FROM {name}) AS given \
                     WHERE value IS NOT NULL AND NOT ({fits}) HAVING count(*) > 0",
                    literal::closed(expression)
                ),
                [&table.name, own],
                &to.ty.to_string(),
                expression,
            ));
        }
    }
}

/// The changes of a column for one statement.
struct Parts<'a> {
    own: &'a str,
    changes: Vec<String>,
    work: Work,
}

impl Parts<'_> {
    fn new(own: &str) -> Parts<'_> {
        Parts { own, changes: Vec::new(), work: Work::None }
    }

    fn push(&mut self, change: &str, work: Work) {
        self.changes.push(format!("ALTER COLUMN {} {change}", self.own));
        self.work = self.work.max(work);
    }
}

/// A column's own value as one of another type.
fn kept(own: &str, to: &Column, ty: &str, conversion: &Conversion) -> String {
    conversion.using.clone().unwrap_or_else(|| match to.ty {
        Type::Text | Type::String(_) => format!("{own}::text"),
        _ => format!("{own}::{ty}"),
    })
}

/// Whether an expression is a text of at most this length.
fn is_short(expression: &str, length: u32) -> bool {
    let tokens = POSTGRES.significant(expression);
    let [text] = tokens.as_slice() else { return false };
    let text = text.unquoted().filter(|_| text.kind == Kind::Text);
    text.is_some_and(|text| text.chars().count() <= length as usize)
}

/// An expression's value as one of a column's type. A cast would cut texts that are too long.
fn converted(expression: &str, column: &Column, ty: &str) -> String {
    let expression = literal::closed(expression);
    match types::plainly(&column.ty).as_ref() {
        Type::String(_) | Type::Text => format!("({expression})"),
        Type::Decimal(..) => format!("({expression})::numeric"),
        Type::Raw(_) | Type::PerDialect(_) => format!("({expression})"),
        _ => format!("({expression})::{ty}"),
    }
}
