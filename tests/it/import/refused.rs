//! Directories that can't be taken over.

use dbmigrate_tests::Host;
use expect_test::expect;

#[test]
fn a_directory_that_cannot_be_taken_over_is_named_and_nothing_is_written() {
    let host = Host::library("import-bad", "");
    host.ok("init --dialect sqlite");
    let mut text = String::new();
    let mut tried = |what: &str, tool: &str, files: &[(&str, &str)]| {
        let _ = std::fs::remove_dir_all(host.dir.join("sql"));
        std::fs::create_dir_all(host.dir.join("sql")).unwrap();
        files.iter().for_each(|(file, sql)| host.write(&format!("sql/{file}"), sql));
        let run = host.fails(&format!("import {tool} sql"));
        text += &format!("{what}\n{}", host.plain(&run.errors()));
        assert_eq!(host.revisions(), Vec::<String>::new(), "{what}");
    };
    let table = "CREATE TABLE a (id INTEGER PRIMARY KEY);";
    tried("empty", "sqlx", &[("README.md", "none")]);
    tried("another naming", "sqlx", &[("users.sql", table)]);
    tried("two of one version", "sqlx", &[("1_a.sql", table), ("01_b.sql", table)]);
    tried("only the way back", "sqlx", &[("1_a.down.sql", "DROP TABLE a")]);
    tried("a program", "refinery", &[("V1__a.rs", "")]);
    tried("a gap", "rusqlite_migration", &[("01-a/up.sql", table), ("03-b/up.sql", "SELECT 1")]);
    tried("placeholders", "flyway", &[("V1__a.sql", "CREATE TABLE ${name} (a)")]);
    tried("notes", "goose", &[("1_a.sql", "-- +goose ENVSUB ON\n-- +goose Up\nSELECT 1;")]);
    tried("no section", "dbmate", &[("1_a.sql", table)]);
    tried("a failing one", "sqlx", &[("1_a.sql", table), ("2_b.sql", "ALTER TABLE b ADD c;")]);
    let wrong = [("1_a.up.sql", table), ("1_a.down.sql", "DROP TABLE b;")];
    tried("a failing way back", "sqlx", &wrong);
    tried("alone", "sqlx", &[("1_a.sql", table), ("2_b.sql", "VACUUM;")]);
    tried("ends its transaction", "sqlx", &[("1_a.sql", "SELECT 1; COMMIT; SELECT 2;")]);
    tried("a parameter", "sqlx", &[("1_a.sql", &format!("{table} INSERT INTO a VALUES (?);"))]);
    let divided = "CREATE TABLE a (id INTEGER)\nGO\nCREATE TABLE b (id INTEGER)\nGO\n";
    tried("a script of SQL Server", "flyway", &[("V1__a.sql", divided)]);
    let shell = "-- +goose Up\n-- +goose StatementBegin\nSELECT 1;\n-- +goose StatementEnd\n\
                 .read b.sql\n";
    tried("a shell", "goose", &[("1_a.sql", shell)]);
    let trigger = "-- migrate:up\nSELECT 1;\nDELIMITER $$\nSELECT 2$$\n";
    tried("MySQL's client", "dbmate", &[("1_a.sql", trigger)]);
    let before = "-- about it\n\nSELECT 1;\n-- +goose Up\nSELECT 2;\n";
    tried("SQL before its section", "goose", &[("1_a.sql", before)]);
    let sections = "-- +goose Up\r\nCREATE TABLE a (x);\r\n-- +goose Down\r\nDROP TABLE a;\r\n";
    tried("a file of another tool", "sqlx", &[("1_a.sql", sections)]);
    tried("a byte order mark", "sqlx", &[("1_a.sql", "\u{feff}ALTER TABLE b ADD c;")]);
    let attached = "ATTACH 'other.db' AS other; CREATE TABLE other.made (x);";
    tried("another file", "sqlx", &[("1_a.sql", &format!("-- no-transaction\n{attached}"))]);
    tried("settings", "diesel", &[("1_a/up.sql", table), ("1_a/metadata.toml", "run_in_")]);
    tried("two of one id", "flyway", &[("R__all views.sql", table), ("R__all_views.sql", "")]);
    let keys = "CREATE TABLE p (id INTEGER PRIMARY KEY); CREATE TABLE c (p_id REFERENCES p (id));";
    let seeds = [
        ("1_a.sql", &*format!("-- migrate:up\n{keys}")),
        ("2_b.sql", "-- migrate:up\nINSERT INTO c VALUES (7);"),
        ("3_c.sql", "-- migrate:up\nINSERT INTO p VALUES (8);"),
    ];
    tried("a seed without its parent", "dbmate", &seeds);
    let seeds = [("1_a.sql", keys), ("2_b.sql", "INSERT INTO c VALUES (7);")];
    tried("the same where it is enforced", "sqlx", &seeds);
    assert!(!host.dir.join("other.db").exists());
    std::fs::write(host.dir.join("sql/2_b.sql"), b"SELECT 1;\nSELECT '\xe9';").unwrap();
    let run = host.fails("import sqlx sql");
    text += &format!("another encoding\n{}", run.errors());
    #[cfg(unix)]
    {
        std::fs::remove_file(host.dir.join("sql/2_b.sql")).unwrap();
        std::os::unix::fs::symlink("gone.sql", host.dir.join("sql/2_b.sql")).unwrap();
        let run = host.fails("import sqlx sql");
        assert_eq!(
            run.errors(),
            "error: `sql/2_b.sql` is a link to nothing\n  hint: restore what it points to, or \
             remove it\n"
        );
    }
    #[cfg(unix)]
    {
        host.write("loop/V1__a.sql", table);
        std::os::unix::fs::symlink("..", host.dir.join("loop/up")).unwrap();
        let run = host.fails("import refinery loop");
        let expected =
            "error: `loop/up` is a link to a directory that it is in\n  hint: remove it\n";
        assert_eq!(run.errors(), expected);
    }
    let run = host.fails("import sqlx nowhere");
    text += &format!("no directory\n{}", run.errors());
    expect![[r#"
        empty
        error: `sql` has no migrations of sqlx
          hint: they are named `VERSION_NAME.sql`, or `VERSION_NAME.up.sql`
        another naming
        error: `sql/users.sql` is not named like a migration of sqlx
          hint: sqlx names its migrations `VERSION_NAME.sql`, or `VERSION_NAME.up.sql`: rename the file, or move it away
        two of one version
        error: two migrations have version `1`: `sql/01_b.sql` and `sql/1_a.sql`
          hint: give one of them another version, as the tool itself requires
        only the way back
        error: `sql/1_a.down.sql` undoes version `1`, and no file applies it
          hint: restore the missing file, or remove this one
        a program
        error: `sql/V1__a.rs` can't be taken over: it is a program, and only SQL can be taken over
          hint: put the SQL that it runs into a file in its place, and import again
        a gap
        error: there is no migration 2: `sql/03-b/up.sql` comes next
          hint: the numbers count from 1 without a gap
        placeholders
        error: `sql/V1__a.sql` has placeholders (`${...}`)
          hint: replace them by their values, and import again
        notes
        error: `sql/1_a.sql` has `-- +goose ENVSUB ON`, which is unknown
          hint: replace it by what it stands for, and import again
        no section
        error: `sql/1_a.sql` is not named like a migration of dbmate
          hint: dbmate names its migrations `VERSION_NAME.sql` with `-- migrate:up`: rename the file, or move it away
        a failing one
        error: `sql/2_b.sql` fails
          caused by: no such table: b
          hint: the files ran one after the other, beginning with an empty database: correct this one, and import again
        a failing way back
        error: `sql/1_a.down.sql` fails
          caused by: no such table: b
          hint: it ran right after its migration: correct it, or remove it if there is no way back
        alone
        error: `sql/2_b.sql` fails
          caused by: cannot VACUUM from within a transaction
          hint: if it runs outside of a transaction, say so: `-- no-transaction` as the first line
        ends its transaction
        error: `sql/1_a.sql` ends the transaction that it runs in
          hint: remove `COMMIT` or `ROLLBACK` from it, and import again
        a parameter
        error: `sql/1_a.sql` can't be taken over as it stands
          caused by: revision `v1`: cannot execute SQL on SQLite: the placeholder `?` in `INSERT INTO a VALUES (?)` has no value
          hint: write the value itself, or bind it in a step: `op.run("...", |db| { db.execute("... ?1 ...", [value])?; Ok(()) })`
        a script of SQL Server
        error: `sql/V1__a.sql` has a separator of SQL Server's clients on line 2: `GO`
          hint: take the line out, and end each statement with `;`
        a shell
        error: `sql/1_a.sql` has a command of the sqlite3 shell on line 5: `.read b.sql`
          hint: only that program understands it: take the line out, or put the SQL that it stands for in its place
        MySQL's client
        error: `sql/1_a.sql` has a command of MySQL's client on line 3: `DELIMITER $$`
          hint: take the line out, and end each statement with `;`
        SQL before its section
        error: `sql/1_a.sql` has a line before `-- +goose Up`, line 3: `SELECT 1;`
          hint: move it below: goose itself does not run such a file
        a file of another tool
        error: `sql/1_a.sql` is a migration of goose: it has the line `-- +goose Up`
          hint: take the directory over with `import goose`
        a byte order mark
        error: `sql/1_a.sql` fails
          caused by: no such table: b
          hint: the file begins with a byte order mark, which may be the reason: save it without
        another file
        error: `sql/1_a.sql` reaches outside of the database on line 2: `ATTACH 'other.db' AS other`
          hint: the history is tried before it is taken over: move this out of the file
        settings
        error: failed to read sql/1_a/metadata.toml:1:8
          caused by: key with no value, expected `=`
        two of one id
        error: `sql/R__all views.sql` and `sql/R__all_views.sql` would both become revision `r_all_views`
          hint: an id has only letters, digits and `_`: import a copy of the directory in which one of them has another name
        a seed without its parent
        error: `sql/2_b.sql` can't be taken over as it stands
          caused by: the run was rolled back: it left foreign key violations:
              row 1 of `c` refers to a missing row of `p`
          hint: correct the rows in it, and import again
        the same where it is enforced
        error: `sql/2_b.sql` fails
          caused by: FOREIGN KEY constraint failed
          hint: the files ran one after the other, beginning with an empty database: correct this one, and import again
        another encoding
        error: `sql/2_b.sql` is not UTF-8 on line 2
          hint: import a copy of the directory in which it is saved as UTF-8
        no directory
        error: failed to read the directory `nowhere`: No such file or directory (os error 2)
    "#]].assert_eq(&text);
    // What runs alone is taken over as such.
    let _ = std::fs::remove_dir_all(host.dir.join("sql"));
    host.write("sql/1_a.sql", table);
    host.write("sql/2_b.sql", "-- no-transaction\nVACUUM;\n");
    host.ok("import sqlx sql");
    let text = host.read(&host.revisions()[1]);
    assert!(text.contains("    op.no_transaction();\n    op.execute("), "{text}");
    host.ok("upgrade");
    assert_eq!(host.ok("current").stdout, "v2 (head)\n");
}
