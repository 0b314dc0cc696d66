//! What a migrator can be given: a connection, a URL, a path.
#![cfg(feature = "sqlite")]

use dbmigrate_runtime::prelude::*;
use dbmigrate_runtime::{Migrator, Module};
use rusqlite::{Connection, OpenFlags};

const MODULE: Module = Module {
    revision: "a1",
    down_revision: &[],
    branch_labels: &[],
    depends_on: &[],
    replaces: &[],
    message: "",
    name: "a1",
    upgrade: |op| op.create_table(Table::new("t").column(Column::new("a", Type::Text))),
    downgrade: |op| op.drop_table("t"),
};

#[test]
fn a_url_and_a_path_are_as_good_as_a_connection() {
    let migrator = Migrator::new(&[MODULE]);
    let dir = std::env::temp_dir().join(format!("dbmigrate-connect-{}", std::process::id()));
    std::fs::create_dir_all(&dir).unwrap();
    let path = dir.join("app.db");
    let url = format!("sqlite:{}", path.display());

    // A missing file is asked without being created.
    assert_eq!(migrator.status(&path).unwrap().pending, ["a1"]);
    assert!(!migrator.is_up_to_date(url.as_str()).unwrap());
    assert!(!path.exists());

    assert_eq!(migrator.upgrade(&path).unwrap(), ["a1"]);
    assert_eq!(migrator.upgrade(&url).unwrap(), [""; 0]);
    assert!(migrator.is_up_to_date(path.as_path()).unwrap());
    let mut conn = Connection::open(&path).unwrap();
    assert_eq!(migrator.status(&conn).unwrap().applied, ["a1"]);
    assert_eq!(migrator.status(&mut conn).unwrap().applied, ["a1"]);
    assert_eq!(migrator.downgrade(&mut conn, "base").unwrap(), ["a1"]);
    let reader = Connection::open_with_flags(&path, OpenFlags::SQLITE_OPEN_READ_ONLY).unwrap();
    assert_eq!(migrator.status(&reader).unwrap().pending, ["a1"]);
    assert_eq!(migrator.upgrade_url(&url).unwrap(), ["a1"]);
    assert_eq!(migrator.downgrade(url, "base").unwrap(), ["a1"]);

    let failure = |url: &str| migrator.upgrade(url).unwrap_err().report();
    assert_eq!(
        failure("postgres://me:secret@host/app"),
        "databases of `postgres:` are not supported by this version\n  \
         hint: use `sqlite:path/to/file.db`"
    );
    let missing = format!("sqlite:{}?mode=rw", dir.join("other.db").display());
    assert!(failure(&missing).starts_with("failed to open the database"));
    assert_eq!(migrator.status(&missing).unwrap().pending, ["a1"]);
    std::fs::remove_dir_all(&dir).unwrap();
}
