//! What a statement asserts of how the server makes a change is true, whatever else the table has.

use dbmigrate_runtime::engine::dialect::{Alone, Dialect, Mysql, Task};
use dbmigrate_runtime::engine::driver::Driver as _;
use dbmigrate_runtime::engine::driver::mysql::MysqlDriver;
use dbmigrate_runtime::engine::plan;
use dbmigrate_runtime::mysql::prelude::Queryable as _;
use dbmigrate_runtime::operations::{ColumnChange, Operation, TableChange};
use dbmigrate_runtime::prelude::Operations;
use dbmigrate_runtime::schema::{
    Check, Column, Index, IndexColumn, PrimaryKey, Schema, Table, Type, Unique,
};
use dbmigrate_runtime::{Migrator, Module};
use dbmigrate_tests::servers::{self, Server, mysql_client};
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
    let before_a = |column| {
        let before = Some("a".to_owned());
        vec![Operation::AddColumn { table: table(), column, using: None, before }]
    };
    let generated = Column::new("n", Type::BigInteger).not_null().autoincrement(true);
    let virtually = |expression: &str| ColumnChange::new().generated_virtual(expression);
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
        ("add before", before_a(Column::new("n", Type::Integer).not_null().default(3))),
        (
            "add virtual before",
            before_a(Column::new("n", Type::Integer).generated_virtual("b + 2")),
        ),
        ("add document", add(Column::new("n", Type::Json))),
        ("add time", add(Column::new("n", Type::DateTime).not_null().default_now())),
        ("add with check", {
            let column = Column::new("n", Type::Integer).not_null().default(3);
            let check = Check::new("ck_n", "n > 0");
            let mut both = add(column);
            both.push(Operation::AddCheck { table: table(), check });
            both
        }),
        ("other values", alter("a", ColumnChange::new().ty(Type::BigInteger).using("a + 1"))),
        ("other required values", alter("b", ColumnChange::new().ty(Type::Text).using("b + 1"))),
        (
            "other values in an index",
            alter("z", ColumnChange::new().ty(Type::BigInteger).using("z + 1")),
        ),
        ("generate", alter("z", ColumnChange::new().generated_stored("b + 1"))),
        ("generate virtually", alter("a", virtually("b + 1"))),
        (
            "another collation",
            alter("name", ColumnChange::new().collate(Some("utf8mb4_general_ci"))),
        ),
        ("another character set", alter("name", ColumnChange::new().charset(Some("latin1")))),
        (
            "another collation of the table",
            vec![Operation::AlterTable {
                table: table(),
                change: TableChange::new().collate(Some("utf8mb4_unicode_ci")),
            }],
        ),
        ("no generated key", alter("id", ColumnChange::new().autoincrement(Some(false)))),
        ("another expression", alter("g", virtually("b + 7"))),
        ("another stored expression", alter("g", ColumnChange::new().generated_stored("b + 7"))),
        ("no longer generated", alter("g", ColumnChange::new().not_generated())),
        ("another type of document", alter("j", ColumnChange::new().comment(Some("new")))),
        (
            "rename what is named",
            vec![Operation::RenameColumn {
                table: table(),
                from: "b".to_owned(),
                to: "c".to_owned(),
            }],
        ),
        (
            "rename the key",
            vec![Operation::RenameColumn {
                table: table(),
                from: "id".to_owned(),
                to: "number".to_owned(),
            }],
        ),
        ("add generated key", {
            let mut operations =
                vec![Operation::DropPrimaryKey { table: table(), name: "pk_item".to_owned() }];
            operations.extend(add(generated));
            operations.push(Operation::AddPrimaryKey {
                table: table(),
                primary_key: PrimaryKey::new("pk_n", ["n"]),
            });
            operations
        }),
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

/// What a server said to the changes.
#[derive(Default)]
struct Tried {
    /// What the statements assert for the table that has nothing else.
    asserted: String,
    /// The statements that it refused, since it makes the change in a slower way.
    refused: String,
}

