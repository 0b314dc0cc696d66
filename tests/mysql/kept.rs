//! A table that was created is read as it was declared, for everything that models can say; what
//! they can't say is named.

mod features;

use std::collections::BTreeSet;

use dbmigrate_runtime::engine::dialect::{Alone, Catalog, Dialect, Mysql, Task};
use dbmigrate_runtime::engine::drift::Difference;
use dbmigrate_runtime::engine::driver::Driver as _;
use dbmigrate_runtime::engine::driver::mysql::MysqlDriver;
use dbmigrate_runtime::engine::plan;
use dbmigrate_runtime::operations::{ColumnChange, Operation};
use dbmigrate_runtime::schema::{Column, Schema, Table, Type};
use dbmigrate_tests::servers;
use expect_test::expect;

fn catalog(driver: &mut MysqlDriver<'_>, dialect: &Mysql) -> Catalog {
    dialect.catalog(driver, None, &BTreeSet::new()).expect("the catalog")
}

/// Creates a table, after others that it refers to.
fn create(driver: &mut MysqlDriver<'_>, dialect: &Mysql, tables: &[&Table]) -> Result<(), String> {
    let facts = dialect.facts(driver).expect("the facts");
    let operations: Vec<_> =
        tables.iter().map(|table| Operation::CreateTable((*table).clone())).collect();
    let tasks = plan::tasks(&operations, &mut Schema::default(), dialect, &facts);
    for task in tasks.map_err(|refusal| refusal.to_string())? {
        if let Task::Statement(statement) | Task::Alone(Alone { statement, .. }) = task {
            let sql = &statement.sql;
            driver.batch(sql).map_err(|err| format!("{err}\n{sql}"))?;
        }
    }
    Ok(())
}

/// What is not read as it was declared.
fn left(driver: &mut MysqlDriver<'_>, dialect: &Mysql, table: &Table) -> Vec<String> {
    let found = catalog(driver, dialect);
    let actual = found.schema.table(&table.name).expect("the table");
    let mut kept = dialect.as_kept(driver, &[(table, Some(actual))]).expect("an answer");
    let kept = kept.remove(0).unwrap_or_else(|refusal| panic!("{refusal}"));
    let facts = dialect.facts(driver).expect("the facts");
    let differences = dialect.comparing(&facts).differences(&kept.table, actual);
    let mut left: Vec<_> = differences.iter().map(Difference::to_string).collect();
    left.extend(beyond(&found));
    left.extend(kept.untold.iter().map(|beyond| beyond.text.clone()));
    left
}

/// What a catalog has that no model says.
fn beyond(catalog: &Catalog) -> Vec<String> {
    let features = catalog.beyond.iter().map(|beyond| {
        let columns: Vec<_> = beyond.columns.iter().map(|name| format!(".{name}")).collect();
        let part = beyond.part.as_ref().and_then(|part| part.name.clone());
        let part = part.map_or(String::new(), |name| format!(" ({name})"));
        format!("{}{}{part} {}", beyond.table, columns.join(""), beyond.text)
    });
    let unreadable =
        catalog.unreadable.iter().map(|table| format!("{}: {}", table.name, table.why));
    features.chain(unreadable).collect()
}

#[test]
fn nothing_is_left_of_what_models_can_say() {
    for server in servers::mysql("nothing_is_left_of_what_models_can_say") {
        let mut driver = super::driver(&server.own_database());
        let dialect = super::dialect(&server.name);
        let parent = Table::new("parent")
            .column(Column::new("id", Type::BigInteger).not_null())
            .column(Column::new("x", Type::BigInteger).not_null())
            .column(Column::new("y", Type::BigInteger).not_null())
            .primary_key("pk_parent", ["id"])
            .unique("uq_parent", ["x", "y"]);
        let mut all = Vec::new();
        for (what, table) in features::features() {
            let refers = !table.foreign_keys.is_empty();
            let tables = if refers { vec![&parent, &table] } else { vec![&table] };
            let left = match create(&mut driver, &dialect, &tables) {
                Ok(()) => left(&mut driver, &dialect, &table),
                Err(why) => vec![why],
            };
            all.extend(left.into_iter().map(|left| format!("{what}: {left}")));
            driver.batch("DROP TABLE IF EXISTS kept").expect("it goes");
        }
        assert_eq!(all.join("\n"), "", "{}", server.name);
    }
}

