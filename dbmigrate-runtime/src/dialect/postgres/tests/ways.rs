//! Operations that lead to a schema and back, with rows.

use super::server::{Server, servers};
use crate::Value;
use crate::dialect::{Dialect as _, Postgres};
use crate::driver::{AsConnection as _, Driver as _};
use crate::operations::{ColumnChange, Operation, Operations, TableChange, reverse_all};
use crate::schema::{
    Check, Column, Deferrable, ForeignKey, Identity, Index, IndexColumn, PrimaryKey,
    ReferentialAction, Schema, Table, Type, Unique,
};
use crate::script::{self, Client};

#[test]
fn a_script_stops_where_rows_do_not_fit() {
    for mut server in servers("scripts") {
        server.driver.batch("CREATE TABLE t (id int PRIMARY KEY, a int)").unwrap();
        server.driver.batch("INSERT INTO t VALUES (1, NULL), (2, 70000)").unwrap();
        let table = Table::new("t")
            .column(Column::new("id", Type::Integer).not_null().autoincrement(false))
            .column(Column::new("a", Type::Integer))
            .primary_key("t_pkey", ["id"]);
        let script = |change: ColumnChange| {
            let operations = Operations::record(|op| {
                op.drop_primary_key("t", "t_pkey");
                op.alter_column("t", "a", change);
            });
            let mut schema = Schema::from_tables([table.clone()]);
            let plan = Postgres.plan(&operations, &mut schema, &server.facts).unwrap();
            let text = script::statements(&plan.tasks, &Postgres);
            script::for_client(&text, &Postgres, Client::Shell)
        };
        for (change, expect) in [
            (
                ColumnChange::new().not_null(),
                "column `a` of table `t` can't become NOT NULL: it is NULL in 1 row(s)",
            ),
            (
                ColumnChange::new().ty(Type::SmallInteger),
                "1 of the values in column `a` of table `t` do not fit the type `smallint`",
            ),
        ] {
            let Some(result) = server.psql(&script(change)) else { continue };
            let err = result.unwrap_err();
            assert!(err.contains(expect), "{err}");
        }
        server.driver.batch("CREATE INDEX theirs ON t (id) WHERE a > 0").unwrap();
        let mut schema = Schema::from_tables([table.clone()]);
        let drop = Operations::record(|op| op.drop_column("t", "a"));
        let err = server.run(&drop, &mut schema).unwrap_err();
        assert_eq!(err, "cannot drop column `a` of table `t`: `theirs` uses it");
        let rows = server.query("SELECT count(*) FROM pg_constraint WHERE conname = 't_pkey'");
        assert_eq!(rows, [[Value::Integer(1)]]);
    }
}

/// What the catalog says of a schema, without the names that PostgreSQL chooses.
const DESCRIBE: &str = "
WITH own AS (SELECT c.oid, c.relname FROM pg_class c
    WHERE c.relnamespace = current_schema()::regnamespace AND c.relkind = 'r')
SELECT 'column ' || concat_ws(' ', own.relname, a.attname, format_type(a.atttypid, a.atttypmod),
    CASE WHEN a.attnotnull THEN 'not null' END, pg_get_expr(d.adbin, d.adrelid),
    a.attidentity, a.attgenerated, co.collname, col_description(own.oid, a.attnum))
FROM own JOIN pg_attribute a ON a.attrelid = own.oid AND a.attnum > 0 AND NOT a.attisdropped
LEFT JOIN pg_attrdef d ON d.adrelid = own.oid AND d.adnum = a.attnum
LEFT JOIN pg_collation co ON co.oid = a.attcollation
UNION ALL
SELECT 'constraint ' || concat_ws(' ', own.relname, conname, pg_get_constraintdef(k.oid))
FROM own JOIN pg_constraint k ON k.conrelid = own.oid AND k.contype <> 'n'
UNION ALL
SELECT 'index ' || replace(pg_get_indexdef(indexrelid), ' ON ' || current_schema() || '.', ' ON ')
FROM own JOIN pg_index ON indrelid = own.oid
UNION ALL
SELECT 'type ' || t.typname || ' ' || string_agg(enumlabel, ', ' ORDER BY enumsortorder)
FROM pg_enum JOIN pg_type t ON t.oid = enumtypid AND t.typnamespace = current_schema()::regnamespace
GROUP BY t.typname
UNION ALL
SELECT 'table ' || concat_ws(' ', relname, obj_description(oid, 'pg_class')) FROM own
ORDER BY 1";

