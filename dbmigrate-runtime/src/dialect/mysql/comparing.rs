//! Which spellings the servers treat as equal.

use super::flavor::Flavor;
use super::{MARIADB, MYSQL, types};
use crate::dialect::{Comparing, Facts};
use crate::folding::{Case, Folding};
use crate::schema::Type;

/// Names of columns, indexes and constraints fold; those of tables depend on the server.
pub(super) fn folding(facts: &Facts) -> Folding {
    let tables = if facts.folds_tables { Case::Ascii } else { Case::Exact };
    Folding { tables, others: Case::Ascii }
}

pub(super) fn comparing(flavor: Flavor, facts: &Facts) -> Comparing {
    let ty: fn(&Type) -> String = match flavor {
        Flavor::Mysql => |ty| types::shown(Flavor::Mysql, ty),
        Flavor::Mariadb => |ty| types::shown(Flavor::Mariadb, ty),
    };
    let default: fn(&str) -> String = match flavor {
        Flavor::Mysql => |sql| plain(Flavor::Mysql, sql),
        Flavor::Mariadb => |sql| plain(Flavor::Mariadb, sql),
    };
    Comparing {
        folding: folding(facts),
        lexicon: match flavor {
            Flavor::Mysql => &MYSQL,
            Flavor::Mariadb => &MARIADB,
        },
        names_checks: true,
        // Every primary key has the same name.
        names_primary_keys: false,
        shares_index_names: false,
        keeps_definitions: false,
        now_is_sessions: false,
        keeps_comments: true,
        ty,
        generates: "an AUTO_INCREMENT column",
        default,
    }
}

/// An expression without the character sets that MySQL writes before texts.
pub(super) fn plain(flavor: Flavor, sql: &str) -> String {
    let tokens = flavor.lexicon().significant(sql);
    let words: Vec<String> = tokens
        .iter()
        .filter(|token| !(token.text.starts_with("_utf8mb") || token.text == "_binary"))
        .map(|token| match token.kind {
            crate::sql::Kind::Word => token.text.to_ascii_lowercase(),
            _ => token.text.to_owned(),
        })
        .collect();
    words.join(" ")
}

/// Whether two expressions only differ in spellings that make no difference.
pub(super) fn is_plainly_same(flavor: Flavor, a: &str, b: &str) -> bool {
    let lexicon = flavor.lexicon();
    lexicon.same_expression(a, b) || lexicon.same_expression(&plain(flavor, a), &plain(flavor, b))
}
