//! MySQL and MariaDB: read from `information_schema`, and from what they say would create a table.

use std::collections::BTreeSet;

use dbmigrate_runtime::mysql::prelude::Queryable as _;
use dbmigrate_runtime::mysql::{Conn, Row};
use dbmigrate_tests::servers::{self, mysql_client};

use super::{Pair, Schema, Words, assert_same};

const WORDS: Words = Words {
    id: "id BIGINT NOT NULL AUTO_INCREMENT PRIMARY KEY",
    reference: "BIGINT",
    moment: "DATETIME(6)",
    booleans: ["0", "1"],
    quote: "`",
};

const COLUMNS: &str = "
    SELECT table_name, ordinal_position, column_name, column_type, is_nullable, column_default,
        extra, generation_expression, collation_name, column_comment
    FROM information_schema.columns AS c
    JOIN information_schema.tables USING (table_schema, table_name)
    WHERE table_schema = DATABASE() AND table_type = 'BASE TABLE'
        AND table_name NOT LIKE 'dbmigrate\\_%'";

const INDEXES: &str = "
    SELECT table_name, index_name, non_unique, seq_in_index, column_name, collation, sub_part,
        index_type, index_comment
    FROM information_schema.statistics AS i
    JOIN information_schema.tables USING (table_schema, table_name)
    WHERE table_schema = DATABASE() AND table_type = 'BASE TABLE'
        AND table_name NOT LIKE 'dbmigrate\\_%'";

#[test]
fn schemas_of_mysql_are_built_again() {
    for server in servers::mysql("schemas_of_mysql_are_built_again") {
        let dialect = server.dialect();
        let version = server.name.trim_start_matches(char::is_alphabetic).parse().unwrap();
        let schemas = Schema::all(&["shared", "mysql-and-mariadb", dialect], &WORDS, version);
        let (url, empty) = (server.database(), server.database());
        let mut conn = mysql_client(&url);
        conn.query_drop("SET NAMES utf8mb4").unwrap();
        conn.query_drop("ALTER DATABASE CHARACTER SET utf8mb4").unwrap();
        for schema in &schemas {
            for statement in schema.tables.split(";\n") {
                let is_empty =
                    statement.lines().all(|line| line.is_empty() || line.starts_with("--"));
                if !is_empty {
                    let res = conn.query_drop(statement);
                    res.unwrap_or_else(|err| panic!("{err}\n{statement}"));
                }
            }
        }
        let before = read(&url);
        let pair = Pair { name: &server.name, dialect, url: &url, empty: &empty, tables: "" };
        pair.rebuild(&schemas);
        assert_same(&before, &read(&empty));
    }
}

fn read(url: &str) -> BTreeSet<String> {
    let mut conn = mysql_client(url);
    let mut lines: BTreeSet<String> = [COLUMNS, INDEXES]
        .iter()
        .flat_map(|query| rows(&mut conn, query))
        .map(|row| row.join(" | "))
        .collect();
    let tables = rows(&mut conn, "SHOW FULL TABLES WHERE Table_type = 'BASE TABLE'");
    for table in tables.iter().map(|row| &row[0]).filter(|table| !table.starts_with("dbmigrate_")) {
        let quoted = table.replace('`', "``");
        let create = rows(&mut conn, &format!("SHOW CREATE TABLE `{quoted}`")).remove(0).remove(1);
        for line in create.lines() {
            let is_counter = |word: &&str| !word.starts_with("AUTO_INCREMENT=");
            let words: Vec<&str> = line.trim().trim_end_matches(',').split(' ').collect();
            let words: Vec<&str> = words.into_iter().filter(is_counter).collect();
            // For the same action, the servers print different words, or none, as they were told.
            let same = [" ON DELETE ", " ON UPDATE "]
                .iter()
                .flat_map(|on| ["RESTRICT", "NO ACTION"].map(|action| format!("{on}{action}")));
            let line = same.fold(words.join(" "), |line, clause| line.replace(&clause, ""));
            match line.find("CHECK (") {
                // MariaDB keeps a check where it was written, and models have it in the table.
                Some(at) if table.starts_with("own_check") => {
                    let (column, check) = line.split_at(at);
                    lines.insert(format!("{table}: {check}"));
                    if !column.starts_with("CONSTRAINT ") {
                        lines.insert(format!("{table}: {}", column.trim_end()));
                    }
                }
                _ => drop(lines.insert(format!("{table}: {line}"))),
            }
        }
    }
    lines
}

fn rows(conn: &mut Conn, query: &str) -> Vec<Vec<String>> {
    let rows: Vec<Row> = conn.query(query).unwrap_or_else(|err| panic!("{query}: {err}"));
    let text = |value: dbmigrate_runtime::mysql::Value| match value {
        dbmigrate_runtime::mysql::Value::Bytes(bytes) => String::from_utf8_lossy(&bytes).into(),
        value => value.as_sql(false),
    };
    rows.into_iter().map(|row| row.unwrap().into_iter().map(text).collect()).collect()
}
