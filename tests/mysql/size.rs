//! What is computed of keys and rows is what the servers allow, at the limit and one beyond it.

use dbmigrate_runtime::Value;
use dbmigrate_runtime::engine::dialect::{Dialect, Flavor, Mysql};
use dbmigrate_runtime::engine::driver::mysql::MysqlDriver;
use dbmigrate_runtime::engine::driver::{Connection as _, Driver as _};
use dbmigrate_runtime::engine::plan;
use dbmigrate_runtime::operations::Operation;
use dbmigrate_runtime::schema::{
    Column, Index, IndexColumn, PrimaryKey, Schema, Table, Type, Unique,
};
use dbmigrate_tests::servers;
use expect_test::expect;

/// Why a table can't be created; `None` if it can.
fn refusal(dialect: &dyn Dialect, table: Table) -> Option<String> {
    let operations = [Operation::CreateTable(table)];
    let planned = plan::offline(&operations, &mut Schema::default(), dialect);
    planned
        .err()
        .map(|refusal| format!("{refusal}\nhint: {}", refusal.hint.as_deref().unwrap_or_default()))
}

/// Whether the server creates a table, and exactly as it is told to.
fn creates(driver: &mut MysqlDriver<'_>, columns: &[String], keys: &str) -> bool {
    let columns: Vec<_> =
        columns.iter().enumerate().map(|(idx, ty)| format!("c{idx} {ty}")).collect();
    let sql = format!(
        "CREATE TABLE t ({}{keys}) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4",
        columns.join(", ")
    );
    driver.batch("DROP TABLE IF EXISTS t").expect("the table is dropped");
    let is_created = driver.batch(&sql).is_ok();
    let told = driver.query("SHOW WARNINGS", &[]).expect("the warnings");
    // A key that is too long may be cut.
    let is_cut = told.rows.iter().any(|row| row.contains(&Value::Integer(1071)));
    is_created && !is_cut
}

/// A table of such columns, all of them nullable unless they say otherwise.
fn table(columns: &[String]) -> Table {
    let mut table = Table::new("t");
    for (idx, ty) in columns.iter().enumerate() {
        let (words, is_required) =
            ty.strip_suffix(" NOT NULL").map_or((ty.as_str(), false), |ty| (ty, true));
        let words = words.trim_end_matches(" NULL");
        let (words, collation) = words
            .split_once(" COLLATE ")
            .map_or((words, None), |(words, name)| (words, Some(name.to_owned())));
        let mut column = Column::new(&format!("c{idx}"), Type::raw(words));
        column.nullable = !is_required;
        column.collation = collation;
        table.columns.push(column);
    }
    table
}

/// The greatest number for which a table is planned, if it is also the server's.
fn limit(
    is_planned: impl Fn(u32) -> bool,
    mut is_created: impl FnMut(u32) -> bool,
) -> Result<u32, String> {
    let (mut low, mut high) = (1_u32, 5000_u32);
    while low < high {
        let middle = (low + high).div_ceil(2);
        if is_planned(middle) {
            low = middle;
        } else {
            high = middle - 1;
        }
    }
    match (is_created(low), is_created(low + 1)) {
        (true, false) => Ok(low),
        (false, _) => Err(format!("{low} is planned, and the server refuses it")),
        (true, true) => Err(format!("{low} is planned, and the server accepts more")),
    }
}

