//! Which operation goes into which part.

use dbmigrate_runtime::engine::dialect;
use dbmigrate_runtime::operations::Operations;
use dbmigrate_runtime::schema::{Check, ForeignKey, Index, PrimaryKey, Table, Type, Unique};
use expect_test::{Expect, expect};

use super::*;

fn before() -> Schema {
    let key = || Column::new("id", Type::BigInteger).not_null();
    let city = Table::new("city").column(key()).primary_key("pk_city", ["id"]);
    let mut customer = Table::new("customer")
        .column(key())
        .column(Column::new("name", Type::Text).not_null())
        .column(Column::new("email", Type::Text))
        .column(Column::new("state", Type::enumeration("state", ["new", "old"])).not_null())
        .column(Column::new("city", Type::BigInteger))
        .column(Column::new("active", Type::Boolean).not_null().default(true))
        .primary_key("pk_customer", ["id"]);
    customer.indexes.push(Index::new("ix_customer_name", ["name"]));
    let tag = Table::new("tag").column(Column::new("label", Type::Text));
    let mut account = Table::new("account")
        .column(key())
        .column(Column::new("login", Type::Text).not_null())
        .column(Column::new("realm", Type::Text).not_null().default("home"))
        .column(Column::new("mail", Type::Text))
        .primary_key("pk_account", ["id"])
        .unique("uq_account_login", ["login", "realm"])
        .unique("uq_account_realm", ["realm"]);
    account.uniques.push(Unique::new("uq_account_mail", ["mail"]).nulls_not_distinct());
    account.indexes.push(Index::new("ux_account_mail", ["mail"]).unique());
    Schema::from_tables([city, customer, tag, account])
}

/// The parts of these operations, with their barriers.
fn parts(backend: Backend, record: fn(&mut Operations)) -> String {
    let changes = Changes { operations: Operations::record(record), ..Changes::default() };
    let dialects = [dialect::of(backend).unwrap()];
    let divided = divide(&changes, &before(), &dialects).unwrap();
    let mut text = String::new();
    for part in &divided.parts {
        text += part.phase.word();
        text += "\n";
        part.upgrade.barrier.iter().for_each(|barrier| text += &format!("  barrier: {barrier}\n"));
        for (idx, operation) in part.upgrade.operations.iter().enumerate() {
            text += &format!("  {operation}");
            match operation {
                Operation::CreateIndex { index, .. } if index.concurrently => {
                    text += " concurrently";
                }
                Operation::AlterColumn { change, .. } => {
                    text += if change.nullable == Some(true) { " to NULL" } else { "" };
                    text += if change.fill.is_some() { " with a fill" } else { "" };
                }
                _ => {}
            }
            text += "\n";
            part.upgrade.code.get(&idx).into_iter().for_each(|sql| text += &format!("    {sql}\n"));
        }
    }
    divided.unsafe_changes.iter().for_each(|what| text += &format!("unsafe: {what}\n"));
    text
}

fn check(record: fn(&mut Operations), expected: Expect) {
    expected.assert_eq(&parts(Backend::Postgres, record));
}

