//! Tables of which a change would lose or break something that no schema represents.

use super::class::Class;
use super::clause::Clause;
use super::column::Definition;
use super::effect::Effect;
use super::flavor::quote;
use super::parse::{self, ColumnPart, KeyPart, Parsed};
use super::planner::Planner;
use crate::dialect::Refusal;
use crate::operations::Operation;

/// The options that a table keeps when it is changed, whatever their values.
const KEPT: [&str; 24] = [
    "AUTO_INCREMENT",
    "AVG_ROW_LENGTH",
    "CHARSET",
    "CHECKSUM",
    "COLLATE",
    "COMMENT",
    "COMPRESSION",
    "DELAY_KEY_WRITE",
    "ENCRYPTED",
    "ENCRYPTION",
    "ENCRYPTION_KEY_ID",
    "ENGINE",
    "KEY_BLOCK_SIZE",
    "MAX_ROWS",
    "MIN_ROWS",
    "PACK_KEYS",
    "PAGE_CHECKSUM",
    "PAGE_COMPRESSED",
    "PAGE_COMPRESSION_LEVEL",
    "ROW_FORMAT",
    "STATS_AUTO_RECALC",
    "STATS_PERSISTENT",
    "STATS_SAMPLE_PAGES",
    "TRANSACTIONAL",
];

/// What a change does to a table that isn't understood as a whole.
const UNSAFE: &str = "and no change of such a table is known to be safe";

/// What to do instead of a change that is refused.
const BY_HAND: &str = "write the change by hand: `op.execute(\"ALTER TABLE ...\").describes(...)`";

/// What happens to something that a change drops and creates again.
const LOST: &str = "which it would lose when the change creates it again";

/// What a table has that a change isn't known to keep.
fn unkept(parsed: &Parsed) -> Option<String> {
    let is_kept = |words: &&String| words.to_ascii_uppercase().starts_with("PARTITION BY ");
    if let Some(words) = parsed.unknown.iter().find(|words| !is_kept(words)) {
        return Some(words.clone());
    }
    let option = parsed.options.iter().find(|(name, _)| !KEPT.contains(&name.as_str()));
    option.map(|(name, value)| format!("{name}={value}"))
}

