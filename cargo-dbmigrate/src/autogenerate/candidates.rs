//! Finds possible renames: something that was removed, and something similar that was added.

use std::cmp::Reverse;

use dbmigrate_runtime::engine::dialect::Dialect;
use dbmigrate_runtime::schema::{Column, ForeignKey, Index, IndexTerm, Schema, Table, Type};

use super::convert;
use super::question::Rename;

/// The removed tables and columns that may have been renamed, each with its possible new names,
/// most likely first.
pub fn renames(
    from: &Schema,
    to: &Schema,
    dropped: &[String],
    dialect: &dyn Dialect,
) -> Vec<Rename> {
    let mut questions = Vec::new();
    let olds = from.tables.values().filter(|table| to.table(&table.name).is_none());
    let news: Vec<&Table> =
        to.tables.values().filter(|table| from.table(&table.name).is_none()).collect();
    let mut pairs = Vec::new();
    for old in olds {
        let ranked = news.iter().filter_map(|new| {
            let rank = tables((from, old), (to, new), dialect)?;
            Some(Pair { old: old.name.clone(), new: new.name.clone(), rank })
        });
        pairs.extend(ranked);
    }
    questions.extend(asked(true, pairs, dropped));
    for (was, now) in from.tables.values().filter_map(|was| Some((was, to.table(&was.name)?))) {
        let sides = Sides::of(was, now, dialect);
        let full = |name: &str| format!("{}.{name}", was.name);
        let mut pairs = Vec::new();
        for old in &sides.gone {
            let ranked = sides.new.iter().filter_map(|new| {
                let rank = sides.rank(old, new)?;
                Some(Pair { old: full(&old.name), new: full(&new.name), rank })
            });
            pairs.extend(ranked);
        }
        questions.extend(asked(false, pairs, dropped));
    }
    questions
}

/// Something that was removed, and something new that may be the same.
struct Pair {
    old: String,
    new: String,
    rank: Rank,
}

/// The evidence for a rename. Earlier fields weigh more than later ones.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
struct Rank {
    /// What they refer to, whether their types are the same, and how they are indexed.
    kind: Kind,
    /// How similar their positions are.
    place: u8,
    /// How similar their names are.
    name: u8,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
struct Kind {
    /// 0 if they refer to different tables.
    target: u8,
    same_type: bool,
    indexes: u8,
    /// How similar they are otherwise, in thousandths.
    rest: u16,
}

/// The questions, each with its choices in order. A choice is the likely one if it is better than
/// all others for the old name, and the old name is better than all others for it.
fn asked(is_table: bool, pairs: Vec<Pair>, dropped: &[String]) -> Vec<Rename> {
    let is_open = |pair: &&Pair| !dropped.contains(&pair.old);
    let pairs: Vec<&Pair> = pairs.iter().filter(is_open).collect();
    let mut olds: Vec<&String> = pairs.iter().map(|pair| &pair.old).collect();
    olds.dedup();
    let likely = likely(&pairs);
    let question = |old: &String| {
        let mut own: Vec<&Pair> = pairs.iter().filter(|pair| pair.old == *old).copied().collect();
        let is_likely = |pair: &Pair| likely.iter().any(|other| std::ptr::eq(*other, pair));
        own.sort_by_key(|pair| Reverse((is_likely(pair), pair.rank, fine(&pair.old, &pair.new))));
        let is_likely = own.first().is_some_and(|best| is_likely(best));
        let candidates = own.into_iter().map(|pair| pair.new.clone()).collect();
        Rename { is_table, old: old.clone(), candidates, is_likely }
    };
    olds.into_iter().map(question).collect()
}

/// The pairs that are better than every other pair with the same old or new name. What one of them
/// uses up no longer competes with the rest.
fn likely<'a>(pairs: &[&'a Pair]) -> Vec<&'a Pair> {
    let mut left: Vec<&Pair> = pairs.to_vec();
    let mut likely = Vec::new();
    let is_clear = |best: &Pair, left: &[&Pair]| {
        let mut rivals = left.iter().filter(|pair| {
            (pair.old == best.old || pair.new == best.new) && !std::ptr::eq(**pair, best)
        });
        // The position weighs more than the name, unless another pair has nearly the same name: then
        // the order has changed, and positions mean nothing.
        let contradicts = |pair: &Pair| {
            pair.rank.kind == best.rank.kind
                && pair.rank.name > best.rank.name
                && pair.rank.name >= NEARLY_SAME
        };
        best.rank.kind.target > 0 && rivals.all(|pair| pair.rank < best.rank && !contradicts(pair))
    };
    while let Some(best) = left.iter().find(|pair| is_clear(pair, &left)).copied() {
        likely.push(best);
        left.retain(|pair| pair.old != best.old && pair.new != best.new);
    }
    likely
}

