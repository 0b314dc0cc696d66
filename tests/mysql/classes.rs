//! What a statement asserts of how the server makes a change is true, whatever else the table has.

use dbmigrate_runtime::engine::dialect::{Alone, Dialect, Mysql, Task};
use dbmigrate_runtime::engine::driver::Driver as _;
use dbmigrate_runtime::engine::driver::mysql::MysqlDriver;
use dbmigrate_runtime::engine::plan;
use dbmigrate_runtime::mysql::prelude::Queryable as _;
use dbmigrate_runtime::operations::{ColumnChange, Operation};
use dbmigrate_runtime::prelude::Operations;
use dbmigrate_runtime::schema::{
    Column, Index, IndexColumn, PrimaryKey, Schema, Table, Type, Unique,
};
use dbmigrate_runtime::{Migrator, Module};
use dbmigrate_tests::servers::{self, mysql_client};
use expect_test::expect;

use crate::lent;

/// A table, and what is done to it by hand.
struct Case {
    what: &'static str,
    table: Table,
    by_hand: &'static [&'static str],
}

fn with_index(mut table: Table, index: Index) -> Table {
    table.indexes.push(index);
    table
}

fn plain() -> Table {
    let table = Table::new("item")
        .column(Column::new("id", Type::BigInteger).not_null())
        .column(Column::new("a", Type::Integer))
        .column(Column::new("b", Type::BigInteger).not_null().default(1))
        .column(Column::new("name", Type::String(20)).not_null().default("x"))
        .column(Column::new("mood", Type::enumeration("mood", ["sad", "ok"])))
        .column(Column::new("z", Type::Integer))
        .column(Column::new("at", Type::raw("timestamp")))
        .primary_key("pk_item", ["id"])
        .check("ck_b", "b > 0");
    with_index(table, Index::new("ix_z", ["z"]))
}

fn cases() -> Vec<Case> {
    let case = |what, table| Case { what, table, by_hand: &[] };
    let by_hand = |what, by_hand| Case { what, table: plain(), by_hand };
    let of = |expression: &str| Column::new("g", Type::BigInteger).generated_stored(expression);
    let virtually =
        |expression: &str| Column::new("g", Type::BigInteger).generated_virtual(expression);
    let without_key = |mut table: Table| {
        table.primary_key = None;
        table.columns[0].autoincrement = Some(false);
        table
    };
    let lower = IndexColumn::expression("lower(name)");
    let point = plain().column(Column::new("p", Type::raw("point")).not_null());
    vec![
        case("nothing else", plain()),
        case("no key", without_key(plain())),
        case("no key, but a unique constraint", without_key(plain()).unique("uq_b", ["b"])),
        case("a stored column", plain().column(of("a + 1"))),
        case("a virtual column", plain().column(virtually("a + 1"))),
        case(
            "an index over a stored column",
            with_index(plain().column(of("b + 1")), Index::new("ix_g", ["g"])),
        ),
        case(
            "an index over a virtual column",
            with_index(plain().column(virtually("b + 1")), Index::new("ix_g", ["g"])),
        ),
        case(
            "an index over an expression",
            with_index(plain(), Index::new("ix_e", []).column(lower).unique()),
        ),
        case(
            "a full-text index",
            with_index(plain(), Index::new("ft", ["name"]).using("fulltext")),
        ),
        case("a spatial index", with_index(point, Index::new("sp", ["p"]).using("spatial"))),
        case("a document", plain().column(Column::new("j", Type::Json))),
        case("another engine", plain().engine("MyISAM")),
        case("another character set", plain().charset("latin1")),
        by_hand("the full-text index of others", &["ALTER TABLE item ADD FULLTEXT KEY f (name)"]),
        by_hand("the engine of others", &["ALTER TABLE item ENGINE=MyISAM"]),
        by_hand("a table in memory", &["ALTER TABLE item ENGINE=MEMORY"]),
        by_hand("compressed rows", &["ALTER TABLE item ROW_FORMAT=COMPRESSED"]),
        by_hand("redundant rows", &["ALTER TABLE item ROW_FORMAT=REDUNDANT"]),
        by_hand("partitions", &["ALTER TABLE item PARTITION BY HASH (id) PARTITIONS 2"]),
        by_hand("a stored column of others", &["ALTER TABLE item ADD g INT AS (a + 1) STORED"]),
    ]
}

