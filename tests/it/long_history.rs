//! One long history with every kind of change, up, down and up again with rows on SQLite and on
//! each server that was started.

#[path = "long_history/revisions.rs"]
mod revisions;

use dbmigrate_runtime::mysql::prelude::Queryable as _;
use dbmigrate_tests::servers::{self, client, mysql_client};
use dbmigrate_tests::{Host, revision};
use expect_test::expect;

use revisions::{BEFORE_ROWS, MODELS, REVISIONS, VIEWS};

fn id(nth: usize) -> String {
    format!("a{nth:02}")
}

fn host() -> Host {
    let mut host = Host::library("long-history", MODELS);
    host.ok("init --dialect sqlite --dialect postgres --dialect mysql --dialect mariadb");
    let list = host.read("migrations/mod.rs");
    host.write("migrations/mod.rs", &format!("{list}\npub mod views;\n"));
    host.write("migrations/views.rs", VIEWS);
    for (idx, (message, parents, up, down)) in REVISIONS.iter().enumerate() {
        let nth = idx + 1;
        let mut parents: Vec<String> = parents.iter().map(|nth| id(*nth)).collect();
        if parents.is_empty() && idx > 0 {
            parents.push(id(idx));
        }
        let parents: Vec<&str> = parents.iter().map(String::as_str).collect();
        let mut text = revision(&id(nth), &parents, message, up, down);
        if up.contains("ADULT") {
            let used = "prelude::*;\n\nuse super::super::views::ADULT;";
            text = text.replace("prelude::*;", used);
        }
        host.write(&format!("migrations/versions/m{nth:02}.rs"), &text);
    }
    // Lists the new files, and finds nothing that the models don't have.
    host.env("DATABASE_URL", "sqlite:list.db");
    host.ok("upgrade");
    let run = host.ok("migrate -m nothing");
    assert!(run.stdout.contains("No changes in schema detected."), "{run}");
    host
}

/// The texts of a query's first column.
fn texts(url: &str, sql: &str) -> Vec<String> {
    if let Some(path) = url.strip_prefix("sqlite:") {
        let conn = rusqlite::Connection::open(path).expect("a database");
        let mut statement = conn.prepare(sql).expect(sql);
        let rows = statement.query_map([], |row| row.get(0)).expect(sql);
        return rows.map(|row| row.expect("a text")).collect();
    }
    if url.starts_with("mysql:") {
        return mysql_client(url).query(sql).expect(sql);
    }
    client(url).query(sql, &[]).expect(sql).iter().map(|row| row.get(0)).collect()
}

fn execute(url: &str, sql: &str) {
    if let Some(path) = url.strip_prefix("sqlite:") {
        let conn = rusqlite::Connection::open(path).expect("a database");
        conn.execute_batch(sql).expect(sql);
    } else if url.starts_with("mysql:") {
        mysql_client(url).query_drop(sql).expect(sql);
    } else {
        client(url).batch_execute(sql).expect(sql);
    }
}

/// All rows of tables, each as one text.
fn rows(url: &str, tables: &[(&str, &[&str])]) -> Vec<String> {
    let is_mysql = url.starts_with("mysql:");
    let ty = if is_mysql { "char" } else { "text" };
    let mut all = Vec::new();
    for (table, columns) in tables {
        let values: Vec<String> = columns
            .iter()
            .map(|column| format!("coalesce(CAST({column} AS {ty}), 'NULL')"))
            .collect();
        let row = if is_mysql {
            format!("concat_ws(',', {})", values.join(", "))
        } else {
            values.join(" || ',' || ")
        };
        let found = texts(url, &format!("SELECT {row} FROM {table} ORDER BY 1"));
        all.extend(found.into_iter().map(|row| format!("{table}: {row}")));
    }
    all.sort();
    all
}

/// Rows of the revision before which the application has inserted its own.
const EARLY: &[(&str, &[&str])] = &[
    ("person", &["id", "full_name", "email"]),
    ("post", &["id", "person_id", "title", "views", "slug"]),
    ("label", &["id", "post_id"]),
];

/// Rows at the end. Decimals are compared as integers, which they are.
const LATE: &[(&str, &[&str])] = &[
    ("person", &["id", "full_name", "email", "level", "born"]),
    (
        "post",
        &[
            "id",
            "person_id",
            "title",
            "views",
            "slug",
            "tone",
            "triple",
            "round(price) = 10 * id + views",
        ],
    ),
    ("label", &["id", "post_id", "data"]),
    ("account", &["person_id", "kind", "balance"]),
    ("seat", &["row_no", "seat_no", "code"]),
    ("rich", &["kind"]),
    ("sample", &["id", "weight", "code"]),
];

/// Goes up with rows, down and up again, and returns the rows at the end.
fn there_and_back(host: &mut Host, url: &str) -> Vec<String> {
    host.env("DATABASE_URL", url);
    host.ok(&format!("upgrade {}", id(BEFORE_ROWS)));
    execute(url, "INSERT INTO person (id, full_name, email) VALUES (9, 'Niklaus', 'n@example')");
    execute(
        url,
        "INSERT INTO post (id, person_id, title, views, slug) VALUES (9, 9, 'Own', 4, 'own')",
    );
    execute(url, "INSERT INTO label (id, post_id) VALUES (9, 9)");
    let early = rows(url, EARLY);
    host.ok("upgrade");
    host.ok("check");
    let late = rows(url, LATE);
    host.ok(&format!("downgrade --allow-destructive {}", id(BEFORE_ROWS)));
    assert_eq!(rows(url, EARLY), early, "{url}");
    host.ok("upgrade");
    host.ok("check");
    assert_eq!(rows(url, LATE), late, "{url}");
    host.ok("downgrade --allow-destructive base");
    host.ok("upgrade");
    host.ok("check");
    late.into_iter().map(|row| row.replace(",true", ",1")).collect()
}

#[test]
fn a_long_history_goes_up_and_down_on_every_database() {
    assert!(REVISIONS.len() >= 60, "{}", REVISIONS.len());
    let mut host = host();
    let path = host.dir.join("long.db").display().to_string();
    let expected = there_and_back(&mut host, &format!("sqlite:{path}"));
    expect![[r#"
        account: 1,main,10
        account: 1,other,-20
        account: 2,main,30
        label: 1,1,NULL
        label: 2,3,NULL
        label: 9,9,NULL
        person: 1,Ada,ada,chief,NULL
        person: 2,Grace,grace,member,2001-02-03
        person: 3,Edsger 'Dijkstra',edsger 'dijkstra',member,NULL
        person: 9,Niklaus,n@example,member,NULL
        post: 1,1,First!,7,first,calm,21,1
        post: 2,1,Second; -- no end!,7,second; -- no end,calm,21,1
        post: 3,3,Third!,7,third,calm,21,1
        post: 9,9,Own!,4,own,calm,12,1
        rich: main
        sample: 1,6,Piece
        sample: 2,-1,Piece
        seat: 1,1,11
        seat: 1,2,12
        seat: 2,1,21"#]]
    .assert_eq(&expected.join("\n"));
    let name = "a_long_history_goes_up_and_down_on_every_database";
    for server in servers::postgres(name).into_iter().chain(servers::mysql(name)) {
        let rows = there_and_back(&mut host, &server.database());
        assert_eq!(rows, expected, "{}", server.name);
    }
}