fn describe(server: &mut Server) -> Vec<String> {
    let line = |row: Vec<Value>| match row.into_iter().next() {
        Some(Value::Text(line)) => line,
        other => panic!("{other:?}"),
    };
    server.query(DESCRIBE).into_iter().map(line).collect()
}

/// The rows of all tables, as JSON.
fn rows(server: &mut Server, schema: &Schema) -> Vec<String> {
    let mut found = Vec::new();
    for name in schema.tables.keys() {
        let sql =
            format!("SELECT to_jsonb(t)::text FROM {} AS t ORDER BY 1", crate::sql::quote(name));
        let rows = server.query(&sql).into_iter().flatten();
        found.extend(rows.map(|value| match value {
            Value::Text(row) => format!("{name} {row}"),
            other => panic!("{other:?}"),
        }));
    }
    found
}

struct Way {
    name: &'static str,
    before: Vec<Table>,
    /// SQL that inserts rows.
    rows: &'static str,
    operations: Vec<Operation>,
    /// A query and its result after the operations.
    then: Option<(&'static str, &'static str)>,
    is_one_way: bool,
}

fn user() -> Table {
    Table::new("user")
        .column(Column::new("id", Type::BigInteger).not_null())
        .column(Column::new("name", Type::String(40)).not_null().default("it's \\"))
        .column(Column::new("age", Type::Integer))
        .primary_key("pk_user", ["id"])
        .unique("uq_user_name", ["name"])
        .check("ck_user_age", "age > 0")
}

fn post() -> Table {
    let mut table = Table::new("post")
        .column(Column::new("id", Type::Integer).not_null())
        .column(Column::new("author_id", Type::BigInteger).not_null())
        .column(Column::new("title", Type::Text).comment("what it's about"))
        .primary_key("pk_post", ["id"])
        .foreign_key(
            ForeignKey::new("fk_post_author_id_user", ["author_id"], "user", ["id"])
                .on_delete(ReferentialAction::Cascade)
                .on_update(ReferentialAction::Restrict)
                .deferrable(Deferrable::InitiallyDeferred),
        )
        .comment("posts");
    table.indexes = vec![
        Index::new("ix_post_title", ["title"]).filter("title IS NOT NULL"),
        Index::new("ix_post_lower", [])
            .column(IndexColumn::expression("lower(title)").desc())
            .column(IndexColumn::new("author_id"))
            .unique(),
    ];
    table
}

fn item(ty: Type) -> Table {
    Table::new("item")
        .column(Column::new("id", Type::BigInteger).not_null())
        .column(Column::new("a", ty).not_null())
        .primary_key("pk_item", ["id"])
}

fn mood(values: &[&str]) -> Type {
    Type::Enum("mood".to_owned(), values.iter().map(|value| (*value).to_owned()).collect())
}

const USERS: &str = "INSERT INTO \"user\" (name, age) VALUES ('ada', 36), ('bob', NULL);
    INSERT INTO post (author_id, title) VALUES (1, 'x'), (2, NULL);";

#[test]
fn operations_lead_there_and_back() {
    for mut server in servers("ways") {
        let mut wrong = Vec::new();
        for way in ways() {
            let result = walk(&mut server, &way).and_then(|there| {
                server.driver.batch("ROLLBACK").unwrap();
                by_script(&mut server, &way, &there)
            });
            if let Err(why) = result {
                wrong.push(format!("{}: {why}", way.name));
            }
            let drop = "ROLLBACK; DROP SCHEMA IF EXISTS own, fresh CASCADE";
            server.driver.batch(drop).unwrap();
        }
        assert!(wrong.is_empty(), "{}", wrong.join("\n\n"));
    }
}

/// Runs the same operations as scripts.
fn by_script(server: &mut Server, way: &Way, there: &[String]) -> Result<(), String> {
    let schemas = "DROP SCHEMA IF EXISTS own CASCADE; CREATE SCHEMA own; SET search_path = own";
    let mut script = format!("{schemas};\n");
    let mut schema = Schema::default();
    let tables = way.before.clone().into_iter().map(Operation::CreateTable).collect();
    for operations in [tables, way.operations.clone()] {
        let plan = Postgres.plan(&operations, &mut schema, &server.facts).unwrap();
        let text = script::statements(&plan.tasks, &Postgres);
        script += &script::for_client(&text, &Postgres, Client::Shell);
        // Not behind the second one.
        if script.matches("COMMIT;").count() < 2 && !way.before.is_empty() {
            script += &format!("{};\n", way.rows);
        }
    }
    let Some(result) = server.psql(&script) else { return Ok(()) };
    result.map_err(|err| format!("psql: {err}"))?;
    server.driver.batch("BEGIN; SET LOCAL search_path = own").unwrap();
    same("by psql", &describe(server), there)
}