#[test]
fn rows_are_as_long_as_the_servers_allow() {
    for server in servers::mysql("rows_are_as_long_as_the_servers_allow") {
        let mut driver = crate::driver(&server.database());
        for (first, ty) in [
            ("int NOT NULL", "varchar(63)"),
            ("int NOT NULL", "varchar(64) NOT NULL"),
            ("int NOT NULL", "varchar(300)"),
            ("int NOT NULL", "varchar(9)"),
            ("int NOT NULL", "varchar(100) COLLATE latin1_bin"),
            ("int NOT NULL", "varchar(80) COLLATE utf8mb3_bin"),
            ("int NOT NULL", "char(10)"),
            ("int NOT NULL", "char(60) COLLATE latin1_bin"),
            ("int NOT NULL", "binary(255)"),
            ("int NOT NULL", "varbinary(255)"),
            ("int NOT NULL", "varbinary(256) NOT NULL"),
            ("varchar(16000) NOT NULL", "varchar(3) NOT NULL"),
            ("varchar(16000) NOT NULL", "longtext"),
            ("varchar(16000) NOT NULL", "tinyblob"),
            ("varchar(16000) NOT NULL", "json"),
            ("varchar(16200) NOT NULL", "datetime(6)"),
            ("varchar(16200) NOT NULL", "timestamp(6) NULL"),
            ("varchar(16200) NOT NULL", "time(3) NOT NULL"),
            ("varchar(16200) NOT NULL", "decimal(20,6)"),
            ("varchar(16200) NOT NULL", "decimal(65,30)"),
            ("varchar(16300) NOT NULL", "set('a','b','c','d','e','f','g','h','i')"),
            ("varchar(16300) NOT NULL", "enum('a')"),
            ("varchar(16300) NOT NULL", "bit(9)"),
            ("varchar(16300) NOT NULL", "mediumint"),
            ("char(255) NOT NULL", "bigint NOT NULL"),
            ("char(255) NOT NULL", "double"),
            ("char(255) NOT NULL", "date"),
        ] {
            let columns = |number: u32| {
                let mut columns = vec![ty.to_owned(); number as usize];
                columns.insert(0, first.to_owned());
                columns
            };
            let dialect = driver.dialect();
            let planned = |number| refusal(dialect, table(&columns(number))).is_none();
            let found = limit(planned, |number| creates(&mut driver, &columns(number), ""));
            assert!(found.is_ok(), "{}: {first}, {ty}: {found:?}", server.name);
        }
    }
}

#[test]
fn keys_are_as_long_as_the_servers_allow() {
    for server in servers::mysql("keys_are_as_long_as_the_servers_allow") {
        let mut driver = crate::driver(&server.database());
        let dialect = driver.dialect();
        for others in [
            &[][..],
            &["bigint", "tinyint"],
            &["datetime(6)", "date", "timestamp(6) NULL", "time(6)"],
            &["decimal(20,6)", "enum('a')", "binary(16)"],
            &["varchar(400)", "varbinary(100)"],
            &["char(20)", "varchar(50) COLLATE latin1_bin"],
        ] {
            for kind in ["KEY k", "UNIQUE KEY k", "PRIMARY KEY"] {
                let is_primary = kind == "PRIMARY KEY";
                // MariaDB keeps what doesn't fit a unique key by a hash.
                let is_hashed = kind == "UNIQUE KEY k" && server.name.starts_with("mariadb");
                let columns = |number: u32| -> Vec<String> {
                    let own = format!("varchar({number})");
                    let all = std::iter::once(own.as_str()).chain(others.iter().copied());
                    let bare = all.map(|ty| ty.trim_end_matches(" NULL"));
                    bare.map(|ty| format!("{ty}{}", if is_primary { " NOT NULL" } else { "" }))
                        .collect()
                };
                let names: Vec<_> = (0..=others.len()).map(|idx| format!("c{idx}")).collect();
                let with_key = |number: u32| {
                    let mut table = table(&columns(number));
                    let (name, columns) = ("k".to_owned(), names.clone());
                    match kind {
                        "KEY k" => {
                            let columns = names.iter().map(|name| IndexColumn::new(name)).collect();
                            table.indexes.push(Index { name, columns, ..Index::default() });
                        }
                        "UNIQUE KEY k" => {
                            table.uniques.push(Unique { name, columns, ..Unique::default() });
                        }
                        _ => table.primary_key = Some(PrimaryKey { name, columns }),
                    }
                    table
                };
                let is_long = |number: u32| number > 768 && kind == "KEY k";
                let planned =
                    |number| !is_long(number) && refusal(dialect, with_key(number)).is_none();
                let keys = format!(", {kind} ({})", names.join(", "));
                if is_hashed {
                    assert!(planned(4000) && creates(&mut driver, &columns(4000), &keys));
                    continue;
                }
                let found = limit(planned, |number| creates(&mut driver, &columns(number), &keys));
                assert!(found.is_ok(), "{}: {kind}, {others:?}: {found:?}", server.name);
            }
        }
    }
}