/// Changes of the table, by what they are.
fn changes() -> Vec<(&'static str, Vec<Operation>)> {
    let table = || "item".to_owned();
    let alter = |column: &str, change| {
        vec![Operation::AlterColumn { table: table(), column: column.to_owned(), change }]
    };
    let add =
        |column| vec![Operation::AddColumn { table: table(), column, using: None, before: None }];
    let index = |index| vec![Operation::CreateIndex { table: table(), index }];
    let mood = Type::enumeration("mood", ["sad", "ok", "merry"]);
    vec![
        ("add column", add(Column::new("n", Type::Integer))),
        ("add required", add(Column::new("n", Type::Integer).not_null().default(3))),
        ("add text", add(Column::new("n", Type::Text).not_null().default("x"))),
        ("add virtual", add(Column::new("n", Type::Integer).generated_virtual("b + 2"))),
        ("add stored", add(Column::new("n", Type::Integer).generated_stored("b + 2"))),
        (
            "drop column",
            vec![
                Operation::DropIndex { table: table(), name: "ix_z".to_owned() },
                Operation::DropColumn { table: table(), column: "z".to_owned() },
            ],
        ),
        (
            "rename column",
            vec![Operation::RenameColumn {
                table: table(),
                from: "z".to_owned(),
                to: "y".to_owned(),
            }],
        ),
        ("default", alter("a", ColumnChange::new().default(5))),
        ("comment", alter("name", ColumnChange::new().comment(Some("new")))),
        ("required", alter("z", ColumnChange::new().not_null())),
        ("required timestamp", alter("at", ColumnChange::new().not_null())),
        ("nullable", alter("name", ColumnChange::new().nullable())),
        ("longer", alter("name", ColumnChange::new().ty(Type::String(60)))),
        ("another type", alter("a", ColumnChange::new().ty(Type::BigInteger))),
        ("another value", alter("mood", ColumnChange::new().ty(mood))),
        ("add index", index(Index::new("ix_b", ["b"]))),
        ("add unique index", index(Index::new("ux_b", ["b", "name"]).unique())),
        ("add full-text index", index(Index::new("ft_2", ["name"]).using("fulltext"))),
        (
            "add unique",
            vec![Operation::AddUnique {
                table: table(),
                unique: Unique::new("uq_id", ["b", "id"]),
            }],
        ),
        (
            "rename index",
            vec![Operation::RenameIndex {
                table: table(),
                from: "ix_z".to_owned(),
                to: "ix_y".to_owned(),
            }],
        ),
        ("drop index", vec![Operation::DropIndex { table: table(), name: "ix_z".to_owned() }]),
        ("drop check", vec![Operation::DropCheck { table: table(), name: "ck_b".to_owned() }]),
        (
            "another key",
            vec![
                Operation::DropPrimaryKey { table: table(), name: "pk_item".to_owned() },
                Operation::AddPrimaryKey {
                    table: table(),
                    primary_key: PrimaryKey::new("pk_item", ["b", "id"]),
                },
            ],
        ),
    ]
}

/// The statements of operations, as the server has the tables.
fn planned(
    driver: &mut MysqlDriver<'_>,
    dialect: &Mysql,
    operations: &[Operation],
    schema: &mut Schema,
) -> Result<Vec<String>, String> {
    let facts = dialect.facts(driver).expect("the facts");
    let facts = dialect.facts_for(driver, operations, &facts).expect("the facts");
    let tasks = plan::tasks(operations, schema, dialect, &facts);
    let statements = tasks.map_err(|refusal| refusal.to_string())?.into_iter();
    Ok(statements
        .filter_map(|task| match task {
            Task::Statement(statement) | Task::Alone(Alone { statement, .. }) => {
                Some(statement.sql)
            }
            _ => None,
        })
        .collect())
}

