//! The difference of two schemas. It knows no database and not where the schemas come from.

use std::collections::BTreeSet;

use dbmigrate_runtime::operations::{ColumnChange, Operation, TableChange};
use dbmigrate_runtime::schema::{Column, Schema, Table};

/// The operations that lead from one schema to another, in an order in which each can run: tables
/// before what refers to them, constraints gone before their columns.
pub fn diff(from: &Schema, to: &Schema) -> Vec<Operation> {
    let mut operations = Vec::new();
    for table in by_reference(to) {
        match from.table(&table.name) {
            None => create_table(table, &mut operations),
            Some(was) => alter_table(was, table, &mut operations),
        }
    }
    let gone = by_reference(from).into_iter().rev();
    operations.extend(
        gone.filter(|it| to.table(&it.name).is_none())
            .map(|it| Operation::DropTable { table: it.name.clone() }),
    );
    operations
}

/// The tables, each after those that it refers to; where they refer to each other in a circle, in
/// the order of their names.
fn by_reference(schema: &Schema) -> Vec<&Table> {
    fn visit<'a>(
        schema: &'a Schema,
        table: &'a Table,
        seen: &mut BTreeSet<&'a str>,
        sorted: &mut Vec<&'a Table>,
    ) {
        if !seen.insert(&table.name) {
            return;
        }
        let mut targets: Vec<&str> =
            table.foreign_keys.iter().map(|it| it.references_table.as_str()).collect();
        targets.sort_unstable();
        for target in targets.into_iter().filter_map(|it| schema.table(it)) {
            visit(schema, target, seen, sorted);
        }
        sorted.push(table);
    }
    let (mut seen, mut sorted) = (BTreeSet::new(), Vec::new());
    for table in schema.tables.values() {
        visit(schema, table, &mut seen, &mut sorted);
    }
    sorted
}

/// Indexes of a new table are operations of their own, as they would be later.
fn create_table(table: &Table, operations: &mut Vec<Operation>) {
    let bare = Table { indexes: Vec::new(), ..table.clone() };
    operations.push(Operation::CreateTable(bare));
    operations.extend(
        table.indexes.iter().map(|index| Operation::CreateIndex {
            table: table.name.clone(),
            index: index.clone(),
        }),
    );
}

fn alter_table(was: &Table, to: &Table, operations: &mut Vec<Operation>) {
    let table = || to.name.clone();
    let mut drops = Vec::new();
    let mut adds = Vec::new();
    named(
        &was.indexes,
        &to.indexes,
        |it| &it.name,
        |it, is_drop| {
            if is_drop {
                drops.push(Operation::DropIndex { table: table(), name: it.name.clone() });
            } else {
                adds.push(Operation::CreateIndex { table: table(), index: it.clone() });
            }
        },
    );
    let mut constraint_adds = Vec::new();
    named(
        &was.foreign_keys,
        &to.foreign_keys,
        |it| &it.name,
        |it, is_drop| {
            if is_drop {
                drops.push(Operation::DropForeignKey { table: table(), name: it.name.clone() });
            } else {
                let foreign_key = it.clone();
                constraint_adds.push(Operation::AddForeignKey { table: table(), foreign_key });
            }
        },
    );
    named(
        &was.checks,
        &to.checks,
        |it| &it.name,
        |it, is_drop| {
            if is_drop {
                drops.push(Operation::DropCheck { table: table(), name: it.name.clone() });
            } else {
                constraint_adds.push(Operation::AddCheck { table: table(), check: it.clone() });
            }
        },
    );
    named(
        &was.uniques,
        &to.uniques,
        |it| &it.name,
        |it, is_drop| {
            if is_drop {
                drops.push(Operation::DropUnique { table: table(), name: it.name.clone() });
            } else {
                constraint_adds.push(Operation::AddUnique { table: table(), unique: it.clone() });
            }
        },
    );
    let mut key_add = None;
    if was.primary_key != to.primary_key {
        drops.extend(
            was.primary_key
                .as_ref()
                .map(|it| Operation::DropPrimaryKey { table: table(), name: it.name.clone() }),
        );
        key_add = to
            .primary_key
            .as_ref()
            .map(|it| Operation::AddPrimaryKey { table: table(), primary_key: it.clone() });
    }
    operations.extend(drops);
    let change = TableChange {
        strict: (was.strict != to.strict).then_some(to.strict),
        without_rowid: (was.without_rowid != to.without_rowid).then_some(to.without_rowid),
        comment: (was.comment != to.comment).then(|| to.comment.clone()),
    };
    if change != TableChange::default() {
        operations.push(Operation::AlterTable { table: table(), change });
    }
    for column in &to.columns {
        match was.find_column(&column.name) {
            None => {
                operations.push(Operation::AddColumn {
                    table: table(),
                    column: column.clone(),
                    using: None,
                });
            }
            Some(was) if was != column => operations.push(Operation::AlterColumn {
                table: table(),
                column: column.name.clone(),
                change: change_of(was, column),
            }),
            Some(_) => {}
        }
    }
    operations.extend(key_add);
    operations.extend(constraint_adds);
    operations.extend(adds);
    let gone = was.columns.iter().filter(|it| to.find_column(&it.name).is_none());
    operations
        .extend(gone.map(|it| Operation::DropColumn { table: table(), column: it.name.clone() }));
}

