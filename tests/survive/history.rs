//! The migrations that are killed: one for each kind of change. None of their changes of rows can be
//! made twice without being noticed.

use dbmigrate_runtime::Module;
use dbmigrate_runtime::prelude::*;
use dbmigrate_tests::modules::module;

const TABLES: Module = module("r1", &[], tables, drop_tables);
const AUTHORS: Module = module("r2", &["r1"], authors, no_authors);
const COLUMNS: Module = module("r3", &["r2"], columns, no_columns);
const SLUGS: Module = module("r4", &["r3"], slugs, no_slugs);
const NAMES: Module = module("r5", &["r4"], names, old_names);
const REBUILDS: Module = module("r6", &["r5"], rebuilds, no_rebuilds);
const LOG: Module = module("r7", &["r6"], log, no_log);

/// Up to `r2` the tables are empty; then the application inserts rows.
pub const MODULES: &[Module] = &[TABLES, AUTHORS, COLUMNS, SLUGS, NAMES, REBUILDS, LOG];

const INDEXES: Module = module("r8", &["r7"], indexes, no_indexes);

/// The same, and then a revision that takes several transactions on PostgreSQL.
pub const IN_GROUPS: &[Module] = &[TABLES, AUTHORS, COLUMNS, SLUGS, NAMES, REBUILDS, LOG, INDEXES];

const ITEMS: Module = module("p1", &[], items, no_items);
const VISITS: Module = module("p2", &["p1"], visits, no_visits);

/// A table, and then a revision whose step runs in pieces over its rows.
pub const IN_PIECES: &[Module] = &[ITEMS, VISITS];

fn items(op: &mut Operations) {
    op.create_table(
        Table::new("item")
            .column(id())
            .column(Column::new("code", Type::String(20)).not_null())
            .column(Column::new("n", Type::Integer).not_null().default(0))
            .primary_key("pk_item", ["id"])
            .unique("uq_item_code", ["code"]),
    );
    let mut rows = op.bulk_insert("item", ["id", "code"]);
    for id in 1..=40_i64 {
        rows = rows.row((id * 3, format!("{:02}'", id * 7 % 41)));
    }
}

fn no_items(op: &mut Operations) {
    op.drop_table("item");
}

fn visits(op: &mut Operations) {
    op.run_batched("visit by id", "item.id", 9, |db, range| {
        db.execute("UPDATE item SET n = n + 1 WHERE id BETWEEN ?1 AND ?2", range)?;
        Ok(())
    });
    op.run_batched("visit by code", "item.code", 8, |db, range| {
        db.execute("UPDATE item SET n = n + 100 WHERE code BETWEEN ?1 AND ?2", range)?;
        Ok(())
    });
}

fn no_visits(op: &mut Operations) {
    op.run_batched("unvisit", "item.id", 9, |db, range| {
        db.execute("UPDATE item SET n = n - 101 WHERE id BETWEEN ?1 AND ?2", range)?;
        Ok(())
    });
}

fn id() -> Column {
    Column::new("id", Type::BigInteger).not_null()
}

fn tables(op: &mut Operations) {
    op.create_table(
        Table::new("author")
            .column(id())
            .column(Column::new("name", Type::String(100)).not_null())
            .primary_key("pk_author", ["id"]),
    );
    op.create_table(
        Table::new("post")
            .column(id())
            .column(Column::new("author_id", Type::BigInteger).not_null())
            .column(Column::new("body", Type::String(400)).not_null())
            .primary_key("pk_post", ["id"])
            .foreign_key(
                ForeignKey::new("fk_post_author_id_author", ["author_id"], "author", ["id"])
                    .on_delete(Action::Cascade),
            ),
    );
    op.create_table(
        Table::new("tag")
            .column(id())
            .column(Column::new("post_id", Type::BigInteger).not_null())
            .primary_key("pk_tag", ["id"])
            .foreign_key(
                ForeignKey::new("fk_tag_post_id_post", ["post_id"], "post", ["id"])
                    .on_delete(Action::Cascade),
            ),
    );
}

fn drop_tables(op: &mut Operations) {
    op.drop_table("tag");
    op.drop_table("post");
    op.drop_table("author");
}

fn authors(op: &mut Operations) {
    op.bulk_insert("author", ["id", "name"]).row((1, "ada")).row((2, "grace")).row((3, "edsger"));
}

