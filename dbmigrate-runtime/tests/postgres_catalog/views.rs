//! Views that the migrations created, over columns that change.

use dbmigrate_runtime::engine::dialect::{Dialect as _, Postgres, Task};
use dbmigrate_runtime::engine::driver::{AsConnection as _, Connection};
use dbmigrate_runtime::engine::plan::{self, Route};
use dbmigrate_runtime::prelude::*;
use dbmigrate_runtime::{Direction, Migrator, Module, Value};
use expect_test::expect;

use super::on_servers;
use crate::modules::module;

struct CreateView(&'static str, &'static str);

impl CustomOperation for CreateView {
    fn name(&self) -> String {
        format!("create view `{}`", self.0)
    }

    fn sql(&self) -> Sql {
        self.1.into()
    }

    fn reverse(&self) -> Option<Sql> {
        Some(format!("DROP VIEW {}", self.0).into())
    }

    fn describes(&self, op: &mut Operations) {
        op.makes_view(self.0);
    }
}

const SMALL: CreateView = CreateView(
    "small",
    "CREATE VIEW small AS SELECT a, b, twice FROM item WHERE a < 10 AND mood <> 'sad'; -- all
     COMMENT ON VIEW small IS 'a; b';",
);

const TABLE: Module = module(
    "a1",
    &[],
    |op| {
        let twice = Generated { expression: "a * 2".into(), stored: true };
        op.create_table(
            Table::new("item")
                .column(Column::new("a", Type::Integer).not_null())
                .column(Column::new("b", Type::String(40)))
                .column(Column { generated: Some(twice), ..Column::new("twice", Type::Integer) })
                .column(Column::new("mood", Type::enumeration("mood", ["sad", "glad"])))
                .primary_key("pk_item", ["a"]),
        );
        op.bulk_insert("item", ["a", "b", "mood"]).row((1, "x", "glad")).row((50, "y", "glad"));
    },
    |op| op.drop_table("item"),
);

/// The views of views are created in another order than that of their last change.
const VIEWS: Module = module(
    "b2",
    &["a1"],
    |op| {
        op.execute("CREATE VIEW small AS SELECT a, b FROM item");
        op.execute(
            "CREATE MATERIALIZED VIEW \"Totals\" AS SELECT b, sum(a) AS total FROM small GROUP BY b;
             CREATE UNIQUE INDEX ix_totals ON \"Totals\" (b);
             GRANT SELECT ON \"Totals\" TO PUBLIC",
        );
        op.execute("DROP MATERIALIZED VIEW \"Totals\"");
        op.execute("DROP VIEW small");
        op.invoke(&SMALL);
        op.execute(
            "CREATE MATERIALIZED VIEW \"Totals\" AS SELECT b, sum(a) AS total FROM small GROUP BY b;
             CREATE UNIQUE INDEX ix_totals ON \"Totals\" (b);
             GRANT SELECT ON \"Totals\" TO PUBLIC",
        );
        op.execute("CREATE VIEW other AS SELECT 1 AS one");
    },
    |op| {
        op.execute("DROP VIEW other");
        op.execute("DROP MATERIALIZED VIEW \"Totals\"");
        op.revert(&SMALL);
    },
);

fn changed<const N: usize>(op: &mut Operations, a: Type, b: Type, moods: [&str; N]) {
    op.alter_column("item", "a", ColumnChange::new().ty(a));
    op.alter_column("item", "b", ColumnChange::new().ty(b));
    let mood = Type::enumeration("mood", moods);
    op.alter_column("item", "mood", ColumnChange::new().ty(mood));
}

const CHANGE: Module = module(
    "c3",
    &["b2"],
    |op| changed(op, Type::BigInteger, Type::Text, ["glad", "sad", "calm"]),
    |op| changed(op, Type::Integer, Type::String(40), ["sad", "glad"]),
);

