//! Foreign keys to columns that are neither the primary key nor unique together.

use std::collections::BTreeSet;

use dbmigrate_runtime::engine::dialect::{Dialect, Sqlite};
use dbmigrate_runtime::engine::plan::{self, Route};
use dbmigrate_runtime::engine::{executor, script};
use dbmigrate_runtime::{Db, StepResult};

use super::*;

fn user(op: &mut Operations) {
    op.create_table(
        Table::new("user")
            .column(Column::new("id", Type::BigInteger).not_null())
            .column(Column::new("name", Type::Text).not_null())
            .column(Column::new("town", Type::Text).collate("NOCASE"))
            .primary_key("pk_user", ["id"]),
    );
}

fn post_to(op: &mut Operations, columns: &[&str]) {
    let mut key = ForeignKey::new("fk_post_user", ["a"], "user", ["id"]);
    key.references_columns = columns.iter().map(|&name| name.to_owned()).collect();
    key.columns = ["a", "b"].into_iter().take(columns.len()).map(str::to_owned).collect();
    let post = Table::new("post").column(Column::new("a", Type::Text));
    op.create_table(post.column(Column::new("b", Type::Text)).foreign_key(key));
}

fn post(op: &mut Operations) {
    post_to(op, &["name"]);
}

fn by_name(op: &mut Operations) {
    op.create_index("user", Index::new("ux_user_name", ["name"]).unique());
}

fn indexed_by_sql(op: &mut Operations) {
    op.execute("CREATE UNIQUE INDEX ux ON user (name)");
}

type Record = fn(&mut Operations);

fn migrations(revisions: &[Record]) -> Migrations {
    line(revisions.iter().map(record).collect())
}

/// Runs all revisions at once on a new database, and the last one separately after the others.
fn both(revisions: &[Record]) -> [Result<Vec<String>, Error>; 2] {
    let all = migrations(revisions);
    let at_once = upgrade(&mut Connection::open_in_memory().unwrap(), &all);
    let mut conn = Connection::open_in_memory().unwrap();
    let (_, before) = revisions.split_last().unwrap();
    upgrade(&mut conn, &migrations(before)).unwrap();
    [at_once, upgrade(&mut conn, &all)]
}

/// The last revision as a script, without a database.
fn script_of_last(revisions: &[Record]) -> Result<(String, Vec<String>), Error> {
    let applied: BTreeSet<String> = (1..revisions.len()).map(|n| format!("r{n}")).collect();
    let ids = [format!("r{}", revisions.len())];
    let (all, options) = (migrations(revisions), Options::default());
    let dialect: &dyn Dialect = &Sqlite;
    let route =
        Route { migrations: &all, direction: Direction::Upgrade, ids: &ids, applied: &applied };
    plan::refuse_mismatch_offline(&route, dialect)?;
    script::script(&route, dialect, &dialect.offline_facts(), &options)
}