fn no_authors(op: &mut Operations) {
    op.execute("DELETE FROM tag");
    op.execute("DELETE FROM post");
    op.execute("DELETE FROM author");
}

fn columns(op: &mut Operations) {
    op.add_column("post", Column::new("views", Type::Integer).not_null().default(7));
    op.create_index("post", Index::new("ix_post_body", ["body"]));
    op.execute("UPDATE post SET body = upper(body), views = views + id");
}

fn no_columns(op: &mut Operations) {
    op.execute("UPDATE post SET body = replace(lower(body), 'o', 'oo')");
    op.drop_index("post", "ix_post_body");
    op.drop_column("post", "views");
}

fn slugs(op: &mut Operations) {
    op.add_column("post", Column::new("slug", Type::String(200)));
    op.run("write slugs", |db| {
        for row in db.query("SELECT id, author_id FROM post WHERE id % 10 = 0", ())? {
            let (id, author): (i64, i64) = (row.get("id")?, row.get("author_id")?);
            db.execute("UPDATE post SET slug = ?1 WHERE id = ?2", (format!("{author}-{id}"), id))?;
        }
        db.execute("UPDATE post SET views = views + 1000", ())?;
        Ok(())
    });
}

fn no_slugs(op: &mut Operations) {
    op.run("restore the views", |db| {
        db.execute("UPDATE post SET views = views - 1000", ())?;
        db.execute("UPDATE post SET author_id = 1 + author_id % 3", ())?;
        Ok(())
    });
    op.drop_column("post", "slug");
}

fn names(op: &mut Operations) {
    op.rename_column("author", "name", "full_name");
    op.rename_table("tag", "label");
}

fn old_names(op: &mut Operations) {
    op.rename_table("label", "tag");
    op.rename_column("author", "full_name", "name");
}

/// Other values in another type: each time without the first letter.
fn shortened(length: u32) -> ColumnChange {
    ColumnChange::new().ty(Type::String(length)).using("substr(body, 2)")
}

/// On tables with rows that others refer to with `ON DELETE CASCADE`.
fn rebuilds(op: &mut Operations) {
    op.add_unique("author", Unique::new("uq_author_full_name", ["full_name"]));
    op.alter_column("post", "views", ColumnChange::new().ty(Type::BigInteger).default(9));
    // Another column takes its place on MySQL, with the index.
    op.alter_column("post", "body", shortened(500));
    op.add_check("post", Check::new("ck_post_views", "views >= 0"));
    op.add_foreign_key(
        "label",
        ForeignKey::new("fk_label_id_post", ["id"], "post", ["id"]).on_delete(Action::Cascade),
    );
    let lower = IndexColumn::expression("lower(full_name)");
    op.create_index("author", Index::new("ix_author_lower", []).column(lower).unique());
}

fn no_rebuilds(op: &mut Operations) {
    op.drop_index("author", "ix_author_lower");
    op.drop_foreign_key("label", "fk_label_id_post");
    op.drop_check("post", "ck_post_views");
    op.alter_column("post", "body", shortened(400));
    op.alter_column("post", "views", ColumnChange::new().ty(Type::Integer).default(7));
    op.drop_unique("author", "uq_author_full_name");
}

fn log(op: &mut Operations) {
    op.create_table(
        Table::new("log")
            .column(id())
            .column(Column::new("what", Type::String(200)).not_null())
            .primary_key("pk_log", ["id"]),
    );
    op.execute("INSERT INTO log (what) SELECT body FROM post WHERE id % 3 = 0 ORDER BY id");
    op.bulk_insert("log", ["what"]).row(("one",)).row(("two",)).row(("three",));
}

fn no_log(op: &mut Operations) {
    op.drop_table("log");
}

fn indexes(op: &mut Operations) {
    op.add_column("log", Column::new("at", Type::Integer));
    op.create_index("post", Index::new("ix_post_slug", ["slug"]).concurrently());
    op.execute("UPDATE log SET at = 7");
    op.create_index("log", Index::new("ix_log_what", ["what"]).concurrently());
}

fn no_indexes(op: &mut Operations) {
    op.drop_index("log", "ix_log_what");
    op.drop_index("post", "ix_post_slug");
    op.drop_column("log", "at");
}
