//! Warnings about numbers that a database stores, and so compares, as text.

use std::collections::{BTreeMap, BTreeSet};

use dbmigrate_runtime::engine::dialect::Dialect;
use dbmigrate_runtime::engine::recording;
use dbmigrate_runtime::engine::sql::Lexicon;
use dbmigrate_runtime::operations::Operation;
use dbmigrate_runtime::schema::{Column, Index, IndexTerm, Schema, Table, TableOption};

/// The keys, indexes and checks of a new revision that compare numbers as text, one warning per
/// column.
pub fn warnings(dialect: &dyn Dialect, before: &Schema, operations: &[Operation]) -> Vec<String> {
    let mut after = before.clone();
    if recording::replay(&mut after, operations).is_err() {
        // This is reported elsewhere.
        return Vec::new();
    }
    let known = compared(dialect, before);
    let new = compared(dialect, &after).into_iter().filter_map(|(place, mut column)| {
        if let Some(known) = known.get(&place) {
            column.by.retain(|object| !known.by.contains(object));
        }
        (!column.by.is_empty()).then(|| column.warning(dialect, &place))
    });
    new.collect()
}

/// A column whose numbers are compared as text.
struct Compared {
    name: String,
    ty: String,
    is_strict: bool,
    /// The objects that compare it.
    by: BTreeSet<String>,
}

/// The columns of a schema that are compared as text, by table and name.
fn compared(dialect: &dyn Dialect, schema: &Schema) -> BTreeMap<String, Compared> {
    let mut found = BTreeMap::new();
    for table in schema.tables.values() {
        let numbers = table.columns.iter();
        for column in numbers.filter(|column| dialect.keeps_number_as_text(table, column)) {
            let compared = Compared {
                name: column.name.clone(),
                ty: column.ty.to_string(),
                is_strict: table.has(TableOption::Strict),
                by: objects(table, column, dialect.lexicon()),
            };
            found.insert(format!("{}.{}", table.name, column.name), compared);
        }
    }
    found
}

/// The objects of the table that compare the column.
fn objects(table: &Table, column: &Column, lexicon: &'static Lexicon) -> BTreeSet<String> {
    let has = |columns: &[String]| columns.contains(&column.name);
    // An expression with a cast was written with this in mind.
    let casts = |sql: &str| lexicon.tokens(sql).iter().any(|token| token.is_word("CAST"));
    let compares = |sql: &str| !casts(sql) && is_more_than_an_operand(sql, &column.name, lexicon);
    let covers = |index: &Index| {
        index.filter.as_deref().is_some_and(compares)
            || index.columns.iter().any(|part| match &part.term {
                IndexTerm::Column(name) => *name == column.name,
                IndexTerm::Expression(sql) => compares(sql),
            })
    };
    let mut objects = BTreeSet::new();
    if table.primary_key.as_ref().is_some_and(|key| has(&key.columns)) {
        objects.insert("the primary key".to_owned());
    }
    let uniques = table.uniques.iter().filter(|unique| has(&unique.columns));
    objects.extend(uniques.map(|unique| format!("unique constraint `{}`", unique.name)));
    let own_indexes = table.indexes.iter().filter(|index| covers(index));
    objects.extend(own_indexes.map(|index| format!("index `{}`", index.name)));
    let checks = table.checks.iter().filter(|check| compares(&check.expression));
    objects.extend(checks.map(|check| format!("check `{}`", check.name)));
    objects
}

/// Whether an expression uses a column elsewhere than in arithmetic, for which a text is made a
/// number.
fn is_more_than_an_operand(sql: &str, column: &str, lexicon: &'static Lexicon) -> bool {
    let tokens = lexicon.significant(sql);
    let is_arithmetic =
        |idx: usize| ["+", "-", "*", "/", "%"].iter().any(|sign| tokens[idx].is_symbol(sign));
    let is_rounded = |idx: usize| {
        let call = tokens.get(idx.wrapping_sub(2)).zip(tokens.get(idx.wrapping_sub(1)));
        call.is_some_and(|(function, open)| {
            open.is_symbol("(") && ["abs", "round"].iter().any(|name| function.is_word(name))
        })
    };
    tokens.iter().enumerate().any(|(idx, token)| {
        let is_operand = idx.checked_sub(1).is_some_and(is_arithmetic)
            || idx + 1 < tokens.len() && is_arithmetic(idx + 1);
        token.is_name(column) && !is_operand && !is_rounded(idx)
    })
}

