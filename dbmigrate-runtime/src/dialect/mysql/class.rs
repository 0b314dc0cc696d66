//! How a server makes a change, and what that costs others.
//!
//! The class of a change was tried out on MySQL 9.7 and MariaDB 10.11 and 11.8. It is asserted in
//! the statement, so that the server refuses the change instead of making it in a slower way.

use super::column::Definition;
use super::constant;
use super::flavor::Flavor;
use crate::dialect::{Blocks, Cost, Facts, Lock, Work};

/// How a server changes a table, from the cheapest to the most expensive way.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Class {
    /// It changes only the catalog.
    Instant,
    /// The same for a virtual column on MariaDB, which no other change can go along with.
    Virtual,
    /// It builds or drops indexes, and leaves the rows where they are.
    NoCopy,
    /// It writes the table again while others go on.
    Rebuild,
    /// It builds an index, and others can only read.
    Shared,
    /// It copies all rows, and others can only read.
    Copy,
    /// It depends on the table, so the server chooses.
    Open,
}

/// The first version of MySQL that drops columns, and adds them at any place, without copying, and
/// can recover from a crash afterwards. (8.0.29 could not, and was withdrawn.)
const INSTANT_ANYWHERE: u32 = 8_000_030;

/// The first version of MySQL that renames columns without copying.
const INSTANT_RENAME: u32 = 8_000_028;

/// The first version of MariaDB that copies a table while others write to it.
const ONLINE_COPY: u32 = 11_002_000;

impl Class {
    /// The class of two changes in one statement; `None` if one of them would become more expensive.
    pub(super) fn merged(self, other: Class) -> Option<Class> {
        if self == other {
            return Some(self);
        }
        match self.max(other) {
            Class::Rebuild if self.min(other) == Class::Virtual => None,
            class @ (Class::Copy | Class::Open | Class::Rebuild) => Some(class),
            Class::Instant | Class::Virtual | Class::NoCopy | Class::Shared => None,
        }
    }

    /// The words at the end of the statement.
    pub(super) fn asserted(self, flavor: Flavor) -> &'static str {
        match self {
            Class::Instant | Class::Virtual => ", ALGORITHM=INSTANT",
            Class::NoCopy if flavor.is_mariadb() => ", ALGORITHM=NOCOPY, LOCK=NONE",
            Class::NoCopy | Class::Rebuild => ", ALGORITHM=INPLACE, LOCK=NONE",
            Class::Shared => ", ALGORITHM=INPLACE, LOCK=SHARED",
            Class::Copy => ", ALGORITHM=COPY",
            Class::Open => "",
        }
    }

    pub(super) fn cost(self, table: &str, flavor: Flavor, facts: &Facts) -> Cost {
        let is_online = flavor.is_mariadb() && facts.version >= ONLINE_COPY;
        let (name, blocks, work) = match self {
            Class::Instant | Class::Virtual => {
                ("ALGORITHM=INSTANT", Blocks::Definitions, Work::None)
            }
            Class::NoCopy => ("LOCK=NONE", Blocks::Definitions, Work::IndexBuild),
            Class::Rebuild => ("LOCK=NONE", Blocks::Definitions, Work::Rewrite),
            Class::Shared => ("LOCK=SHARED", Blocks::Writes, Work::IndexBuild),
            Class::Copy if is_online => ("ALGORITHM=COPY", Blocks::Definitions, Work::Rewrite),
            Class::Copy => ("ALGORITHM=COPY", Blocks::Writes, Work::Rewrite),
            Class::Open => ("at most", Blocks::Writes, Work::Rewrite),
        };
        Cost::new(vec![(table.to_owned(), Lock { name, blocks })], work)
    }
}

/// A table that is dropped or renamed.
pub(super) fn of_table(table: &str) -> Cost {
    let lock = Lock { name: "metadata lock", blocks: Blocks::ReadsAndWrites };
    Cost::new(vec![(table.to_owned(), lock)], Work::None)
}

/// A statement that changes rows.
pub(super) fn of_rows() -> Cost {
    Cost::new(Vec::new(), Work::Rows)
}

/// What a change of a definition costs, with what it costs the nodes of a cluster.
pub(super) fn of_definition(cost: Option<Cost>, facts: &Facts) -> Option<Cost> {
    if !facts.blocks_cluster {
        return cost;
    }
    let cost = cost.unwrap_or_else(|| Cost::new(Vec::new(), Work::None));
    Some(Cost { blocks_cluster: true, ..cost })
}

/// A new column.
pub(super) fn add_column(
    flavor: Flavor,
    facts: &Facts,
    definition: &Definition,
    is_last: bool,
) -> Class {
    let default = definition.default.as_deref().filter(|default| default.starts_with('('));
    let is_evaluated =
        default.is_some_and(|default| !flavor.is_mariadb() || !constant::is_one(flavor, default));
    match &definition.generated {
        Some((_, true)) => Class::Copy,
        // It is not so on MariaDB where an index has another virtual column.
        Some((_, false)) if flavor.is_mariadb() && !is_last => Class::Open,
        Some((_, false)) => Class::Instant,
        None if definition.auto_increment => Class::Open,
        None if is_evaluated && flavor.is_mariadb() => Class::Open,
        None if is_evaluated => Class::Copy,
        None if is_last || flavor.is_mariadb() || facts.version >= INSTANT_ANYWHERE => {
            Class::Instant
        }
        None => Class::Rebuild,
    }
}

/// The end of a column.
pub(super) fn drop_column(flavor: Flavor, facts: &Facts) -> Class {
    if flavor.is_mariadb() || facts.version >= INSTANT_ANYWHERE {
        Class::Instant
    } else {
        Class::Rebuild
    }
}

