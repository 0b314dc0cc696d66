//! How many bytes keys and rows take, and how many there may be.
//!
//! The limits are those of InnoDB with its default pages of 16 KiB, tried out on MySQL 9.7, MariaDB
//! 10.11 and 11.8. What isn't known of a type counts nothing, so that nothing is refused that a
//! server would accept.

use std::cmp::Reverse;

use super::flavor::Flavor;
use super::types::{self, Words};
use super::{charset, keys};
use crate::schema::{Column, Index, IndexColumn, IndexTerm, Table};

/// How many bytes a key has.
pub(super) const KEY: u32 = 3072;

/// How many bytes a row has, as the server counts them.
const ROW: u32 = 65_535;

/// How many bytes of a row fit on a page, of which two have to fit.
const PAGE: u32 = 8126;

/// How many columns a table has.
const COLUMNS: usize = 1017;

/// How many keys a table has.
const KEYS: usize = 64;

/// What a column takes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Width {
    /// In a key, all of its values.
    key: u32,
    /// In a row, as the server counts.
    row: u32,
    /// On the page of a row, at most.
    page: u32,
}

/// A value of always the same length.
fn fixed(bytes: u32) -> Width {
    Width { key: bytes, row: bytes, page: bytes }
}

/// A value of up to a length, of which a long one can be stored outside of the row's page.
fn variable(flavor: Flavor, bytes: u32, row: u32) -> Width {
    // Where MySQL expects that a long value is moved out, MariaDB knows that one of up to 255 bytes
    // never is.
    let inside =
        if flavor.is_mariadb() { if bytes > 255 { 20 } else { bytes } } else { bytes.min(40) };
    Width { key: bytes, row, page: inside + 1 }
}

/// A value that is outside of the row, where `length` is the size of its length.
fn outside(flavor: Flavor, length: u32) -> Width {
    let inside = if flavor.is_mariadb() { 20 } else { 40 };
    Width { key: u32::MAX, row: 8 + length, page: inside + 1 }
}

/// The bytes of a number's digits before or after the point.
fn digits(digits: u32) -> u32 {
    digits / 9 * 4 + [0, 1, 1, 2, 2, 3, 3, 4, 4][digits as usize % 9]
}

fn width(flavor: Flavor, table: &Table, column: &Column) -> Option<Width> {
    let declared = types::type_name(flavor, &column.ty).ok()?;
    let words = Words::of(flavor, &declared)?;
    let collation = charset::of_column(flavor, table, column);
    let character = charset::bytes_per_character(&collation);
    let number = |at: usize| words.numbers.get(at).copied();
    let fraction = number(0).unwrap_or(0).div_ceil(2);
    let length = |bytes: u32| if bytes > 255 { bytes.saturating_add(2) } else { bytes + 1 };
    Some(match words.name.as_str() {
        "tinyint" | "year" => fixed(1),
        "smallint" => fixed(2),
        "mediumint" | "date" => fixed(3),
        "int" | "float" | "inet4" => fixed(4),
        "bigint" | "double" => fixed(8),
        "decimal" => {
            let (precision, scale) = (number(0)?, number(1)?);
            fixed(digits(precision.saturating_sub(scale)) + digits(scale))
        }
        "time" => fixed(3 + fraction),
        "timestamp" => fixed(4 + fraction),
        "datetime" => fixed(5 + fraction),
        "bit" => fixed(number(0)?.div_ceil(8)),
        "enum" => fixed(if words.texts.len() > 255 { 2 } else { 1 }),
        "set" => fixed(match words.texts.len().div_ceil(8) as u32 {
            bytes @ 0..=4 => bytes.max(1),
            _ => 8,
        }),
        "uuid" | "inet6" => fixed(16),
        "binary" => fixed(number(0)?),
        "varbinary" => variable(flavor, number(0)?, length(number(0)?)),
        "char" if character == 1 => fixed(number(0)?),
        "char" => {
            let bytes = number(0)?.saturating_mul(character);
            variable(flavor, bytes, bytes)
        }
        "varchar" => {
            let bytes = number(0)?.saturating_mul(character);
            variable(flavor, bytes, length(bytes))
        }
        "tinytext" | "tinyblob" => outside(flavor, 1),
        "text" | "blob" => outside(flavor, 2),
        "mediumtext" | "mediumblob" => outside(flavor, 3),
        "longtext" | "longblob" | "json" => outside(flavor, 4),
        _ => return None,
    })
}

/// How many bytes of a key a column takes. What is not known of it counts nothing.
pub(super) fn in_key(flavor: Flavor, table: &Table, name: &str) -> u32 {
    let column = table.find_column(name);
    column.and_then(|column| width(flavor, table, column)).map_or(0, |width| width.key)
}

/// How many bytes the key over these columns takes.
pub(super) fn of_key<'n>(
    flavor: Flavor,
    table: &Table,
    columns: impl IntoIterator<Item = &'n String>,
) -> u32 {
    columns.into_iter().map(|name| in_key(flavor, table, name)).fold(0, u32::saturating_add)
}

/// Why a key of this size is too large for its columns, and the largest of them; `None` if it fits.
pub(super) fn too_long(
    flavor: Flavor,
    table: &Table,
    what: &str,
    parts: &[(&String, u32)],
) -> Option<(String, String)> {
    if !charset::is_innodb(table) {
        return None;
    }
    let title = flavor.title();
    let n_parts = parts_of(flavor);
    if parts.len() > n_parts {
        let why = format!(
            "{what} has {} columns, and a key of {title} has at most {n_parts}",
            parts.len()
        );
        return Some((why, "leave columns out of the key".to_owned()));
    }
    let bytes = parts.iter().map(|(_, bytes)| *bytes).fold(0, u32::saturating_add);
    if bytes <= KEY {
        return None;
    }
    let (largest, most) = parts.iter().min_by_key(|(_, bytes)| Reverse(*bytes))?;
    let why = format!(
        "{what} takes up to {bytes} bytes, {most} of them for column `{largest}`, and a key of \
         {title} has at most {KEY} bytes"
    );
    let hint = format!(
        "give its texts a smaller `length`, or leave `{largest}` out: each character takes 4 bytes"
    );
    Some((why, hint))
}

