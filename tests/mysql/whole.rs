//! What a change would lose or can't be made of is refused before anything runs.

use dbmigrate_runtime::engine::dialect::{Alone, Dialect, Task};
use dbmigrate_runtime::engine::driver::mysql::MysqlDriver;
use dbmigrate_runtime::engine::driver::{Connection as _, Driver as _};
use dbmigrate_runtime::engine::plan;
use dbmigrate_runtime::operations::{ColumnChange, Operation, Operations, TableChange};
use dbmigrate_runtime::schema::{Column, Type};
use dbmigrate_tests::servers;
use expect_test::expect;

const TABLE: &str = "t";

fn rename() -> Operation {
    Operation::RenameColumn { table: TABLE.into(), from: "a".into(), to: "b".into() }
}

fn shorten() -> Operation {
    let change = ColumnChange::new().ty(Type::String(40));
    Operation::AlterColumn { table: TABLE.into(), column: "a".into(), change }
}

fn generate() -> Operation {
    let change = ColumnChange::new().generated_stored("id + 1");
    Operation::AlterColumn { table: TABLE.into(), column: "a".into(), change }
}

fn add() -> Operation {
    let column = Column::new("new", Type::Integer);
    Operation::AddColumn { table: TABLE.into(), column, using: None, before: None }
}

/// Tables with the servers that have such, and a change of each.
fn changes() -> Vec<(&'static str, &'static str, Vec<Operation>)> {
    let renamed = Operation::RenameTable { from: TABLE.into(), to: "u".into() };
    let column = Column::new("new", Type::Integer);
    let add_to_renamed =
        Operation::AddColumn { table: "u".into(), column, using: None, before: None };
    let drop = Operation::DropTable { table: TABLE.into() };
    vec![
        ("mysql", "a INT, CONSTRAINT ck CHECK (a > 1) NOT ENFORCED", vec![rename()]),
        ("mysql", "a INT, KEY ix ((a + 1)) INVISIBLE", vec![rename()]),
        ("mysql", "a INT, KEY ix (a) COMMENT 'words'", vec![generate()]),
        ("mysql", "a INT, CONSTRAINT ck CHECK (a > 1) NOT ENFORCED", vec![generate()]),
        ("", "a VARCHAR(1000), KEY ix (a(50)) COMMENT 'words'", vec![shorten()]),
        ("mariadb", "a INT) WITH SYSTEM VERSIONING", vec![add()]),
        ("mariadb", "a INT) WITH SYSTEM VERSIONING", vec![renamed, add_to_renamed]),
        ("mariadb", "a INT) WITH SYSTEM VERSIONING", vec![drop]),
        ("mariadb", "a DATE NOT NULL, b DATE NOT NULL, PERIOD FOR p (a, b)", vec![add()]),
    ]
}