#[test]
fn a_foreign_key_to_what_is_not_unique_is_refused_by_name() {
    let faults: [&[Record]; 9] = [
        &[user, post],
        &[user, |op| post_to(op, &["town", "name"])],
        // Indexes in another order, with a condition, with an expression, with a collation.
        &[
            |op| user(op),
            |op| {
                post(op);
                op.create_index("user", Index::new("ux", ["name"]).unique().filter("id > 3"));
            },
        ],
        &[user, |op| {
            let lower = IndexColumn::expression("lower(name)");
            op.create_index("user", Index::new("ux", []).column(lower).unique());
            let other = IndexColumn::new("name").collate("NOCASE");
            op.create_index("user", Index::new("uy", []).column(other).unique());
            post(op);
        }],
        // A unique index that no longer exists.
        &[user, by_name, post, |op| op.drop_index("user", "ux_user_name")],
        &[user, by_name, post, |op| {
            op.drop_index("user", "ux_user_name");
            op.create_index("user", Index::new("ux_user_name", ["name"]).unique().filter("id > 0"));
        }],
        &[
            user,
            |op| {
                op.add_unique("user", Unique::new("uq", ["name"]));
                post(op);
            },
            |op| op.drop_unique("user", "uq"),
        ],
        &[user, by_name, post, |op| {
            op.drop_index("user", "ux_user_name");
            op.drop_column("user", "name");
        }],
        // SQL about other tables hides nothing.
        &[user, |op| {
            op.execute("CREATE TABLE other (x)");
            post(op);
        }],
    ];
    let mut text = String::new();
    for revisions in faults {
        let [at_once, alone] = both(revisions).map(|res| res.unwrap_err().report());
        assert_eq!(at_once, alone);
        assert_eq!(script_of_last(revisions).unwrap_err().report(), alone);
        text += &(alone + "\n");
    }
    expect![[r#"
        revision `r2`: foreign key `fk_post_user` of table `post` refers to column `name` of table `user`, which is neither the primary key nor unique
          hint: add a unique constraint, `op.add_unique("user", Unique::new("...", ["name"]))`, or a unique index without a condition; or drop the foreign key
        revision `r2`: foreign key `fk_post_user` of table `post` refers to columns `town`, `name` of table `user`, which are neither the primary key nor unique together
          hint: add a unique constraint, `op.add_unique("user", Unique::new("...", ["town", "name"]))`, or a unique index without a condition; or drop the foreign key
        revision `r2`: foreign key `fk_post_user` of table `post` refers to column `name` of table `user`, which is neither the primary key nor unique
          hint: add a unique constraint, `op.add_unique("user", Unique::new("...", ["name"]))`, or a unique index without a condition; or drop the foreign key
        revision `r2`: foreign key `fk_post_user` of table `post` refers to column `name` of table `user`, which is neither the primary key nor unique
          hint: add a unique constraint, `op.add_unique("user", Unique::new("...", ["name"]))`, or a unique index without a condition; or drop the foreign key
        revision `r4`: foreign key `fk_post_user` of table `post` refers to column `name` of table `user`, which is neither the primary key nor unique
          hint: add a unique constraint, `op.add_unique("user", Unique::new("...", ["name"]))`, or a unique index without a condition; or drop the foreign key
        revision `r4`: foreign key `fk_post_user` of table `post` refers to column `name` of table `user`, which is neither the primary key nor unique
          hint: add a unique constraint, `op.add_unique("user", Unique::new("...", ["name"]))`, or a unique index without a condition; or drop the foreign key
        revision `r3`: foreign key `fk_post_user` of table `post` refers to column `name` of table `user`, which is neither the primary key nor unique
          hint: add a unique constraint, `op.add_unique("user", Unique::new("...", ["name"]))`, or a unique index without a condition; or drop the foreign key
        revision `r4`: foreign key `fk_post_user` of table `post` refers to table `user`, which has no column `name`
          hint: correct the foreign key, or drop it with the column
        revision `r2`: foreign key `fk_post_user` of table `post` refers to column `name` of table `user`, which is neither the primary key nor unique
          hint: add a unique constraint, `op.add_unique("user", Unique::new("...", ["name"]))`, or a unique index without a condition; or drop the foreign key
    "#]].assert_eq(&text);
}

#[test]
fn what_sqlite_can_follow_in_the_end_is_not_refused() {
    let sound: [&[Record]; 10] = [
        &[user, |op| {
            post(op);
            by_name(op);
        }],
        &[user, |op| {
            post_to(op, &["TOWN", "name"]);
            let town = IndexColumn::new("town").collate("NOCASE");
            op.create_index("user", Index::new("ux", ["name"]).column(town).unique());
        }],
        &[user, |op| post_to(op, &["id"])],
        &[user, |op| post_to(op, &["ID"])],
        // A foreign key to a table that no revision created.
        &[|op| op.execute("SELECT 1").describes(|_| ()), post],
        &[user, by_name, post, |op| {
            op.drop_index("user", "ux_user_name");
            op.add_unique("user", Unique::new("uq", ["name"]));
        }],
        &[user, by_name, post, |op| {
            op.drop_index("user", "ux_user_name");
            op.drop_table("post");
        }],
        // A unique index from hand-written SQL, in the same revision or before it.
        &[user, |op| {
            op.execute("CREATE UNIQUE INDEX ux ON user (name)");
            post(op);
        }],
        &[user, indexed_by_sql, post],
        &[user, |op| {
            op.run("index", |db: &mut Db<'_>| -> StepResult {
                db.execute("CREATE UNIQUE INDEX ux ON user (name)", ())?;
                Ok(())
            });
            post(op);
        }],
    ];
    for (idx, revisions) in sound.into_iter().enumerate() {
        for res in both(revisions) {
            res.unwrap_or_else(|err| panic!("{idx}: {}", err.report()));
        }
        script_of_last(revisions).unwrap_or_else(|err| panic!("{idx}: {}", err.report()));
    }
    // A later revision may add what an earlier one lacks, as old histories do.
    let mended = migrations(&[user, post, by_name]);
    upgrade(&mut Connection::open_in_memory().unwrap(), &mended).unwrap();
}

#[test]
fn the_database_has_the_word_where_others_changed_it() {
    let mut conn = Connection::open_in_memory().unwrap();
    upgrade(&mut conn, &migrations(&[user])).unwrap();
    conn.execute_batch("CREATE UNIQUE INDEX ours ON user (name)").unwrap();
    // A script can be written for it as well.
    let all = migrations(&[user, post]);
    let (ids, applied) = (["r2".to_owned()], ["r1".to_owned()].into());
    let route =
        Route { migrations: &all, direction: Direction::Upgrade, ids: &ids, applied: &applied };
    let mut driver = SqliteDriver::lent(&mut conn);
    executor::refuse_mismatch(&mut driver, &route).unwrap();
    drop(driver);
    upgrade(&mut conn, &all).unwrap();

    // What no revision describes is left to SQLite.
    let mut conn = Connection::open_in_memory().unwrap();
    let sql: Record = |op| {
        op.execute("CREATE TABLE c (x REFERENCES user (name))");
    };
    let err = upgrade(&mut conn, &migrations(&[user, sql])).unwrap_err();
    expect![[r#"
        the run was rolled back: it left foreign keys to columns that are missing or not unique:
          the foreign key of `c` to `user`
          hint: make the referenced columns unique, with `op.add_unique` or a unique index without a condition, or drop the foreign key"#]].assert_eq(&err.report());
    assert_eq!(rows(&conn, "SELECT name FROM sqlite_schema WHERE name IN ('c', 'user')"), "");
}