/// Tables that no model describes, by the servers that have such.
const BEYOND: &[(&str, &str)] = &[
    ("", "a INT) PARTITION BY HASH (id) PARTITIONS 2"),
    ("", "a INT, KEY ix (a) KEY_BLOCK_SIZE=4) ROW_FORMAT=COMPRESSED KEY_BLOCK_SIZE=8"),
    ("", "a INT) ROW_FORMAT=DYNAMIC STATS_PERSISTENT=1"),
    ("", "a INT, KEY ix (a) COMMENT 'words')"),
    ("", "a INT, FULLTEXT KEY ix (t) WITH PARSER ngram, t TEXT)"),
    ("", "a INT UNIQUE) ENGINE=MEMORY"),
    ("", "a INT) ENGINE=MyISAM"),
    ("", "a INT) ENGINE=MERGE UNION=()"),
    ("", "a INT) ENGINE=FEDERATED"),
    ("", "a INT) ENGINE=CONNECT"),
    ("", "a INT) ENGINE=ROCKSDB"),
    ("mysql", "a INT) ENGINE=ARCHIVE"),
    ("mysql", "a INT) ENGINE=BLACKHOLE"),
    ("mysql", "a INT, KEY ix (a) INVISIBLE)"),
    ("mysql", "a INT, CONSTRAINT ck CHECK (a > 1) NOT ENFORCED)"),
    ("mysql", "a INT) ENCRYPTION='N' COMPRESSION='zlib'"),
    ("mysql", "a INT COLUMN_FORMAT FIXED STORAGE DISK)"),
    ("mysql", "a POINT NOT NULL SRID 4326)"),
    ("mysql", "a INT ENGINE_ATTRIBUTE='{\"x\": 1}')"),
    ("mariadb", "a INT) WITH SYSTEM VERSIONING"),
    ("mariadb", "a INT WITHOUT SYSTEM VERSIONING, b INT) WITH SYSTEM VERSIONING"),
    ("mariadb", "a DATE, b DATE, PERIOD FOR p (a, b), UNIQUE KEY uq (id, p WITHOUT OVERLAPS))"),
    ("mariadb", "a TEXT COMPRESSED)"),
    ("mariadb", "a INT) PAGE_COMPRESSED=1 TRANSACTIONAL=1"),
    ("mariadb", "a INT, KEY ix (a) IGNORED)"),
    ("mariadb", "a INT CHECK (a > 1))"),
    ("mariadb", "a INT) ENGINE=Aria"),
];