/// Only used to order the choices.
fn fine(old: &str, new: &str) -> usize {
    (strsim::jaro_winkler(&old.to_lowercase(), &new.to_lowercase()) * 1000.0) as usize
}

/// The similarity of names of which one is spelled, abbreviated or extended like the other.
const NEARLY_SAME: u8 = 3;

/// The similarity of two names, in coarse steps, since small differences mean nothing.
fn by_name(old: &str, new: &str) -> u8 {
    let (old, new) = (old.to_lowercase(), new.to_lowercase());
    let bare = |name: &str| name.replace('_', "");
    let words = |name: &str| -> Vec<String> {
        name.split('_').filter(|word| !word.is_empty()).map(str::to_owned).collect()
    };
    let (old_words, new_words) = (words(&old), words(&new));
    let are_all_in =
        |part: &[String], whole: &[String]| part.iter().all(|word| whole.contains(word));
    match () {
        () if bare(&old) == bare(&new) => 4,
        () if are_all_in(&old_words, &new_words) || are_all_in(&new_words, &old_words) => {
            NEARLY_SAME
        }
        () if strsim::jaro_winkler(&old, &new) > 0.92 => NEARLY_SAME,
        () if old_words.iter().any(|word| new_words.contains(word)) => 2,
        () if old.contains(&new) || new.contains(&old) => 1,
        () => 0,
    }
}

/// Requires that most columns are the same.
fn tables(
    (from, old): (&Schema, &Table),
    (to, new): (&Schema, &Table),
    dialect: &dyn Dialect,
) -> Option<Rank> {
    let same = |column: &&Column| {
        let found = new.find_column(&column.name);
        found.is_some_and(|new| convert::alike(&column.ty, &new.ty, dialect))
    };
    let n_same = old.columns.iter().filter(same).count();
    let n = old.columns.len().max(new.columns.len());
    if 2 * n_same <= n {
        return None;
    }
    // The foreign keys that referred to the old table and now refer to the new one.
    let referring = |schema: &Schema, target: &str| -> Vec<(String, Vec<String>)> {
        let keys = schema
            .tables
            .values()
            .flat_map(|table| table.foreign_keys.iter().map(move |key| (table.name.clone(), key)));
        let of_target = keys.filter(|(_, key)| key.references_table == target);
        of_target.map(|(table, key)| (table, key.columns.clone())).collect()
    };
    let before = referring(from, &old.name);
    let is_followed = referring(to, &new.name).iter().any(|key| before.contains(key));
    let targets = |table: &Table| -> Vec<String> {
        let keys = table.foreign_keys.iter().map(|key| key.references_table.clone());
        keys.filter(|target| *target != table.name).collect()
    };
    let kind = Kind {
        target: if is_followed { 2 } else { 1 },
        same_type: targets(old) == targets(new),
        indexes: u8::from(shapes(old) == shapes(new)),
        rest: (1000 * n_same / n) as u16,
    };
    Some(Rank { kind, place: 0, name: by_name(&old.name, &new.name) })
}

/// What is indexed in a table.
fn shapes(table: &Table) -> Vec<(bool, Vec<String>)> {
    let uniques = table.uniques.iter().map(|unique| (true, unique.columns.clone()));
    let columns = |index: &Index| {
        let names = table.columns.iter().map(|column| &column.name);
        names.filter(|name| has_index(index, name)).cloned().collect()
    };
    let indexes = table.indexes.iter().map(|index| (index.unique, columns(index)));
    let mut shapes: Vec<_> = uniques.chain(indexes).collect();
    shapes.sort();
    shapes
}

fn has_index(index: &Index, column: &str) -> bool {
    index.columns.iter().any(|part| match &part.term {
        IndexTerm::Column(name) => name == column,
        IndexTerm::Expression(_) => false,
    })
}

/// A table before and after, with its removed and new columns.
struct Sides<'a> {
    was: &'a Table,
    now: &'a Table,
    gone: Vec<&'a Column>,
    new: Vec<&'a Column>,
    dialect: &'a dyn Dialect,
}