#[test]
fn a_table_has_as_many_parts_as_the_servers_allow() {
    for server in servers::mysql("a_table_has_as_many_parts_as_the_servers_allow") {
        let mut driver = crate::driver(&server.database());
        let dialect = driver.dialect();
        let columns = |number: u32| vec!["int".to_owned(); number as usize];
        let planned = |number| refusal(dialect, table(&columns(number))).is_none();
        let found = limit(planned, |number| creates(&mut driver, &columns(number), ""));
        assert_eq!(found, Ok(1017));
        let index = |at: u32, names: Vec<String>| Index {
            name: format!("k{at}"),
            columns: names.iter().map(|name| IndexColumn::new(name)).collect(),
            ..Index::default()
        };
        let planned = |number| {
            let mut table = table(&columns(100));
            table.indexes = (0..number).map(|at| index(at, vec![format!("c{at}")])).collect();
            refusal(dialect, table).is_none()
        };
        let created = |number| {
            let keys: String = (0..number).map(|at| format!(", KEY k{at} (c{at})")).collect();
            creates(&mut driver, &columns(100), &keys)
        };
        assert_eq!(limit(planned, created), Ok(64));
        let names = |number: u32| (0..number).map(|at| format!("c{at}")).collect::<Vec<_>>();
        let planned = |number| {
            let mut table = table(&columns(100));
            table.indexes = vec![index(0, names(number))];
            refusal(dialect, table).is_none()
        };
        let created = |number: u32| {
            creates(&mut driver, &columns(100), &format!(", KEY k ({})", names(number).join(", ")))
        };
        let expect = if server.name.starts_with("mariadb") { 32 } else { 16 };
        assert_eq!(limit(planned, created), Ok(expect));
    }
}

#[test]
fn what_is_too_large_is_named() {
    let text = |name: &str, length| Column::new(name, Type::String(length));
    let mut wide = Table::new("wide");
    wide.columns = (0..40).map(|idx| text(&format!("c{idx:02}"), 60)).collect();
    let mut long = Table::new("long").column(text("title", 9000)).column(text("body", 8000));
    long.columns.push(Column::new("id", Type::Integer));
    let mut keyed = Table::new("keyed").column(text("path", 700)).column(text("host", 255));
    keyed.indexes.push(Index::new("ix_keyed", ["path", "host"]));
    let mut shown = String::new();
    for flavor in [Flavor::Mysql, Flavor::Mariadb] {
        for table in [&wide, &long, &keyed] {
            let told = refusal(&Mysql(flavor), table.clone());
            shown += &format!("{}\n", told.unwrap_or_else(|| "no refusal".to_owned()));
        }
    }
    expect![[r#"
        no refusal
        cannot create table `long` on MySQL: a row would take up to 68009 bytes, 36002 of them for column `title`, and MySQL has at most 65535
        hint: give `title` a smaller `length`, or none: a text without a limit takes 12 bytes
        cannot create table `keyed` on MySQL: index `ix_keyed` takes up to 3820 bytes, 2800 of them for column `path`, and a key of MySQL has at most 3072 bytes
        hint: give its texts a smaller `length`, or leave `path` out: each character takes 4 bytes
        cannot create table `wide` on MariaDB: a row would take up to 9669 bytes on its page, 241 of them for column `c00`, and MariaDB has less than 8126
        hint: give short texts 64 characters or more, `#[model(length = 64)]`, which MariaDB can store outside of the page; or move columns to another table
        cannot create table `long` on MariaDB: a row would take up to 68009 bytes, 36002 of them for column `title`, and MariaDB has at most 65535
        hint: give `title` a smaller `length`, or none: a text without a limit takes 12 bytes
        cannot create table `keyed` on MariaDB: index `ix_keyed` takes up to 3820 bytes, 2800 of them for column `path`, and a key of MariaDB has at most 3072 bytes
        hint: give its texts a smaller `length`, or leave `path` out: each character takes 4 bytes
    "#]].assert_eq(&shown);
}