#[test]
fn a_table_that_no_change_would_keep_whole_is_not_changed() {
    let mut seen: Vec<(String, String)> = Vec::new();
    for server in servers::mysql("a_table_that_no_change_would_keep_whole_is_not_changed") {
        let mut driver = super::driver(&server.own_database());
        let dialect = super::dialect(&server.name);
        let mut texts = String::new();
        for (only, sql, operations) in changes() {
            if !server.name.starts_with(only) {
                continue;
            }
            texts += &format!("{sql}\n");
            let closed = if sql.ends_with("VERSIONING") { "" } else { ")" };
            let create = format!("CREATE TABLE t (id BIGINT NOT NULL PRIMARY KEY, {sql}{closed}");
            if let Err(err) = driver.batch(&create) {
                texts += &format!("  not here: {err}\n");
                continue;
            }
            let mut schema =
                dialect.catalog(&mut driver, None, &Default::default()).unwrap().schema;
            let facts = dialect.facts(&mut driver).unwrap();
            let facts = dialect.facts_for(&mut driver, &operations, &facts).unwrap();
            match plan::tasks(&operations, &mut schema, &dialect, &facts) {
                Ok(tasks) => {
                    for task in tasks {
                        let Task::Alone(Alone { statement, .. }) = task else { continue };
                        texts += &format!("  > {}\n", statement.sql);
                        if let Err(err) = driver.batch(&statement.sql) {
                            texts += &format!("  failed: {err}\n");
                        }
                    }
                }
                Err(refusal) => {
                    texts += &format!("  refused: {}\n", refusal.message);
                    texts += &format!("    hint: {}\n", refusal.hint.unwrap_or_default());
                }
            }
            driver.batch("DROP TABLE IF EXISTS t, u").expect("it goes");
        }
        seen.push((server.name.to_string(), texts));
    }
    for (name, texts) in seen {
        if name.starts_with("mysql") {
            expect![[r#"
                a INT, CONSTRAINT ck CHECK (a > 1) NOT ENFORCED
                  refused: cannot rename column `a` of table `t` to `b` on MySQL: check `ck` of table `t` has `NOT ENFORCED`, which it would lose when the change creates it again
                    hint: write the change by hand: `op.execute("ALTER TABLE ...").describes(...)`
                a INT, KEY ix ((a + 1)) INVISIBLE
                  refused: cannot rename column `a` of table `t` to `b` on MySQL: index `ix` of table `t` has `INVISIBLE`, which it would lose when the change creates it again
                    hint: write the change by hand: `op.execute("ALTER TABLE ...").describes(...)`
                a INT, KEY ix (a) COMMENT 'words'
                  refused: cannot alter column `a` of table `t` on MySQL: index `ix` of table `t` has `COMMENT 'words'`, which it would lose when the change creates it again
                    hint: write the change by hand: `op.execute("ALTER TABLE ...").describes(...)`
                a INT, CONSTRAINT ck CHECK (a > 1) NOT ENFORCED
                  refused: cannot alter column `a` of table `t` on MySQL: check `ck` of table `t` has `NOT ENFORCED`, which it would lose when the change creates it again
                    hint: write the change by hand: `op.execute("ALTER TABLE ...").describes(...)`
                a VARCHAR(1000), KEY ix (a(50)) COMMENT 'words'
                  refused: cannot alter column `a` of table `t` on MySQL: index `ix` of table `t` has `COMMENT 'words'`, which it would lose when the change creates it again
                    hint: write the change by hand: `op.execute("ALTER TABLE ...").describes(...)`
            "#]].assert_eq(&texts);
        } else {
            expect![[r#"
                a VARCHAR(1000), KEY ix (a(50)) COMMENT 'words'
                  refused: cannot alter column `a` of table `t` on MariaDB: index `ix` of table `t` has `COMMENT 'words'`, which it would lose when the change creates it again
                    hint: write the change by hand: `op.execute("ALTER TABLE ...").describes(...)`
                a INT) WITH SYSTEM VERSIONING
                  refused: cannot add column `new` to table `t` on MariaDB: table `t` has `WITH SYSTEM VERSIONING`, and no change of such a table is known to be safe
                    hint: write the change by hand: `op.execute("ALTER TABLE ...").describes(...)`
                a INT) WITH SYSTEM VERSIONING
                  refused: cannot add column `new` to table `u` on MariaDB: table `u` has `WITH SYSTEM VERSIONING`, and no change of such a table is known to be safe
                    hint: write the change by hand: `op.execute("ALTER TABLE ...").describes(...)`
                a INT) WITH SYSTEM VERSIONING
                  > DROP TABLE `t`
                a DATE NOT NULL, b DATE NOT NULL, PERIOD FOR p (a, b)
                  refused: cannot add column `new` to table `t` on MariaDB: table `t` has `PERIOD FOR "p" ("a", "b")`, and no change of such a table is known to be safe
                    hint: write the change by hand: `op.execute("ALTER TABLE ...").describes(...)`
            "#]].assert_eq(&texts);
        }
    }
}

#[test]
fn what_is_no_table_any_more_is_not_changed() {
    for server in servers::mysql("what_is_no_table_any_more_is_not_changed") {
        let mut driver = super::driver(&server.own_database());
        let dialect = super::dialect(&server.name);
        driver.batch("CREATE TABLE t (id BIGINT NOT NULL PRIMARY KEY)").expect("a table");
        // As the migrations know it, before others put a view in its place.
        let mut schema = dialect.catalog(&mut driver, None, &Default::default()).unwrap().schema;
        driver.batch("RENAME TABLE t TO u").expect("another name");
        let view = "CREATE SQL SECURITY INVOKER VIEW t AS SELECT count(*) AS id FROM u";
        driver.batch(view).expect("a view");
        let facts = dialect.facts(&mut driver).unwrap();
        let facts = dialect.facts_for(&mut driver, &[add()], &facts).unwrap();
        let refusal = plan::tasks(&[add()], &mut schema, &dialect, &facts).expect_err("a refusal");
        let title = if server.name.starts_with("mariadb") { "MariaDB" } else { "MySQL" };
        let text = refusal.message.replace(title, "the server");
        let expected = expect![[r#"
            cannot add column `new` to table `t` on the server: `t` is a view in the database
              hint: the database differs from what the migrations build: `cargo dbmigrate check` lists the differences
        "#]];
        expected.assert_eq(&format!("{text}\n  hint: {}\n", refusal.hint.unwrap_or_default()));
    }
}

/// The columns of a table as the server writes them, without what every version writes in words of
/// its own.
fn columns(driver: &mut MysqlDriver<'_>, table: &str) -> Vec<String> {
    let sql = format!(
        "SELECT concat_ws(' ', column_name, column_type, is_nullable, column_comment, \
         nullif(collation_name, 'utf8mb4_bin'), nullif(column_default, 'NULL')) \
         FROM information_schema.columns WHERE table_schema = DATABASE() \
         AND table_name = '{table}' ORDER BY ordinal_position"
    );
    driver.query(&sql, &[]).expect("the columns").texts().collect()
}

#[test]
fn what_others_gave_to_a_column_stays_through_several_changes_of_a_revision() {
    for server in
        servers::mysql("what_others_gave_to_a_column_stays_through_several_changes_of_a_revision")
    {
        let mut driver = super::driver(&server.own_database());
        let is_mariadb = server.name.starts_with("mariadb");
        let dialect = super::dialect(&server.name);
        for table in ["a", "b", "d", "e"] {
            driver
                .batch(&format!(
                    "CREATE TABLE {table} (id BIGINT NOT NULL PRIMARY KEY, \
                     n INT NULL, name VARCHAR(20) NULL, at INT NULL, \
                     twice INT GENERATED ALWAYS AS (n * 2) VIRTUAL, \
                     nick VARCHAR(20) NULL, own VARCHAR(20) COLLATE utf8mb4_general_ci NULL) \
                     DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin"
                ))
                .expect("a table");
        }
        // As the migrations know the tables. A text that is compared as its table is may say so itself.
        let mut schema = dialect.catalog(&mut driver, None, &Default::default()).unwrap().schema;
        let e = schema.tables.get_mut("e").expect("table `e`");
        let name = e.columns.iter_mut().find(|column| column.name == "name");
        name.expect("column `name`").collation = None;
        for table in ["a", "b", "d", "e"] {
            driver
                .batch(&format!(
                    "ALTER TABLE {table} \
                     MODIFY name VARCHAR(20) COLLATE utf8mb4_general_ci NULL COMMENT 'theirs', \
                     MODIFY at INT NULL DEFAULT 7 COMMENT 'theirs', \
                     MODIFY twice INT GENERATED ALWAYS AS (n * 2) VIRTUAL COMMENT 'theirs', \
                     MODIFY nick VARCHAR(20) NULL COMMENT 'theirs', \
                     MODIFY own VARCHAR(20) COLLATE utf8mb4_general_ci NULL COMMENT 'theirs'"
                ))
                .expect("what others do");
        }
        let alter = |table: &str, column: &str, change: ColumnChange| Operation::AlterColumn {
            table: table.into(),
            column: column.into(),
            change,
        };
        let not_null = || ColumnChange::new().not_null();
        let mut operations = Operations::record(|op| {
            // Somebody's SQL, which changes no column, one column, and the texts of all.
            op.execute("CREATE INDEX d_at ON d (at)");
            op.alter_column("d", "at", not_null());
            op.execute("ALTER TABLE d MODIFY n BIGINT NULL COMMENT 'new'").describes(|op| {
                let change = ColumnChange::new().ty(Type::BigInteger).comment(Some("new"));
                op.alter_column("d", "n", change);
            });
            op.alter_column("d", "n", not_null());
            op.alter_column("d", "twice", ColumnChange::new().comment(Some("ours")));
        });
        operations.extend([
            // The same column of two tables.
            alter("a", "name", not_null()),
            alter("b", "name", not_null()),
            // One column twice, also under a new name.
            alter("a", "at", not_null()),
            Operation::RenameColumn { table: "a".into(), from: "at".into(), to: "then".into() },
            alter("a", "then", ColumnChange::new().nullable()),
            // One table under two names.
            alter("b", "at", not_null()),
            Operation::RenameTable { from: "b".into(), to: "c".into() },
            alter("c", "at", ColumnChange::new().nullable()),
            // What another column is computed from.
            Operation::RenameColumn { table: "c".into(), from: "n".into(), to: "m".into() },
            // What is compared as the table is, once it is compared in another way.
            Operation::AlterTable {
                table: "e".into(),
                change: TableChange::new().collate(Some("utf8mb4_unicode_ci")),
            },
            alter("e", "nick", not_null()),
            alter("e", "own", not_null()),
        ]);
        let facts = dialect.facts(&mut driver).unwrap();
        let facts = dialect.facts_for(&mut driver, &operations, &facts).unwrap();
        let tasks = plan::tasks(&operations, &mut schema, &dialect, &facts).expect("a plan");
        for task in tasks {
            let Task::Alone(Alone { statement, .. }) = task else { continue };
            driver.batch(&statement.sql).unwrap_or_else(|err| panic!("{}: {err}", statement.sql));
        }
        let int = if is_mariadb { "int(11)" } else { "int" };
        let big = if is_mariadb { "bigint(20)" } else { "bigint" };
        let expected = [
            (
                "a",
                [
                    "n {int} YES ",
                    "name varchar(20) NO theirs utf8mb4_general_ci",
                    "then {int} YES theirs 7",
                    "twice {int} YES theirs",
                    "nick varchar(20) YES theirs",
                    "own varchar(20) YES theirs utf8mb4_general_ci",
                ],
            ),
            (
                "c",
                [
                    "m {int} YES ",
                    "name varchar(20) NO theirs utf8mb4_general_ci",
                    "at {int} YES theirs 7",
                    "twice {int} YES theirs",
                    "nick varchar(20) YES theirs",
                    "own varchar(20) YES theirs utf8mb4_general_ci",
                ],
            ),
            (
                "d",
                [
                    "n {big} NO new",
                    "name varchar(20) YES theirs utf8mb4_general_ci",
                    "at {int} NO theirs 7",
                    "twice {int} YES ours",
                    "nick varchar(20) YES theirs",
                    "own varchar(20) YES theirs utf8mb4_general_ci",
                ],
            ),
            (
                "e",
                [
                    "n {int} YES ",
                    "name varchar(20) YES theirs utf8mb4_unicode_ci",
                    "at {int} YES theirs 7",
                    "twice {int} YES theirs",
                    "nick varchar(20) NO theirs",
                    "own varchar(20) NO theirs utf8mb4_general_ci",
                ],
            ),
        ];
        for (table, expected) in expected {
            let with_types = |line: &str| line.replace("{int}", int).replace("{big}", big);
            let mut lines = vec![format!("id {big} NO ")];
            lines.extend(expected.map(with_types));
            assert_eq!(columns(&mut driver, table), lines, "{table} on {}", server.name);
        }
    }
}