impl<'a> Sides<'a> {
    fn of(was: &'a Table, now: &'a Table, dialect: &'a dyn Dialect) -> Sides<'a> {
        let only = |table: &'a Table, other: &Table| -> Vec<&'a Column> {
            let columns = table.columns.iter();
            columns.filter(|column| other.find_column(&column.name).is_none()).collect()
        };
        Sides { was, now, gone: only(was, now), new: only(now, was), dialect }
    }

    /// Requires that both columns store values, and that their types are similar.
    fn rank(&self, old: &Column, new: &Column) -> Option<Rank> {
        if old.generated.is_some()
            || new.generated.is_some()
            || !convert::alike(&old.ty, &new.ty, self.dialect)
        {
            return None;
        }
        let targets = (target(self.was, old), target(self.now, new));
        let renamed = Column { name: new.name.clone(), ..old.clone() };
        let kind = Kind {
            target: match targets {
                (Some(old), Some(new)) if old == new => 3,
                (None, None) => 2,
                (Some(_), Some(_)) => 0,
                _ => 1,
            },
            same_type: old.ty == new.ty,
            indexes: alike(indexed(self.was, old), indexed(self.now, new)),
            rest: u16::from(renamed == *new),
        };
        Some(Rank { kind, place: self.place(old, new), name: by_name(&old.name, &new.name) })
    }

    /// Whether both are at the same position among columns of their kind, and next to the same
    /// columns.
    fn place(&self, old: &Column, new: &Column) -> u8 {
        let of_kind = |table: &Table, among: &[&'a Column], one: &Column| -> (usize, usize) {
            let signature = |column: &Column| (column.ty.clone(), target(table, column));
            let own: (Type, Option<String>) = signature(one);
            let alike: Vec<_> = among.iter().filter(|column| signature(column) == own).collect();
            let nth = alike.iter().position(|column| column.name == one.name);
            (nth.unwrap_or_default(), alike.len())
        };
        let neighbours = |table: &Table, other: &Table, one: &Column| {
            let is_kept = |column: &&Column| other.find_column(&column.name).is_some();
            let at = table.columns.iter().position(|column| column.name == one.name);
            let (before, after) = table.columns.split_at(at.unwrap_or_default());
            let name = |column: &Column| column.name.clone();
            (before.iter().rev().find(is_kept).map(name), after.iter().find(is_kept).map(name))
        };
        let is_nth = of_kind(self.was, &self.gone, old) == of_kind(self.now, &self.new, new);
        let was = neighbours(self.was, self.now, old);
        let now = neighbours(self.now, self.was, new);
        2 * u8::from(is_nth) + u8::from(was == now)
    }
}

/// The table that a column refers to by itself.
fn target(table: &Table, column: &Column) -> Option<String> {
    let is_of_column = |key: &&ForeignKey| key.columns == [column.name.as_str()];
    table.foreign_keys.iter().find(is_of_column).map(|key| key.references_table.clone())
}

/// Whether a column is in the primary key, unique by itself, and in an index.
fn indexed(table: &Table, column: &Column) -> [bool; 3] {
    let has = |columns: &[String]| columns.contains(&column.name);
    let alone = [column.name.clone()];
    let has_own_index = table
        .indexes
        .iter()
        .any(|index| index.unique && index.columns.len() == 1 && has_index(index, &column.name));
    [
        table.primary_key.as_ref().is_some_and(|key| has(&key.columns)),
        has_own_index || table.uniques.iter().any(|unique| unique.columns == alone),
        table.indexes.iter().any(|index| has_index(index, &column.name))
            || table.uniques.iter().any(|unique| has(&unique.columns)),
    ]
}

fn alike(one: [bool; 3], other: [bool; 3]) -> u8 {
    one.iter().zip(other).map(|(one, other)| u8::from(*one == other)).sum()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_alike_in_steps() {
        for (old, new, expect) in [
            ("userId", "user_id", 4),
            ("username", "user_name", 4),
            ("last_name", "last", 3),
            ("name", "first_name", 3),
            ("name", "last_name", 3),
            ("published_on", "published_at", 3),
            ("first_name", "given_name", 2),
            ("title", "subtitle", 1),
            ("title", "headline", 0),
        ] {
            assert_eq!(by_name(old, new), expect, "{old} {new}");
        }
    }
}