static ALL: &[Module] = &[TABLE, VIEWS, CHANGE];
static RENAMED: &[Module] = &[
    TABLE,
    VIEWS,
    module("r", &["b2"], |op| op.rename_column("item", "b", "c"), |_| {}),
    module(
        "s",
        &["r"],
        |op| {
            op.alter_column("item", "c", ColumnChange::new().ty(Type::Text));
        },
        |_| {},
    ),
];
static COMPLETED: &[Module] = &[
    TABLE,
    VIEWS,
    module(
        "r",
        &["b2"],
        |op| {
            op.execute("GRANT SELECT ON small TO PUBLIC");
        },
        |_| {},
    ),
    Module { down_revision: &["r"], ..CHANGE },
];
/// What was written by hand around a change still works.
static BY_HAND: &[Module] = &[
    TABLE,
    VIEWS,
    module(
        "c3",
        &["b2"],
        |op| {
            op.execute("DROP MATERIALIZED VIEW \"Totals\"; DO $$ BEGIN DROP VIEW small; END $$");
            op.alter_column("item", "b", ColumnChange::new().ty(Type::Text));
            op.execute("CREATE VIEW small AS SELECT a, b FROM item");
        },
        |_| {},
    ),
];

/// The views with their columns, indexes, comments and rights.
fn views(conn: &mut dyn Connection) -> Vec<Vec<Value>> {
    let sql = "SELECT c.relname::text, pg_get_viewdef(c.oid), c.relacl::text, \
               obj_description(c.oid, 'pg_class'), \
               (SELECT string_agg(x.relname, ',') FROM pg_index i \
                JOIN pg_class x ON x.oid = i.indexrelid WHERE i.indrelid = c.oid), \
               (SELECT string_agg(format_type(a.atttypid, a.atttypmod), ',' ORDER BY a.attnum) \
                FROM pg_attribute a WHERE a.attrelid = c.oid AND a.attnum > 0) \
               FROM pg_class c WHERE c.relkind IN ('v', 'm') \
               AND c.relnamespace = 'public'::regnamespace ORDER BY c.relname";
    conn.query(sql, &[]).unwrap().rows
}

