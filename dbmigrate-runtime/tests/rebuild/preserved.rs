//! What a rebuild keeps, and what it does with the rest.

use super::*;

fn users(op: &mut Operations) {
    op.create_table(
        Table::new("user")
            .column(Column::new("id", Type::BigInteger).not_null().autoincrement(true))
            .column(Column::new("name", Type::String(100)))
            .column(Column::new("age", Type::Text))
            .primary_key("pk_user", ["id"])
            .check("ck_user_name", "length(name) > 0"),
    );
    op.create_index("user", Index::new("ix_user_name", ["name"]).filter("age IS NOT NULL"));
    op.create_table(
        Table::new("post")
            .column(Column::new("id", Type::BigInteger).not_null())
            .column(Column::new("author_id", Type::BigInteger).not_null())
            .primary_key("pk_post", ["id"])
            .foreign_key(
                ForeignKey::new("fk_post_author_id_user", ["author_id"], "user", ["id"])
                    .on_delete(dbmigrate_runtime::schema::ReferentialAction::Cascade),
            ),
    );
}

const ROWS: &str = "
    INSERT INTO user (id, name, age) VALUES (1, 'ada', '36'), (2, 'bob', NULL), (3, 'eve', '5');
    DELETE FROM user WHERE id = 3;
    INSERT INTO post (id, author_id) VALUES (10, 1), (11, 2);
    CREATE VIEW names AS SELECT name FROM user;
    CREATE TABLE log (text TEXT);
    CREATE TRIGGER user_log AFTER INSERT ON user BEGIN INSERT INTO log VALUES (new.name); END;
    CREATE TRIGGER post_log AFTER INSERT ON post
        BEGIN INSERT INTO log SELECT name FROM user WHERE id = new.author_id; END;
    ANALYZE;
";

