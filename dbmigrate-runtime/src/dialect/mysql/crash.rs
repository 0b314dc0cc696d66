//! What MariaDB loses when it stops in the middle of a change of a table.
//!
//! A change is done or not, also after a crash, but a foreign key that the table had before may be
//! gone, where its rows were copied. (Seen on 10.11 in one of fifty crashes while
//! `ALTER TABLE ... ADD CONSTRAINT ... FOREIGN KEY ..., ALGORITHM=COPY` ran.)

use super::flavor::{Flavor, quote};
use super::parse;
use crate::sql::Token;

/// The table that a statement changes, if it may lose something.
pub(super) fn table(flavor: Flavor, sql: &str) -> Option<String> {
    let tokens = flavor.lexicon().significant(sql);
    let copies_no_rows = |asserted: &[Token<'_>]| {
        asserted[0].is_word("ALGORITHM")
            && asserted[1].is_symbol("=")
            && ["INSTANT", "NOCOPY"].iter().any(|class| asserted[2].is_word(class))
    };
    match tokens.as_slice() {
        [alter, table, name, ..]
            if flavor == Flavor::Mariadb
                && alter.is_word("ALTER")
                && table.is_word("TABLE")
                && !tokens.windows(3).any(copies_no_rows) =>
        {
            name.identifier().map(|name| name.into_owned())
        }
        _ => None,
    }
}

/// Whether a table with this definition may lose something.
pub(super) fn is_at_risk(flavor: Flavor, definition: &str) -> bool {
    parse::parse(flavor, definition).is_some_and(|parsed| !parsed.foreign_keys.is_empty())
}

/// The statements that add the foreign keys which a table had before, and doesn't have now, and
/// which the statement doesn't name.
pub(super) fn missing(flavor: Flavor, sql: &str, before: &str, now: &str) -> Vec<String> {
    let Some(table) = table(flavor, sql) else { return Vec::new() };
    // A text may have several definitions, which begin on lines of their own.
    let definitions = before.split("\nCREATE TABLE ").enumerate().map(|(idx, rest)| match idx {
        0 => rest.to_owned(),
        _ => format!("CREATE TABLE {rest}"),
    });
    let parsed = |text: &str| parse::parse(flavor, text);
    let was = definitions.filter_map(|text| Some((parsed(&text)?, text)));
    let Some((was, text)) = was.into_iter().find(|(was, _)| was.name == table) else {
        return Vec::new();
    };
    let now = parsed(now).unwrap_or_default();
    let is_there = |name: &str| now.foreign_keys.iter().any(|key| key.name == name);
    let tokens = flavor.lexicon().significant(sql);
    let is_named = |name: &str| tokens.iter().any(|token| token.is_name(name));
    let names = was.foreign_keys.iter().map(|key| key.name.as_str());
    let lost = names.filter(|name| !is_there(name) && !is_named(name));
    let added = |name: &str| {
        let lines = text.lines().map(|line| line.trim().trim_end_matches(','));
        let is_its = |line: &str| {
            let tokens = flavor.lexicon().significant(line);
            matches!(tokens.as_slice(), [constraint, own, foreign, ..]
                if constraint.is_word("CONSTRAINT") && foreign.is_word("FOREIGN")
                    && own.is_name(name))
        };
        let line = lines.into_iter().find(|line| is_its(line))?;
        Some(format!("ALTER TABLE {} ADD {line}", quote(&table)))
    };
    lost.filter_map(added).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    const BEFORE: &str = "CREATE TABLE `post` (\n  `id` bigint(20) NOT NULL\n) ENGINE=InnoDB\n\
        CREATE TABLE `label` (\n  `id` bigint(20) NOT NULL,\n  `post_id` bigint(20) NOT NULL,\n  \
        KEY `fk_a` (`post_id`),\n  \
        CONSTRAINT `fk_a` FOREIGN KEY (`post_id`) REFERENCES `post` (`id`) ON DELETE CASCADE,\n  \
        CONSTRAINT `fk_b` FOREIGN KEY (`id`) REFERENCES `post` (`id`)\n) ENGINE=InnoDB";
    const NOW: &str = "CREATE TABLE `label` (\n  `id` bigint(20) NOT NULL,\n  \
        `post_id` bigint(20) NOT NULL,\n  KEY `fk_a` (`post_id`),\n  \
        CONSTRAINT `fk_c` FOREIGN KEY (`id`) REFERENCES `post` (`id`)\n) ENGINE=InnoDB";

    #[test]
    fn foreign_keys_that_a_crash_lost_are_added_again() {
        let lost = |sql: &str| missing(Flavor::Mariadb, sql, BEFORE, NOW);
        let a = "ALTER TABLE `label` ADD CONSTRAINT `fk_a` FOREIGN KEY (`post_id`) REFERENCES \
                 `post` (`id`) ON DELETE CASCADE";
        let b =
            "ALTER TABLE `label` ADD CONSTRAINT `fk_b` FOREIGN KEY (`id`) REFERENCES `post` (`id`)";
        assert_eq!(lost("ALTER TABLE `label` ADD CONSTRAINT `fk_c` CHECK (id > 0)"), [a, b]);
        // Nothing is lost where no row is copied.
        assert_eq!(lost("ALTER TABLE `label` ADD COLUMN a INT, ALGORITHM=INSTANT"), [""; 0]);
        // What it was to drop is not lost.
        assert_eq!(lost("ALTER TABLE `label` DROP FOREIGN KEY `fk_b`"), [a]);
        assert_eq!(lost("ALTER TABLE `post` ADD COLUMN a INT"), [""; 0]);
        assert_eq!(lost("CREATE TABLE `label` (`id` INT)"), [""; 0]);
        // MySQL keeps its dictionary in transactions.
        let sql = "ALTER TABLE `label` ADD COLUMN a INT";
        assert_eq!(missing(Flavor::Mysql, sql, BEFORE, NOW), [""; 0]);
    }
}