/// How many columns a key has.
fn parts_of(flavor: Flavor) -> usize {
    if flavor.is_mariadb() { 32 } else { 16 }
}

/// Why no table can be like this, and what to do; `None` if its rows fit.
pub(super) fn misfit(flavor: Flavor, table: &Table) -> Option<(String, String)> {
    let title = flavor.title();
    if !charset::is_innodb(table) {
        return None;
    }
    if table.columns.len() > COLUMNS {
        let why = format!(
            "it has {} columns, and a table of {title} has at most {COLUMNS}",
            table.columns.len()
        );
        return Some((why, "move columns to another table".to_owned()));
    }
    let n_keys = usize::from(table.primary_key.is_some())
        + table.uniques.len()
        + table.indexes.len()
        + keys::without_index(table).count();
    if n_keys > KEYS {
        let why = format!(
            "it has {n_keys} keys and indexes, those of foreign keys included, and a table of \
             {title} has at most {KEYS}"
        );
        return Some((why, "drop the indexes that aren't used".to_owned()));
    }
    let is_virtual = |column: &Column| column.generated.as_ref().is_some_and(|own| !own.stored);
    let stored: Vec<(&Column, Width)> = table
        .columns
        .iter()
        .filter_map(|column| Some((column, width(flavor, table, column)?)))
        .collect();
    let n_nullable = |of: &mut dyn Iterator<Item = &Column>| {
        let n_nullable = of.filter(|column| is_nullable(table, column)).count();
        u32::try_from(n_nullable.div_ceil(8)).unwrap_or(u32::MAX)
    };
    let row = stored
        .iter()
        .map(|(_, width)| width.row)
        .fold(n_nullable(&mut table.columns.iter()), u32::saturating_add);
    if row > ROW {
        let (largest, width) = stored.iter().min_by_key(|(_, width)| Reverse(width.row))?;
        let why = format!(
            "a row would take up to {row} bytes, {} of them for column `{}`, and {title} has at most \
             {ROW}",
            width.row, largest.name
        );
        let hint = format!(
            "give `{}` a smaller `length`, or none: a text without a limit takes 12 bytes",
            largest.name
        );
        return Some((why, hint));
    }
    let mut real = table.columns.iter().filter(|column| !is_virtual(column));
    // The head of a record, and what InnoDB adds to a row.
    let head = 5 + 6 + 7 + if table.primary_key.is_some() { 0 } else { 6 } + n_nullable(&mut real);
    let stored: Vec<_> = stored.into_iter().filter(|(column, _)| !is_virtual(column)).collect();
    let page = stored.iter().map(|(_, width)| width.page).fold(head, u32::saturating_add);
    if page < PAGE {
        return None;
    }
    let (largest, width) = stored.iter().min_by_key(|(_, width)| Reverse(width.page))?;
    let why = format!(
        "a row would take up to {page} bytes on its page, {} of them for column `{}`, and {title} \
         has less than {PAGE}",
        width.page, largest.name
    );
    // A text of up to 255 bytes is always on the page on MariaDB, and a longer one need not be.
    let is_short =
        flavor.is_mariadb() && width.page > 21 && width.key.checked_add(1) == Some(width.page);
    let hint = if is_short {
        "give short texts 64 characters or more, `#[model(length = 64)]`, which MariaDB can store \
         outside of the page; or move columns to another table"
    } else {
        "move columns to another table"
    };
    Some((why, hint.to_owned()))
}

/// Whether a column can be NULL: not in a primary key.
fn is_nullable(table: &Table, column: &Column) -> bool {
    let in_key = table.primary_key.as_ref().is_some_and(|key| key.columns.contains(&column.name));
    column.nullable && !in_key
}

/// Whether MariaDB can keep a unique constraint over these columns only by a hash.
pub(super) fn is_hashed(flavor: Flavor, table: &Table, columns: &[String]) -> bool {
    flavor.is_mariadb() && charset::is_innodb(table) && of_key(flavor, table, columns) > KEY
}

/// How many bytes of an index each of its columns takes. A part of the values has its length in
/// characters, or in bytes for bytes.
pub(super) fn parts<'i>(flavor: Flavor, table: &Table, index: &'i Index) -> Vec<(&'i String, u32)> {
    let part = |key: &'i IndexColumn| {
        let IndexTerm::Column(name) = &key.term else { return None };
        let whole = in_key(flavor, table, name);
        let Some(prefix) = key.prefix else { return Some((name, whole)) };
        let column = table.find_column(name)?;
        let character = if types::is_collated(flavor, &column.ty) {
            charset::bytes_per_character(&charset::of_column(flavor, table, column))
        } else {
            1
        };
        Some((name, whole.min(prefix.saturating_mul(character))))
    };
    index.columns.iter().filter_map(part).collect()
}

/// The columns of an index.
pub(super) fn columns_of(index: &Index) -> Vec<&String> {
    let names = index.columns.iter().map(|key| match &key.term {
        IndexTerm::Column(name) => Some(name),
        IndexTerm::Expression(_) => None,
    });
    names.flatten().collect()
}