#[test]
fn views_of_the_migrations_are_created_again_around_a_change() {
    let migrations = Migrator::new(ALL).migrations().unwrap();
    let applied = ["a1", "b2"].map(str::to_owned).into();
    let ids = ["c3".to_owned()];
    let route = Route {
        migrations: &migrations,
        direction: Direction::Upgrade,
        ids: &ids,
        applied: &applied,
    };
    let planned = plan::plan(&route, &Postgres, &Postgres.offline_facts()).unwrap();
    let line = |task: &Task| match task {
        Task::Statement(statement) => Some(statement.sql.clone()),
        _ => None,
    };
    let offline: Vec<String> = planned[0].tasks.iter().filter_map(line).collect();
    expect![[r#"
        DROP MATERIALIZED VIEW "Totals"
        DROP VIEW "small"
        ALTER TABLE "item" DROP COLUMN "twice"
        ALTER TABLE "item" ALTER COLUMN "a" TYPE bigint
        DO $dbmigrate$ DECLARE own text := pg_get_serial_sequence('"item"', 'a'); BEGIN IF (SELECT seqtypid FROM pg_sequence WHERE seqrelid = own::regclass) <> 'bigint'::regtype THEN EXECUTE 'ALTER SEQUENCE ' || own || ' AS bigint'; END IF; END $dbmigrate$
        ALTER TABLE "item" ADD COLUMN "twice" integer GENERATED ALWAYS AS (a * 2) STORED
        ALTER TABLE "item" ALTER COLUMN "b" TYPE text
        ALTER TYPE "mood" RENAME TO "dbmigrate_old_mood"
        CREATE TYPE "mood" AS ENUM ('glad', 'sad', 'calm')
        ALTER TABLE "item" ALTER COLUMN "mood" TYPE "mood" USING "mood"::text::"mood"
        DROP TYPE "dbmigrate_old_mood"
        CREATE VIEW small AS SELECT a, b, twice FROM item WHERE a < 10 AND mood <> 'sad'; -- all
             COMMENT ON VIEW small IS 'a; b'
        CREATE MATERIALIZED VIEW "Totals" AS SELECT b, sum(a) AS total FROM small GROUP BY b;
                     CREATE UNIQUE INDEX ix_totals ON "Totals" (b);
                     GRANT SELECT ON "Totals" TO PUBLIC
    "#]].assert_eq(&format!("{}\n", offline.join("\n")));
    on_servers(|database| {
        Migrator::new(&ALL[..2]).upgrade_url(&database.url).unwrap();
        let before = views(database.conn());
        let err = Migrator::new(ALL).upgrade_url(&database.url).map_err(|err| err.report());
        assert_eq!(err.unwrap(), ["c3"]);
        let after = views(database.conn());
        assert_ne!(after, before);
        let without_types = |rows: &[Vec<Value>]| -> Vec<Vec<Value>> {
            rows.iter().map(|row| [&row[..1], &row[2..5]].concat()).collect()
        };
        assert_eq!(without_types(&after), without_types(&before));
        let types = |rows: &[Vec<Value>]| -> String {
            rows.iter().map(|row| row[5].to_string()).collect::<Vec<_>>().join("; ")
        };
        assert_eq!(types(&after), "'text,numeric'; 'integer'; 'bigint,text,integer'");
        Migrator::new(ALL).downgrade(database.url.as_str(), "b2").unwrap();
        assert_eq!(views(database.conn()), before);
        Migrator::new(ALL).downgrade(database.url.as_str(), "base").unwrap();
        assert!(views(database.conn()).is_empty());
    });
}

#[test]
fn views_that_would_not_be_the_same_are_left_alone() {
    on_servers(|database| {
        Migrator::new(&ALL[..2]).upgrade_url(&database.url).unwrap();
        let mut refused = |modules: &'static [Module], setup: &str, cleanup: &str| {
            database.batch(setup);
            let before = views(database.conn());
            let err = Migrator::new(modules).upgrade_url(&database.url).unwrap_err().report();
            assert_eq!(views(database.conn()), before);
            database.batch(cleanup);
            let start = err.find("hint").unwrap_or(err.len());
            err[..start].trim_end().to_owned()
        };
        let texts = [
            refused(ALL, "CREATE VIEW theirs AS SELECT a FROM small", "DROP VIEW theirs"),
            refused(
                ALL,
                "COMMENT ON COLUMN small.b IS 'x'; CREATE INDEX theirs ON \"Totals\" (total)",
                "COMMENT ON COLUMN small.b IS NULL; DROP INDEX theirs",
            ),
            refused(
                ALL,
                "CREATE OR REPLACE VIEW small AS SELECT a, b, twice FROM item WHERE a < 9",
                "CREATE OR REPLACE VIEW small AS SELECT a, b, twice FROM item WHERE a < 10 \
                 AND mood <> 'sad'",
            ),
            refused(RENAMED, "", ""),
            refused(COMPLETED, "", ""),
        ];
        expect![[r#"
            revision `c3`: cannot alter column `a` of table `item` on PostgreSQL: view `small` uses it, and can't be dropped for the change: no SQL of the migrations creates view `theirs`, which selects from it
            ---
            revision `c3` was rolled back: view `small` would be created again without what the database has and the SQL that created it lacks: the comment on column b
            ---
            revision `c3` was rolled back: view `small` would be created again without what the database has and the SQL that created it lacks: its query
            ---
            revision `s`: cannot alter column `c` of table `item` on PostgreSQL: view `small` uses it and can't be created again: its SQL names column `b` of table `item`, which was renamed since
            ---
            revision `c3`: cannot alter column `a` of table `item` on PostgreSQL: view `small` uses it and can't be created again: what belongs to it comes from other SQL of the migrations: `GRANT SELECT ON small TO PUBLIC`
        "#]].assert_eq(&format!("{}\n", texts.join("\n---\n")));
        let ran = Migrator::new(BY_HAND).upgrade_url(&database.url).map_err(|err| err.report());
        assert_eq!(ran.unwrap(), ["c3"]);
        let mut client = super::connect(&database.url);
        assert_eq!(views(client.as_connection()).len(), 2);
    });
}