#[test]
fn everything_around_a_table_survives_its_rebuild() {
    let mut conn = Connection::open_in_memory().unwrap();
    conn.execute_batch("PRAGMA foreign_keys = ON").unwrap();
    let first = record(users);
    upgrade(&mut conn, &line(vec![first.clone()])).unwrap();
    conn.execute_batch(ROWS).unwrap();
    let second = record(|op| {
        op.alter_column("user", "age", ColumnChange::new().ty(Type::Integer));
        op.alter_column("user", "name", ColumnChange::new().not_null().default("?"));
        op.add_unique("user", Unique::new("uq_user_name", ["name"]));
        op.drop_check("user", "ck_user_name");
        op.add_check("user", Check::new("ck_user_age", "age >= 0"));
        op.add_column("user", Column::new("seen", Type::DateTime).not_null()).using("'2026-01-01'");
    });
    upgrade(&mut conn, &line(vec![first, second])).unwrap();
    expect![[r#"
        CREATE TABLE "post" (
            "id" INTEGER NOT NULL CONSTRAINT "pk_post" PRIMARY KEY,
            "author_id" INTEGER NOT NULL CONSTRAINT "fk_post_author_id_user" REFERENCES "user" ("id") ON DELETE CASCADE
        )
        CREATE VIEW names AS SELECT name FROM user
        CREATE TABLE log (text TEXT)
        CREATE TRIGGER post_log AFTER INSERT ON post
                BEGIN INSERT INTO log SELECT name FROM user WHERE id = new.author_id; END
        CREATE TABLE "user" (
            "id" INTEGER NOT NULL CONSTRAINT "pk_user" PRIMARY KEY AUTOINCREMENT,
            "name" VARCHAR(100) NOT NULL DEFAULT '?',
            "age" INTEGER,
            "seen" DATETIME NOT NULL,
            CONSTRAINT "uq_user_name" UNIQUE ("name"),
            CONSTRAINT "ck_user_age" CHECK (age >= 0)
        )
        CREATE INDEX "ix_user_name" ON "user" ("name") WHERE age IS NOT NULL
        CREATE TRIGGER user_log AFTER INSERT ON user BEGIN INSERT INTO log VALUES (new.name); END
    "#]].assert_eq(&table_sql(&conn));
    expect![[r#"
        1|ada|36|2026-01-01
        2|bob|NULL|2026-01-01
    "#]]
    .assert_eq(&rows(&conn, "SELECT * FROM user"));
    expect![[r#"
        10|1
        11|2
    "#]]
    .assert_eq(&rows(&conn, "SELECT * FROM post"));
    expect![[r#"
        post|NULL|2
        user|ix_user_name|1 1
        user|NULL|2
    "#]]
    .assert_eq(&rows(&conn, "SELECT * FROM sqlite_stat1 WHERE tbl NOT LIKE 'dbmigrate%'"));
    conn.execute_batch("INSERT INTO user (name, seen) VALUES ('new', '')").unwrap();
    assert_eq!(rows(&conn, "SELECT max(id) FROM user"), "4\n", "no id is given twice");
    assert_eq!(rows(&conn, "SELECT * FROM log"), "new\n");
    assert_eq!(rows(&conn, "SELECT * FROM names"), "ada\nbob\nnew\n");
    assert_eq!(rows(&conn, "PRAGMA foreign_keys"), "1\n");
    assert_eq!(rows(&conn, "PRAGMA integrity_check"), "ok\n");
}

#[test]
fn foreign_keys_that_sql_switches_on_between_revisions_delete_nothing() {
    let mut conn = Connection::open_in_memory().unwrap();
    conn.execute_batch("PRAGMA foreign_keys = ON").unwrap();
    let first = record(users);
    upgrade(&mut conn, &line(vec![first.clone()])).unwrap();
    conn.execute_batch(ROWS).unwrap();
    let alone = record(|op| {
        op.no_transaction();
        op.execute("PRAGMA foreign_keys = ON; PRAGMA legacy_alter_table = ON");
    });
    let third = record(|op| {
        op.alter_column("user", "age", ColumnChange::new().ty(Type::Integer));
        op.rename_table("user", "person");
    });
    upgrade(&mut conn, &line(vec![first, alone, third])).unwrap();
    assert_eq!(rows(&conn, "SELECT * FROM post"), "10|1\n11|2\n");
    assert_eq!(rows(&conn, "SELECT * FROM names"), "ada\nbob\n");
    assert_eq!(rows(&conn, "PRAGMA foreign_keys"), "1\n");
    assert_eq!(rows(&conn, "PRAGMA legacy_alter_table"), "0\n");
}

#[test]
fn what_the_schema_has_no_word_for_stays() {
    let (conn, res) = on_table(
        r#"CREATE TABLE "T" ( -- of another tool
            a TEXT COLLATE "nocase" NOT NULL ON CONFLICT REPLACE DEFAULT 'x', /* keep */
            b, c varchar[10] UNIQUE ON CONFLICT IGNORE,
            "select" "odd type" DEFAULT (1 + 1),
            [g] AS (a || b) STORED,
            CHECK (a <> ''), UNIQUE (a, b) ON CONFLICT REPLACE -- last
        );
        INSERT INTO t (rowid, a, b, c, "select") VALUES (7, 'A', 1, 'c', 2), (3, 'B', '5', NULL, NULL);
        CREATE UNIQUE INDEX "o'dd" ON t (c DESC, lower(a) COLLATE binary) WHERE b IS NOT NULL;
        CREATE TEMP TRIGGER tt AFTER INSERT ON t BEGIN SELECT 1; END;"#,
        t(),
        |op| op.alter_column("t", "b", ColumnChange::new().ty(Type::Integer)),
    );
    res.unwrap();
    expect![[r#"
        CREATE TABLE "T" ( -- of another tool
                    a TEXT COLLATE "nocase" NOT NULL ON CONFLICT REPLACE DEFAULT 'x', /* keep */
                    b INTEGER, c varchar[10] UNIQUE ON CONFLICT IGNORE,
                    "select" "odd type" DEFAULT (1 + 1),
                    [g] AS (a || b) STORED,
                    CHECK (a <> ''), UNIQUE (a, b) ON CONFLICT REPLACE -- last
                )
        CREATE UNIQUE INDEX "o'dd" ON t (c DESC, lower(a) COLLATE binary) WHERE b IS NOT NULL
    "#]]
    .assert_eq(&table_sql(&conn));
    expect![[r#"
        3|B|5|NULL|NULL|B5|integer
        7|A|1|c|2|A1|integer
    "#]]
    .assert_eq(&rows(&conn, "SELECT rowid, *, typeof(b) FROM t ORDER BY rowid"));
    assert_eq!(rows(&conn, "SELECT name FROM sqlite_temp_schema"), "tt\n");
}

#[test]
fn a_rowid_that_a_column_hides_is_found_under_another_name() {
    let known = t().column(Column::new("rowid", Type::Text));
    let (conn, res) = on_table(
        "CREATE TABLE t (a TEXT, b TEXT, rowid TEXT); INSERT INTO t (oid, a, rowid) VALUES (9, 'a', 'r')",
        known,
        |op| op.add_unique("t", Unique::new("uq", ["a"])),
    );
    res.unwrap();
    assert_eq!(rows(&conn, "SELECT oid, a, rowid FROM t"), "9|a|r\n");
}

#[test]
fn indexes_come_and_go_beside_a_rebuild() {
    let index = |name: &str, column: &str| Index::new(name, [column]);
    let mut known = t();
    known.indexes = vec![index("b", "a"), index("ix", "a")];
    let (conn, res) = on_table(
        "CREATE TABLE t (a TEXT, b TEXT); CREATE INDEX b ON t (a); CREATE INDEX ix ON t (a)",
        known,
        |op| {
            op.add_unique("t", Unique::new("uq", ["a"]));
            op.create_index("t", index("ix_b", "b"));
            op.drop_index("t", "b");
            op.drop_index("t", "ix");
            op.create_index("t", index("ix", "b"));
            op.drop_index("t", "ix");
            op.create_index("t", index("ix_1", "a"));
            op.rename_index("t", "ix_1", "ix");
            op.rename_index("t", "ix", "ix_2");
        },
    );
    res.unwrap();
    expect![[r#"
        CREATE TABLE "t" (a TEXT, b TEXT, CONSTRAINT "uq" UNIQUE ("a"))
        CREATE INDEX "ix_b" ON "t" ("b")
        CREATE INDEX "ix_2" ON "t" ("a")
    "#]]
    .assert_eq(&table_sql(&conn));
}

#[test]
fn a_value_from_another_table_is_read_as_the_operations_before_it_made_that() {
    let (conn, res) = on_table(
        "CREATE TABLE t (a TEXT, b TEXT); INSERT INTO t VALUES (1, 2);
         CREATE TABLE u (c TEXT); INSERT INTO u VALUES ('c')",
        t(),
        |op| {
            op.execute("").describes(|op| {
                op.create_table(Table::new("u").column(Column::new("c", Type::Text)));
            });
            op.add_unique("t", Unique::new("uq", ["a"]));
            op.add_column("u", Column::new("d", Type::Text)).using("c || '!'");
            op.alter_column("t", "b", ColumnChange::new().using("(SELECT d FROM u)"));
            op.alter_column("u", "d", ColumnChange::new().using("'later'"));
        },
    );
    res.unwrap();
    assert_eq!(rows(&conn, "SELECT * FROM t, u"), "1|c!|c|later\n");
}

#[test]
fn a_renamed_column_may_be_called_like_a_type() {
    let check = "length(CAST(b AS text)) > 0";
    let known = Table::new("t")
        .column(Column::new("text", Type::Text))
        .column(Column::new("b", Type::Text))
        .check("ck", check);
    let (conn, res) = on_table(
        &format!("CREATE TABLE t (text TEXT, b TEXT, CONSTRAINT ck CHECK ({check}))"),
        known,
        |op| op.rename_column("t", "text", "body"),
    );
    res.unwrap();
    assert_eq!(
        table_sql(&conn),
        format!("CREATE TABLE t (\"body\" TEXT, b TEXT, CONSTRAINT ck CHECK ({check}))\n")
    );
}

#[test]
fn rows_that_referred_to_nothing_before_may_get_other_numbers() {
    let setup = "PRAGMA foreign_keys = OFF; CREATE TABLE p (id INTEGER PRIMARY KEY);
        CREATE TABLE t (a INTEGER NOT NULL, b INTEGER REFERENCES p (id));
        INSERT INTO t VALUES (100, 7), (200, 8)";
    let known = || {
        Table::new("t")
            .column(Column::new("a", Type::BigInteger).not_null())
            .column(Column::new("b", Type::BigInteger))
            .foreign_key(ForeignKey::new("fk", ["b"], "p", ["id"]))
    };
    let key = || PrimaryKey { name: "pk".to_owned(), columns: vec!["a".to_owned()] };
    let changes: [&dyn Fn(&mut Operations); 4] = [
        &|op| op.add_primary_key("t", key()),
        &|op| {
            op.add_primary_key("t", key());
            op.rename_table("t", "tt");
            op.alter_table("tt", TableChange::new().without_rowid(true));
        },
        &|op| {
            op.execute("ALTER TABLE t RENAME TO tt").describes(|op| op.rename_table("t", "tt"));
        },
        &|op| {
            op.create_index("t", Index::new("ix", ["a"]));
            op.execute("DELETE FROM t WHERE a = 100; ALTER TABLE t RENAME TO old");
            op.execute("CREATE TABLE t (a INTEGER NOT NULL PRIMARY KEY, b REFERENCES p (id))");
            op.execute("INSERT INTO t SELECT * FROM old; DROP TABLE old");
        },
    ];
    for change in changes {
        on_table(setup, known(), change).1.unwrap();
    }
    let (_, res) = on_table(setup, known(), |op| {
        op.add_primary_key("t", key());
        op.execute("INSERT INTO t VALUES (300, 9)");
    });
    expect![[r#"
        the run was rolled back: it left foreign key violations:
          a row of `t` refers to a missing row of `p`
          hint: delete or correct these rows in a step of the revision"#]]
    .assert_eq(&res.unwrap_err().report());
}

#[test]
fn a_column_that_is_added_again_has_nothing_of_the_old_one() {
    let (conn, res) = on_table(
        "CREATE TABLE t (a TEXT, b TEXT NOT NULL DEFAULT 'others' CHECK (b <> ''));
         INSERT INTO t VALUES (1, 'b')",
        t(),
        |op| {
            op.add_unique("t", Unique::new("uq", ["a"]));
            op.drop_column("t", "b");
            op.add_column("t", Column::new("b", Type::Integer));
        },
    );
    res.unwrap();
    expect![[r#"
        CREATE TABLE "t" (a TEXT, "b" INTEGER, CONSTRAINT "uq" UNIQUE ("a"))
        1|NULL
    "#]]
    .assert_eq(&(table_sql(&conn) + &rows(&conn, "SELECT * FROM t")));
}

#[test]
fn a_revision_may_rename_rebuild_and_compute_in_turn() {
    let known = Table::new("t")
        .column(Column::new("a", Type::Integer).not_null())
        .column(Column::new("b", Type::Integer))
        .primary_key("pk", ["a"]);
    let (conn, res) = on_table(
        "CREATE TABLE t (a INTEGER NOT NULL, b INTEGER REFERENCES t (a) ON DELETE CASCADE, PRIMARY KEY (a DESC)) WITHOUT ROWID;
         INSERT INTO t VALUES (1, NULL), (2, 1)",
        known,
        |op| {
            op.rename_column("t", "a", "id");
            op.add_column("t", Column::new("c", Type::Integer).not_null()).using("id * 10");
            op.alter_column("t", "b", ColumnChange::new().ty(Type::Text));
            op.execute("UPDATE t SET c = c + 1");
            op.add_unique("t", Unique::new("uq", ["c"]));
            op.rename_table("t", "tt");
            op.alter_column("tt", "c", ColumnChange::new().nullable());
        },
    );
    res.unwrap();
    expect![[r#"
        CREATE TABLE "tt" ("id" INTEGER NOT NULL, b TEXT REFERENCES "tt" ("id") ON DELETE CASCADE, "c" INTEGER, PRIMARY KEY ("id" DESC), CONSTRAINT "uq" UNIQUE ("c")) WITHOUT ROWID
    "#]].assert_eq(&table_sql(&conn));
    expect![[r#"
        2|1|21
        1|NULL|11
    "#]]
    .assert_eq(&rows(&conn, "SELECT * FROM tt"));
}

#[test]
fn a_name_may_change_in_nothing_but_its_case() {
    let (conn, res) = on_table(
        "CREATE TABLE t (a TEXT PRIMARY KEY, b TEXT REFERENCES t (a)); INSERT INTO t (a) VALUES (1)",
        t(),
        |op| {
            op.rename_table("t", "T");
            op.rename_column("T", "a", "A");
            op.add_unique("T", Unique::new("uq", ["A"]));
        },
    );
    res.unwrap();
    expect![[r#"
        CREATE TABLE "T" ("A" TEXT PRIMARY KEY, b TEXT REFERENCES "T" ("A"), CONSTRAINT "uq" UNIQUE ("A"))
        1|NULL
    "#]].assert_eq(&(table_sql(&conn) + &rows(&conn, "SELECT * FROM t")));
}