impl Planner<'_> {
    /// The table as the database has it, by the name that it has at this place of the plan; `None`
    /// without a database, and for a table of this plan.
    pub(super) fn existing(&self, table: &str) -> Option<&Parsed> {
        self.definitions.get(table).filter(|_| !self.created.contains(table))
    }

    fn by_hand(&self, idx: usize, what: &str, words: &str, why: &str) -> Refusal {
        self.ddl(idx).refuse(&format!("{what} has `{words}`, {why}"), BY_HAND)
    }

    /// What has the table's name, and isn't read as a table.
    fn unread(&self, idx: usize, table: &str, sql: &str) -> Refusal {
        if parse::is_view(self.flavor, sql) {
            let hint = "the database differs from what the migrations build: `cargo dbmigrate \
                        check` lists the differences";
            return self.ddl(idx).refuse(&format!("`{table}` is a view in the database"), hint);
        }
        let why = format!("the definition of table `{table}` can't be read, {UNSAFE}");
        self.ddl(idx).refuse(&why, BY_HAND)
    }

    /// Refuses to change a table that isn't understood as a whole.
    pub(super) fn can_be_altered(&self, idx: usize, table: &str) -> Result<(), Refusal> {
        let leaves_columns = matches!(
            self.operations[idx],
            Operation::DropTable { .. }
                | Operation::RenameTable { .. }
                | Operation::BulkInsert { .. }
        );
        let Some(parsed) = self.existing(table).filter(|_| !leaves_columns) else {
            return Ok(());
        };
        if let Some(sql) = &parsed.unread {
            return Err(self.unread(idx, table, sql));
        }
        let Some(words) = unkept(parsed) else { return Ok(()) };
        Err(self.by_hand(idx, &format!("table `{table}`"), &words, UNSAFE))
    }

    /// A column as the server has it at this place of the plan, where that is known. What isn't
    /// understood of it would be lost in a new definition.
    pub(super) fn own(
        &self,
        idx: usize,
        table: &str,
        column: &str,
    ) -> Result<Option<Definition>, Refusal> {
        let own = self.existing(table).and_then(|parsed| parsed.column(column));
        let Some(ColumnPart { definition, unknown, is_outdated, .. }) = own else {
            return Ok(None);
        };
        if !unknown.is_empty() {
            let what = format!("column `{column}` of table `{table}`");
            let why = "which a new definition would lose";
            return Err(self.by_hand(idx, &what, &unknown.join(" "), why));
        }
        Ok(Some(definition).filter(|_| !is_outdated).cloned())
    }

    /// What a column's definition becomes if the declared one changes like this: whatever the
    /// server has beyond that stays.
    pub(super) fn whole(
        &self,
        idx: usize,
        (table, column): (&str, &str),
        [was, to]: [&Definition; 2],
    ) -> Result<Definition, Refusal> {
        Ok(match self.own(idx, table, column)? {
            Some(own) => own.changed(was, to),
            None => to.clone(),
        })
    }

    /// `MODIFY COLUMN`, whose definition later changes of this plan start from.
    pub(super) fn modify_column(
        &mut self,
        table: &str,
        column: &str,
        to: &Definition,
        class: Class,
    ) -> Clause {
        self.set_own(table, column, to);
        let sql = format!("MODIFY COLUMN {} {}", quote(column), to.sql());
        Clause::new(sql, class, column, Effect::Unseen)
    }

    /// Takes note of the definition that a column gets.
    pub(super) fn set_own(&mut self, table: &str, column: &str, to: &Definition) {
        if let Some(part) = self.own_part(table, column) {
            part.definition = to.clone();
            part.is_outdated = false;
        }
    }

    /// Takes note of a column's new name. What the server then writes in other texts isn't known.
    pub(super) fn rename_own(&mut self, table: &str, from: &str, to: &str) {
        let lexicon = self.flavor.lexicon();
        let parsed = self.definitions.get_mut(table);
        for part in parsed.into_iter().flat_map(|parsed| &mut parsed.columns) {
            let Definition { default, generated, check, .. } = &part.definition;
            let mut texts =
                default.iter().chain(check).chain(generated.as_ref().map(|(text, _)| text));
            part.is_outdated |= texts.any(|text| lexicon.mentions(text, from));
            if part.name.eq_ignore_ascii_case(from) {
                to.clone_into(&mut part.name);
            }
        }
    }

    /// Forgets a column that is dropped.
    pub(super) fn drop_own(&mut self, table: &str, column: &str) {
        if let Some(parsed) = self.definitions.get_mut(table) {
            parsed.columns.retain(|part| !part.name.eq_ignore_ascii_case(column));
        }
    }

    /// Takes note of somebody's statement. What an `ALTER TABLE` does to the columns that it names
    /// isn't known, nor what a character set does to all of them.
    pub(super) fn outdate(&mut self, sql: &str) {
        let lexicon = self.flavor.lexicon();
        let tokens = lexicon.tokens(sql);
        let mut words = tokens.iter().filter(|token| token.is_significant());
        if !words.next().is_some_and(|first| first.is_word("ALTER")) {
            return;
        }
        let of_texts = ["CONVERT", "CHARACTER", "CHARSET", "COLLATE"];
        let is_recoded = words.any(|word| of_texts.iter().any(|known| word.is_word(known)));
        let named = self.definitions.iter_mut().filter(|(name, _)| lexicon.mentions(sql, name));
        for part in named.flat_map(|(_, parsed)| &mut parsed.columns) {
            part.is_outdated |= is_recoded || lexicon.mentions(sql, &part.name);
        }
    }

    /// A column that the server has.
    pub(super) fn own_part(&mut self, table: &str, column: &str) -> Option<&mut ColumnPart> {
        let mut columns = self.definitions.get_mut(table)?.columns.iter_mut();
        columns.find(|part| part.name.eq_ignore_ascii_case(column))
    }

    /// Drops an index that the same change creates again.
    pub(super) fn set_index_aside(
        &mut self,
        idx: usize,
        table: &str,
        name: &str,
    ) -> Result<Clause, Refusal> {
        let parsed = self.existing(table);
        let own = parsed.and_then(|parsed| parsed.keys.iter().find(|key| key.name == name));
        if let Some(words) = own.and_then(KeyPart::words) {
            let what = format!("index `{name}` of table `{table}`");
            return Err(self.by_hand(idx, &what, &words, LOST));
        }
        Ok(self.drop_index(table, name))
    }

    /// Drops a check that the same change creates again.
    pub(super) fn set_check_aside(
        &self,
        idx: usize,
        table: &str,
        name: &str,
    ) -> Result<Clause, Refusal> {
        let parsed = self.existing(table);
        let own = parsed.and_then(|parsed| parsed.checks.iter().find(|own| own.name == name));
        if own.is_some_and(|check| !check.is_enforced) {
            let what = format!("check `{name}` of table `{table}`");
            return Err(self.by_hand(idx, &what, "NOT ENFORCED", LOST));
        }
        Ok(self.drop_check(table, name))
    }
}

