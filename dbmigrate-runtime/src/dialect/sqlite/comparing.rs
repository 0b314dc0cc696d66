//! Which spellings SQLite treats as equal.

use crate::dialect::Comparing;
use crate::dialect::sqlite::lexicon::LEXICON;
use crate::folding::{Folding, NameRules};
use crate::sql::{Kind, quote_text};

pub(super) const COMPARING: Comparing = Comparing {
    folding: Folding::ASCII,
    lexicon: LEXICON,
    names_checks: false,
    names_primary_keys: false,
    shares_index_names: true,
    keeps_definitions: true,
    now_is_sessions: true,
    keeps_comments: false,
    ty: ToString::to_string,
    generates: "AUTOINCREMENT",
    default,
};

/// An ordinary table has the row's number under these names.
pub(super) const NAMES: NameRules = NameRules {
    folding: Folding::ASCII,
    lexicon: LEXICON,
    hidden_columns: &["rowid", "oid", "_rowid_"],
};

/// A normalised default: the words `TRUE` and `FALSE` are 1 and 0, and any other single name is a
/// text.
fn default(sql: &str) -> String {
    let sql = LEXICON.unparenthesised(sql);
    let tokens = LEXICON.significant(sql);
    let [token] = tokens.as_slice() else { return sql.to_owned() };
    match token.kind {
        Kind::Quoted => token.unquoted().map_or_else(|| sql.to_owned(), |name| quote_text(&name)),
        Kind::Word if token.is_word("TRUE") => "1".to_owned(),
        Kind::Word if token.is_word("FALSE") => "0".to_owned(),
        Kind::Word if !LEXICON.is_reserved(sql) && !LEXICON.is_value(sql) => quote_text(sql),
        _ => sql.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::{LEXICON, default};

    #[test]
    fn defaults_that_sqlite_reads_alike_are_alike() {
        let same = |a: &str, b: &str| LEXICON.same_expression(&default(a), &default(b));
        assert!(same("true", "1"));
        assert!(same("\"\"", "''"));
        assert!(same("word", "'word'"));
        assert!(same("current_timestamp", "CURRENT_TIMESTAMP"));
        assert!(!same("'0'", "0"));
        assert!(!same("'TRUE'", "1"));
        assert!(!same("'current_date'", "current_date"));
        assert!(!same("'A'", "'a'"));
    }
}