/// Returns what the schema is there.
fn walk(server: &mut Server, way: &Way) -> Result<Vec<String>, String> {
    server.driver.batch("BEGIN; SET LOCAL TimeZone = 'UTC'; CREATE SCHEMA own; CREATE SCHEMA fresh; SET LOCAL search_path = own").unwrap();
    let create = |schema: &Schema| -> Vec<Operation> {
        schema.tables.values().cloned().map(Operation::CreateTable).collect()
    };
    let before = Schema::from_tables(way.before.clone());
    let mut schema = Schema::default();
    server.run(&create(&before), &mut schema).map_err(|err| format!("before: {err}"))?;
    server.driver.batch(way.rows).map_err(|err| format!("rows: {err}"))?;
    // As if it was long ago.
    server
        .driver
        .batch("COMMIT; BEGIN; SET LOCAL TimeZone = 'UTC'; SET LOCAL search_path = own")
        .map_err(|err| format!("rows: {err}"))?;
    let (was, rows_were) = (describe(server), rows(server, &schema));
    server.run(&way.operations, &mut schema).map_err(|err| format!("there: {err}"))?;
    let there = describe(server);
    if let Some((query, expect)) = way.then {
        server.driver.batch("SAVEPOINT so").unwrap();
        let rows = server.query(query);
        server.driver.batch("ROLLBACK TO SAVEPOINT so").unwrap();
        let rows: Vec<_> = rows
            .iter()
            .map(|row| row.iter().map(ToString::to_string).collect::<Vec<_>>().join(", "))
            .collect();
        if rows.join("; ") != expect {
            return Err(format!("{query}: {}", rows.join("; ")));
        }
    }
    server.driver.batch("SET LOCAL search_path = fresh").unwrap();
    server.run(&create(&schema), &mut Schema::default()).map_err(|err| format!("fresh: {err}"))?;
    same("there", &there, &describe(server))?;
    server.driver.batch("SET LOCAL search_path = own").unwrap();
    let Ok(back) = reverse_all(&way.operations, &before) else { return Ok(there) };
    if way.is_one_way {
        let res = server.run(&back, &mut schema);
        return res.err().map(|_| there).ok_or_else(|| "there is a way back".to_owned());
    }
    server.run(&back, &mut schema).map_err(|err| format!("back: {err}"))?;
    same("back", &describe(server), &was)?;
    let kept = rows(server, &schema);
    let has_dropped = |operation: &Operation| matches!(operation, Operation::DropTable { .. });
    if kept.len() != rows_were.len() && !way.operations.iter().any(has_dropped) {
        return Err(format!("{rows_were:?} became {kept:?}"));
    }
    // Whatever was deferred.
    server.driver.batch("SET CONSTRAINTS ALL IMMEDIATE").map_err(|err| err.to_string())?;
    Ok(there)
}

fn same(what: &str, is: &[String], wanted: &[String]) -> Result<(), String> {
    let only = |a: &[String], b: &[String]| {
        a.iter().filter(|line| !b.contains(line)).cloned().collect::<Vec<_>>().join("\n    ")
    };
    if is == wanted {
        return Ok(());
    }
    Err(format!("{what}: has\n    {}\n  and not\n    {}", only(is, wanted), only(wanted, is)))
}

fn way(
    name: &'static str,
    before: Vec<Table>,
    rows: &'static str,
    record: impl FnOnce(&mut Operations),
) -> Way {
    Way {
        name,
        before,
        rows,
        operations: Operations::record(record),
        then: None,
        is_one_way: false,
    }
}

impl Way {
    /// Rows have no way back, unless a person says what becomes of them.
    fn one_way(mut self) -> Way {
        self.is_one_way = true;
        self
    }

    fn then(mut self, query: &'static str, expect: &'static str) -> Way {
        self.then = Some((query, expect));
        self
    }
}

