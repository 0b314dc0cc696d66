//! The character sets and collations of tables and columns.

use super::flavor::{CHARSET, Flavor};
use crate::schema::{Column, Table};

/// The character set of bytes, and its collation.
pub(super) const BINARY: &str = "binary";

/// The collation of a character set that compares texts exactly.
fn exact(flavor: Flavor, charset: &str) -> String {
    match charset.to_ascii_lowercase().as_str() {
        CHARSET => flavor.collation().to_owned(),
        BINARY => BINARY.to_owned(),
        "utf8" => "utf8mb3_bin".to_owned(),
        charset => format!("{charset}_bin"),
    }
}

/// The character set of a collation.
pub(super) fn of(collation: &str) -> &str {
    match collation.split('_').next().unwrap_or_default() {
        // MariaDB's newer collations are those of several character sets.
        "uca1400" => CHARSET,
        "utf8" => "utf8mb3",
        charset => charset,
    }
}

/// The collation that a server leaves out beside a character set: the default one.
pub(super) fn default_of(charset: &str) -> String {
    let kind = match charset {
        BINARY => return charset.to_owned(),
        "utf8mb4" => "0900_ai_ci",
        "latin1" | "dec8" | "swe7" => "swedish_ci",
        "latin5" => "turkish_ci",
        "hp8" => "english_ci",
        "big5" | "gb2312" | "gbk" | "gb18030" => "chinese_ci",
        "ujis" | "sjis" | "cp932" | "eucjpms" => "japanese_ci",
        "euckr" => "korean_ci",
        "tis620" => "thai_ci",
        _ => "general_ci",
    };
    format!("{charset}_{kind}")
}

/// The collation of a table's texts.
pub(super) fn of_table(flavor: Flavor, table: &Table) -> String {
    match (&table.collation, &table.charset) {
        (Some(collation), _) => collation.clone(),
        (None, Some(charset)) => exact(flavor, charset),
        (None, None) => flavor.collation().to_owned(),
    }
}

/// The collation of a column's texts.
pub(super) fn of_column(flavor: Flavor, table: &Table, column: &Column) -> String {
    match (&column.collation, &column.charset) {
        (Some(collation), _) => collation.clone(),
        (None, Some(charset)) => exact(flavor, charset),
        (None, None) => of_table(flavor, table),
    }
}

/// How many bytes a character takes at most.
pub(super) fn bytes_per_character(collation: &str) -> u32 {
    match of(&collation.to_ascii_lowercase()) {
        "utf8mb4" | "utf16" | "utf16le" | "utf32" | "gb18030" => 4,
        "utf8mb3" | "ujis" | "eucjpms" => 3,
        "ucs2" | "gbk" | "sjis" | "cp932" | "big5" | "euckr" | "gb2312" => 2,
        _ => 1,
    }
}

/// Whether a character set has all characters.
pub(super) fn has_all(charset: &str) -> bool {
    bytes_per_character(charset) == 4
}

/// The storage engine that most of what is known here is about, and that tables have by default.
pub(super) const INNODB: &str = "InnoDB";

/// The storage engine of a table.
pub(super) fn engine(table: &Table) -> &str {
    table.engine.as_deref().unwrap_or(INNODB)
}

/// Whether a table has the usual storage engine.
pub(super) fn is_innodb(table: &Table) -> bool {
    engine(table).eq_ignore_ascii_case(INNODB)
}
