//! Problems that are found in time: rows that don't fit, and tables that aren't the intended ones.

use super::*;

#[test]
fn an_own_on_conflict_leaves_no_row_out() {
    let (conn, res) = on_table(
        "CREATE TABLE t (a TEXT UNIQUE ON CONFLICT IGNORE, b TEXT);
         INSERT INTO t VALUES ('a', 'A'), ('A', 'a')",
        t(),
        |op| op.alter_column("t", "a", ColumnChange::new().collate(Some("NOCASE"))),
    );
    expect![[r#"
        revision `r2` was rolled back: statement 2 of 7 failed: INSERT OR ABORT INTO "dbmigrate_new_t" (rowid, "a", "b") SELECT rowid, "a", "b" FROM "t"
          caused by: UNIQUE constraint failed: t.a
          hint: existing rows conflict with this change (alter column `a` of table `t`): correct them first, in a step of the revision"#]].assert_eq(&res.unwrap_err().report());
    assert_eq!(rows(&conn, "SELECT * FROM t"), "a|A\nA|a\n");
    assert_eq!(rows(&conn, "PRAGMA legacy_alter_table"), "0\n");
}

#[test]
fn values_that_a_type_would_change_are_said() {
    let mut text = String::new();
    for (setup, ty) in [
        ("'007'", Type::Integer),
        ("'abc'", Type::Integer),
        ("3.5", Type::Integer),
        ("x'00'", Type::Integer),
        ("x'00'", Type::String(20)),
        ("9007199254740993", Type::Double),
        ("9223372036854775807", Type::Double),
        ("'9007199254740993'", Type::Double),
        ("'01.50'", Type::Boolean),
        ("'1e5'", Type::Date),
        ("'+49123'", Type::Date),
        ("' 12 '", Type::Date),
    ] {
        let (_, res) = on_table(
            &format!("CREATE TABLE t (a TEXT, b); INSERT INTO t (b) VALUES ({setup}), (NULL)"),
            t(),
            |op| op.alter_column("t", "b", ColumnChange::new().ty(ty)),
        );
        text += &format!("{setup}: {}\n", res.unwrap_err().report());
    }
    expect![[r#"
        '007': revision `r2` was rolled back: 1 of the values in column `b` of table `t` do not fit the type `integer`
          hint: say what they become, with `.fill("...")` for these rows or `.using("...")` for all rows
        'abc': revision `r2` was rolled back: 1 of the values in column `b` of table `t` do not fit the type `integer`
          hint: say what they become, with `.fill("...")` for these rows or `.using("...")` for all rows
        3.5: revision `r2` was rolled back: 1 of the values in column `b` of table `t` do not fit the type `integer`
          hint: say what they become, with `.fill("...")` for these rows or `.using("...")` for all rows
        x'00': revision `r2` was rolled back: 1 of the values in column `b` of table `t` do not fit the type `integer`
          hint: say what they become, with `.fill("...")` for these rows or `.using("...")` for all rows
        x'00': revision `r2` was rolled back: 1 of the values in column `b` of table `t` do not fit the type `VARCHAR(20)`
          hint: say what they become, with `.fill("...")` for these rows or `.using("...")` for all rows
        9007199254740993: revision `r2` was rolled back: 1 of the values in column `b` of table `t` do not fit the type `REAL`
          hint: say what they become, with `.fill("...")` for these rows or `.using("...")` for all rows
        9223372036854775807: revision `r2` was rolled back: 1 of the values in column `b` of table `t` do not fit the type `REAL`
          hint: say what they become, with `.fill("...")` for these rows or `.using("...")` for all rows
        '9007199254740993': revision `r2` was rolled back: 1 of the values in column `b` of table `t` do not fit the type `REAL`
          hint: say what they become, with `.fill("...")` for these rows or `.using("...")` for all rows
        '01.50': revision `r2` was rolled back: 1 of the values in column `b` of table `t` do not fit the type `BOOLEAN`
          hint: say what they become, with `.fill("...")` for these rows or `.using("...")` for all rows
        '1e5': revision `r2` was rolled back: 1 of the values in column `b` of table `t` do not fit the type `DATE`
          hint: say what they become, with `.fill("...")` for these rows or `.using("...")` for all rows
        '+49123': revision `r2` was rolled back: 1 of the values in column `b` of table `t` do not fit the type `DATE`
          hint: say what they become, with `.fill("...")` for these rows or `.using("...")` for all rows
        ' 12 ': revision `r2` was rolled back: 1 of the values in column `b` of table `t` do not fit the type `DATE`
          hint: say what they become, with `.fill("...")` for these rows or `.using("...")` for all rows
    "#]].assert_eq(&text);
}

#[test]
fn values_that_a_type_leaves_as_they_are_fit() {
    for (value, ty) in [
        ("'-12'", Type::Integer),
        ("1.0", Type::Integer),
        ("9007199254740992", Type::Double),
        ("'12'", Type::Double),
        ("'2.5'", Type::Double),
        ("'2026-01-01'", Type::Date),
        ("'12:30'", Type::Time),
        ("'2026-01-01T12:30:00.5Z'", Type::Timestamp),
        // Nothing is known about readers of a type in SQLite's own words.
        ("'2026'", Type::raw("DAY")),
        ("'-5'", Type::raw("DAY")),
        ("''", Type::raw("DAY")),
        ("'12:30 '", Type::raw("DAY")),
    ] {
        let (conn, res) = on_table(
            &format!("CREATE TABLE t (a TEXT, b); INSERT INTO t VALUES ({value}, {value})"),
            t(),
            |op| op.alter_column("t", "b", ColumnChange::new().ty(ty)),
        );
        res.unwrap_or_else(|err| panic!("{value}: {}", err.report()));
        let same = rows(&conn, "SELECT count(*) FROM t WHERE a = b OR CAST(a AS REAL) = b");
        assert_eq!(same, "1\n", "{value}");
    }
}

#[test]
fn a_check_outside_a_transaction_says_that_the_rest_stays() {
    // In earlier versions, the change needs a rebuild, and is refused outside a transaction.
    if rusqlite::version_number() < 3_053_000 {
        return;
    }
    let (conn, res) =
        on_table("CREATE TABLE t (a TEXT, b TEXT); INSERT INTO t VALUES (NULL, 1)", t(), |op| {
            op.no_transaction();
            op.create_index("t", Index::new("ix", ["b"]));
            op.alter_column("t", "a", ColumnChange::new().not_null());
        });
    expect![[r#"
        revision `r2` stopped halfway: column `a` of table `t` can't become NOT NULL: it is NULL in 1 row(s)
          hint: give these rows a value, for example with `.using("coalesce(a, '')")`"#]].assert_eq(&res.unwrap_err().report());
    assert!(table_sql(&conn).contains("INDEX \"ix\""));
}

#[test]
fn a_key_is_not_made_up_for_rows_without_one() {
    let known = Table::new("t")
        .column(Column::new("a", Type::BigInteger))
        .column(Column::new("b", Type::Text));
    let (_, res) = on_table(
        "CREATE TABLE t (a INTEGER, b TEXT); INSERT INTO t VALUES (7, 'a'), (NULL, 'b')",
        known,
        |op| {
            let columns = vec!["a".to_owned()];
            op.add_primary_key("t", PrimaryKey { name: "pk".to_owned(), columns });
        },
    );
    expect![[r#"
        revision `r2` was rolled back: column `a` of table `t` can't become NOT NULL: it is NULL in 1 row(s)
          hint: give these rows a value, for example with `.using("coalesce(a, 0)")`"#]].assert_eq(&res.unwrap_err().report());
}

#[test]
fn a_table_of_an_attached_database_is_no_target() {
    let setup = "ATTACH ':memory:' AS other; CREATE TABLE other.t (a TEXT, b TEXT);";
    let (conn, res) = on_table(setup, t(), |op| op.drop_table("t"));
    expect![[r#"
        the database has no table `t`, but a database attached to the connection has one
          hint: the database differs from what the migrations build: `cargo dbmigrate check` lists the differences"#]]
    .assert_eq(&res.unwrap_err().report());
    assert_eq!(rows(&conn, "SELECT name FROM other.sqlite_schema"), "t\n");
    let setup = format!("{setup} CREATE TABLE t (a TEXT, b TEXT)");
    let (conn, res) = on_table(&setup, t(), |op| op.drop_table("t"));
    res.unwrap();
    assert_eq!(rows(&conn, "SELECT name FROM other.sqlite_schema"), "t\n");
}

#[test]
fn an_index_that_is_gone_already_is_said_to_be_drift() {
    let mut known = t();
    known.indexes = vec![Index::new("ix", ["a"])];
    let (_, res) =
        on_table("CREATE TABLE t (a TEXT, b TEXT)", known, |op| op.drop_index("t", "ix"));
    expect![[r#"
        revision `r2` was rolled back: statement 1 of 1 failed: DROP INDEX "ix"
          caused by: no such index: ix
          hint: if the revision's own SQL expressions are right, the database differs from what the migrations build: `cargo dbmigrate check` lists the differences"#]].assert_eq(&res.unwrap_err().report());
}

#[test]
fn what_others_made_of_a_dropped_column_is_named() {
    let mut text = String::new();
    for other in [
        "CREATE VIEW v AS SELECT b FROM t",
        "CREATE INDEX i ON t (b)",
        "CREATE TABLE log (x); CREATE TRIGGER tr AFTER UPDATE ON t BEGIN INSERT INTO log VALUES (new.b); END",
        "CREATE TABLE c (x REFERENCES t (b))",
    ] {
        let (_, res) = on_table(
            &format!(
                "CREATE TABLE t (a TEXT, b TEXT UNIQUE); INSERT INTO t VALUES (1, 2); {other}"
            ),
            t().unique("uq", ["b"]),
            |op| {
                op.drop_unique("t", "uq");
                op.drop_column("t", "b");
            },
        );
        text += &format!("{other}\n{}\n", res.unwrap_err().report());
    }
    expect![[r#"
        CREATE VIEW v AS SELECT b FROM t
        the run was rolled back: it broke views or triggers:
          view `v`: no such column: b
          hint: drop or replace them in the revision with `op.execute`, before the change that breaks them
        CREATE INDEX i ON t (b)
        revision `r2`: cannot drop column `b` of table `t` on SQLite: index `i` uses it
          hint: drop the index first, in the same revision: with `op.drop_index`, or with `op.execute` if no revision created it
        CREATE TABLE log (x); CREATE TRIGGER tr AFTER UPDATE ON t BEGIN INSERT INTO log VALUES (new.b); END
        the run was rolled back: it broke views or triggers:
          trigger `tr`: no such column: new.b
          hint: drop or replace them in the revision with `op.execute`, before the change that breaks them
        CREATE TABLE c (x REFERENCES t (b))
        the run was rolled back: it left foreign keys to columns that are missing or not unique:
          the foreign key of `c` to `t`
          hint: make the referenced columns unique, with `op.add_unique` or a unique index without a condition, or drop the foreign key
    "#]].assert_eq(&text);
}

#[test]
fn a_temporary_table_of_the_same_name_is_no_target() {
    let (conn, res) = on_table(
        "CREATE TABLE t (a TEXT, b TEXT); CREATE TEMP TABLE T (x); INSERT INTO t VALUES (1)",
        t(),
        |op| {
            op.add_column("t", Column::new("c", Type::Text));
        },
    );
    expect![[r#"
        a temporary object of the connection hides the table `T`
          hint: drop it first, or run the migrations on another connection"#]]
    .assert_eq(&res.unwrap_err().report());
    assert_eq!(rows(&conn, "SELECT sql FROM sqlite_temp_schema"), "CREATE TABLE T (x)\n");
}

#[test]
fn what_is_not_understood_is_refused() {
    use dbmigrate_runtime::engine::dialect::{Dialect as _, Facts, Object, ObjectKind, Sqlite};
    use dbmigrate_runtime::schema::Schema;

    let mut texts = String::new();
    for sql in [
        "CREATE TABLE t (a TEXT, b TEXT) USING heap",
        "CREATE VIRTUAL TABLE t USING fts5(a, b)",
        "CREATE TABLE t (a TEXT, b TEXT",
    ] {
        let object = Object {
            kind: ObjectKind::Table,
            name: "t".to_owned(),
            table: "t".to_owned(),
            sql: Some(sql.to_owned()),
            temporary: false,
        };
        let facts = Facts { objects: Some(vec![object]), ..Facts::new(3_046_000, true) };
        let unique = record(|op| op.add_unique("t", Unique::new("uq", ["a"]))).operations;
        let mut schema = Schema::from_tables([t()]);
        let err = Sqlite.plan(&unique, &mut schema, &facts).unwrap_err();
        texts += &format!("{err}\n  {}\n", err.hint.as_deref().unwrap());
    }
    expect![[r#"
        cannot add unique constraint `uq` to table `t` on SQLite: the definition of table `t` can't be parsed: expected `STRICT` or `WITHOUT ROWID` at `USING heap`
          write the change yourself with `op.execute`, and declare its effect with `.describes`
        cannot add unique constraint `uq` to table `t` on SQLite: the definition of table `t` can't be parsed: it is a virtual table
          write the change yourself with `op.execute`, and declare its effect with `.describes`
        cannot add unique constraint `uq` to table `t` on SQLite: the definition of table `t` can't be parsed: expected `,` or `)` at the end
          write the change yourself with `op.execute`, and declare its effect with `.describes`
    "#]].assert_eq(&texts);
}

#[test]
fn what_is_not_utf_8_is_not_written_back_as_something_else() {
    let (conn, res) = on_table(
        "CREATE TABLE t (a TEXT, b TEXT); CREATE TABLE log (x);
         CREATE TRIGGER tr AFTER INSERT ON t BEGIN INSERT INTO log VALUES ('x'); END;
         PRAGMA writable_schema = ON;
         UPDATE sqlite_schema SET sql = replace(sql, '''x''', '''caf' || x'e9' || '''')
             WHERE name = 'tr';
         PRAGMA writable_schema = RESET;
         INSERT INTO t (a) VALUES ('caf' || x'e9')",
        t(),
        |op| {
            op.run("read it", |db| {
                let rows = db.query("SELECT a FROM t", ())?;
                assert!(rows[0].get::<String>(0).is_err());
                Ok(())
            });
            op.add_unique("t", Unique::new("uq", ["a"]));
        },
    );
    expect![[r#"
        revision `r2`: cannot add unique constraint `uq` to table `t` on SQLite: the definition of trigger `tr` contains text that is not UTF-8
          hint: recreate it in UTF-8 first"#]].assert_eq(&res.unwrap_err().report());
    assert_eq!(rows(&conn, "SELECT hex(x) FROM log"), "636166E9\n");
}

#[test]
fn a_column_that_an_index_names_stays() {
    let mut text = String::new();
    for index in ["t (abs(b))", "t (a) WHERE b IS NOT NULL", "t (a) WHERE 'b' <> a"] {
        for is_dropped in [false, true] {
            let setup = format!(
                "CREATE TABLE t (a TEXT, b INTEGER);
                 INSERT INTO t VALUES ('a', 1);
                 CREATE INDEX ix ON {index};
                 CREATE VIEW b AS SELECT a AS b FROM t;
                 ALTER TABLE t RENAME b TO \"c\""
            );
            let known = Table::new("t")
                .column(Column::new("a", Type::Text))
                .column(Column::new("c", Type::Integer));
            let (conn, res) = on_table(&setup, known, |op| {
                if is_dropped {
                    op.execute("DROP INDEX ix");
                }
                op.add_check("t", Check::new("ck", "a <> ''"));
                op.drop_column("t", "c");
            });
            text += &match res {
                Ok(_) => table_sql(&conn),
                Err(err) => format!("{}\n", err.report()),
            };
        }
    }
    expect![[r#"
        revision `r2`: cannot drop column `c` of table `t` on SQLite: index `ix` uses it
          hint: drop the index first, in the same revision: with `op.drop_index`, or with `op.execute` if no revision created it
        CREATE VIEW b AS SELECT a AS b FROM t
        CREATE TABLE "t" (a TEXT, CONSTRAINT "ck" CHECK (a <> ''))
        revision `r2`: cannot drop column `c` of table `t` on SQLite: index `ix` uses it
          hint: drop the index first, in the same revision: with `op.drop_index`, or with `op.execute` if no revision created it
        CREATE VIEW b AS SELECT a AS b FROM t
        CREATE TABLE "t" (a TEXT, CONSTRAINT "ck" CHECK (a <> ''))
        CREATE VIEW b AS SELECT a AS b FROM t
        CREATE TABLE "t" (a TEXT, CONSTRAINT "ck" CHECK (a <> ''))
        CREATE INDEX ix ON t (a) WHERE 'b' <> a
        CREATE VIEW b AS SELECT a AS b FROM t
        CREATE TABLE "t" (a TEXT, CONSTRAINT "ck" CHECK (a <> ''))
    "#]].assert_eq(&text);
}

#[test]
fn a_column_that_a_check_names_stays() {
    let mut text = String::new();
    for line in
        ["CHECK (b > 0)", "c AS (abs(b))", "c CHECK (b > 1)", "CONSTRAINT e CHECK (a <> 'e')"]
    {
        let setup =
            format!("CREATE TABLE t (a TEXT, b INTEGER, {line}); ALTER TABLE t RENAME b TO \"e\"");
        let known = Table::new("t")
            .column(Column::new("a", Type::Text))
            .column(Column::new("e", Type::Integer));
        let (conn, res) = on_table(&setup, known, |op| op.drop_column("t", "e"));
        text += &match res {
            Ok(_) => table_sql(&conn),
            Err(err) => format!("{}\n", err.report()),
        };
    }
    expect![[r#"
        revision `r2`: cannot drop column `e` of table `t` on SQLite: the check `"e" > 0` uses it
          hint: drop the check in the same revision
        revision `r2`: cannot drop column `e` of table `t` on SQLite: column `c` uses it
          hint: drop or change that column in the same revision
        revision `r2`: cannot drop column `e` of table `t` on SQLite: the check `"e" > 1` uses it
          hint: drop the check in the same revision
        CREATE TABLE "t" (a TEXT, CONSTRAINT e CHECK (a <> 'e'))
    "#]]
    .assert_eq(&text);
}