#[test]
fn a_column_is_replaced_by_another() {
    check(
        |op| {
            op.add_column("customer", Column::new("full_name", Type::Text).not_null())
                .using("name");
            op.create_index("customer", Index::new("ix_customer_email", ["email"]));
            op.drop_index("customer", "ix_customer_name");
            op.drop_column("customer", "name");
        },
        expect![[r#"
            expand
              add column `full_name` to table `customer`
              create index `ix_customer_email` on table `customer` concurrently
              alter column `name` of table `customer` to NULL
            copy
              barrier: programs of the previous release may change what is copied: column `customer.full_name`
              run step `fill customer.full_name` in pieces of 1000 rows of `customer` by `id`
                UPDATE "customer" SET "full_name" = name WHERE "full_name" IS NULL AND "id" BETWEEN ?1 AND ?2
            require
              barrier: programs of the previous release may violate what it requires: column `customer.full_name`
              alter column `full_name` of table `customer` with a fill
            contract
              barrier: programs of the previous release may use what it drops: column `customer.name`
              drop index `ix_customer_name` of table `customer`
              drop column `name` of table `customer`
        "#]],
    );
}

#[test]
fn what_running_programs_may_violate_is_required_later() {
    check(
        |op| {
            op.alter_column(
                "customer",
                "email",
                ColumnChange { fill: Some("'none'".into()), ..ColumnChange::new().not_null() },
            );
            op.add_foreign_key(
                "customer",
                ForeignKey::new("fk_customer_city", ["city"], "city", ["id"]),
            );
            op.add_check("customer", Check::new("ck_customer_name", "name <> ''"));
            op.add_unique("customer", Unique::new("uq_customer_name", ["name"]));
        },
        expect![[r#"
            fill
              run step `fill customer.email` in pieces of 1000 rows of `customer` by `id`
                UPDATE "customer" SET "email" = 'none' WHERE "email" IS NULL AND "id" BETWEEN ?1 AND ?2
            require
              barrier: programs of the previous release may violate what it requires: column `customer.email`, `fk_customer_city`, `ck_customer_name`, `uq_customer_name`
              alter column `email` of table `customer` with a fill
              add foreign key `fk_customer_city` to table `customer`
              add check `ck_customer_name` to table `customer`
              add unique constraint `uq_customer_name` to table `customer`
        "#]],
    );
}

#[test]
fn what_no_program_notices_is_one_part() {
    check(
        |op| {
            op.create_table(Table::new("visit").column(Column::new("at", Type::Text)));
            op.create_index("visit", Index::new("ix_visit_at", ["at"]));
            op.add_column("customer", Column::new("note", Type::Text));
            op.add_column("customer", Column::new("n", Type::Integer).not_null().default(0));
            op.alter_column("customer", "name", ColumnChange::new().nullable());
        },
        expect![[r#"
            expand
              create table `visit`
              create index `ix_visit_at` on table `visit`
              add column `note` to table `customer`
              add column `n` to table `customer`
              alter column `name` of table `customer` to NULL
        "#]],
    );
}

#[test]
fn what_the_previous_release_uses_is_dropped_last() {
    check(
        |op| {
            let kept = Type::enumeration("state", ["new"]);
            op.alter_column("customer", "state", ColumnChange::new().ty(kept));
            op.alter_column(
                "customer",
                "active",
                ColumnChange { default: Some(None), ..ColumnChange::new() },
            );
            op.drop_column("customer", "email");
            op.drop_table("tag");
        },
        expect![[r#"
            contract
              barrier: programs of the previous release may use what it drops: `old` of column `customer.state`, the default of column `customer.active`, column `customer.email`, table `tag`
              alter column `state` of table `customer`
              alter column `active` of table `customer`
              drop column `email` of table `customer`
              drop table `tag`
        "#]],
    );
}

#[test]
fn what_no_order_helps_is_named_and_stays_whole() {
    check(
        |op| {
            op.rename_table("tag", "label");
            op.rename_column("customer", "email", "mail");
            op.alter_column("customer", "name", ColumnChange::new().ty(Type::Integer).not_null());
            op.add_primary_key("label", PrimaryKey::new("pk_label", ["label"]));
        },
        expect![[r#"
            expand
              rename table `tag` to `label`
              rename column `email` of table `customer` to `mail`
            require
              barrier: programs of the previous release may violate what it requires: column `customer.name`, `pk_label`
              alter column `name` of table `customer`
              add primary key `pk_label` to table `label`
            unsafe: table `tag` is renamed to `label`
            unsafe: column `customer.email` is renamed to `mail`
            unsafe: column `customer.name` changes, with the values in it
            unsafe: the primary key of `label` changes
        "#]],
    );
}

#[test]
fn a_table_without_a_key_of_integers_is_filled_at_once() {
    check(
        |op| {
            op.add_column("tag", Column::new("slug", Type::Text).not_null()).using("lower(label)");
        },
        expect![[r#"
            expand
              add column `slug` to table `tag`
            require
              barrier: programs of the previous release may violate what it requires: column `tag.slug`
              alter column `slug` of table `tag` with a fill
        "#]],
    );
}

#[test]
fn only_postgresql_builds_indexes_beside_others() {
    let record: fn(&mut Operations) = |op| {
        op.create_index("customer", Index::new("ix_customer_email", ["email"]));
    };
    assert_eq!(
        parts(Backend::Sqlite, record),
        "expand\n  create index `ix_customer_email` on table `customer`\n"
    );
}

#[test]
fn what_replay_does_not_see_through_is_refused() {
    let operations = Operations::record(|op| {
        op.execute("SELECT 1");
    });
    let changes = Changes { operations, ..Changes::default() };
    let err = divide(&changes, &before(), &[]).unwrap_err();
    assert!(err.message().starts_with("the revision can't be divided, since it contains"), "{err}");
}

#[test]
fn a_literal_is_filled_before_the_barrier_and_columns_are_copied_after_it() {
    check(
        |op| {
            op.add_column("customer", Column::new("kind", Type::Text).not_null()).using("'name'");
            op.add_column("customer", Column::new("key", Type::Text))
                .using("(SELECT max(label) FROM tag)");
            op.alter_column(
                "customer",
                "email",
                ColumnChange { fill: Some("Name".into()), ..ColumnChange::new().not_null() },
            );
        },
        expect![[r#"
            expand
              add column `kind` to table `customer`
              add column `key` to table `customer`
            fill
              run step `fill customer.kind` in pieces of 1000 rows of `customer` by `id`
                UPDATE "customer" SET "kind" = 'name' WHERE "kind" IS NULL AND "id" BETWEEN ?1 AND ?2
            copy
              barrier: programs of the previous release may change what is copied: column `customer.key`, column `customer.email`
              run step `fill customer.key` in pieces of 1000 rows of `customer` by `id`
                UPDATE "customer" SET "key" = (SELECT max(label) FROM tag) WHERE "key" IS NULL AND "id" BETWEEN ?1 AND ?2
              run step `fill customer.email` in pieces of 1000 rows of `customer` by `id`
                UPDATE "customer" SET "email" = Name WHERE "email" IS NULL AND "id" BETWEEN ?1 AND ?2
            require
              barrier: programs of the previous release may violate what it requires: column `customer.kind`, column `customer.email`
              alter column `kind` of table `customer` with a fill
              alter column `email` of table `customer` with a fill
        "#]],
    );
}

#[test]
fn a_copy_that_can_not_wait_is_named() {
    check(
        |op| {
            op.add_column("customer", Column::new("n", Type::Text).not_null().default(""))
                .using("name");
            op.add_column("tag", Column::new("slug", Type::Text)).using("lower(label)");
            op.add_column("tag", Column::new("kind", Type::Text)).using("'label'");
        },
        expect![[r#"
            expand
              add column `n` to table `customer`
              add column `slug` to table `tag`
              add column `kind` to table `tag`
            unsafe: column `customer.n` is copied from other columns at once
            unsafe: column `tag.slug` is copied from other columns at once
        "#]],
    );
}

#[test]
fn a_comment_in_a_value_hides_nothing_after_it() {
    check(
        |op| {
            op.add_column("customer", Column::new("full_name", Type::Text)).using("name -- old");
            op.add_column("customer", Column::new("kind", Type::Text)).using("'new' # now");
        },
        expect![[r#"
            expand
              add column `full_name` to table `customer`
              add column `kind` to table `customer`
            fill
              run step `fill customer.kind` in pieces of 1000 rows of `customer` by `id`
                UPDATE "customer" SET "kind" = ('new' # now
            ) WHERE "kind" IS NULL AND "id" BETWEEN ?1 AND ?2
            copy
              barrier: programs of the previous release may change what is copied: column `customer.full_name`
              run step `fill customer.full_name` in pieces of 1000 rows of `customer` by `id`
                UPDATE "customer" SET "full_name" = (name -- old
            ) WHERE "full_name" IS NULL AND "id" BETWEEN ?1 AND ?2
        "#]],
    );
}

#[test]
fn an_enumeration_is_widened_first_and_loses_values_last() {
    check(
        |op| {
            let change = ColumnChange::new()
                .ty(Type::enumeration("state", ["new", "open"]))
                .nullable()
                .using("CASE state WHEN 'old' THEN 'open' ELSE state END");
            op.alter_column("customer", "state", change);
        },
        expect![[r#"
            expand
              alter column `state` of table `customer` to NULL
            contract
              barrier: programs of the previous release may use what it drops: `old` of column `customer.state`
              alter column `state` of table `customer`
        "#]],
    );
    let operations = Operations::record(|op| {
        let change = ColumnChange::new().ty(Type::enumeration("state", ["new", "open"]));
        op.alter_column("customer", "state", change.default("open"));
    });
    let changes = Changes { operations, ..Changes::default() };
    let divided = divide(&changes, &before(), &[dialect::of(Backend::Postgres).unwrap()]).unwrap();
    let changes = divided.parts.iter().flat_map(|part| &part.upgrade.operations);
    let types: Vec<String> = changes
        .map(|operation| match operation {
            Operation::AlterColumn { change, .. } => {
                format!("{}, default: {}", change.ty.as_ref().unwrap(), change.default.is_some())
            }
            other => other.to_string(),
        })
        .collect();
    assert_eq!(
        types,
        ["enum state(new, old, open), default: true", "enum state(new, open), default: false"]
    );
}

#[test]
fn what_rows_with_a_removed_value_get_stays_with_the_removal() {
    check(
        |op| {
            let change = ColumnChange::new().ty(Type::enumeration("state", ["new", "open"]));
            op.alter_column("customer", "state", change.fill("'open'"));
        },
        expect![[r#"
            expand
              alter column `state` of table `customer`
            contract
              barrier: programs of the previous release may use what it drops: `old` of column `customer.state`
              alter column `state` of table `customer` with a fill
        "#]],
    );
}

#[test]
fn a_column_that_the_next_release_leaves_out_can_not_wait() {
    let can_wait = |record: fn(&mut Operations)| {
        let changes = Changes { operations: Operations::record(record), ..Changes::default() };
        let dialects = [dialect::of(Backend::Postgres).unwrap()];
        divide(&changes, &before(), &dialects).unwrap().can_wait()
    };
    assert!(can_wait(|op| {
        op.drop_index("customer", "ix_customer_name");
        op.drop_column("customer", "name");
    }));
    assert!(!can_wait(|op| {
        op.alter_column("account", "login", ColumnChange::new().nullable());
        op.drop_index("customer", "ix_customer_name");
        op.drop_column("customer", "name");
    }));
}

#[test]
fn a_foreign_key_follows_what_makes_its_columns_unique() {
    check(
        |op| {
            let letter = Table::new("letter")
                .column(Column::new("city", Type::BigInteger))
                .column(Column::new("email", Type::Text))
                .foreign_key(ForeignKey::new("fk_letter_city", ["city"], "city", ["id"]))
                .foreign_key(ForeignKey::new("fk_letter_email", ["email"], "customer", ["email"]));
            op.create_table(letter);
            op.create_table(Table::new("visit").column(Column::new("name", Type::Text)));
            op.add_foreign_key(
                "visit",
                ForeignKey::new("fk_visit_name", ["name"], "customer", ["name"]),
            );
            op.add_unique("customer", Unique::new("uq_customer_email", ["email"]));
            op.create_index("customer", Index::new("ux_customer_name", ["name"]).unique());
        },
        expect![[r#"
            expand
              create table `letter`
              create table `visit`
            require
              barrier: programs of the previous release may violate what it requires: `uq_customer_email`, `ux_customer_name`, `fk_letter_email`, `fk_visit_name`
              add unique constraint `uq_customer_email` to table `customer`
              create index `ux_customer_name` on table `customer` concurrently
              add foreign key `fk_letter_email` to table `letter`
              add foreign key `fk_visit_name` to table `visit`
        "#]],
    );
}

#[test]
fn a_unique_constraint_goes_with_its_column_if_the_next_release_writes_null() {
    check(
        |op| {
            op.drop_index("account", "ux_account_mail");
            op.drop_unique("account", "uq_account_login");
            op.drop_unique("account", "uq_account_mail");
            op.drop_unique("account", "uq_account_realm");
            op.drop_column("account", "login");
            op.drop_column("account", "mail");
            op.drop_column("account", "realm");
        },
        expect![[r#"
            expand
              drop unique constraint `uq_account_mail` of table `account`
              drop unique constraint `uq_account_realm` of table `account`
              alter column `login` of table `account` to NULL
            contract
              barrier: programs of the previous release may use what it drops: column `account.login`, column `account.mail`, column `account.realm`
              drop index `ux_account_mail` of table `account`
              drop unique constraint `uq_account_login` of table `account`
              drop column `login` of table `account`
              drop column `mail` of table `account`
              drop column `realm` of table `account`
            unsafe: unique constraint `uq_account_mail` of `account` is dropped
            unsafe: unique constraint `uq_account_realm` of `account` is dropped
        "#]],
    );
    check(
        |op| {
            op.drop_unique("account", "uq_account_login");
            op.drop_column("account", "login");
            op.add_unique("account", Unique::new("uq_account_login", ["mail"]));
        },
        expect![[r#"
            expand
              drop unique constraint `uq_account_login` of table `account`
              alter column `login` of table `account` to NULL
            require
              barrier: programs of the previous release may violate what it requires: `uq_account_login`
              add unique constraint `uq_account_login` to table `account`
            contract
              barrier: programs of the previous release may use what it drops: column `account.login`
              drop column `login` of table `account`
            unsafe: unique constraint `uq_account_login` of `account` is dropped
        "#]],
    );
}
