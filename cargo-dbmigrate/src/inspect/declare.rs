//! Expresses the tables of a database as models would.
//!
//! A database says less, or in other words, than a model. Each column has several expressions, the
//! most natural one first, and the database itself tells which of them it would keep as it is.

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};

use dbmigrate_runtime::Value;
use dbmigrate_runtime::engine::dialect::{Comparing, Dialect, Kept, PartKind};
use dbmigrate_runtime::engine::driver::{Connection, DatabaseError};
use dbmigrate_runtime::engine::sql::Kind;
use dbmigrate_runtime::schema::{Check, Column, DefaultValue, ForeignKey, Table, Type};

use super::seen::{Said, Seen};
use super::values::{is_of_enumeration, listed, only_values, values};
use crate::{models, threads};

/// A table as a model says it.
pub(super) struct Declared {
    pub(super) table: Table,
    /// The types that Rust has for the columns, in their order.
    pub(super) natural: Vec<Type>,
    /// The columns whose enumeration has to be in the database's own words.
    pub(super) worded: BTreeSet<String>,
    /// The values that checks list for columns of text. These stay texts with their checks, whose
    /// names and widths an enumeration would not have.
    pub(super) listed: BTreeMap<String, Vec<String>>,
}

/// A way to express a column: what it says instead of the database's own words.
struct Expression<'a> {
    ty: Cow<'a, Type>,
    default: Option<Cow<'a, DefaultValue>>,
    /// The check that the type stands for, by its place among the table's checks.
    instead_of: Option<usize>,
}

impl Expression<'_> {
    /// The column as this says it.
    fn of<'s>(&'s self, column: &'s Column) -> Said<'s> {
        Said { column, ty: &self.ty, default: self.default.as_deref() }
    }
}

/// A column with the ways to express it.
struct Ways<'a> {
    actual: &'a Column,
    /// The type that Rust has for it.
    natural: Type,
    all: Vec<Expression<'a>>,
    /// Which of them is taken.
    taken: usize,
}

impl Ways<'_> {
    fn taken(&self) -> &Expression<'_> {
        &self.all[self.taken]
    }

    fn is_last(&self) -> bool {
        self.taken + 1 == self.all.len()
    }

    /// The next way with another type.
    fn with_another_type(&self) -> Option<usize> {
        let ty = &self.taken().ty;
        let next = self.taken + 1;
        Some(next + self.all[next..].iter().position(|other| other.ty != *ty)?)
    }
}

/// A table with the ways to express its columns.
struct Draft<'a> {
    actual: &'a Table,
    columns: Vec<Ways<'a>>,
    /// Checks in plainer words than the database's, if there are any.
    plain_checks: Vec<Option<String>>,
}

/// How many tables are asked about first.
const FEW: usize = 20;

/// In which words a database built from the models would have its tables.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Words {
    /// In the same ones.
    Exact,
    /// In such that mean the same.
    Alike,
}