fn ways() -> Vec<Way> {
    let mut ways = vec![
        way("create, refer forwards", vec![], "", |op| {
            op.create_table(post());
            op.create_table(user());
            op.bulk_insert("user", ["id", "name"]).row((5, "eve"));
        })
        .then("INSERT INTO \"user\" (name) VALUES ('x') RETURNING id", "6"),
        way("drop the referenced table first", vec![user(), post()], USERS, |op| {
            op.drop_table("user");
            op.drop_table("post");
        }),
        way("rename all", vec![user(), post()], USERS, |op| {
            op.rename_table("user", "User");
            op.rename_column("User", "name", "login");
            op.rename_index("post", "ix_post_title", "ix_title");
            op.rename_column("post", "title", "order");
            op.rename_column("User", "id", "key");
        }),
        way("comments", vec![user(), post()], USERS, |op| {
            op.alter_table("user", TableChange::new().comment(Some("people")));
            op.alter_table("post", TableChange::new().comment(None).strict(true));
            op.alter_column("post", "title", ColumnChange::new().comment(None));
            op.alter_column("user", "name", ColumnChange::new().comment(Some("it's")));
        }),
    ];
    ways.extend(columns());
    ways.extend(keys());
    ways.extend(enumerations());
    ways
}

fn columns() -> Vec<Way> {
    let computed = |expression: &str| {
        Table::new("t")
            .column(Column::new("id", Type::BigInteger).not_null())
            .column(Column::new("a", Type::Integer).not_null())
            .column(Column::new("b", Type::Integer).generated_stored(expression).comment("twice"))
            .primary_key("pk_t", ["id"])
            .unique("uq_t_b", ["b"])
            .check("ck_t_b", "b < 100 AND a > 0")
    };
    const T: &str = "INSERT INTO t (a) VALUES (1), (2)";
    vec![
        way("add columns", vec![user(), post()], USERS, |op| {
            op.add_column("user", Column::new("x", Type::Boolean).not_null().default(true));
            op.add_column("user", Column::new("y", Type::DateTime).not_null().default_now());
            op.add_column("user", Column::new("z", Type::Json));
            op.add_column("user", Column::new("w", mood(&["a", "b"])).not_null().default("b"));
            op.add_column("user", Column::new("v", Type::array(mood(&["a", "b"]))).comment("v"));
            op.add_column("user", Column::new("s", Type::Text).collate("C"));
            op.add_column("user", Column::new("u", Type::Uuid).default_sql("gen_random_uuid()"));
        })
        .then("SELECT DISTINCT x, w::text, s FROM \"user\"", "TRUE, 'b', NULL"),
        way("add a column with values", vec![user(), post()], USERS, |op| {
            op.add_column("user", Column::new("x", Type::String(9)).not_null().default("z"))
                .using("substr(name, 1, 2) -- two");
            op.add_column("user", Column::new("n", Type::Integer).not_null())
                .using("(SELECT count(*) FROM post WHERE author_id = \"user\".id)");
            op.add_foreign_key("user", ForeignKey::new("fk_user_n", ["n"], "post", ["id"]));
        })
        .then("SELECT x, n FROM \"user\" ORDER BY id", "'ad', 1; 'bo', 1"),
        way("drop a column and what is over it", vec![user(), post()], USERS, |op| {
            op.drop_index("post", "ix_post_title");
            op.drop_column("post", "title");
            op.drop_index("post", "ix_post_lower");
            op.drop_column("user", "age");
            op.drop_check("user", "ck_user_age");
        }),
        way("drop a column and what is over it, in order", vec![user(), post()], USERS, |op| {
            op.drop_index("post", "ix_post_title");
            op.drop_index("post", "ix_post_lower");
            op.drop_column("post", "title");
            op.drop_check("user", "ck_user_age");
            op.drop_column("user", "age");
        }),
        way("required with a fill", vec![user(), post()], USERS, |op| {
            op.alter_column("user", "age", ColumnChange::new().not_null().fill("99"));
            op.alter_column(
                "post",
                "title",
                ColumnChange::new().not_null().using("coalesce(title, 'none')"),
            );
        })
        .then("SELECT age FROM \"user\" ORDER BY id", "36; 99"),
        way("types with defaults and checks", vec![user(), post()], USERS, |op| {
            op.alter_column("user", "name", ColumnChange::new().ty(Type::Text).default("n"));
            op.alter_column("user", "age", ColumnChange::new().ty(Type::Decimal(10, 2)));
            op.alter_column("post", "id", ColumnChange::new().ty(Type::BigInteger));
            op.alter_column(
                "post",
                "title",
                ColumnChange::new().ty(Type::String(20)).collate(Some("C")),
            );
        })
        .then("INSERT INTO post (author_id) VALUES (1) RETURNING id", "3"),
        way("a type with a subquery", vec![user(), post()], USERS, |op| {
            op.alter_column(
                "post",
                "title",
                ColumnChange::new()
                    .ty(Type::String(50))
                    .not_null()
                    .using("(SELECT name FROM \"user\" WHERE id = author_id)"),
            );
        })
        .then("SELECT title FROM post ORDER BY id", "'ada'; 'bob'"),
        way(
            "text or nothing to a number",
            vec![Table {
                columns: vec![item(Type::Text).columns[0].clone(), Column::new("a", Type::Text)],
                ..item(Type::Text)
            }],
            "INSERT INTO item (a) VALUES ('7'), (NULL)",
            |op| {
                let change = ColumnChange::new().ty(Type::BigInteger).not_null();
                op.alter_column("item", "a", change.using("coalesce(a, 0)"));
            },
        )
        .then("SELECT a FROM item ORDER BY id", "7; 0"),
        way(
            "a number or nothing to text",
            vec![Table {
                columns: vec![item(Type::Text).columns[0].clone(), Column::new("a", Type::Integer)],
                ..item(Type::Text)
            }],
            "INSERT INTO item (a) VALUES (7), (NULL)",
            |op| {
                let change = ColumnChange::new().ty(Type::String(4)).not_null();
                op.alter_column("item", "a", change.using("coalesce(a, 'none')"));
            },
        )
        .then("SELECT a FROM item ORDER BY id", "'7'; 'none'")
        .one_way(),
        way(
            "text to a number and back, under a check",
            vec![item(Type::Text).check("ck_item_a", "a <> '0'")],
            "INSERT INTO item (a) VALUES ('7'), ('-1')",
            |op| {
                op.drop_check("item", "ck_item_a");
                op.alter_column("item", "a", ColumnChange::new().ty(Type::SmallInteger).default(3));
                op.add_check("item", Check::new("ck_item_a", "a <> 0"));
            },
        ),
        way(
            "a number to a boolean with its default",
            vec![item(Type::Integer).check("ck_item_a", "a IN (0, 1)")],
            "INSERT INTO item (a) VALUES (1), (0)",
            |op| {
                op.alter_column("item", "a", ColumnChange::new().default(1));
                op.drop_check("item", "ck_item_a");
                op.alter_column("item", "a", ColumnChange::new().ty(Type::Boolean).default(true));
                op.alter_column("item", "a", ColumnChange::new().no_default().nullable());
            },
        ),
        way(
            "timestamps",
            vec![item(Type::DateTime)],
            "INSERT INTO item (a) VALUES (now())",
            |op| {
                op.alter_column("item", "a", ColumnChange::new().ty(Type::Timestamp).default_now());
            },
        ),
        way("another expression", vec![computed("a * 2")], T, |op| {
            op.alter_column("t", "b", ColumnChange::new().generated_stored("a * 3"));
        })
        .then("SELECT b FROM t ORDER BY id", "3; 6"),
        way("no expression any more", vec![computed("a * 2")], T, |op| {
            op.alter_column("t", "b", ColumnChange::new().not_generated().not_null().default(7));
        })
        .then("SELECT b FROM t ORDER BY id", "2; 4"),
        way("the type under an expression", vec![computed("a * 2")], T, |op| {
            op.alter_column("t", "b", ColumnChange::new().ty(Type::BigInteger));
        }),
        way("the type below an expression", vec![computed("a * 2")], T, |op| {
            op.alter_column("t", "a", ColumnChange::new().ty(Type::BigInteger));
        }),
    ]
}

