//! Which questions are asked, with which flags, and what the answers result in.

use dbmigrate_runtime::Value;
use expect_test::{Expect, expect};

use super::*;
use crate::render;

/// Compares the questions and the lines of flags, and tries each line.
#[track_caller]
fn check(from: &[Table], to: &[Table], expect: Expect) {
    let from = Schema::from_tables(from.iter().cloned());
    let models = models(to, &[]);
    let answers = Answers::default();
    let Outcome::Questions(questions) = changes(&from, &models, &answers).unwrap() else {
        panic!("there is no question")
    };
    let mut text: String = questions.iter().map(|question| format!("{question}\n")).collect();
    match flags(&from, &models, &answers, &questions).unwrap() {
        Flags::Lines(lines) => lines.iter().for_each(|line| text += &format!("{}\n", line.flags)),
        Flags::Choices { each, certain, unrenamed } => {
            each.iter().for_each(|value| text += &format!("choose: {value}\n"));
            certain.losses.values().for_each(|loss| text += &format!("{loss}\n"));
            unrenamed
                .losses
                .values()
                .for_each(|loss| text += &format!("{loss} unless it is renamed\n"));
        }
    }
    expect.assert_eq(&text);
}

/// Compares the functions of the module.
#[track_caller]
fn written(from: &[Table], to: &[Table], fills: &[&str], expect: Expect) {
    let from = Schema::from_tables(from.iter().cloned());
    let fills = fills.iter().map(|fill| (*fill).to_owned()).collect();
    let answers = Answers { no_renames: true, fills, ..Answers::default() };
    let changes = changed(&from, &models(to, &[]), &answers);
    let header = render::Header {
        runtime: "dbmigrate_runtime".to_owned(),
        id: "1".to_owned(),
        parents: Vec::new(),
        message: String::new(),
        created: String::new(),
        ..render::Header::default()
    };
    let back = way_back(&changes.operations, &from, &Sqlite, &[]).unwrap();
    let upgrade = changes.commented();
    let contents = render::Contents { upgrade: &upgrade, downgrade: &back, is_generated: true };
    let text = render::module(&header, &contents);
    let lines: Vec<&str> = text
        .lines()
        .skip_while(|line| !line.starts_with("pub fn"))
        .filter(|line| !line.contains("###") && !line.is_empty())
        .collect();
    let text: String = lines.iter().map(|line| format!("{line}\n")).collect();
    expect.assert_eq(&text);
}

fn t(columns: &[Column]) -> [Table; 1] {
    [columns.iter().cloned().fold(table("t"), Table::column)]
}

fn text(name: &str) -> Column {
    Column::new(name, Type::Text)
}

fn status(values: &[&str]) -> Column {
    let values = values.iter().map(|value| (*value).to_owned()).collect();
    Column::new("status", Type::Enum("Status".to_owned(), values))
}