/// The tables as models would say them. What no model says stays in the database's own words.
///
/// # Errors
///
/// The database's errors.
pub(super) fn declared(
    conn: &mut dyn Connection,
    tables: Vec<Table>,
    comparing: &Comparing,
    how: Words,
) -> Result<Vec<Declared>, DatabaseError> {
    let dialect = conn.dialect();
    let mut drafts = threads::mapped(&tables, |table| Draft::new(table, dialect, comparing));
    let is_adopted = how == Words::Alike || !comparing.keeps_definitions;
    // What a few tables teach of their types isn't asked about the others.
    let mut seen = Seen::new(comparing);
    let n_first = drafts.len().min(FEW);
    let (few, others) = drafts.split_at_mut(n_first);
    for part in [few, others] {
        for draft in &mut *part {
            draft.skip(&seen);
        }
        let mut open: Vec<usize> =
            (0..part.len()).filter(|idx| part[*idx].is_open(&seen)).collect();
        while !open.is_empty() {
            let declared: Vec<Table> = open.iter().map(|idx| part[*idx].table()).collect();
            let pairs: Vec<(&Table, Option<&Table>)> = open
                .iter()
                .zip(&declared)
                .map(|(idx, table)| (table, Some(part[*idx].actual).filter(|_| is_adopted)))
                .collect();
            let kept = conn.all_as_kept(&pairs)?;
            let mut still_open = Vec::new();
            for (idx, kept) in open.into_iter().zip(kept) {
                if part[idx].goes_on(kept.ok().as_ref(), comparing, &mut seen) {
                    still_open.push(idx);
                }
            }
            still_open.retain(|idx| part[*idx].is_open(&seen));
            open = still_open;
        }
    }
    let results: Vec<Outcome> = drafts.into_iter().map(Draft::outcome).collect();
    let declared = tables.into_iter().zip(results).map(|(mut table, outcome)| {
        table.checks = outcome.checks;
        for (column, (ty, default)) in table.columns.iter_mut().zip(outcome.columns) {
            (column.ty, column.default) = (ty, default);
        }
        for column in table.columns.iter_mut().filter(|column| column.identity.is_some()) {
            // A model says one of them.
            column.autoincrement = column.autoincrement.filter(|on| !on);
        }
        // A model gives an enumeration no collation, but a type in the database's words.
        let is_worded =
            |column: &&Column| column.collation.is_some() && matches!(column.ty, Type::Enum(..));
        let worded = table.columns.iter().filter(is_worded);
        let worded = worded.map(|column| column.name.clone()).collect();
        for column in &mut table.columns {
            // A model says it once, for the table.
            column.collation.take_if(|own| Some(&*own) == table.collation.as_ref());
        }
        let listed = listed_in_checks(&table, &outcome.natural, comparing);
        Declared { table, natural: outcome.natural, worded, listed }
    });
    let mut declared: Vec<Declared> = declared.collect();
    leave_keys_alike(&mut declared);
    Ok(declared)
}

/// The values that the remaining checks of a table list for its columns of text.
fn listed_in_checks(
    table: &Table,
    natural: &[Type],
    comparing: &Comparing,
) -> BTreeMap<String, Vec<String>> {
    let columns = table.columns.iter().zip(natural);
    let texts = columns.filter(|(_, natural)| matches!(natural, Type::Text | Type::String(_)));
    let listed = texts.filter_map(|(column, _)| {
        let mut checks = table.checks.iter();
        let values = checks.find_map(|check| only_values(check, column, comparing))?;
        Some((column.name.clone(), values))
    });
    listed.collect()
}

/// Leaves out the listed values of columns in foreign keys, whose fields have the same type as
/// those that they refer to.
fn leave_keys_alike(declared: &mut [Declared]) {
    let keys = declared.iter().flat_map(|one| &one.table.foreign_keys);
    let targets: BTreeSet<(String, String)> = keys
        .flat_map(|key| {
            let table = &key.references_table;
            key.references_columns.iter().map(|column| (table.clone(), column.clone()))
        })
        .collect();
    for Declared { table, listed, .. } in declared {
        listed.retain(|column, _| {
            let is_own = |key: &ForeignKey| key.columns.contains(column);
            let is_target = targets.contains(&(table.name.clone(), column.clone()));
            !is_target && !table.foreign_keys.iter().any(is_own)
        });
    }
}

/// What is said of a table in the ways that were taken.
struct Outcome {
    /// The types and defaults of the columns.
    columns: Vec<(Type, Option<DefaultValue>)>,
    checks: Vec<Check>,
    natural: Vec<Type>,
}

