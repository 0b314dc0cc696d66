//! What is found wrong in SQL, and what is not.

use super::*;
use crate::operations::Operations;
use crate::schema::{Check, Column, Index, Type};
use crate::sql::NEUTRAL;

const NAMES: NameRules =
    NameRules { folding: Folding::ASCII, lexicon: &NEUTRAL, hidden_columns: &["rowid"] };

fn schema() -> Schema {
    let user = Table::new("user")
        .column(Column::new("id", Type::Integer))
        .column(Column::new("label", Type::Text));
    let post = Table::new("post")
        .column(Column::new("user_id", Type::Integer))
        .column(Column::new("title", Type::Text));
    Schema::from_tables([user, post])
}

fn report(mistake: Option<Mistake>) -> String {
    mistake.map_or_else(String::new, |mistake| format!("{mistake}\n{}", mistake.hint))
}

#[test]
fn a_placeholder_is_found_outside_of_texts_names_and_comments() {
    for sql in ["n = ?", "n = ?1", "n=:name", "n = @x", "n = $v", "1; n = ?\n-- :a"] {
        assert!(placeholder(sql, &NEUTRAL).is_some(), "{sql}");
    }
    for sql in ["':a'", "\":a\" [?] `@x`", "-- ?\n/* :a */ 1", "a::text", "a$b", "'it''s ?'"] {
        assert_eq!(placeholder(sql, &NEUTRAL), None, "{sql}");
    }
    assert_eq!(
        report(in_statements("DELETE FROM a; update u\n set n = :name where id = 1", &NEUTRAL)),
        "the placeholder `:name` in `update u set n = :name where id = 1` has no value\n\
         write the value itself, or bind it in a step: `op.run(\"...\", |db| { db.execute(\"... ?1 \
         ...\", [value])?; Ok(()) })`"
    );
    let long = format!("SELECT '{}', ?", "ä".repeat(200));
    assert!(report(in_statements(&long, &NEUTRAL)).contains("ää...` has no value"));
}

#[test]
fn a_statement_that_ends_the_transaction_is_found() {
    let look = |sql: &str| {
        let operations = Operations::record(|op: &mut Operations| {
            op.execute(sql);
        });
        report(ends_transaction(&operations[0], Backend::Sqlite, &NEUTRAL))
    };
    for sql in [
        "COMMIT",
        "insert into t values (1); commit; begin",
        "/* x */ End transaction",
        "; ROLLBACK",
        "rollback transaction -- to",
        "CREATE TRIGGER g AFTER DELETE ON t BEGIN SELECT 1; SELECT CASE WHEN 1 THEN 2 END; END; \
         COMMIT",
        "CREATE TRIGGER g DELETE ON t BEGIN SELECT 1; END; CREATE TRIGGER h DELETE ON t BEGIN \
         DELETE FROM u; DELETE FROM v; END /* x */; end",
    ] {
        assert!(look(sql).contains("would end the transaction that the revision runs in"), "{sql}");
    }
    for sql in [
        "SAVEPOINT a; ROLLBACK TO a; RELEASE a",
        "ROLLBACK TRANSACTION TO SAVEPOINT a",
        "CREATE TRIGGER g AFTER DELETE ON t BEGIN SELECT 1; SELECT CASE WHEN 1 THEN 2 END; END; ;",
        "INSERT INTO t VALUES ('; COMMIT;') -- ; COMMIT",
        "SELECT 1 AS \"commit\"",
        // The database says what is wrong with it.
        "CREATE TRIGGER g AFTER DELETE ON t BEGIN SELECT 1; COMMIT",
    ] {
        assert_eq!(look(sql), "", "{sql}");
    }
}

#[test]
fn what_follows_a_nul_character_is_not_passed_over() {
    let text = "INSERT INTO a VALUES (1); \0 INSERT INTO a VALUES (2)";
    assert_eq!(
        report(in_statements(text, &NEUTRAL)),
        "the SQL has a NUL character, after `INSERT INTO a VALUES (1);`, where the database stops \
         reading\nremove it; a step (`op.run`) can bind values that contain it"
    );
    assert!(report(unbound_in("\0", &NEUTRAL)).starts_with("the SQL has a NUL character, where"));
}