#[test]
fn a_column_that_is_gone_beside_new_ones_is_asked_for() {
    check(
        &t(&[text("name").not_null(), Column::new("n", Type::Integer)]),
        &t(&[text("nick"), text("full_name").not_null(), Column::new("b", Type::Binary)]),
        expect![[r#"
            column `t.name` is gone: was it renamed to `t.full_name` or `t.nick`, or dropped (its values are discarded)?
            column `t.n` is gone: was it renamed to `t.nick` or `t.full_name`, or dropped (its values are discarded)?
            --rename t.name:t.full_name --rename t.n:t.nick
            --no-renames --fill "t.full_name=''" --allow-destructive
        "#]],
    );
}

#[test]
fn a_table_that_is_gone_beside_a_new_one_is_asked_for() {
    check(
        &[table("user").column(text("name"))],
        &[table("person").column(text("name")).column(text("city").not_null())],
        expect![[r#"
            table `user` is gone: was it renamed to `person`, or dropped (its rows are discarded)?
            --rename user:person --fill "person.city=''"
            --no-renames --allow-destructive
        "#]],
    );
}

/// Foreign keys and indexes weigh more than positions, and positions more than names.
#[test]
fn the_likely_rename_is_by_what_a_column_is_before_its_name() {
    let texts = |names: &[&str]| t(&names.iter().map(|name| text(name)).collect::<Vec<_>>());
    check(
        &texts(&["first_name", "last_name"]),
        &texts(&["given_name", "family_name"]),
        expect![[r#"
            column `t.first_name` is gone: was it renamed to `t.given_name` or `t.family_name`, or dropped (its values are discarded)?
            column `t.last_name` is gone: was it renamed to `t.family_name` or `t.given_name`, or dropped (its values are discarded)?
            --rename t.first_name:t.given_name --rename t.last_name:t.family_name
            --no-renames --allow-destructive
        "#]],
    );
    check(
        &texts(&["name"]),
        &texts(&["first_name", "last_name"]),
        expect![[r#"
        column `t.name` is gone: was it renamed to `t.last_name` or `t.first_name`, or dropped (its values are discarded)?
        choose: --rename t.name:t.last_name | --rename t.name:t.first_name
    "#]],
    );
    check(
        &texts(&["first_name", "last_name"]),
        &texts(&["last", "first"]),
        expect![[r#"
        column `t.first_name` is gone: was it renamed to `t.last` or `t.first`, or dropped (its values are discarded)?
        column `t.last_name` is gone: was it renamed to `t.first` or `t.last`, or dropped (its values are discarded)?
        choose: --rename t.first_name:t.last | --rename t.first_name:t.first
        choose: --rename t.last_name:t.first | --rename t.last_name:t.last
    "#]],
    );
    // A name that is only similar doesn't count against the position.
    check(
        &texts(&["title", "summary"]),
        &texts(&["heading", "subtitle"]),
        expect![[r#"
            column `t.title` is gone: was it renamed to `t.heading` or `t.subtitle`, or dropped (its values are discarded)?
            column `t.summary` is gone: was it renamed to `t.subtitle` or `t.heading`, or dropped (its values are discarded)?
            --rename t.title:t.heading --rename t.summary:t.subtitle
            --no-renames --allow-destructive
        "#]],
    );
    // One that is nearly the same does: the fields were reordered.
    check(
        &texts(&["user", "post", "made_at"]),
        &texts(&["made_on", "post_title", "user_name"]),
        expect![[r#"
            column `t.user` is gone: was it renamed to `t.made_on` or `t.user_name` or `t.post_title`, or dropped (its values are discarded)?
            column `t.post` is gone: was it renamed to `t.post_title` or `t.user_name` or `t.made_on`, or dropped (its values are discarded)?
            column `t.made_at` is gone: was it renamed to `t.user_name` or `t.made_on` or `t.post_title`, or dropped (its values are discarded)?
            choose: --rename t.user:t.made_on | --rename t.user:t.user_name | --rename t.user:t.post_title
            choose: --rename t.post:t.post_title | --rename t.post:t.user_name | --rename t.post:t.made_on
            choose: --rename t.made_at:t.user_name | --rename t.made_at:t.made_on | --rename t.made_at:t.post_title
        "#]],
    );
    check(
        &texts(&["first_name", "last_name"]),
        &texts(&["full_name"]),
        expect![[r#"
            column `t.first_name` is gone: was it renamed to `t.full_name`, or dropped (its values are discarded)?
            column `t.last_name` is gone: was it renamed to `t.full_name`, or dropped (its values are discarded)?
            choose: --rename t.first_name:t.full_name
            choose: --rename t.last_name:t.full_name
            discards the data in column `last_name` of `t` unless it is renamed
            discards the data in column `first_name` of `t` unless it is renamed
        "#]],
    );
    let number = |name: &str| Column::new(name, Type::BigInteger);
    let refers = |columns: [(&str, &str); 2]| {
        let mut table = t(&columns.map(|(column, _)| number(column)))[0].clone();
        for (column, target) in columns {
            let name = format!("fk_t_{column}_{target}");
            table = table.foreign_key(dbmigrate_runtime::schema::ForeignKey::new(
                &name,
                [column],
                target,
                ["id"],
            ));
        }
        [table, super::table("user")]
    };
    check(
        &refers([("parent_id", "t"), ("author_id", "user")]),
        &refers([("writer_id", "user"), ("reply_to", "t")]),
        expect![[r#"
            column `t.parent_id` is gone: was it renamed to `t.reply_to` or `t.writer_id`, or dropped (its values are discarded)?
            column `t.author_id` is gone: was it renamed to `t.writer_id` or `t.reply_to`, or dropped (its values are discarded)?
            --rename t.parent_id:t.reply_to --rename t.author_id:t.writer_id
            --no-renames --allow-destructive
        "#]],
    );
    check(
        &refers([("a", "t"), ("b", "user")]),
        &refers([("a", "t"), ("c", "t")]),
        expect![[r#"
        column `t.b` is gone: was it renamed to `t.c`, or dropped (its values are discarded)?
        choose: --rename t.b:t.c
    "#]],
    );
    let unique = |column: &str, other: &str| {
        [t(&[text(other), text(column)])[0].clone().unique(&format!("uq_t_{column}"), [column])]
    };
    check(
        &unique("mail", "note"),
        &unique("address", "remark"),
        expect![[r#"
        column `t.note` is gone: was it renamed to `t.remark` or `t.address`, or dropped (its values are discarded)?
        column `t.mail` is gone: was it renamed to `t.address` or `t.remark`, or dropped (its values are discarded)?
        --rename t.note:t.remark --rename t.mail:t.address
        --no-renames --allow-destructive
    "#]],
    );
    // Tables: foreign keys that refer to the old table and then to the new one.
    let pair = |a: &str, b: &str| {
        let key = dbmigrate_runtime::schema::ForeignKey::new("fk", ["owner"], b, ["id"]);
        [
            super::table(a).column(text("name")),
            super::table(b).column(text("name")),
            super::table("pet").column(number("owner")).foreign_key(key),
        ]
    };
    check(
        &pair("admin", "user"),
        &pair("user_admin", "person"),
        expect![[r#"
            table `admin` is gone: was it renamed to `user_admin` or `person`, or dropped (its rows are discarded)?
            table `user` is gone: was it renamed to `person` or `user_admin`, or dropped (its rows are discarded)?
            --rename admin:user_admin --rename user:person
            --no-renames --allow-destructive
        "#]],
    );
    let two = |a: &str, b: &str| [a, b].map(|name| super::table(name).column(text("name")));
    check(
        &two("cat", "dog"),
        &two("first", "second"),
        expect![[r#"
        table `cat` is gone: was it renamed to `second` or `first`, or dropped (its rows are discarded)?
        table `dog` is gone: was it renamed to `second` or `first`, or dropped (its rows are discarded)?
        choose: --rename cat:second | --rename cat:first
        choose: --rename dog:second | --rename dog:first
    "#]],
    );
}

#[test]
fn rows_that_are_there_need_a_value() {
    check(
        &t(&[text("a"), Column::new("n", Type::BigInteger)]),
        &t(&[text("a").not_null(), Column::new("n", Type::Integer), text("b c").not_null()]),
        expect![[r#"
            column `t.b c` is new, NOT NULL and without a default: what value do existing rows get?
            column `t.a` becomes NOT NULL: what value do rows with NULL get?
            column `t.n` changes from big integer to integer: what should values that don't fit become?
            --fill "t.b c=''" --fill "t.a=''" --fill t.n=n
        "#]],
    );
    let code = |ty| Column::new("order", ty);
    check(
        &t(&[code(Type::Text)]),
        &t(&[code(Type::String(3)).not_null()]),
        expect![[r#"
            column `t.order` becomes NOT NULL: what value do rows with NULL get, and it changes from text to string(3): what should values that don't fit become?
            --fill 't.order=coalesce("order", '\'''\'')'
        "#]],
    );
}

#[test]
fn rows_with_a_variant_that_is_gone_need_another() {
    check(
        &t(&[status(&["new", "it's done"])]),
        &t(&[status(&["new", "done"])]),
        expect![[r#"
        column `t.status` no longer allows 'it''s done': what value do rows that hold it get?
        --fill "t.status=CASE status WHEN 'it''s done' THEN 'done' ELSE status END"
    "#]],
    );
    check(
        &t(&[status(&["a", "b", "c"])]),
        &t(&[status(&["c"]).default("c")]),
        expect![[r#"
        column `t.status` no longer allows 'a', 'b': what value do rows that hold it get?
        --fill "t.status='c'" --allow-destructive
    "#]],
    );
    check(
        &t(&[text("status")]),
        &t(&[status(&["a", "b"])]),
        expect![[r#"
        column `t.status` allows only 'a', 'b': what value do other rows get?
        --fill "t.status='a'" --allow-destructive
    "#]],
    );
}

#[test]
fn what_has_an_answer_is_not_asked() {
    let number = |name| Column::new(name, Type::Integer);
    written(
        &t(&[number("a"), text("c")]),
        &t(&[number("a").not_null().default(7), text("c"), text("b").not_null().default("x")]),
        &[],
        expect![[r#"
            pub fn upgrade(op: &mut Operations) {
                op.add_column("t", Column::new("b", Type::Text).not_null().default("x"));
                op.alter_column(
                    "t",
                    "a",
                    ColumnChange::new().not_null().default(7).using("coalesce(\"a\", 7)"),
                );
            }
            pub fn downgrade(op: &mut Operations) {
                op.alter_column("t", "a", ColumnChange::new().nullable().no_default());
                op.drop_column("t", "b");
            }
        "#]],
    );
    // The database numbers the rows.
    let keyless = Table::new("t").column(text("a"));
    let keyed = table("t").column(text("a"));
    written(
        &[keyless],
        &[keyed],
        &[],
        expect![[r#"
        pub fn upgrade(op: &mut Operations) {
            op.add_column("t", Column::new("id", Type::BigInteger).not_null());
            op.add_primary_key("t", PrimaryKey::new("pk_t", ["id"]));
        }
        pub fn downgrade(op: &mut Operations) {
            op.drop_primary_key("t", "pk_t");
            op.drop_column("t", "id");
        }
    "#]],
    );
}

#[test]
fn answers_stand_in_the_module() {
    written(
        &t(&[text("a"), Column::new("n", Type::BigInteger), status(&["new", "old"])]),
        &t(&[
            text("a").not_null(),
            Column::new("n", Type::Integer).not_null().default(0),
            status(&["new", "done"]),
            text("b").not_null(),
        ]),
        &["t.a='?'", "t.n=min(n, 2147483647)", "t.status='done'", "t.b=lower(a) || '='"],
        expect![[r#"
            pub fn upgrade(op: &mut Operations) {
                op.add_column("t", Column::new("b", Type::Text).not_null()).using("lower(a) || '='");
                op.alter_column(
                    "t",
                    "a",
                    ColumnChange::new().not_null().using("coalesce(\"a\", '?')"),
                );
                // This may discard data in column `n` of `t` in all rows that the expression changes.
                op.alter_column(
                    "t",
                    "n",
                    ColumnChange::new()
                        .ty(Type::Integer)
                        .not_null()
                        .default(0)
                        .using("coalesce(min(n, 2147483647), 0)"),
                );
                // This may discard data in column `status` of `t` where it is not one of 'new', 'done'.
                op.alter_column(
                    "t",
                    "status",
                    ColumnChange::new()
                        .ty(Type::enumeration("Status", ["new", "done"]))
                        .using(
                            "CASE WHEN \"status\" IS NULL OR \"status\" IN ('new', 'done') THEN \"status\" ELSE 'done' END",
                        ),
                );
            }
            pub fn downgrade(op: &mut Operations) {
                op.alter_column(
                    "t",
                    "status",
                    ColumnChange::new()
                        .ty(Type::enumeration("Status", ["new", "old"]))
                        .using("CASE status WHEN 'done' THEN 'old' ELSE status END"),
                );
                op.alter_column(
                    "t",
                    "n",
                    ColumnChange::new().ty(Type::BigInteger).nullable().no_default(),
                );
                op.alter_column("t", "a", ColumnChange::new().nullable());
                op.drop_column("t", "b");
            }
        "#]],
    );
    // A variant that is only renamed loses nothing, and neither does a value that stays.
    written(
        &t(&[status(&["new", "old"]).not_null(), text("c")]),
        &t(&[status(&["new", "done"]).not_null(), Column::new("c", Type::String(9))]),
        &["t.status=CASE status WHEN 'old' THEN 'done' ELSE status END", "t.c=c"],
        expect![[r#"
            pub fn upgrade(op: &mut Operations) {
                op.alter_column(
                    "t",
                    "status",
                    ColumnChange::new()
                        .ty(Type::enumeration("Status", ["new", "done"]))
                        .using("CASE status WHEN 'old' THEN 'done' ELSE status END"),
                );
                op.alter_column("t", "c", ColumnChange::new().ty(Type::String(9)).using("c"));
            }
            pub fn downgrade(op: &mut Operations) {
                op.alter_column("t", "c", ColumnChange::new().ty(Type::Text));
                op.alter_column(
                    "t",
                    "status",
                    ColumnChange::new()
                        .ty(Type::enumeration("Status", ["new", "old"]))
                        .using("CASE status WHEN 'done' THEN 'old' ELSE status END"),
                );
            }
        "#]],
    );
}

#[test]
fn what_is_lost_is_said_there_and_back() {
    let generated = Column::new("twice", Type::Integer).generated_virtual("n * 2");
    written(
        &[
            t(&[
                text("a").not_null(),
                Column::new("n", Type::Integer).not_null(),
                generated,
                Column::new("u", Type::Uuid).not_null(),
                text("kept").not_null(),
                status(&["x"]),
            ])[0]
                .clone()
                .unique("uq_t_a", ["a"]),
            table("gone"),
        ],
        &t(&[text("kept"), text("m").generated_stored("kept"), status(&["x", "y"])]),
        &[],
        expect![[r#"
            pub fn upgrade(op: &mut Operations) {
                op.drop_unique("t", "uq_t_a");
                op.alter_column("t", "kept", ColumnChange::new().nullable());
                op.alter_column(
                    "t",
                    "status",
                    ColumnChange::new().ty(Type::enumeration("Status", ["x", "y"])),
                );
                op.add_column("t", Column::new("m", Type::Text).generated_stored("kept"));
                op.drop_column("t", "twice");
                // This discards the data in column `u` of `t`.
                op.drop_column("t", "u");
                // This discards the data in column `n` of `t`.
                op.drop_column("t", "n");
                // This discards the data in column `a` of `t`.
                op.drop_column("t", "a");
                // This discards the data in table `gone`.
                op.drop_table("gone");
            }
            pub fn downgrade(op: &mut Operations) {
                op.create_table(
                    Table::new("gone")
                        .column(Column::new("id", Type::BigInteger).not_null())
                        .primary_key("pk_gone", ["id"]),
                );
                // The values that the upgrade discarded can't be restored: rows get ''.
                // Unique constraint `uq_t_a` requires other values: adjust this if the table has rows.
                op.add_column("t", Column::new("a", Type::Text).not_null())
                    .using("''")
                    .before("kept");
                // The values that the upgrade discarded can't be restored: rows get 0.
                op.add_column("t", Column::new("n", Type::Integer).not_null())
                    .using("0")
                    .before("kept");
                // The values that the upgrade discarded can't be restored: rows get X'00000000000000000000000000000000'.
                op.add_column("t", Column::new("u", Type::Uuid).not_null())
                    .using("X'00000000000000000000000000000000'")
                    .before("kept");
                op.add_column("t", Column::new("twice", Type::Integer).generated_virtual("n * 2"))
                    .before("u");
                op.drop_column("t", "m");
                // Rows that hold something else get 'x'.
                op.alter_column(
                    "t",
                    "status",
                    ColumnChange::new()
                        .ty(Type::enumeration("Status", ["x"]))
                        .using(
                            "CASE WHEN \"status\" IS NULL OR \"status\" IN ('x') THEN \"status\" ELSE 'x' END",
                        ),
                );
                // Rows that hold NULL get ''.
                op.alter_column(
                    "t",
                    "kept",
                    ColumnChange::new().not_null().using("coalesce(\"kept\", '')"),
                );
                op.add_unique("t", Unique::new("uq_t_a", ["a"]));
            }
        "#]],
    );
}

#[test]
fn an_answer_that_answers_nothing_is_an_error() {
    let refused = |fills: &[&str], expect: Expect| {
        let from = Schema::from_tables(t(&[text("a")]));
        let fills = fills.iter().map(|fill| (*fill).to_owned()).collect();
        let answers = Answers { fills, ..Answers::default() };
        let err = changes(&from, &models(&t(&[text("a").not_null()]), &[]), &answers).unwrap_err();
        expect.assert_eq(&err.to_string());
    };
    refused(
        &["t.a=1", "t.b=1"],
        expect![[r#"
            --fill t.b=1: no existing rows need a value there
              hint: the form is `table.column=EXPRESSION`, with the names of the models, for a column that is new and NOT NULL, becomes NOT NULL, or gets a type that may not hold its values"#]],
    );
    refused(
        &["t.a=1", "t.a=2"],
        expect![[r#"
        --fill t.a=2: the column already has an answer
          hint: the form is `table.column=EXPRESSION`, with the names of the models, for a column that is new and NOT NULL, becomes NOT NULL, or gets a type that may not hold its values"#]],
    );
}

/// The view's values would replace those of all rows, without a word where the column only becomes
/// required.
#[test]
fn a_name_that_may_be_a_view_s_is_not_taken_for_the_column() {
    let asked = |fill: &str| {
        let from = Schema::from_tables(t(&[text("a")]));
        let answers = Answers { fills: vec![fill.to_owned()], ..Answers::default() };
        changes(&from, &models(&t(&[text("a").not_null()]), &[]), &answers).map(|_| ())
    };
    expect![[r#"
        --fill t.a=(SELECT a FROM v): `a` may be a column of `v` or of `t`
          hint: write `v.a` or `t.a`: an expression that names the rows' own column is for all rows, any other one only for those that need a value"#]].assert_eq(&asked("t.a=(SELECT a FROM v)").unwrap_err().to_string());
    for clear in ["v.a", "t.a", "max(v.b)"] {
        asked(&format!("t.a=(SELECT {clear} FROM v)")).unwrap();
    }
}

#[test]
fn values_are_written_as_sql_reads_them() {
    let infinite = |value| fill::literal(&Value::Real(value));
    assert_eq!(infinite(f64::NEG_INFINITY), "-9e999");
    assert_eq!(infinite(f64::NAN), "NULL");
    assert_eq!(shell("--fill", "t.a=\"b\" || 'it'"), "--fill 't.a=\"b\" || '\\''it'\\'''");
    assert_eq!(shell("--fill", "t.a=1"), "--fill t.a=1");
}

#[test]
fn what_no_new_name_is_left_for_is_named_with_the_choices() {
    let texts = |names: &[&str]| t(&names.iter().map(|name| text(name)).collect::<Vec<_>>());
    // Each of them can have a name.
    check(
        &texts(&["a", "b"]),
        &texts(&["x", "y", "z"]),
        expect![[r#"
        column `t.a` is gone: was it renamed to `t.x` or `t.y` or `t.z`, or dropped (its values are discarded)?
        column `t.b` is gone: was it renamed to `t.x` or `t.y` or `t.z`, or dropped (its values are discarded)?
        choose: --rename t.a:t.x | --rename t.a:t.y | --rename t.a:t.z
        choose: --rename t.b:t.x | --rename t.b:t.y | --rename t.b:t.z
    "#]],
    );
    // One of three can't, which may be any of them; the number is another type's only name.
    let with_numbers = |columns: &[Table; 1], names: &[&str]| {
        let add = |table: Table, name: &&str| table.column(Column::new(name, Type::Binary));
        [names.iter().fold(columns[0].clone(), add)]
    };
    check(
        &with_numbers(&texts(&["a", "b", "c"]), &["m", "n"]),
        &with_numbers(&texts(&["x", "y"]), &["o", "p", "q"]),
        expect![[r#"
            column `t.a` is gone: was it renamed to `t.x` or `t.y`, or dropped (its values are discarded)?
            column `t.b` is gone: was it renamed to `t.x` or `t.y`, or dropped (its values are discarded)?
            column `t.c` is gone: was it renamed to `t.x` or `t.y`, or dropped (its values are discarded)?
            column `t.m` is gone: was it renamed to `t.o` or `t.p` or `t.q`, or dropped (its values are discarded)?
            column `t.n` is gone: was it renamed to `t.o` or `t.p` or `t.q`, or dropped (its values are discarded)?
            choose: --rename t.a:t.x | --rename t.a:t.y
            choose: --rename t.b:t.x | --rename t.b:t.y
            choose: --rename t.c:t.x | --rename t.c:t.y
            choose: --rename t.m:t.o | --rename t.m:t.p | --rename t.m:t.q
            choose: --rename t.n:t.o | --rename t.n:t.p | --rename t.n:t.q
            discards the data in column `n` of `t` unless it is renamed
            discards the data in column `m` of `t` unless it is renamed
            discards the data in column `c` of `t` unless it is renamed
            discards the data in column `b` of `t` unless it is renamed
            discards the data in column `a` of `t` unless it is renamed
        "#]],
    );
}

/// A cast or the column itself would be an answer that the upgrade refuses for every row.
#[test]
fn an_answer_to_begin_with_is_by_both_types() {
    let column = |name: &str, ty: Type| Column::new(name, ty).not_null();
    check(
        &t(&[
            column("seen", Type::DateTime),
            column("key", Type::Uuid),
            column("day", Type::Date),
            column("size", Type::Text),
            Column::new("at", Type::Timestamp),
            Column::new("born", Type::Date),
        ]),
        &t(&[
            column("seen", Type::BigInteger),
            column("key", Type::Text),
            column("day", Type::DateTime),
            column("size", Type::Integer),
            Column::new("at", Type::BigInteger),
            column("born", Type::DateTime),
        ]),
        expect![[r#"
            column `t.seen` changes from datetime to big integer: what should values that don't fit become?
            column `t.key` changes from uuid to text: what should values that don't fit become?
            column `t.day` changes from date to datetime: what should values that don't fit become?
            column `t.size` changes from text to integer: what should values that don't fit become?
            column `t.at` changes from timestamp to big integer: what should values that don't fit become?
            column `t.born` becomes NOT NULL: what value do rows with NULL get, and it changes from date to datetime: what should values that don't fit become?
            --fill "t.seen=CASE WHEN date(substr(seen, 1, 10), '+0 days') = substr(seen, 1, 10) THEN unixepoch(seen) END" --fill "t.key=CASE WHEN typeof(key) = 'blob' AND length(key) = 16 THEN lower(substr(hex(key), 1, 8) || '-' || substr(hex(key), 9, 4) || '-' || substr(hex(key), 13, 4) || '-' || substr(hex(key), 17, 4) || '-' || substr(hex(key), 21)) ELSE key END" --fill "t.day=day || ' 00:00:00'" --fill t.size=size --fill t.at=at --fill "t.born=coalesce(born, '1970-01-01 00:00:00')" --allow-destructive
        "#]],
    );
}