#[test]
fn what_a_statement_asserts_is_true_of_every_table() {
    let mut seen: Vec<(String, String)> = Vec::new();
    let mut refused = String::new();
    for server in servers::mysql("what_a_statement_asserts_is_true_of_every_table") {
        let mut driver = super::driver(&server.own_database());
        let dialect = super::dialect(&server.name);
        let mut texts = String::new();
        for Case { what, table, by_hand } in cases() {
            for (change, operations) in changes() {
                let mut schema = Schema::default();
                let create = [Operation::CreateTable(table.clone())];
                let create = planned(&mut driver, &dialect, &create, &mut schema).expect(what);
                let rows = "INSERT INTO item (a, b, z) VALUES (1, 2, 1), (2, 3, 2)";
                for sql in create.iter().map(String::as_str).chain(by_hand.iter().copied()) {
                    driver.batch(sql).unwrap_or_else(|err| panic!("{what}: {err}\n{sql}"));
                }
                // A point has no default.
                let _ = driver.batch(rows);
                let all = planned(&mut driver, &dialect, &operations, &mut schema);
                for sql in all.unwrap_or_default() {
                    if what == "nothing else" {
                        let (_, asserted) = sql.split_once(", ALGORITHM=").unwrap_or_default();
                        texts += &format!("{change}: {asserted}\n");
                    }
                    // What a table can't have at all is refused for another reason.
                    if let Err(err) = driver.batch(&sql) {
                        let why = err.to_string();
                        let is_slower = why.contains("ALGORITHM=") || why.contains("LOCK=");
                        if is_slower {
                            let name = &server.name;
                            refused += &format!(
                                "{name}, {what}, {change}: {why}
{sql}
"
                            );
                        }
                    }
                }
                driver.batch("DROP TABLE item").expect("it goes");
            }
        }
        seen.push((server.name.to_string(), texts));
    }
    assert_eq!(refused, "");
    if let Some((_, texts)) = seen.iter().find(|(name, _)| name.starts_with("mysql")) {
        expect![[r#"
            add column: INSTANT
            add required: INSTANT
            add text: 
            add virtual: INSTANT
            add stored: COPY
            drop column: INPLACE, LOCK=NONE
            drop column: INSTANT
            rename column: INSTANT
            default: INSTANT
            comment: INSTANT
            required: INPLACE, LOCK=NONE
            required timestamp: INPLACE, LOCK=NONE
            nullable: INPLACE, LOCK=NONE
            longer: INPLACE, LOCK=NONE
            another type: COPY
            another value: INSTANT
            add index: INPLACE, LOCK=NONE
            add unique index: INPLACE, LOCK=NONE
            add full-text index: INPLACE, LOCK=SHARED
            add unique: INPLACE, LOCK=NONE
            rename index: INPLACE, LOCK=NONE
            drop index: INPLACE, LOCK=NONE
            drop check: INSTANT
            another key: 
            another key: 
        "#]]
        .assert_eq(texts);
    }
    let mut of_mariadb = seen.iter().filter(|(name, _)| name.starts_with("mariadb"));
    let Some((_, texts)) = of_mariadb.next() else { return };
    expect![[r#"
        add column: INSTANT
        add required: INSTANT
        add text: 
        add virtual: INSTANT
        add stored: COPY
        drop column: NOCOPY, LOCK=NONE
        drop column: INSTANT
        rename column: INSTANT
        default: INSTANT
        comment: INSTANT
        required: INPLACE, LOCK=NONE
        required timestamp: COPY
        nullable: INPLACE, LOCK=NONE
        longer: INSTANT
        another type: COPY
        another value: INSTANT
        add index: NOCOPY, LOCK=NONE
        add unique index: NOCOPY, LOCK=NONE
        add full-text index: INPLACE, LOCK=SHARED
        add unique: NOCOPY, LOCK=NONE
        rename index: INSTANT
        drop index: NOCOPY, LOCK=NONE
        drop check: INSTANT
        another key: 
        another key: 
    "#]]
    .assert_eq(texts);
    for (name, other) in of_mariadb {
        assert_eq!(other, texts, "{name}");
    }
}

const FIRST: &[Module] = &[lent::module("m1", &[], texts)];
const BOTH: &[Module] = &[lent::module("m1", &[], texts), lent::module("m2", &["m1"], longer)];

fn texts(op: &mut Operations) {
    op.create_table(
        Table::new("item")
            .column(Column::new("id", Type::BigInteger).not_null())
            .column(Column::new("name", Type::String(20)))
            .primary_key("pk_item", ["id"]),
    );
}

fn longer(op: &mut Operations) {
    op.add_column("item", Column::new("n", Type::Integer));
}

#[test]
fn a_table_that_rules_out_what_its_definition_allows_is_written_again() {
    let test = "a_table_that_rules_out_what_its_definition_allows_is_written_again";
    for server in servers::mysql(test) {
        let url = server.database();
        Migrator::new(FIRST).upgrade(&url).expect("a table");
        let mut conn = mysql_client(&url);
        // What a full-text index leaves is not in the definition.
        for sql in ["ADD FULLTEXT KEY f (name)", "DROP INDEX f"] {
            conn.query_drop(format!("ALTER TABLE item {sql}")).expect("a change");
        }
        let failed = Migrator::new(BOTH).upgrade(&url).expect_err("it fails").report();
        let (_, hint) = failed.split_once("hint: ").expect("a hint");
        expect![[r#"
            the server can't change this table as cheaply as planned: run `ALTER TABLE `item` FORCE` when the table may be busy for a while, which writes it again without what is in the way, and then this command again"#]].assert_eq(hint);
        conn.query_drop("ALTER TABLE item FORCE").expect("a table");
        Migrator::new(BOTH).upgrade(&url).expect("another column");
    }
}