fn keys() -> Vec<Way> {
    let plain = || {
        Table::new("t")
            .column(Column::new("a", Type::Integer))
            .column(Column::new("b", Type::String(9)).not_null())
    };
    const T: &str = "INSERT INTO t VALUES (4, 'x'), (9, 'y')";
    vec![
        way("a foreign key before its target", vec![user(), post()], USERS, |op| {
            op.add_column("post", Column::new("editor", Type::String(40)));
            op.add_column("post", Column::new("code", Type::Integer));
            op.add_foreign_key("post", ForeignKey::new("fk", ["code"], "user", ["code"]));
            op.add_column("user", Column::new("code", Type::Integer));
            op.add_unique("user", Unique::new("uq_user_code", ["code"]));
        }),
        way("add a key that generates", vec![plain()], T, |op| {
            op.add_column("t", Column::new("id", Type::BigInteger).not_null());
            op.add_primary_key("t", PrimaryKey::new("pk_t", ["id"]));
        })
        .then("INSERT INTO t (b) VALUES ('z') RETURNING id", "3"),
        way(
            "another key that generates",
            vec![user()],
            "INSERT INTO \"user\" (name) VALUES ('x')",
            |op| {
                op.add_column("user", Column::new("key", Type::Integer).not_null());
                op.drop_primary_key("user", "pk_user");
                op.add_primary_key("user", PrimaryKey::new("pk_user", ["key"]));
            },
        )
        .then("INSERT INTO \"user\" (id, name) VALUES (7, 'z') RETURNING key", "2"),
        way("a column becomes a key that generates", vec![plain()], T, |op| {
            op.alter_column("t", "a", ColumnChange::new().not_null());
            op.add_primary_key("t", PrimaryKey::new("pk_t", ["a"]));
        })
        .then("INSERT INTO t (b) VALUES ('z') RETURNING a", "10"),
        way(
            "a key of two columns",
            vec![user()],
            "INSERT INTO \"user\" (name) VALUES ('x')",
            |op| {
                op.drop_primary_key("user", "pk_user");
                op.add_primary_key("user", PrimaryKey::new("pk_user", ["id", "name"]));
            },
        ),
        way("a key with another name and type", vec![user(), post()], USERS, |op| {
            op.drop_primary_key("user", "pk_user");
            op.alter_column("user", "id", ColumnChange::new().ty(Type::Integer));
            op.add_primary_key("user", PrimaryKey::new("user_pkey", ["id"]));
        })
        .then("INSERT INTO \"user\" (name) VALUES ('z') RETURNING id", "3"),
        way("a key that generates nothing", vec![user(), post()], USERS, |op| {
            op.alter_column("user", "id", ColumnChange::new().autoincrement(Some(false)));
        }),
        way("a key that others refer to goes and comes", vec![user(), post()], USERS, |op| {
            op.drop_primary_key("user", "pk_user");
            op.add_unique("user", Unique::new("uq_user_id", ["id"]));
        }),
        way("constraints", vec![user(), post()], USERS, |op| {
            op.drop_unique("user", "uq_user_name");
            op.add_unique("user", Unique::new("user_name_key", ["name"]));
            op.drop_check("user", "ck_user_age");
            op.add_check("user", Check::new("user_age", "age > 0"));
            op.drop_foreign_key("post", "fk_post_author_id_user");
            op.add_foreign_key(
                "post",
                ForeignKey::new("post_author", ["author_id"], "user", ["id"]),
            );
            op.create_index(
                "user",
                Index::new("ix_user_age", ["age"])
                    .column(IndexColumn::new("name").collate("C").desc()),
            );
        }),
        way("both sides of a foreign key get another type", vec![user(), post()], USERS, |op| {
            op.alter_column(
                "user",
                "id",
                ColumnChange::new().ty(Type::Text).autoincrement(Some(false)),
            );
            op.alter_column("post", "author_id", ColumnChange::new().ty(Type::Text));
        }),
        way("rows between changes, with a deferred key", vec![user(), post()], USERS, |op| {
            op.bulk_insert("post", ["id", "author_id"]).row((9, 77));
            op.execute("INSERT INTO \"user\" (id, name) VALUES (77, 'late')");
            op.add_column("post", Column::new("n", Type::Integer));
            op.bulk_insert("post", ["id", "author_id"]).row((10, 78));
            op.bulk_insert("user", ["id", "name"]).row((78, "later"));
            op.create_index("post", Index::new("ix_post_n", ["n"]));
        })
        .then("INSERT INTO post (author_id) VALUES (1) RETURNING id", "11"),
    ]
}