#[test]
fn a_name_in_double_quotes_has_to_be_a_column() {
    let schema = schema();
    let user = schema.table("user").unwrap();
    let look = |expression: &str| report(in_expression(expression, user, &schema, NAMES));
    assert_eq!(
        look("upper(\"lable\")"),
        "`\"lable\"` is in double quotes, which makes it a name, but table `user` has no such \
         column\ndid you mean `\"label\"`? A string is written `'lable'`"
    );
    assert_eq!(
        look("label IN (\"it's\")"),
        "`\"it's\"` is in double quotes, which makes it a name, but table `user` has no such \
         column\na string is written in single quotes: `'it''s'`"
    );
    assert_eq!(
        look("label = :x"),
        "the placeholder `:x` has no value\nwrite the value itself; a step (`op.run`) can bind \
         values"
    );
    for fine in [
        "\"LABEL\" <> '' and \"rowid\" > 0",
        "\"upper\"(label) COLLATE \"nocase\"",
        "CAST(label AS \"text\")",
        "\"user\".\"label\" -- \"lable\"",
        "'\"lable\"'",
        "(SELECT \"title\" FROM \"post\" AS \"p\" WHERE \"p\".\"user_id\" = \"user\".\"id\")",
        "(SELECT max(\"n\") AS \"m\" FROM a_view WHERE \"user\" = \"id\")",
        "(SELECT \"x\" FROM post, a_view)",
        "\"unclosed",
    ] {
        assert_eq!(look(fine), "", "{fine}");
    }
    assert!(look("(SELECT \"titel\" FROM \"post\")").contains("\"titel\""));
    assert_eq!(report(in_default("'draft' || CURRENT_TIMESTAMP", &NEUTRAL)), "");
    assert!(report(in_default("(\"draft\")", &NEUTRAL)).ends_with("single quotes: `'draft'`"));
}

#[test]
fn the_nearest_name_is_one_that_was_likely_meant() {
    let nearest = |wrong| nearest(wrong, ["name", "created_at", "deleted", "a"].into_iter());
    assert_eq!(nearest("naem"), Some("name"));
    assert_eq!(nearest("Delted"), Some("deleted"));
    assert_eq!(nearest("craeted_at_"), Some("created_at"));
    assert_eq!(nearest("active"), None);
    assert_eq!(nearest(""), Some("a"));
}

#[test]
fn an_operation_answers_for_what_it_brings() {
    let mut schema = schema();
    let one = |schema: &Schema, record: fn(&mut Operations)| {
        let operations = Operations::record(record);
        let [operation] = operations.as_slice() else { panic!("one operation") };
        (
            report(in_operation(operation, schema, crate::backend::Backend::Sqlite, NAMES)),
            report(kept_names(operation, schema, NAMES)),
        )
    };
    let check = |op: &mut Operations| {
        op.add_check("user", Check::new("ck", "\"lable\" <> ''"));
    };
    let (refused, kept) = one(&schema, check);
    assert_eq!(refused, "");
    assert!(kept.starts_with("check `ck`: `\"lable\"`"), "{kept}");
    schema.tables.get_mut("user").unwrap().checks.push(Check::new("old", "\"old\" = ?"));
    // A mistake that already exists in the table isn't this operation's.
    let index = |op: &mut Operations| {
        op.create_index("user", Index::new("ix", ["label"]));
    };
    assert_eq!(one(&schema, index), (String::new(), String::new()));
    let sql = |op: &mut Operations| {
        op.execute("UPDATE user SET label = ''").reversed_by("UPDATE user SET label = ?");
    };
    assert!(one(&schema, sql).0.contains("has no value, in its `reversed_by`"));
    let fill = |op: &mut Operations| {
        op.add_column("user", Column::new("copy", Type::Text)).using("\"lable\"");
    };
    assert!(one(&schema, fill).0.starts_with("`\"lable\"`"));
}
