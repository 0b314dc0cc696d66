//! Expresses the tables of a database as models would.
//!
//! A database says less, or in other words, than a model. Each column has several expressions, the
//! most natural one first, and the database itself tells which of them it would keep as it is.

use std::collections::{BTreeMap, BTreeSet};

use dbmigrate_runtime::Value;
use dbmigrate_runtime::engine::dialect::{Comparing, Dialect, Kept, PartKind};
use dbmigrate_runtime::engine::driver::{Connection, DatabaseError};
use dbmigrate_runtime::engine::sql::Kind;
use dbmigrate_runtime::schema::{Check, Column, DefaultValue, ForeignKey, Table, Type};

use super::seen::Seen;
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

/// A way to express a column.
#[derive(Clone)]
struct Expression {
    column: Column,
    natural: Type,
    /// The check that the type stands for, by its place among the table's checks.
    instead_of: Option<usize>,
}

/// A table with the ways to express its columns.
struct Draft<'a> {
    actual: &'a Table,
    ways: Vec<Vec<Expression>>,
    /// Which way is taken for each column.
    taken: Vec<usize>,
    /// Checks in plainer words than the database's, if there are any.
    plain_checks: Vec<Option<String>>,
}

/// How many tables are asked about first.
const FEW: usize = 20;

/// The next way for a column with another type, after this one.
fn with_another_type(ways: &[Expression], taken: usize) -> Option<usize> {
    let is_other = |other: &Expression| other.column.ty != ways[taken].column.ty;
    Some(taken + 1 + ways[taken + 1..].iter().position(is_other)?)
}

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
        table.columns = outcome.columns;
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
    columns: Vec<Column>,
    checks: Vec<Check>,
    natural: Vec<Type>,
}