fn enumerations() -> Vec<Way> {
    let two = |values: &[&str]| {
        let mut table = Table::new("other")
            .column(Column::new("id", Type::BigInteger).not_null())
            .column(Column::new("m", mood(values)).default("ok"))
            .column(Column::new("ms", Type::array(mood(values))))
            .primary_key("pk_other", ["id"])
            .check("ck_other_m", "m <> 'sad'");
        table.indexes = vec![Index::new("ix_other_m", ["m"]).filter("m = 'ok'")];
        vec![item(mood(values)), table]
    };
    const ROWS: &str = "INSERT INTO item (a) VALUES ('sad'), ('ok');
        INSERT INTO other (m, ms) VALUES ('ok', '{sad,ok}'), (NULL, NULL)";
    let to = |values: &[&str]| ColumnChange::new().ty(mood(values));
    let array = |values: &[&str]| ColumnChange::new().ty(Type::array(mood(values)));
    vec![
        way("add values", two(&["sad", "ok"]), ROWS, |op| {
            let values = ["first", "sad", "mid", "more", "ok", "last"];
            op.alter_column("item", "a", to(&values));
            op.alter_column("other", "m", to(&values));
            op.alter_column("other", "ms", array(&values));
        }),
        way("add a value and use it", two(&["sad", "ok"]), ROWS, |op| {
            let values = ["sad", "ok", "glad"];
            op.alter_column("item", "a", to(&values).default("glad"));
            op.alter_column("other", "m", to(&values));
            op.alter_column("other", "ms", array(&values));
            op.bulk_insert("item", ["a"]).row(["glad"]);
        })
        .then("SELECT a::text AS t FROM item ORDER BY a", "'sad'; 'ok'; 'glad'"),
        way(
            "rename values, required, without the default",
            vec![Table {
                columns: vec![
                    item(Type::Text).columns[0].clone(),
                    Column::new("a", mood(&["sad", "ok"])).default("sad"),
                ],
                ..item(Type::Text)
            }],
            "INSERT INTO item (a) VALUES ('ok'), ('sad')",
            |op| {
                let change = to(&["blue", "fine"]).not_null().no_default();
                let mapping = "CASE a WHEN 'sad' THEN 'blue' WHEN 'ok' THEN 'fine' ELSE a END";
                op.alter_column("item", "a", change.using(mapping));
            },
        )
        .then("SELECT a::text FROM item ORDER BY id", "'fine'; 'blue'")
        .one_way(),
        way(
            "rename a value",
            vec![item(mood(&["sad", "ok"]))],
            "INSERT INTO item (a) VALUES ('sad'), ('ok')",
            |op| {
                let change = to(&["blue", "ok", "glad"]);
                op.alter_column(
                    "item",
                    "a",
                    change.using("CASE a WHEN 'sad' THEN 'blue' ELSE a END"),
                );
            },
        )
        .then("SELECT a::text FROM item ORDER BY id", "'blue'; 'ok'")
        .one_way(),
        way(
            "remove a value",
            vec![item(mood(&["sad", "ok", "glad"])).unique("uq_item_a", ["a"])],
            "INSERT INTO item (a) VALUES ('sad'), ('ok')",
            |op| {
                op.alter_column("item", "a", to(&["glad", "ok"]).fill("'glad'").default("ok"));
            },
        )
        .then("SELECT a::text FROM item ORDER BY id", "'glad'; 'ok'"),
        way(
            "merge values",
            vec![item(mood(&["sad", "ok"]))],
            "INSERT INTO item (a) VALUES ('sad'), ('ok')",
            |op| {
                op.alter_column(
                    "item",
                    "a",
                    to(&["ok"]).using("CASE a WHEN 'sad' THEN 'ok' ELSE a END"),
                );
            },
        )
        .then("SELECT a::text FROM item ORDER BY id", "'ok'; 'ok'"),
        way("reorder values of two tables", two(&["sad", "ok"]), ROWS, |op| {
            let values = ["ok", "sad"];
            op.alter_column("other", "ms", array(&values));
            op.alter_column("item", "a", to(&values));
            op.alter_column("other", "m", to(&values));
        })
        .then("SELECT a::text AS t FROM item ORDER BY a", "'ok'; 'sad'"),
        way(
            "text to an enumeration",
            vec![item(Type::Text).check("ck_item_a", "a <> ''")],
            "INSERT INTO item (a) VALUES ('sad'), ('ok')",
            |op| {
                op.drop_check("item", "ck_item_a");
                op.alter_column("item", "a", to(&["sad", "ok"]).default("sad"));
            },
        ),
        way(
            "an enumeration to text under a check",
            vec![
                item(mood(&["sad", "ok"]))
                    .check("ck_item_a", "a <> 'x'")
                    .column(Column::new("b", Type::Integer)),
            ]
            .into_iter()
            .map(|mut table| {
                table.checks[0].expression = "a <> 'sad' OR b > 0".into();
                table
            })
            .collect(),
            "INSERT INTO item (a, b) VALUES ('sad', 1), ('ok', NULL)",
            |op| {
                op.alter_column("item", "a", ColumnChange::new().ty(Type::String(9)));
            },
        ),
        way(
            "another name of the type",
            vec![item(mood(&["sad", "ok"]))],
            "INSERT INTO item (a) VALUES ('sad')",
            |op| {
                op.alter_column(
                    "item",
                    "a",
                    ColumnChange::new().ty(Type::enumeration("humour", ["sad", "ok"])),
                );
            },
        ),
        way(
            "another type with other values",
            vec![item(mood(&["sad", "ok"]))],
            "INSERT INTO item (a) VALUES ('ok')",
            |op| {
                op.alter_column(
                    "item",
                    "a",
                    ColumnChange::new().ty(Type::enumeration("humour", ["fine", "ok"])),
                );
            },
        ),
        way(
            "move to a new column",
            vec![item(mood(&["sad", "ok"]))],
            "INSERT INTO item (a) VALUES ('sad')",
            |op| {
                op.add_column("item", Column::new("b", mood(&["sad", "ok"])).not_null()).using("a");
                op.drop_column("item", "a");
            },
        )
        .one_way(),
    ]
}