/// Another name of a column.
pub(super) fn rename_column(flavor: Flavor, facts: &Facts) -> Class {
    if flavor.is_mariadb() || facts.version >= INSTANT_RENAME {
        Class::Instant
    } else {
        Class::NoCopy
    }
}

/// What is instant on MariaDB, and changes only the catalog on MySQL, too.
pub(super) fn small(flavor: Flavor) -> Class {
    if flavor.is_mariadb() { Class::Instant } else { Class::NoCopy }
}

/// A column with another definition.
pub(super) fn modify(flavor: Flavor, was: &Definition, to: &Definition) -> Class {
    let is_copied = [
        // MariaDB copies a table where a column has a check of its own, whatever changes.
        was.check != to.check || to.check.is_some(),
        was.auto_increment != to.auto_increment && !flavor.is_mariadb(),
        is_recomputed_by_copy(flavor, was, to),
    ];
    if is_copied.contains(&true) {
        return Class::Copy;
    }
    // MariaDB numbers the rows in a copy in which nobody else writes, whatever its version.
    let is_open = (&was.charset, &was.collate) != (&to.charset, &to.collate)
        || was.generated != to.generated
        || (to.auto_increment && !was.auto_increment);
    if is_open {
        return Class::Open;
    }
    // MariaDB gives a timestamp a value of its own for NULL, which it does only in a copy.
    let is_given_time = flavor.is_mariadb() && to.ty.starts_with("timestamp");
    let by_null = if was.nullable == to.nullable {
        Class::Instant
    } else if is_given_time && was.nullable {
        Class::Copy
    } else {
        Class::Rebuild
    };
    let by_type = if was.ty == to.ty { Class::Instant } else { retype(flavor, &was.ty, &to.ty) };
    by_null.max(by_type)
}

/// Whether all rows are copied when a column is computed in another way, or gets another type.
fn is_recomputed_by_copy(flavor: Flavor, was: &Definition, to: &Definition) -> bool {
    let (Some((_, was_stored)), Some((_, is_stored))) = (&was.generated, &to.generated) else {
        return false;
    };
    let is_same = was.generated == to.generated;
    match is_stored {
        _ if was_stored != is_stored => false,
        true => !is_same,
        false => was.ty != to.ty || (!is_same && !flavor.is_mariadb()),
    }
}

/// A column that is computed from one that gets another name or other values.
pub(super) fn recompute(flavor: Flavor, to: &Definition) -> Class {
    match &to.generated {
        Some((_, false)) if flavor.is_mariadb() => Class::Open,
        _ => Class::Copy,
    }
}

/// A column that takes the place of another one, which is dropped in the same statement.
pub(super) fn exchange(flavor: Flavor, facts: &Facts, was: &Definition, to: &Definition) -> Class {
    match (&was.generated, &to.generated) {
        (_, Some((_, true))) | (Some((_, false)), None) => Class::Copy,
        (Some((_, true)), None) if flavor.is_mariadb() => Class::Copy,
        (None, None) if to.auto_increment => Class::Open,
        (None, None) if to.check.is_some() && !to.nullable => Class::Open,
        (None, None) if to.nullable => drop_column(flavor, facts),
        (None, None) => Class::Rebuild,
        _ => Class::Open,
    }
}

/// Another type.
fn retype(flavor: Flavor, was: &str, to: &str) -> Class {
    let length =
        |ty: &str| -> Option<u32> { ty.strip_prefix("varchar(")?.strip_suffix(')')?.parse().ok() };
    if let (Some(was), Some(to)) = (length(was), length(to)) {
        // The length of a longer value takes two bytes.
        let is_wide = |length: u32| length * 4 > 255;
        if was <= to && is_wide(was) == is_wide(to) {
            return small(flavor);
        }
    }
    // More values at the end.
    let values = |ty: &str| ty.starts_with("enum(").then(|| ty.trim_end_matches(')').to_owned());
    if let (Some(was), Some(to)) = (values(was), values(to)) {
        // The number of a value takes two bytes from the 256th on.
        let is_wide = |values: &str| values.matches("','").count() >= 255;
        if to.starts_with(&format!("{was},")) && is_wide(&was) == is_wide(&to) {
            return Class::Instant;
        }
    }
    Class::Copy
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_longer_text_is_copied_only_if_its_length_takes_another_byte() {
        let class = |was, to| retype(Flavor::Mysql, was, to);
        assert_eq!(class("varchar(50)", "varchar(63)"), Class::NoCopy);
        assert_eq!(class("varchar(50)", "varchar(64)"), Class::Copy);
        assert_eq!(class("varchar(300)", "varchar(400)"), Class::NoCopy);
        assert_eq!(class("varchar(300)", "varchar(200)"), Class::Copy);
        assert_eq!(class("int", "bigint"), Class::Copy);
        assert_eq!(class("enum('a')", "enum('a','b')"), Class::Instant);
        assert_eq!(class("enum('a')", "enum('b','a')"), Class::Copy);
    }

    #[test]
    fn changes_are_one_statement_unless_one_of_them_gets_more_expensive() {
        assert_eq!(Class::Instant.merged(Class::Instant), Some(Class::Instant));
        assert_eq!(Class::Instant.merged(Class::NoCopy), None);
        assert_eq!(Class::Copy.merged(Class::Instant), Some(Class::Copy));
        assert_eq!(Class::NoCopy.merged(Class::Rebuild), Some(Class::Rebuild));
    }
}
