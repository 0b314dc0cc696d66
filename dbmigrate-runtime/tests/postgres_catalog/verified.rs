//! What a run's operations create is read back before the commit.

use dbmigrate_runtime::engine::executor::{Executor, OwnSteps};
use dbmigrate_runtime::engine::recording::Recording;
use dbmigrate_runtime::engine::revision::Revision;
use dbmigrate_runtime::engine::{Migration, Migrations};
use dbmigrate_runtime::prelude::*;
use dbmigrate_runtime::schema::{ReferentialAction, Schema, Table};
use dbmigrate_runtime::{Direction, Error, Options, Value};

use super::{Database, on_servers};

fn migration(nth: usize, f: impl FnOnce(&mut Operations)) -> Migration {
    let mut op = Operations::new();
    f(&mut op);
    let parents = if nth == 1 { Vec::new() } else { vec![format!("r{}", nth - 1)] };
    let revision = Revision { id: format!("r{nth}"), parents, ..Revision::default() };
    Migration::new(revision, op.finish(), Recording::default())
}

fn run(database: &mut Database, migrations: Vec<Migration>) -> Result<Vec<String>, Error> {
    let migrations = &Migrations::new(migrations).unwrap();
    let driver = &mut database.driver;
    let (options, observer, steps) = (&Options::default(), &mut (), &mut OwnSteps);
    Executor { driver, migrations, options, observer, steps }.run(Direction::Upgrade, "head")
}

/// Two tables, with one of everything that a table can have.
fn first(op: &mut Operations) {
    let mood = || Type::enumeration("mood", ["sad", "it's ok"]);
    let mut user = Table::new("user")
        .column(Column::new("id", Type::BigInteger).not_null())
        .column(Column::new("name", Type::String(50)).not_null().default("it's"))
        .column(Column::new("age", Type::Integer).default(-1))
        .column(Column::new("half", Type::Integer).generated_stored("age / 2"))
        .column(Column::new("mood", mood()).not_null().default("sad"))
        .column(Column::new("moods", Type::array(mood())))
        .column(Column::new("tags", Type::array(Type::Text)).default_sql("'{}'"))
        .column(Column::new("active", Type::Boolean).default(true))
        .column(Column::new("tiny", Type::TinyUnsigned).default(7))
        .column(Column::new("large", Type::BigUnsigned))
        .column(Column::new("half_life", Type::Double).default(1.5))
        .column(Column::new("nothing", Type::Double).default(f64::INFINITY))
        .column(Column::new("price", Type::Decimal(10, 2)).default(0))
        .column(Column::new("born", Type::Date).default_now())
        .column(Column::new("woke", Type::Time).default_now())
        .column(Column::new("made", Type::DateTime).not_null().default_now())
        .column(Column::new("seen", Type::Timestamp).default_now())
        .column(Column::new("text_time", Type::Text).default_now())
        .column(Column::new("token", Type::Uuid).default("A0EEBC999C0B4EF8BB6D6BB9BD380A11"))
        .column(Column::new("random", Type::Uuid).default_sql("gen_random_uuid()"))
        .column(Column::new("data", Type::Json).default("{\"a\":  1}"))
        .column(Column::new("bytes", Type::Binary).default(Value::Blob(vec![0, 255])))
        .column(Column::new("word", Type::Text).collate("C").comment("one 'word'"))
        .column(Column::new("period", Type::raw("INTERVAL")).default_sql("'36 hours'"))
        .column(Column::new("address", Type::raw("inet")))
        .column(Column::new("Odd \"Name\"", Type::Integer))
        .primary_key("pk_user", ["id"])
        .unique("uq_user_name", ["name"])
        .check("ck_user_age", "\"user\".age between -1 and 199 -- years")
        .check("ck_user_name", "name in ('a', 'it''s') or name like '%x%'")
        .comment("people");
    user.columns[0].comment = Some("the number".to_owned());
    op.create_table(user);
    op.create_index("user", Index::new("ix_user_age", ["age"]).filter("age is not null"));
    let lower = IndexColumn::expression("lower(name)");
    op.create_index("user", Index::new("ix_user_lower", ["tiny"]).column(lower.desc()).unique());
    let word = IndexColumn::new("word").collate("POSIX");
    op.create_index("user", Index::new("ix_user_word", []).column(word));
    op.create_table(
        Table::new("post")
            .column(Column::new("id", Type::Integer).not_null().autoincrement(true))
            .column(Column::new("author_id", Type::BigInteger))
            .column(Column::new("editor_id", Type::BigInteger))
            .primary_key("pk_post", ["id"])
            .foreign_key(
                ForeignKey::new("fk_post_author", ["author_id"], "user", ["id"])
                    .on_delete(ReferentialAction::Cascade)
                    .on_update(ReferentialAction::SetDefault)
                    .deferrable(Deferrable::InitiallyDeferred),
            )
            .foreign_key(
                ForeignKey::new("fk_post_editor", ["editor_id"], "user", ["id"])
                    .on_delete(ReferentialAction::Restrict)
                    .deferrable(Deferrable::InitiallyImmediate),
            ),
    );
    op.create_table(
        Table::new("plain")
            .column(Column::new("id", Type::Integer).not_null().autoincrement(false))
            .column(Column::new("n", Type::Integer))
            .primary_key("pk_plain", ["id"]),
    );
}