/// Other tools leave the names of constraints to the server.
#[test]
fn constraints_under_the_servers_own_names_are_found() {
    for mut server in servers("unnamed") {
        let table = Table::new("item")
            .column(Column::new("id", Type::BigInteger).not_null())
            .column(Column::new("name", Type::Text).not_null())
            .column(Column::new("up", Type::BigInteger))
            .primary_key("pk_item", ["id"])
            .unique("uq_item_name", ["name"])
            .check("ck_item_name", "length(name) > 0")
            .foreign_key(ForeignKey::new("fk_item_up", ["up"], "item", ["id"]));
        let mut schema = Schema::from_tables([table]);
        let made = "CREATE TABLE item (id bigint GENERATED BY DEFAULT AS IDENTITY PRIMARY KEY, \
                    name text NOT NULL UNIQUE CHECK (length(name) > 0), \
                    up bigint REFERENCES item, CHECK (up > 0))";
        server.driver.batch(made).unwrap();
        let operations = Operations::record(|op| {
            op.rename_table("item", "thing");
            op.drop_foreign_key("thing", "fk_item_up");
            op.drop_check("thing", "ck_item_name");
            op.drop_unique("thing", "uq_item_name");
            op.drop_primary_key("thing", "pk_item");
        });
        let conn = server.driver.as_connection();
        server.facts = Postgres.facts_for(conn, &operations, &server.facts).unwrap();
        server.run(&operations, &mut schema).unwrap();
        let found = server.driver.as_connection().catalog(None).unwrap().schema;
        let table = found.table("thing").unwrap();
        let checks: Vec<_> = table.checks.iter().map(|check| check.name.as_str()).collect();
        assert_eq!(checks, ["item_up_check"]);
        assert_eq!((table.uniques.len(), table.foreign_keys.len()), (0, 0));
        assert_eq!(table.primary_key, None);
    }
}