fn tried(server: &Server) -> Tried {
    let mut driver = super::driver(&server.own_database());
    let dialect = super::dialect(&server.name);
    let mut tried = Tried::default();
    for Case { what, table, by_hand } in cases() {
        for (change, operations) in changes() {
            let create = [Operation::CreateTable(table.clone())];
            let mut schema = Schema::default();
            let mut all = create.iter().chain(&operations);
            if all.any(|operation| operation.apply(&mut schema).is_err()) {
                // It is about a column that this table lacks.
                continue;
            }
            let mut schema = Schema::default();
            let create = planned(&mut driver, &dialect, &create, &mut schema).expect(what);
            for sql in create.iter().map(String::as_str).chain(by_hand.iter().copied()) {
                driver.batch(sql).unwrap_or_else(|err| panic!("{what}: {err}\n{sql}"));
            }
            // A point has no default.
            let _ = driver.batch("INSERT INTO item (a, b, z) VALUES (1, 2, 1), (2, 3, 2)");
            let all = planned(&mut driver, &dialect, &operations, &mut schema);
            for sql in all.unwrap_or_default() {
                if what == "nothing else" && sql.starts_with("ALTER") {
                    let (_, asserted) = sql.split_once(", ALGORITHM=").unwrap_or_default();
                    tried.asserted += &format!("{change}: {asserted}\n");
                }
                // What a table can't have at all is refused for another reason.
                let Err(err) = driver.batch(&sql) else { continue };
                let why = err.to_string();
                if why.contains("ALGORITHM=") || why.contains("LOCK=") {
                    let name = &server.name;
                    tried.refused += &format!("{name}, {what}, {change}: {why}\n{sql}\n");
                }
            }
            driver.batch("DROP TABLE item").expect("it goes");
        }
    }
    tried
}

#[test]
fn what_a_statement_asserts_is_true_of_every_table() {
    let servers = servers::mysql("what_a_statement_asserts_is_true_of_every_table");
    let mut seen: Vec<(String, String)> = Vec::new();
    let mut refused = String::new();
    std::thread::scope(|scope| {
        let tried: Vec<_> =
            servers.iter().map(|server| (&server.name, scope.spawn(|| tried(server)))).collect();
        for (name, tried) in tried {
            let Tried { asserted, refused: own } = tried.join().expect("the server is there");
            seen.push((name.clone(), asserted));
            refused += &own;
        }
    });
    assert_eq!(refused, "");
    if let Some((_, texts)) = seen.iter().find(|(name, _)| name.starts_with("mysql")) {
        expect![[r#"
            add column: INSTANT
            add required: INSTANT
            add text: COPY
            add virtual: INSTANT
            add stored: COPY
            drop column: INPLACE, LOCK=NONE
            drop column: INSTANT
            rename column: INSTANT
            default: INSTANT
            comment: INSTANT
            add before: INSTANT
            add virtual before: 
            add document: INSTANT
            add time: COPY
            add with check: COPY
            other values: INSTANT
            other values: INSTANT
            other required values: INSTANT
            other required values: COPY
            other values in an index: INSTANT
            other values in an index: INPLACE, LOCK=NONE
            generate: COPY
            generate virtually: 
            another collation: 
            another character set: 
            another collation of the table: 
            no generated key: COPY
            rename what is named: COPY
            rename the key: INSTANT
            add generated key: COPY
            add generated key: COPY
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
            another key: COPY
            another key: INPLACE, LOCK=NONE
        "#]]
        .assert_eq(texts);
    }
    let mut of_mariadb = seen.iter().filter(|(name, _)| name.starts_with("mariadb"));
    let Some((_, texts)) = of_mariadb.next() else { return };
    expect![[r#"
        add column: INSTANT
        add required: INSTANT
        add text: INSTANT
        add virtual: INSTANT
        add stored: COPY
        drop column: NOCOPY, LOCK=NONE
        drop column: INSTANT
        rename column: INSTANT
        default: INSTANT
        comment: INSTANT
        add before: INSTANT
        add virtual before: 
        add document: INSTANT
        add time: 
        add with check: COPY
        other values: INSTANT
        other values: INSTANT
        other required values: INSTANT
        other required values: COPY
        other values in an index: INSTANT
        other values in an index: INPLACE, LOCK=NONE
        generate: COPY
        generate virtually: 
        another collation: 
        another character set: 
        another collation of the table: 
        no generated key: INSTANT
        rename what is named: INSTANT
        rename the key: INSTANT
        add generated key: COPY
        add generated key: 
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
        another key: COPY
        another key: INPLACE, LOCK=NONE
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
