//! The page "An existing database", played on SQLite and on the servers that are given.

use dbmigrate_runtime::mysql::prelude::Queryable as _;
use dbmigrate_tests::servers::{self, Server, client, mysql_client};
use dbmigrate_tests::{Host, sql};

use super::played::{Left, Player};

const PAGE: &str = "guides/existing-database.md";
const POSTGRES: &str = "PostgreSQL";
const MYSQL: &str = "MySQL and MariaDB";

#[test]
fn an_existing_database_is_adopted_as_the_page_shows() {
    let host = Host::library("shop", "//! The shop.\n");
    Player {
        host: &host,
        page: PAGE,
        left: Left::Nothing,
        is_played: &|heading| ![POSTGRES, MYSQL].contains(&heading),
        database: &|text| sql(&host.dir.join("app.db"), text),
        shown_as: &[],
    }
    .play();

    let test = "an_existing_database_is_adopted_as_the_page_shows";
    let postgres = servers::postgres(test).into_iter().next_back();
    if let Some(server) = &postgres {
        let run = |url: &str, text: &str| client(url).batch_execute(text).unwrap();
        on(server, [POSTGRES, "postgres://ada@localhost/shop"], &run);
    }
    let mariadb = servers::mysql(test).into_iter();
    for server in &mariadb.filter(|server| server.dialect() == "mariadb").collect::<Vec<_>>() {
        let run = |url: &str, text: &str| mysql_client(url).query_drop(text).unwrap();
        on(server, [MYSQL, "mariadb://ada@localhost/shop"], &run);
    }
}

/// Plays the part about one kind of server.
fn on(server: &Server, [part, shown]: [&str; 2], run: &dyn Fn(&str, &str)) {
    let host = Host::library("shop", "//! The shop.\n");
    let url = server.database();
    Player {
        host: &host,
        page: PAGE,
        left: Left::Nothing,
        is_played: &|heading| heading == part,
        database: &|text| run(&url, text),
        shown_as: &[(url.clone(), shown)],
    }
    .play();
}
