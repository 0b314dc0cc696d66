//! What is gone beside what is new and alike: it may have another name now.

use std::cmp::Reverse;

use dbmigrate_runtime::schema::{Column, Schema, Table};

use super::convert;
use super::question::Rename;

/// The tables and columns that are gone and that may be renamed, each with what it may be called
/// now, the likeliest first.
pub fn renames(from: &Schema, to: &Schema, dropped: &[String]) -> Vec<Rename> {
    let mut questions = Vec::new();
    let mut ask = |is_table, old: String, mut candidates: Vec<(Rank, String)>| {
        candidates.sort_by_key(|(rank, _)| Reverse(*rank));
        if !candidates.is_empty() && !dropped.contains(&old) {
            let candidates = candidates.into_iter().map(|(_, it)| it).collect();
            questions.push(Rename { is_table, old, candidates });
        }
    };
    for old in from.tables.values().filter(|it| to.table(&it.name).is_none()) {
        let new = to.tables.values().filter(|it| from.table(&it.name).is_none());
        let ranked = new.filter_map(|new| Some((tables(old, new)?, new.name.clone())));
        ask(true, old.name.clone(), ranked.collect());
    }
    for (was, now) in from.tables.values().filter_map(|it| Some((it, to.table(&it.name)?))) {
        for old in was.columns.iter().filter(|it| now.find_column(&it.name).is_none()) {
            let new = now.columns.iter().filter(|it| was.find_column(&it.name).is_none());
            let full = |name: &str| format!("{}.{name}", was.name);
            let ranked = new.filter_map(|new| Some((columns(old, new)?, full(&new.name))));
            ask(false, full(&old.name), ranked.collect());
        }
    }
    questions
}

/// How alike things are: in a thousand parts by what they are, then by their names.
type Rank = (usize, usize);

fn by_name(old: &str, new: &str) -> usize {
    (strsim::jaro_winkler(&old.to_lowercase(), &new.to_lowercase()) * 1000.0) as usize
}

/// Most columns are the same.
fn tables(old: &Table, new: &Table) -> Option<Rank> {
    let same =
        |it: &&Column| new.find_column(&it.name).is_some_and(|new| convert::alike(&it.ty, &new.ty));
    let n_same = old.columns.iter().filter(same).count();
    let n = old.columns.len().max(new.columns.len());
    (2 * n_same > n).then(|| (1000 * n_same / n, by_name(&old.name, &new.name)))
}

/// Both hold values, and those of one can be those of the other.
fn columns(old: &Column, new: &Column) -> Option<Rank> {
    if old.generated.is_some() || new.generated.is_some() || !convert::alike(&old.ty, &new.ty) {
        return None;
    }
    let renamed = Column { name: new.name.clone(), ..old.clone() };
    let by_kind = match (renamed == *new, old.ty == new.ty) {
        (true, _) => 1000,
        (false, true) => 900,
        (false, false) => 500,
    };
    Some((by_kind, by_name(&old.name, &new.name)))
}