impl<'a> Draft<'a> {
    fn new(actual: &'a Table, dialect: &dyn Dialect, comparing: &Comparing) -> Draft<'a> {
        let ways: Vec<Vec<Expression>> =
            actual.columns.iter().map(|column| ways(actual, column, dialect, comparing)).collect();
        let plain = |check: &Check| listed(&check.expression, comparing);
        let plain_checks = actual.checks.iter().map(plain).collect();
        Draft { actual, taken: vec![0; ways.len()], ways, plain_checks }
    }

    fn taken(&self) -> impl Iterator<Item = &Expression> {
        self.ways.iter().zip(&self.taken).map(|(ways, taken)| &ways[*taken])
    }

    fn outcome(self) -> Outcome {
        let checks = self.checks();
        let taken = self.ways.into_iter().zip(self.taken);
        let taken = taken.map(|(mut ways, taken)| ways.swap_remove(taken));
        let taken = taken.map(|expression| (expression.column, expression.natural));
        let (columns, natural) = taken.unzip();
        Outcome { columns, checks, natural }
    }

    /// The checks that types stand for.
    fn covered(&self) -> Vec<usize> {
        self.taken().filter_map(|expression| expression.instead_of).collect()
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
        Table {
            columns: self.taken().map(|expression| expression.column.clone()).collect(),
            checks: self.checks(),
            ..self.actual.clone()
        }
    }

    /// Leaves out the ways with a type that the database is known not to keep.
    fn skip(&mut self, seen: &Seen) {
        for (ways, taken) in self.ways.iter().zip(&mut self.taken) {
            while seen.is_unkept(self.actual, &ways[*taken].column) {
                let Some(next) = with_another_type(ways, *taken) else { break };
                *taken = next;
            }
        }
    }

    /// Whether the database has to be asked: a column or a check has another way, and what becomes
    /// of this one isn't known.
    fn is_open(&self, seen: &Seen) -> bool {
        let is_settled = |(ways, taken): (&Vec<Expression>, &usize)| {
            let way = &ways[*taken];
            *taken + 1 == ways.len()
                || (way.instead_of.is_none() && seen.is_kept(self.actual, &way.column))
        };
        self.plain_checks.iter().any(Option::is_some)
            || !self.ways.iter().zip(&self.taken).all(is_settled)
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
        let is_kept = |expression: &Expression| {
            let Some(kept) = kept else { return false };
            let own = &expression.column;
            if untold.iter().any(|untold| untold.columns.contains(&own.name)) {
                return false;
            }
            let is_same = |actual: &Column| {
                kept.find_column(&own.name).is_some_and(|kept| comparing.same_column(kept, actual))
            };
            let has = |check: &Check| {
                // No model names the check of an enumeration.
                let is_named = comparing.names_checks && !check.name.is_empty();
                let same = |kept: &Check| {
                    comparing.lexicon.same_expression(&kept.expression, &check.expression)
                        && (!is_named || comparing.folding.same(&kept.name, &check.name))
                };
                kept.checks.iter().any(same)
            };
            self.actual.find_column(&own.name).is_some_and(is_same)
                && expression.instead_of.is_none_or(|place| has(&self.actual.checks[place]))
        };
        let has_type = |expression: &Expression| {
            let only = |column: &Column| Column::new("", column.ty.clone());
            let name = &expression.column.name;
            let kept = kept.and_then(|kept| kept.find_column(name));
            let both = kept.zip(self.actual.find_column(name));
            both.is_none_or(|(kept, actual)| comparing.same_column(&only(kept), &only(actual)))
        };
        let next: Vec<usize> = self
            .ways
            .iter()
            .zip(&self.taken)
            .map(|(ways, taken)| {
                let way = &ways[*taken];
                if *taken + 1 == ways.len() {
                    return *taken;
                }
                if is_kept(way) {
                    if way.instead_of.is_none() {
                        seen.learn_kept(self.actual, &way.column);
                    }
                    return *taken;
                }
                if has_type(way) {
                    return taken + 1;
                }
                seen.learn_unkept(self.actual, &way.column);
                with_another_type(ways, *taken).unwrap_or(taken + 1)
            })
            .collect();
        let goes_on = next != self.taken;
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
        self.taken = next;
        goes_on || is_replaced
    }
}

/// The ways to express a column, the most natural one first and the database's own last.
fn ways(
    table: &Table,
    column: &Column,
    dialect: &dyn Dialect,
    comparing: &Comparing,
) -> Vec<Expression> {
    let natural = dialect.understood(&column.ty).or_else(|| in_rust(&column.ty, comparing));
    let natural = natural.unwrap_or_else(|| column.ty.clone());
    let types = if natural == column.ty {
        vec![column.ty.clone()]
    } else {
        vec![natural.clone(), column.ty.clone()]
    };
    let mut ways = Vec::new();
    let mut add = |natural: &Type, ty: &Type, instead_of: Option<usize>| {
        for default in defaults(column, natural, dialect, comparing) {
            let column = Column { ty: ty.clone(), default, ..column.clone() };
            ways.push(Expression { column, natural: natural.clone(), instead_of });
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
                add(&ty, &ty, Some(place));
            }
        }
    }
    for ty in &types {
        add(&natural, ty, None);
    }
    ways
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
fn defaults(
    column: &Column,
    natural: &Type,
    dialect: &dyn Dialect,
    comparing: &Comparing,
) -> Vec<Option<DefaultValue>> {
    let Some(default) = &column.default else { return vec![None] };
    let mut defaults = Vec::new();
    match default {
        DefaultValue::Sql(sql) => {
            let plain = plain(sql, natural, comparing);
            // Without a time zone, the time of models is UTC, and the session's can be another.
            let is_meant = comparing.now_is_sessions || *natural == Type::Timestamp;
            let plain = plain.filter(|plain| *plain != DefaultValue::Now || is_meant);
            defaults.extend(plain.and_then(|plain| of_type(plain, natural)).map(Some));
            defaults.push(Some(default.clone()));
        }
        DefaultValue::Literal(value)
            if matches!(value, Value::Blob(_)) || !models::is_value(natural, value) =>
        {
            let text = dialect.literal_of(value, natural);
            defaults.push(Some(DefaultValue::Sql(text.into())));
        }
        DefaultValue::Literal(_) | DefaultValue::Now => defaults.push(Some(default.clone())),
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