#[test]
fn what_no_model_says_is_named_and_not_lost() {
    let mut seen: Vec<(String, String)> = Vec::new();
    for server in servers::mysql("what_no_model_says_is_named_and_not_lost") {
        let url = server.own_database();
        let (_, database) = url.rsplit_once('/').expect("a database");
        let mut driver = super::driver(&url);
        let dialect = super::dialect(&server.name);
        let mut texts = String::new();
        for (_, sql) in BEYOND.iter().filter(|(only, _)| server.name.starts_with(only)) {
            let first = "CREATE TABLE t (id BIGINT NOT NULL AUTO_INCREMENT PRIMARY KEY";
            texts += &format!("{sql}\n");
            if let Err(err) = driver.batch(&format!("{first}, {sql}")) {
                texts += &format!("  not here: {err}\n");
                continue;
            }
            let found = catalog(&mut driver, &dialect);
            let before = beyond(&found);
            for text in &before {
                texts += &format!("  {text}\n");
            }
            let (table, column) = ("t".to_owned(), "a".to_owned());
            let change = ColumnChange::new().comment(Some("new"));
            let operations = [Operation::AlterColumn { table, column, change }];
            let facts = dialect.facts(&mut driver).expect("the facts");
            let facts = dialect.facts_for(&mut driver, &operations, &facts).expect("the facts");
            let mut schema = found.schema;
            match plan::tasks(&operations, &mut schema, &dialect, &facts) {
                Ok(tasks) => {
                    for task in tasks {
                        let Task::Alone(Alone { statement, .. }) = task else { continue };
                        texts += &format!("  > {}\n", statement.sql);
                        if let Err(err) = driver.batch(&statement.sql) {
                            texts += &format!("  failed: {err}\n");
                        }
                    }
                    let now = beyond(&catalog(&mut driver, &dialect));
                    assert_eq!(now, before, "{sql}");
                }
                Err(refusal) => texts += &format!("  refused: {refusal}\n"),
            }
            driver.batch("DROP TABLE t").expect("it goes");
        }
        seen.push((server.name.to_string(), texts.replace(database, "app")));
    }
    let mut of_mariadb = seen.iter().filter(|(name, _)| name.starts_with("mariadb"));
    if let Some((_, texts)) = seen.iter().find(|(name, _)| name.starts_with("mysql")) {
        expect![[r#"
            a INT) PARTITION BY HASH (id) PARTITIONS 2
              t has `PARTITION BY HASH ( "id" ) PARTITIONS 2`
              > ALTER TABLE `t` MODIFY COLUMN `a` int NULL COMMENT 'new', ALGORITHM=INSTANT
            a INT, KEY ix (a) KEY_BLOCK_SIZE=4) ROW_FORMAT=COMPRESSED KEY_BLOCK_SIZE=8
              t has ROW_FORMAT=COMPRESSED
              t has KEY_BLOCK_SIZE=8
              t (ix) has `KEY_BLOCK_SIZE = 4`
              > ALTER TABLE `t` MODIFY COLUMN `a` int NULL COMMENT 'new', ALGORITHM=INSTANT
            a INT) ROW_FORMAT=DYNAMIC STATS_PERSISTENT=1
              t has STATS_PERSISTENT=1
              t has ROW_FORMAT=DYNAMIC
              > ALTER TABLE `t` MODIFY COLUMN `a` int NULL COMMENT 'new', ALGORITHM=INSTANT
            a INT, KEY ix (a) COMMENT 'words')
              t (ix) has `COMMENT 'words'`
              > ALTER TABLE `t` MODIFY COLUMN `a` int NULL COMMENT 'new', ALGORITHM=INSTANT
            a INT, FULLTEXT KEY ix (t) WITH PARSER ngram, t TEXT)
              t (ix) has `WITH PARSER "ngram"`
              > ALTER TABLE `t` MODIFY COLUMN `a` int NULL COMMENT 'new', ALGORITHM=INSTANT
            a INT UNIQUE) ENGINE=MEMORY
              > ALTER TABLE `t` MODIFY COLUMN `a` int NULL COMMENT 'new'
            a INT) ENGINE=MyISAM
              > ALTER TABLE `t` MODIFY COLUMN `a` int NULL COMMENT 'new'
            a INT) ENGINE=MERGE UNION=()
              > ALTER TABLE `t` MODIFY COLUMN `a` int NULL COMMENT 'new'
            a INT) ENGINE=FEDERATED
              not here: Unknown storage engine 'FEDERATED'
            a INT) ENGINE=CONNECT
              not here: Unknown storage engine 'CONNECT'
            a INT) ENGINE=ROCKSDB
              not here: Unknown storage engine 'ROCKSDB'
            a INT) ENGINE=ARCHIVE
              > ALTER TABLE `t` MODIFY COLUMN `a` int NULL COMMENT 'new'
            a INT) ENGINE=BLACKHOLE
              > ALTER TABLE `t` MODIFY COLUMN `a` int NULL COMMENT 'new'
            a INT, KEY ix (a) INVISIBLE)
              t (ix) has `INVISIBLE`
              > ALTER TABLE `t` MODIFY COLUMN `a` int NULL COMMENT 'new', ALGORITHM=INSTANT
            a INT, CONSTRAINT ck CHECK (a > 1) NOT ENFORCED)
              t (ck) is NOT ENFORCED
              > ALTER TABLE `t` MODIFY COLUMN `a` int NULL COMMENT 'new', ALGORITHM=INSTANT
            a INT) ENCRYPTION='N' COMPRESSION='zlib'
              t has COMPRESSION=zlib
              > ALTER TABLE `t` MODIFY COLUMN `a` int NULL COMMENT 'new', ALGORITHM=INSTANT
            a INT COLUMN_FORMAT FIXED STORAGE DISK)
              t.a has `STORAGE DISK COLUMN_FORMAT FIXED`
              refused: cannot alter column `a` of table `t` on MySQL: column `a` of table `t` has `STORAGE DISK COLUMN_FORMAT FIXED`, which a new definition would lose
            a POINT NOT NULL SRID 4326)
              t.a has `SRID 4326`
              refused: cannot alter column `a` of table `t` on MySQL: column `a` of table `t` has `SRID 4326`, which a new definition would lose
            a INT ENGINE_ATTRIBUTE='{"x": 1}')
              not here: Storage engine 'InnoDB' does not support ENGINE_ATTRIBUTE.
        "#]].assert_eq(texts);
    }
    let Some((_, texts)) = of_mariadb.next() else { return };
    expect![[r#"
        a INT) PARTITION BY HASH (id) PARTITIONS 2
          t has `PARTITION BY HASH ( "id" ) PARTITIONS 2`
          > ALTER TABLE `t` MODIFY COLUMN `a` int(11) NULL COMMENT 'new', ALGORITHM=INSTANT
        a INT, KEY ix (a) KEY_BLOCK_SIZE=4) ROW_FORMAT=COMPRESSED KEY_BLOCK_SIZE=8
          t has ROW_FORMAT=COMPRESSED
          t has KEY_BLOCK_SIZE=8
          t (ix) has `KEY_BLOCK_SIZE = 4`
          > ALTER TABLE `t` MODIFY COLUMN `a` int(11) NULL COMMENT 'new', ALGORITHM=INSTANT
        a INT) ROW_FORMAT=DYNAMIC STATS_PERSISTENT=1
          t has STATS_PERSISTENT=1
          t has ROW_FORMAT=DYNAMIC
          > ALTER TABLE `t` MODIFY COLUMN `a` int(11) NULL COMMENT 'new', ALGORITHM=INSTANT
        a INT, KEY ix (a) COMMENT 'words')
          t (ix) has `COMMENT 'words'`
          > ALTER TABLE `t` MODIFY COLUMN `a` int(11) NULL COMMENT 'new', ALGORITHM=INSTANT
        a INT, FULLTEXT KEY ix (t) WITH PARSER ngram, t TEXT)
          not here: Function 'ngram' is not defined
        a INT UNIQUE) ENGINE=MEMORY
          > ALTER TABLE `t` MODIFY COLUMN `a` int(11) NULL COMMENT 'new'
        a INT) ENGINE=MyISAM
          > ALTER TABLE `t` MODIFY COLUMN `a` int(11) NULL COMMENT 'new'
        a INT) ENGINE=MERGE UNION=()
          > ALTER TABLE `t` MODIFY COLUMN `a` int(11) NULL COMMENT 'new'
        a INT) ENGINE=FEDERATED
          not here: Unknown storage engine 'FEDERATED'
        a INT) ENGINE=CONNECT
          not here: Unknown storage engine 'CONNECT'
        a INT) ENGINE=ROCKSDB
          not here: Unknown storage engine 'ROCKSDB'
        a INT) WITH SYSTEM VERSIONING
          t has `WITH SYSTEM VERSIONING`
          refused: cannot alter column `a` of table `t` on MariaDB: table `t` has `WITH SYSTEM VERSIONING`, and no change of such a table is known to be safe
        a INT WITHOUT SYSTEM VERSIONING, b INT) WITH SYSTEM VERSIONING
          t has `WITH SYSTEM VERSIONING`
          t.a has `WITHOUT SYSTEM VERSIONING`
          refused: cannot alter column `a` of table `t` on MariaDB: table `t` has `WITH SYSTEM VERSIONING`, and no change of such a table is known to be safe
        a DATE, b DATE, PERIOD FOR p (a, b), UNIQUE KEY uq (id, p WITHOUT OVERLAPS))
          t has `PERIOD FOR "p" ("a", "b")`
          refused: cannot alter column `a` of table `t` on MariaDB: table `t` has `PERIOD FOR "p" ("a", "b")`, and no change of such a table is known to be safe
        a TEXT COMPRESSED)
          t.a has `COMPRESSED`
          refused: cannot alter column `a` of table `t` on MariaDB: column `a` of table `t` has `COMPRESSED`, which a new definition would lose
        a INT) PAGE_COMPRESSED=1 TRANSACTIONAL=1
          t has TRANSACTIONAL=1
          t has PAGE_COMPRESSED=1
          > ALTER TABLE `t` MODIFY COLUMN `a` int(11) NULL COMMENT 'new', ALGORITHM=INSTANT
        a INT, KEY ix (a) IGNORED)
          t (ix) has `IGNORED`
          > ALTER TABLE `t` MODIFY COLUMN `a` int(11) NULL COMMENT 'new', ALGORITHM=INSTANT
        a INT CHECK (a > 1))
          > ALTER TABLE `t` MODIFY COLUMN `a` int(11) NULL COMMENT 'new' CHECK ("a" > 1), ALGORITHM=COPY
        a INT) ENGINE=Aria
          > ALTER TABLE `t` MODIFY COLUMN `a` int(11) NULL COMMENT 'new'
    "#]].assert_eq(texts);
    for (name, other) in of_mariadb {
        assert_eq!(other, texts, "{name}");
    }
}