/// The schema that these operations build.
fn schema(migrations: &[Migration]) -> Schema {
    let migrations = Migrations::new(migrations.to_vec()).unwrap();
    migrations.replay(None).unwrap()
}

#[test]
fn what_the_planner_creates_is_what_is_read() {
    on_servers(|database| {
        run(database, vec![migration(1, first)]).unwrap();
        let found = database.conn().catalog(None).unwrap();
        assert_eq!((&found.beyond, &found.unreadable), (&Vec::new(), &Vec::new()));
        assert_eq!(found.others, []);
        let schema = schema(&[migration(1, first)]);
        let tables: Vec<_> =
            schema.tables.values().map(|table| (table, found.schema.table(&table.name))).collect();
        let dialect = database.conn().dialect();
        let kept = dialect.as_kept(database.conn(), &tables).unwrap();
        for (kept, (_, actual)) in kept.into_iter().zip(&tables) {
            let kept = kept.unwrap();
            assert_eq!(kept.untold, []);
            let sorted = |mut table: Table| {
                table.indexes.sort_by(|a, b| a.name.cmp(&b.name));
                table
            };
            assert_eq!(sorted(kept.table), sorted((*actual.unwrap()).clone()));
        }
    });
}

#[test]
fn hand_written_sql_and_other_objects_are_not_verified() {
    on_servers(|database| {
        let second = |op: &mut Operations| {
            op.add_column("plain", Column::new("m", Type::Integer));
            op.execute("ALTER TABLE plain ADD COLUMN theirs int; CREATE VIEW v AS SELECT 1 AS a");
            op.execute("ALTER TYPE mood RENAME VALUE 'sad' TO 'low'");
            op.add_column("post", Column::new("m", Type::Integer));
        };
        run(database, vec![migration(1, first)]).unwrap();
        // Someone else's change before the run is none of its business either.
        database.batch("ALTER TABLE post ADD COLUMN others int");
        run(database, vec![migration(1, first), migration(2, second)]).unwrap();
        let found = database.conn().catalog(None).unwrap();
        let names = |table: &str| {
            let columns = found.schema.tables[table].columns.iter();
            columns.map(|column| column.name.as_str()).collect::<Vec<_>>()
        };
        assert_eq!(names("plain"), ["id", "n", "m", "theirs"]);
        assert_eq!(names("post"), ["id", "author_id", "editor_id", "others", "m"]);
    });
}

#[test]
fn a_run_with_another_result_is_rolled_back() {
    on_servers(|database| {
        run(database, vec![migration(1, first)]).unwrap();
        // The server does more than it is told.
        database.batch(
            "CREATE FUNCTION meddle() RETURNS event_trigger LANGUAGE plpgsql AS $$ BEGIN
                IF tg_tag = 'CREATE INDEX' THEN
                    ALTER TABLE plain ALTER COLUMN n SET DEFAULT 5;
                END IF;
            END $$;
            CREATE EVENT TRIGGER meddle ON ddl_command_end WHEN TAG IN ('CREATE INDEX')
                EXECUTE FUNCTION meddle()",
        );
        let second = |op: &mut Operations| {
            op.create_index("plain", Index::new("ix_n", ["n"]));
        };
        let err = run(database, vec![migration(1, first), migration(2, second)]).unwrap_err();
        let text = err.report();
        assert!(text.contains("column `plain.n` has the default `5`, but none"), "{text}");
        let found = database.conn().catalog(None).unwrap();
        assert_eq!(found.schema.tables["plain"].indexes, []);
    });
}