/// The keys of other tools are often serial, where the schema has an identity column.
#[test]
fn a_serial_key_of_others_becomes_an_identity_column_or_stops_generating() {
    let identity = |to| ColumnChange::new().identity(to);
    for mut server in servers("serial") {
        for (change, expect) in [
            (identity(Some(Identity::Always)), "a"),
            (ColumnChange::new().autoincrement(Some(false)), ""),
            (ColumnChange::new().ty(Type::Text), ""),
        ] {
            server.driver.batch("DROP TABLE IF EXISTS item").unwrap();
            let made = "CREATE TABLE item (id serial CONSTRAINT pk_item PRIMARY KEY)";
            server.driver.batch(made).unwrap();
            server.driver.batch("INSERT INTO item VALUES (DEFAULT), (DEFAULT)").unwrap();
            let table = Table::new("item")
                .column(Column::new("id", Type::Integer).not_null())
                .primary_key("pk_item", ["id"]);
            let operations = Operations::record(|op| op.alter_column("item", "id", change));
            let conn = server.driver.as_connection();
            server.facts = Postgres.facts_for(conn, &operations, &server.facts).unwrap();
            server.run(&operations, &mut Schema::from_tables([table])).unwrap();
            let found = server.query(
                "SELECT attidentity::text, atthasdef, \
                 coalesce(pg_sequence_last_value(pg_get_serial_sequence('item', 'id')), 2) \
                 FROM pg_attribute WHERE attrelid = 'item'::regclass AND attname = 'id'",
            );
            assert_eq!(found, [[Value::from(expect), Value::Bool(false), Value::Integer(2)]]);
        }
    }
}