impl<'a> Draft<'a> {
    fn new(actual: &'a Table, dialect: &dyn Dialect, comparing: &Comparing) -> Draft<'a> {
        let columns =
            actual.columns.iter().map(|column| ways(actual, column, dialect, comparing)).collect();
        let plain = |check: &Check| listed(&check.expression, comparing);
        let plain_checks = actual.checks.iter().map(plain).collect();
        Draft { actual, columns, plain_checks }
    }

    fn outcome(self) -> Outcome {
        let checks = self.checks();
        let columns = self.columns.into_iter().map(|mut ways| {
            let Expression { ty, default, instead_of } = ways.all.swap_remove(ways.taken);
            let ty = ty.into_owned();
            // An enumeration in place of a check is what Rust has.
            let natural = if instead_of.is_some() { ty.clone() } else { ways.natural };
            ((ty, default.map(Cow::into_owned)), natural)
        });
        let (columns, natural) = columns.unzip();
        Outcome { columns, checks, natural }
    }

    /// The checks that types stand for.
    fn covered(&self) -> Vec<usize> {
        self.columns.iter().filter_map(|ways| ways.taken().instead_of).collect()
    }

    /// The checks that no type stands for, in plainer words where there are some.
    fn checks(&self) -> Vec<Check> {
        let covered = self.covered();
        let checks = self.actual.checks.iter().zip(&self.plain_checks).enumerate();
        let checks = checks.filter(|(place, _)| !covered.contains(place));
        let in_words = |(_, (check, plain)): (usize, (&Check, &Option<String>))| match plain {
            Some(plain) => Check { expression: plain.as_str().into(), ..check.clone() },
            None => check.clone(),
        };
        checks.map(in_words).collect()
    }

    fn table(&self) -> Table {
        let mut table = self.actual.clone();
        for (column, ways) in table.columns.iter_mut().zip(&self.columns) {
            let Expression { ty, default, .. } = ways.taken();
            ty.as_ref().clone_into(&mut column.ty);
            column.default = default.as_deref().cloned();
        }
        table.checks = self.checks();
        table
    }

    /// Leaves out the ways with a type that the database is known not to keep.
    fn skip(&mut self, seen: &Seen) {
        for ways in &mut self.columns {
            while seen.is_unkept(self.actual, ways.taken().of(ways.actual)) {
                let Some(next) = ways.with_another_type() else { break };
                ways.taken = next;
            }
        }
    }

    /// Whether the database has to be asked: a column or a check has another way, and what becomes
    /// of this one isn't known.
    fn is_open(&self, seen: &Seen) -> bool {
        let is_settled = |ways: &Ways<'_>| {
            let way = ways.taken();
            ways.is_last()
                || (way.instead_of.is_none() && seen.is_kept(self.actual, way.of(ways.actual)))
        };
        self.plain_checks.iter().any(Option::is_some) || !self.columns.iter().all(is_settled)
    }

    /// Takes the next way for each column that the database would keep differently; returns whether
    /// there is one. Without an answer, all columns go on.
    fn goes_on(&mut self, kept: Option<&Kept>, comparing: &Comparing, seen: &mut Seen) -> bool {
        // What can't be told is in the database's own words, so that it is no difference.
        let untold = kept.map_or(&[][..], |kept| &kept.untold);
        let kept = kept.map(|kept| &kept.table);
        let is_told = |check: &Check| {
            let mut parts = untold.iter().filter_map(|untold| untold.part.as_ref());
            !parts.any(|part| {
                part.kind == PartKind::Check && part.name.as_deref() == Some(check.name.as_str())
            })
        };
        let is_kept = |ways: &Ways<'_>| {
            let Some(kept) = kept else { return false };
            let own = ways.actual;
            if untold.iter().any(|untold| untold.columns.contains(&own.name)) {
                return false;
            }
            let found = kept.find_column(&own.name);
            let is_same = found.is_some_and(|kept| comparing.same_column(kept, own));
            let has = |check: &Check| {
                // No model names the check of an enumeration.
                let is_named = comparing.names_checks && !check.name.is_empty();
                let same = |kept: &Check| {
                    comparing.lexicon.same_expression(&kept.expression, &check.expression)
                        && (!is_named || comparing.folding.same(&kept.name, &check.name))
                };
                kept.checks.iter().any(same)
            };
            let instead_of = ways.taken().instead_of;
            is_same && instead_of.is_none_or(|place| has(&self.actual.checks[place]))
        };
        let has_type = |ways: &Ways<'_>| {
            let only = |column: &Column| Column::new("", column.ty.clone());
            let kept = kept.and_then(|kept| kept.find_column(&ways.actual.name));
            kept.is_none_or(|kept| comparing.same_column(&only(kept), &only(ways.actual)))
        };
        let next: Vec<usize> = self
            .columns
            .iter()
            .map(|ways| {
                let said = ways.taken().of(ways.actual);
                if ways.is_last() {
                    return ways.taken;
                }
                if is_kept(ways) {
                    if ways.taken().instead_of.is_none() {
                        seen.learn_kept(self.actual, said);
                    }
                    return ways.taken;
                }
                if has_type(ways) {
                    return ways.taken + 1;
                }
                seen.learn_unkept(self.actual, said);
                ways.with_another_type().unwrap_or(ways.taken + 1)
            })
            .collect();
        let goes_on = self.columns.iter().map(|ways| ways.taken).ne(next.iter().copied());
        // Plainer words have to be the same condition to the letter.
        let covered = self.covered();
        let mut is_replaced = false;
        for (place, check) in self.actual.checks.iter().enumerate() {
            let is_it = |kept: &Check| kept.expression == check.expression;
            let is_kept = match kept {
                Some(kept) => {
                    kept.checks.iter().any(is_it) && is_told(check) || covered.contains(&place)
                }
                // Perhaps it was a column.
                None => goes_on,
            };
            is_replaced |= self.plain_checks[place].take_if(|_| !is_kept).is_some();
        }
        for (ways, next) in self.columns.iter_mut().zip(next) {
            ways.taken = next;
        }
        goes_on || is_replaced
    }
}

