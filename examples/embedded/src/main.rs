//! A to-do list that brings its own database up to date.
//!
//! `cargo run` migrates at start-up; `cargo run -- --check` refuses to start when the database is
//! behind, for a deployment where something else migrates it.

use std::error::Error;

use rusqlite::Connection;

#[path = "../migrations/mod.rs"]
mod migrations;
mod models;

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error + Send + Sync>> {
    let path = std::env::var("TODO_DB").unwrap_or_else(|_| "todo.db".to_owned());
    let only_check = std::env::args().any(|arg| arg == "--check");
    // SQLite blocks, so it has a thread of its own.
    let n_items = tokio::task::spawn_blocking(move || start(&path, only_check)).await??;
    println!("{n_items} things to do");
    Ok(())
}

fn start(path: &str, only_check: bool) -> Result<i64, Box<dyn Error + Send + Sync>> {
    let mut conn = Connection::open(path)?;
    let migrator = migrations::migrator();
    if only_check {
        migrator.require_up_to_date(&mut conn)?;
    } else {
        for id in migrator.upgrade(&mut conn)? {
            println!("applied {id}");
        }
    }
    Ok(conn.query_row("SELECT count(*) FROM item", [], |row| row.get(0))?)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A test's database is one line.
    fn database() -> Connection {
        let mut conn = Connection::open_in_memory().unwrap();
        migrations::migrator().upgrade(&mut conn).unwrap();
        conn
    }

    #[test]
    fn an_item_is_open_until_it_is_done() {
        let conn = database();
        conn.execute("INSERT INTO item (title) VALUES ('write tests')", []).unwrap();
        let done: bool = conn.query_row("SELECT done FROM item", [], |row| row.get(0)).unwrap();
        assert!(!done);
    }

    #[test]
    fn a_fresh_database_is_behind_and_an_upgraded_one_is_not() {
        let mut conn = Connection::open_in_memory().unwrap();
        let migrator = migrations::migrator();
        assert!(!migrator.is_up_to_date(&mut conn).unwrap());
        assert_eq!(migrator.status(&mut conn).unwrap().pending.len(), 2);
        migrator.upgrade(&mut conn).unwrap();
        assert!(migrator.is_up_to_date(&mut conn).unwrap());
        migrator.downgrade(&mut conn, "base").unwrap();
        assert!(!migrator.is_up_to_date(&mut conn).unwrap());
    }

    #[tokio::test]
    async fn by_url_inside_async_code() {
        let path = std::env::temp_dir().join(format!("embedded-{}.db", std::process::id()));
        let url = format!("sqlite:{}", path.display());
        assert_eq!(migrations::migrator().upgrade_url(&url).unwrap().len(), 2);
        assert_eq!(migrations::migrator().upgrade_url(&url).unwrap().len(), 0);
        std::fs::remove_file(path).unwrap();
    }
}