#[cfg(test)]
mod tests {
    use expect_test::expect;

    use crate::dialect::mysql::Mysql;
    use crate::dialect::mysql::flavor::Flavor;
    use crate::dialect::{Dialect as _, Facts};
    use crate::operations::{Operation, Operations};
    use crate::schema::{Column, Schema, Table, Type};

    /// What a server answers to `SHOW CREATE TABLE` that is no table, and what becomes of changes.
    fn planned(shown: &str, change: impl FnOnce(&mut Operations)) -> String {
        let mysql = Mysql(Flavor::Mysql);
        let mut schema = Schema::default();
        let table = Table::new("t").column(Column::new("id", Type::Integer).not_null());
        Operation::CreateTable(table).apply(&mut schema).expect("a table");
        let operations = Operations::record(change);
        let mut facts = Facts::new(8_000_023, true);
        facts.existing.definitions = vec![("t".to_owned(), shown.to_owned())];
        match mysql.plan(&operations, &mut schema, &facts) {
            Ok(plan) => plan.tasks.iter().rev().find_map(|task| task.sql()).unwrap().to_owned(),
            Err(refusal) => format!("{}\n  hint: {}", refusal.message, refusal.hint.unwrap()),
        }
    }

    #[test]
    fn what_is_not_read_as_a_table_is_not_altered() {
        let add = |op: &mut Operations| {
            op.add_column("t", Column::new("a", Type::Integer));
        };
        let view = "CREATE DEFINER=`a`@`b` VIEW `t` AS select length('x') AS `id`";
        let shown = [view, "CREATE SEQUENCE `t` START WITH 1", "CREATE EXTERNAL TABLE `t` (`id"];
        let mut seen: Vec<String> = shown.iter().map(|shown| planned(shown, add)).collect();
        seen.push(planned(shown[1], |op| op.drop_table("t")));
        seen.push(planned(shown[1], |op| op.rename_table("t", "u")));
        seen.push(planned(shown[1], |op| {
            op.bulk_insert("t", ["id"]).row((1,));
        }));
        expect![[r#"
            cannot add column `a` to table `t` on MySQL: `t` is a view in the database
              hint: the database differs from what the migrations build: `cargo dbmigrate check` lists the differences
            cannot add column `a` to table `t` on MySQL: the definition of table `t` can't be read, and no change of such a table is known to be safe
              hint: write the change by hand: `op.execute("ALTER TABLE ...").describes(...)`
            cannot add column `a` to table `t` on MySQL: the definition of table `t` can't be read, and no change of such a table is known to be safe
              hint: write the change by hand: `op.execute("ALTER TABLE ...").describes(...)`
            DROP TABLE `t`
            RENAME TABLE `t` TO `u`
            INSERT INTO `t` (`id`) VALUES
                (1)"#]].assert_eq(&seen.join("\n"));
    }
}