/// The ways to express a column, the most natural one first and the database's own last.
fn ways<'a>(
    table: &Table,
    column: &'a Column,
    dialect: &dyn Dialect,
    comparing: &Comparing,
) -> Ways<'a> {
    let natural = dialect.understood(&column.ty).or_else(|| in_rust(&column.ty, comparing));
    let natural = natural.unwrap_or_else(|| column.ty.clone());
    let own = Cow::Borrowed(&column.ty);
    let is_other = natural != column.ty;
    let mut all = Vec::with_capacity(2);
    let mut add = |natural: &Type, ty: Cow<'a, Type>, instead_of: Option<usize>| {
        for default in defaults(column, natural, dialect, comparing) {
            all.push(Expression { ty: ty.clone(), default, instead_of });
        }
    };
    // An enumeration has no collation of its own in a model.
    let is_text = matches!(natural, Type::Text | Type::String(_));
    if is_text && column.collation.is_none() {
        for (place, check) in table.checks.iter().enumerate() {
            if !is_of_enumeration(table, column, check, comparing) {
                continue;
            }
            if let Some(values) = values(check, column, comparing) {
                let ty = Type::Enum(String::new(), values);
                add(&ty, Cow::Owned(ty.clone()), Some(place));
            }
        }
    }
    if is_other {
        add(&natural, Cow::Owned(natural.clone()), None);
    }
    add(&natural, own, None);
    Ways { actual: column, natural, all, taken: 0 }
}

/// What Rust has for words that have no portable type: moments with a precision of their own, such
/// as MySQL's `datetime(3)`, and words that SQLite takes without a meaning.
fn in_rust(ty: &Type, comparing: &Comparing) -> Option<Type> {
    let Type::Raw(declared) = ty else { return None };
    let words = declared.to_ascii_lowercase();
    let (before, after) = words.split_once('(').unwrap_or((&words, ""));
    let after = after.split_once(')').map_or("", |(_, after)| after);
    let words: Vec<&str> = before.split_whitespace().chain(after.split_whitespace()).collect();
    match words.as_slice() {
        ["datetime"] | ["timestamp", "without", "time", "zone"] => Some(Type::DateTime),
        ["timestamp" | "timestamptz"] | ["timestamp", "with", "time", "zone"] => {
            Some(Type::Timestamp)
        }
        ["time"] | ["time", "without", "time", "zone"] => Some(Type::Time),
        ["json" | "jsonb"] => Some(Type::Json),
        // Another database that has the word has the type.
        ["uuid"] if comparing.keeps_definitions => Some(Type::Uuid),
        _ => None,
    }
}