impl Compared {
    fn warning(&self, dialect: &dyn Dialect, place: &str) -> String {
        let Compared { name, ty, is_strict, by } = self;
        let title = dialect.backend();
        let (why, choose) = if *is_strict {
            ("a STRICT table has no type for it", "remove `strict`")
        } else {
            (
                "its numbers are exact only to 15 digits",
                "declare at most 15 digits, as in `type = Decimal(15, 2)`",
            )
        };
        let objects: Vec<&str> = by.iter().map(String::as_str).collect();
        let compare = if objects.len() == 1 { "compares" } else { "compare" };
        let objects = objects.join(" and ");
        format!(
            "column `{place}` is {ty}, which {title} stores as text because {why}; {objects} \
             {compare} it as text, so `10.5` sorts before `9.5`, and `9.50` is not equal to `9.5`\
             \n  hint: {choose}, or compare `CAST({name} AS REAL)` if 15 digits are enough"
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use dbmigrate_runtime::schema::{Index, Type};
    use expect_test::{Expect, expect};

    #[track_caller]
    fn check(before: &[Table], after: &[Table], expect: Expect) {
        let (before, after) = (before.to_vec(), after.to_vec());
        let (before, after) = (Schema::from_tables(before), Schema::from_tables(after));
        let operations = crate::autogenerate::between(&before, &after);
        expect.assert_eq(
            &warnings(&dbmigrate_runtime::engine::dialect::Sqlite, &before, &operations).join("\n"),
        );
    }

    fn offer(ty: Type) -> Table {
        Table::new("offer")
            .column(Column::new("id", Type::Integer).not_null())
            .column(Column::new("price", ty).not_null())
            .primary_key("pk_offer", ["id"])
    }

    fn indexed(ty: Type) -> Table {
        let mut table = offer(ty).check("ck_offer_price", "price > 5");
        table.indexes.push(Index::new("ix_offer_price", ["price"]));
        table
    }

    #[test]
    fn numbers_that_are_compared_as_text_are_named() {
        check(
            &[],
            &[indexed(Type::Decimal(16, 2))],
            expect![[r#"
                column `offer.price` is decimal(16, 2), which SQLite stores as text because its numbers are exact only to 15 digits; check `ck_offer_price` and index `ix_offer_price` compare it as text, so `10.5` sorts before `9.5`, and `9.50` is not equal to `9.5`
                  hint: declare at most 15 digits, as in `type = Decimal(15, 2)`, or compare `CAST(price AS REAL)` if 15 digits are enough"#]],
        );
        // Only new comparisons are reported.
        let known = offer(Type::Numeric).check("ck_offer_price", "price > 5");
        check(
            &[known],
            &[indexed(Type::Numeric)],
            expect![[r#"
                column `offer.price` is numeric, which SQLite stores as text because its numbers are exact only to 15 digits; index `ix_offer_price` compares it as text, so `10.5` sorts before `9.5`, and `9.50` is not equal to `9.5`
                  hint: declare at most 15 digits, as in `type = Decimal(15, 2)`, or compare `CAST(price AS REAL)` if 15 digits are enough"#]],
        );
        check(
            &[],
            &[offer(Type::Decimal(10, 2)).strict().unique("uq_offer_price", ["price"])],
            expect![[r#"
                column `offer.price` is decimal(10, 2), which SQLite stores as text because a STRICT table has no type for it; unique constraint `uq_offer_price` compares it as text, so `10.5` sorts before `9.5`, and `9.50` is not equal to `9.5`
                  hint: remove `strict`, or compare `CAST(price AS REAL)` if 15 digits are enough"#]],
        );
    }

    #[test]
    fn numbers_and_text_that_nothing_compares_are_not_named() {
        check(&[], &[indexed(Type::Decimal(15, 2))], expect![""]);
        check(&[], &[offer(Type::Numeric)], expect![""]);
        let cast = offer(Type::Numeric).check("ck_offer_price", "CAST(price AS REAL) > 5");
        check(&[], &[cast], expect![""]);
        let computed = "price * 2 > 5 AND round(price, 1) < 9 AND 10 - price > 0";
        check(&[], &[offer(Type::Numeric).check("ck_offer_price", computed)], expect![""]);
        check(&[indexed(Type::Numeric)], &[indexed(Type::Numeric)], expect![""]);
    }
}