#[test]
fn a_table_that_another_one_hides_is_not_touched() {
    on_servers(|database| {
        run(database, vec![migration(1, first)]).unwrap();
        let second = || {
            let second = |op: &mut Operations| {
                op.add_column("plain", Column::new("m", Type::Integer));
            };
            vec![migration(1, first), migration(2, second)]
        };
        database.batch("CREATE TEMP VIEW plain AS SELECT 1 AS id");
        let hidden = run(database, second()).unwrap_err().to_string();
        assert!(hidden.contains("a temporary object of the connection hides the table `plain`"));
        database.batch("DROP VIEW pg_temp.plain");
        database.batch(
            "CREATE SCHEMA other; ALTER TABLE plain SET SCHEMA other;
             SET search_path = public, other",
        );
        let elsewhere = run(database, second()).unwrap_err().to_string();
        let expected = "the database has no table `plain`, but the schema `other`, which is on \
                        the search path, has one";
        assert_eq!(elsewhere, expected);
    });
}

#[test]
#[ignore = "a measurement"]
fn a_thousand_tables() {
    on_servers(|database| {
        for n in 0..1000 {
            let sql = format!(
                "CREATE TABLE t{n} (id bigint GENERATED BY DEFAULT AS IDENTITY, a int NOT NULL \
                 DEFAULT 0, b varchar(20) DEFAULT 'x', c text, d timestamptz DEFAULT now(), \
                 e boolean, f numeric(10, 2), g uuid, h jsonb, i date, \
                 CONSTRAINT pk_t{n} PRIMARY KEY (id), CONSTRAINT uq_t{n} UNIQUE (b), \
                 CONSTRAINT ck_t{n} CHECK (b IN ('x', 'y') AND a > 0)); \
                 CREATE INDEX ix_t{n} ON t{n} (lower(b)); CREATE INDEX iy_t{n} ON t{n} (a, c);"
            );
            database.batch(&sql);
        }
        let table = |n: usize| {
            let mut table = Table::new(format!("t{n}"))
                .column(Column::new("id", Type::BigInteger))
                .column(Column::new("a", Type::Integer).not_null().default(0))
                .column(Column::new("b", Type::String(20)).default("x"))
                .column(Column::new("c", Type::Text))
                .column(Column::new("d", Type::Timestamp).default_now())
                .column(Column::new("e", Type::Boolean))
                .column(Column::new("f", Type::Decimal(10, 2)))
                .column(Column::new("g", Type::Uuid))
                .column(Column::new("h", Type::Json))
                .column(Column::new("i", Type::Date))
                .primary_key("x", ["id"])
                .unique(&format!("uq_t{n}"), ["b"])
                .check(&format!("ck_t{n}"), "b in ('x', 'y') and a > 0");
            table.primary_key.as_mut().unwrap().name = format!("pk_t{n}");
            table.indexes = vec![
                Index::new(&format!("ix_t{n}"), []).column(IndexColumn::expression("lower(b)")),
                Index::new(&format!("iy_t{n}"), ["a", "c"]),
            ];
            table
        };
        let tables: Vec<Table> = (0..1000).map(table).collect();
        for _ in 0..3 {
            let start = std::time::Instant::now();
            let found = database.conn().catalog(None).unwrap();
            let read = start.elapsed();
            let start = std::time::Instant::now();
            let objects = database.conn().objects().unwrap();
            let listed = start.elapsed();
            let pairs: Vec<_> =
                tables.iter().map(|table| (table, found.schema.table(&table.name))).collect();
            let dialect = database.conn().dialect();
            let start = std::time::Instant::now();
            let kept = dialect.as_kept(database.conn(), &pairs).unwrap();
            let asked = start.elapsed();
            let facts = database.conn().facts().unwrap();
            let comparing = dialect.comparing(&facts);
            for (kept, (_, actual)) in kept.into_iter().zip(&pairs) {
                assert_eq!(comparing.differences(&kept.unwrap().table, actual.unwrap()), []);
            }
            println!(
                "{}: catalog {read:?}, objects {listed:?} ({}), as kept {asked:?}",
                database.version,
                objects.len()
            );
        }
    });
}