/// Calls `each` with what is gone or changed (`true`), and with what is new or changed (`false`).
fn named<'a, T: PartialEq>(
    was: &'a [T],
    to: &'a [T],
    name: impl Fn(&T) -> &str,
    mut each: impl FnMut(&'a T, bool),
) {
    let same = |it: &T, list: &[T]| list.iter().any(|other| name(other) == name(it) && other == it);
    let mut gone: Vec<&T> = was.iter().filter(|it| !same(it, to)).collect();
    let mut new: Vec<&T> = to.iter().filter(|it| !same(it, was)).collect();
    gone.sort_by(|a, b| name(a).cmp(name(b)));
    new.sort_by(|a, b| name(a).cmp(name(b)));
    gone.into_iter().for_each(|it| each(it, true));
    new.into_iter().for_each(|it| each(it, false));
}

fn change_of(was: &Column, to: &Column) -> ColumnChange {
    ColumnChange {
        ty: (was.ty != to.ty).then(|| to.ty.clone()),
        nullable: (was.nullable != to.nullable).then_some(to.nullable),
        default: (was.default != to.default).then(|| to.default.clone()),
        autoincrement: (was.autoincrement != to.autoincrement).then_some(to.autoincrement),
        generated: (was.generated != to.generated).then(|| to.generated.clone()),
        collation: (was.collation != to.collation).then(|| to.collation.clone()),
        comment: (was.comment != to.comment).then(|| to.comment.clone()),
        using: None,
    }
}

#[cfg(test)]
mod tests {
    use dbmigrate_runtime::operations::{replay, reverse_all};
    use dbmigrate_runtime::schema::{Check, ForeignKey, Index, Type};

    use super::*;

    /// Diffs and compares the operations in words; also checks that they lead there, that their
    /// reverses lead back, and that nothing is left to do.
    #[track_caller]
    fn check(from: &[Table], to: &[Table], expect: &[&str]) {
        let schema = |tables: &[Table]| Schema::from_tables(tables.iter().cloned());
        let (from, to) = (schema(from), schema(to));
        let operations = diff(&from, &to);
        let words: Vec<String> = operations.iter().map(ToString::to_string).collect();
        assert_eq!(words, expect);

        let mut reached = from.clone();
        replay(&mut reached, &operations).unwrap();
        assert_eq!(diff(&reached, &to), [], "a second diff finds more to do");
        let back = reverse_all(&operations, &from).unwrap();
        replay(&mut reached, &back).unwrap();
        assert_eq!(diff(&reached, &from), [], "the reverses do not lead back");
    }

    fn user() -> Table {
        Table::new("user")
            .column(Column::new("id", Type::BigInteger).not_null())
            .column(Column::new("email", Type::String(120)).not_null())
            .primary_key("pk_user", ["id"])
            .unique("uq_user_email", ["email"])
    }

    fn post() -> Table {
        let mut post = Table::new("a_post")
            .column(Column::new("id", Type::BigInteger).not_null())
            .column(Column::new("author_id", Type::BigInteger).not_null())
            .primary_key("pk_a_post", ["id"])
            .foreign_key(ForeignKey::new("fk", ["author_id"], "user", ["id"]));
        post.indexes.push(Index::new("ix_a_post_author_id", ["author_id"]));
        post
    }

    #[test]
    fn equal_schemas_have_no_difference() {
        check(&[user(), post()], &[user(), post()], &[]);
    }

    #[test]
    fn a_table_comes_after_the_one_that_it_refers_to_and_goes_before_it() {
        check(
            &[],
            &[post(), user()],
            &[
                "create table `user`",
                "create table `a_post`",
                "create index `ix_a_post_author_id` on table `a_post`",
            ],
        );
        check(&[post(), user()], &[], &["drop table `a_post`", "drop table `user`"]);
    }

    #[test]
    fn tables_that_refer_to_each_other_are_created_by_name() {
        let table = |name: &str, other: &str| {
            Table::new(name)
                .column(Column::new("id", Type::Integer))
                .column(Column::new("other", Type::Integer))
                .foreign_key(ForeignKey::new("fk", ["other"], other, ["id"]))
        };
        check(
            &[],
            &[table("a", "b"), table("b", "a"), table("c", "c")],
            &["create table `b`", "create table `a`", "create table `c`"],
        );
    }

    #[test]
    fn every_part_of_a_table_is_compared() {
        let mut to = user();
        to.columns[0].ty = Type::Integer;
        to.columns[1].nullable = true;
        to.columns.push(Column::new("age", Type::Integer).not_null().default(0));
        to.uniques.clear();
        to.checks.push(Check::new("ck_user_age", "age >= 0"));
        to.indexes.push(Index::new("ix_user_age", ["age"]));
        to.comment = Some("people".to_owned());
        to.primary_key = None;
        check(
            &[user()],
            &[to],
            &[
                "drop unique constraint `uq_user_email` of table `user`",
                "drop primary key `pk_user` of table `user`",
                "alter table `user`",
                "alter column `id` of table `user`",
                "alter column `email` of table `user`",
                "add column `age` to table `user`",
                "add check `ck_user_age` to table `user`",
                "create index `ix_user_age` on table `user`",
            ],
        );
    }

    #[test]
    fn a_column_goes_after_what_needs_it() {
        let mut to = post();
        to.columns.pop();
        to.foreign_keys.clear();
        to.indexes.clear();
        check(
            &[user(), post()],
            &[user(), to],
            &[
                "drop index `ix_a_post_author_id` of table `a_post`",
                "drop foreign key `fk` of table `a_post`",
                "drop column `author_id` of table `a_post`",
            ],
        );
    }
}