/// The ways to express a default, the most natural one first.
fn defaults<'a>(
    column: &'a Column,
    natural: &Type,
    dialect: &dyn Dialect,
    comparing: &Comparing,
) -> Vec<Option<Cow<'a, DefaultValue>>> {
    let Some(default) = &column.default else { return vec![None] };
    let own = Some(Cow::Borrowed(default));
    let mut defaults = Vec::new();
    match default {
        DefaultValue::Sql(sql) => {
            let plain = plain(sql, natural, comparing);
            // Without a time zone, the time of models is UTC, and the session's can be another.
            let is_meant = comparing.now_is_sessions || *natural == Type::Timestamp;
            let plain = plain.filter(|plain| *plain != DefaultValue::Now || is_meant);
            let plain = plain.and_then(|plain| of_type(plain, natural));
            defaults.extend(plain.map(|plain| Some(Cow::Owned(plain))));
            defaults.push(own);
        }
        DefaultValue::Literal(value)
            if matches!(value, Value::Blob(_)) || !models::is_value(natural, value) =>
        {
            let text = dialect.literal_of(value, natural);
            defaults.push(Some(Cow::Owned(DefaultValue::Sql(text.into()))));
        }
        DefaultValue::Literal(_) | DefaultValue::Now => defaults.push(own),
    }
    defaults
}

/// The default as a model of this type says it; a literal is of the column's type there.
fn of_type(default: DefaultValue, ty: &Type) -> Option<DefaultValue> {
    let DefaultValue::Literal(value) = default else { return Some(default) };
    let value = match (ty, value) {
        (Type::Text | Type::String(_) | Type::Enum(..), Value::Integer(_) | Value::Real(_)) => {
            return None;
        }
        (ty, Value::Text(text)) if ty.is_integer() => Value::Integer(text.parse().ok()?),
        (Type::Float | Type::Double, Value::Text(text)) => Value::Real(text.parse().ok()?),
        #[expect(clippy::cast_precision_loss, reason = "the database is asked about the result")]
        (Type::Float | Type::Double, Value::Integer(number)) => Value::Real(number as f64),
        (Type::Boolean, Value::Text(_) | Value::Integer(_)) => return None,
        (_, value) => value,
    };
    if !models::is_value(ty, &value) {
        return None;
    }
    Some(DefaultValue::Literal(value))
}

/// The value that SQL stands for, if it is a literal or the time of the statement.
fn plain(sql: &str, ty: &Type, comparing: &Comparing) -> Option<DefaultValue> {
    let tokens = comparing.lexicon.significant(sql);
    let mut tokens = tokens.as_slice();
    while let [open, inside @ .., close] = tokens {
        if !open.is_symbol("(") || !close.is_symbol(")") {
            break;
        }
        tokens = inside;
    }
    let is_moment = matches!(ty, Type::Date | Type::Time | Type::DateTime | Type::Timestamp);
    let (first, rest) = tokens.split_first()?;
    let word = first.text.to_ascii_lowercase();
    let is_now = ["current_timestamp", "current_date", "current_time"];
    if is_moment && is_now.contains(&word.as_str()) && first.kind == Kind::Word {
        return Some(DefaultValue::Now);
    }
    // A cast of a literal says nothing that the column doesn't.
    let is_cast = rest.first().is_some_and(|token| token.is_symbol("::") || token.is_symbol(":"));
    let number = |text: &str| {
        let Ok(number) = text.parse::<i64>() else {
            let is_float = matches!(ty, Type::Float | Type::Double);
            let number = text.parse::<f64>().ok().filter(|_| is_float)?;
            return Some(DefaultValue::Literal(Value::Real(number)));
        };
        let value = match ty {
            Type::Boolean if number == 0 || number == 1 => Value::Bool(number == 1),
            _ => Value::Integer(number),
        };
        Some(DefaultValue::Literal(value))
    };
    match (first.kind, rest) {
        (Kind::Number, rest) if rest.is_empty() || is_cast => number(first.text),
        (_, [digits]) if first.is_symbol("-") && digits.kind == Kind::Number => {
            number(&format!("-{}", digits.text))
        }
        (Kind::Text, rest) if rest.is_empty() || is_cast => {
            Some(DefaultValue::Literal(Value::Text(first.unquoted()?.into())))
        }
        (Kind::Word, []) if word == "true" || word == "false" => {
            Some(DefaultValue::Literal(Value::Bool(word == "true")))
        }
        _ => None,
    }
}

/// The column that generates its values without a word about it, since its table has no other key. On
/// SQLite, the word has a meaning of its own.
pub fn generated_anyway<'a>(table: &'a Table, comparing: &Comparing) -> Option<&'a str> {
    let column = table.generated_key().filter(|_| !comparing.keeps_definitions)?;
    (column.autoincrement == Some(true)).then_some(&column.name)
}
