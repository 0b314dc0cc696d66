//! Renames that models and flags declare.

use dbmigrate_runtime::schema::{Check, ForeignKey, Index, IndexColumn, Unique};

use super::*;

/// Replays renames and compares all operations, in words.
#[track_caller]
fn check(from: &[Table], models: &Models, flags: &[&str], expect: &[&str]) {
    let from = Schema::from_tables(from.iter().cloned());
    let answers = Answers {
        renames: flags.iter().map(|flag| (*flag).to_owned()).collect(),
        no_renames: true,
        ..Answers::default()
    };
    let words =
        |operations: &[Operation]| operations.iter().map(ToString::to_string).collect::<Vec<_>>();
    let operations = match changes(&from, models, &answers) {
        Ok(Outcome::Changes(changes)) => changes.operations,
        Ok(Outcome::Questions(changes)) => panic!("{changes:?}"),
        Err(err) => {
            let text = err.to_string();
            return assert_eq!(text.lines().collect::<Vec<_>>(), expect);
        }
    };
    assert_eq!(words(&operations), expect);
    let mut reached = from.clone();
    replay(&mut reached, &operations).unwrap();
    if flags.is_empty() {
        assert_eq!(words(&plain(&reached, models).unwrap()), [""; 0]);
    }
    replay(&mut reached, &way_back(&operations, &from, &Sqlite, &[]).unwrap().operations).unwrap();
    assert_eq!(diff::diff(&reached, &normalized(&reached, &from)), []);
}

fn columns(names: &[&str]) -> Table {
    names.iter().fold(table("t"), |table, name| table.column(Column::new(name, Type::Text)))
}

#[test]
fn a_chain_of_columns_moves_from_its_end() {
    check(
        &[columns(&["a", "b"])],
        &models(&[columns(&["b", "c"])], &[("a", "t.b"), ("b", "t.c")]),
        &[],
        &["rename column `b` of table `t` to `c`", "rename column `a` of table `t` to `b`"],
    );
}

#[test]
fn columns_change_places_through_another_name_when_a_flag_says_so() {
    let from = [columns(&["a", "b"])];
    check(
        &from,
        &models(&from, &[]),
        &["t.a:t.b", "t.b:t.a"],
        &[
            "rename column `a` of table `t` to `a_was`",
            "rename column `b` of table `t` to `a`",
            "rename column `a_was` of table `t` to `b`",
        ],
    );
}

#[test]
fn tables_change_places_through_another_name_when_a_flag_says_so() {
    let from = [table("a"), table("b")];
    check(
        &from,
        &models(&from, &[]),
        &["a:b", "b:a"],
        &["rename table `a` to `a_was`", "rename table `b` to `a`", "rename table `a_was` to `b`"],
    );
}

#[test]
fn whether_models_changed_places_can_not_be_seen() {
    let from = [columns(&["a", "b"])];
    check(
        &from,
        &models(&from, &[("a", "t.b"), ("b", "t.a")]),
        &[],
        &[
            "the columns `t.b` and `t.a` swap names by `renamed_from`, but whether they already \
             have can't be told",
            "  hint: remove `renamed_from` from the models, and if the names are still to be \
             swapped, pass --rename t.b:t.a --rename t.a:t.b",
        ],
    );
}

#[test]
fn names_that_differ_in_case_are_renamed_without_a_word() {
    check(
        &[table("User").column(Column::new("Name", Type::Text))],
        &models(&[table("user").column(Column::new("name", Type::Text))], &[]),
        &[],
        &[
            "rename table `User` to `User_was`",
            "rename table `User_was` to `user`",
            "rename column `Name` of table `user` to `name`",
        ],
    );
}

/// What no other rename frees never becomes free.
#[test]
fn a_new_name_that_is_there_in_another_case_is_taken() {
    let hint = "  hint: if `t.a` became `t.B` long ago, remove `renamed_from` from the model, and \
                `t.a` is dropped; if `t.a` is to take the place of `t.B`, drop `t.B` in a revision \
                of its own first: run `migrate` with `t.a` in the models and without `t.B`";
    let taken = "the migrations already have a column `t.B`";
    let from = [columns(&["a", "B"])];
    let said = format!("`renamed_from = \"a\"` at src/lib.rs:1: {taken}");
    check(&from, &models(&[columns(&["b"])], &[("a", "t.b")]), &[], &[&said, hint]);
    let said = format!("--rename t.a:t.b: {taken}");
    let hint = "  hint: rename or drop that one first";
    check(&from, &models(&[columns(&["b"])], &[]), &["t.a:t.b"], &[&said, hint]);
    // It was renamed long ago, and only its case changes now.
    check(
        &from,
        &models(&[columns(&["a", "b"])], &[("a", "t.b")]),
        &[],
        &["rename column `B` of table `t` to `b`"],
    );
    check(
        &[table("a"), table("B")],
        &models(&[table("b")], &[]),
        &["a:b"],
        &["--rename a:b: the migrations already have a table `B`", hint],
    );
}

#[test]
fn a_rename_that_a_flag_overrules_frees_no_name() {
    check(
        &[columns(&["a", "b", "x"])],
        &models(&[columns(&["b", "d"])], &[("a", "t.b"), ("b", "t.d")]),
        &["t.x:t.d"],
        &[
            "`renamed_from = \"a\"` at src/lib.rs:1: the migrations already have a column `t.b`",
            "  hint: if `t.a` became `t.b` long ago, remove `renamed_from` from the model, and \
             `t.a` is dropped; if `t.a` is to take the place of `t.b`, drop `t.b` in a revision of \
             its own first: run `migrate` with `t.a` in the models and without `t.b`",
        ],
    );
}

#[test]
fn names_go_round_in_other_cases() {
    check(
        &[columns(&["a", "b", "c"])],
        &models(&[columns(&["A", "B", "C"])], &[]),
        &["t.a:t.B", "t.b:t.C", "t.c:t.A"],
        &[
            "rename column `a` of table `t` to `a_was`",
            "rename column `c` of table `t` to `A`",
            "rename column `b` of table `t` to `C`",
            "rename column `a_was` of table `t` to `B`",
        ],
    );
    check(
        &[table("a"), table("b"), table("c")],
        &models(&[table("A"), table("B"), table("C")], &[]),
        &["a:B", "b:C", "c:A"],
        &[
            "rename table `a` to `a_was`",
            "rename table `c` to `A`",
            "rename table `b` to `C`",
            "rename table `a_was` to `B`",
        ],
    );
    check(
        &[table("a"), table("b"), table("a_was")],
        &models(&[table("B"), table("A"), table("A_was")], &[]),
        &["a:B", "b:A"],
        &[
            "rename table `a` to `a_was_`",
            "rename table `b` to `A`",
            "rename table `a_was_` to `B`",
            "rename table `a_was` to `a_was_was`",
            "rename table `a_was_was` to `A_was`",
        ],
    );
}

#[test]
fn what_is_renamed_long_ago_stays() {
    let to = [columns(&["b"])];
    check(&to, &models(&to, &[("a", "t.b")]), &[], &[]);
    // A new column with the old name is a separate column.
    check(
        &to,
        &models(&[columns(&["a", "b"])], &[("a", "t.b")]),
        &[],
        &["add column `a` to table `t`"],
    );
}

/// The warnings about what flags overrule.
#[track_caller]
fn overruled(from: &[Table], models: &Models, flags: &[&str], expect: &[&str]) {
    let answers = Answers {
        renames: flags.iter().map(|flag| (*flag).to_owned()).collect(),
        no_renames: true,
        ..Answers::default()
    };
    let from = Schema::from_tables(from.iter().cloned());
    let changes = changed(&from, models, &answers);
    assert_eq!(changes.overruled, expect);
}

#[test]
fn what_a_flag_overrules_in_a_model_is_said() {
    let from = [columns(&["a", "b", "x"])];
    let model = [("a", "t.c")];
    let says = |flag: &str, old: &str, rest: &str| {
        format!("--rename {flag} overrules `renamed_from = \"{old}\"` at src/lib.rs:1: the {rest}")
    };
    // The flag gives the old name to another column.
    let moved =
        says("t.a:t.d", "a", "column `t.c` is added as a new one, and `t.a` is renamed to `t.d`");
    overruled(&from, &models(&[columns(&["b", "c", "d", "x"])], &model), &["t.a:t.d"], &[&moved]);
    // The flag gives another old name to the column.
    let dropped = says("t.b:t.c", "a", "column `t.c` is renamed from `t.b`, and `t.a` is dropped");
    overruled(&from, &models(&[columns(&["c", "x"])], &model), &["t.b:t.c"], &[&dropped]);
    let kept = says("t.b:t.c", "a", "column `t.c` is renamed from `t.b`, and `t.a` stays as it is");
    overruled(&from, &models(&[columns(&["a", "c", "x"])], &model), &["t.b:t.c"], &[&kept]);
    // One flag overrules two models.
    let second = says("t.a:t.d", "b", "column `t.d` is renamed from `t.a`, and `t.b` is dropped");
    overruled(
        &from,
        &models(&[columns(&["c", "d", "x"])], &[("a", "t.c"), ("b", "t.d")]),
        &["t.a:t.d"],
        &[&moved, &second],
    );
    let other = says("a:d", "a", "table `c` is renamed from `b`, and `a` is renamed to `d`");
    let (from_tables, to_tables) = ([table("a"), table("b")], [table("c"), table("d")]);
    overruled(&from_tables, &models(&to_tables, &[("a", "c")]), &["a:d", "b:c"], &[&other]);
    // Nothing is overruled.
    overruled(&from, &models(&[columns(&["b", "c", "x"])], &model), &["t.a:t.c"], &[]);
    overruled(&[columns(&["c", "b"])], &models(&[columns(&["c", "e"])], &model), &["t.b:t.e"], &[]);
}

#[test]
fn a_flag_overrules_the_model_and_names_something() {
    let from = [columns(&["a", "b"])];
    let to = [columns(&["c", "d"])];
    check(
        &from,
        &models(&to, &[("a", "t.c")]),
        &["t.a:t.d", "t.b:t.c"],
        &["rename column `a` of table `t` to `d`", "rename column `b` of table `t` to `c`"],
    );
    let hint = "  hint: the form is `old:new` for tables, `table.old:table.new` for columns, with \
                the names in the database";
    for (flag, what) in [
        ("t", "it has no `:`"),
        ("x:t", "the migrations have no table `x`"),
        ("t:x", "`x` is not a new table of the models"),
        ("t.x:t.c", "the migrations have no column `t.x`"),
        ("t.a:t.x", "the models have no column `t.x`"),
        ("t.a:t", "one side is a table, the other a column"),
    ] {
        check(&from, &models(&to, &[]), &[flag], &[&format!("--rename {flag}: {what}"), hint]);
    }
    check(
        &from,
        &models(&[columns(&["b"])], &[]),
        &["t.a:t.b"],
        &[
            "--rename t.a:t.b: the migrations already have a column `t.b`",
            "  hint: rename or drop that one first",
        ],
    );
    check(
        &from,
        &models(&to, &[]),
        &["t.a:t.c", "t.a:t.d"],
        &[
            "two renames of a column contradict each other: `t.a` to `t.c` and `t.a` to `t.d`",
            "  hint: remove one of the flags",
        ],
    );
}

#[test]
fn names_may_hold_the_signs_of_the_flags() {
    check(
        &[table("a:b").column(Column::new("c.d", Type::Text))],
        &models(&[table("x.y").column(Column::new("e:f", Type::Text))], &[]),
        &["a:b:x.y", "x.y.c.d:x.y.e:f"],
        &["rename table `a:b` to `x.y`", "rename column `c.d` of table `x.y` to `e:f`"],
    );
}

/// Names of constraints stay, and what mentions the column follows the rename.
#[test]
fn a_table_and_its_columns_are_renamed_with_all_that_names_them() {
    let naming = Convention::default();
    let build = |user: &str, age: &str, quote: &str| {
        let age_q = format!("{quote}{age}{quote}");
        let mut column = table(user)
            .column(Column::new(age, Type::Integer))
            .column(Column::new("next", Type::Integer).generated_virtual(format!("{age_q} + 1")))
            .column(Column::new("boss", Type::BigInteger));
        let check = format!("{quote}{user}{quote}.{age_q} > 0");
        column.checks.push(Check::new(&naming.check(user, age), &check));
        column.uniques.push(Unique::new(&naming.unique(user, &[age]), [age]));
        column.foreign_keys.push(ForeignKey::new(
            &naming.foreign_key(user, &["boss"], user),
            ["boss"],
            user,
            ["id"],
        ));
        column.indexes.push(
            Index::new("ix", [])
                .column(IndexColumn::expression(format!("abs({age_q})")))
                .filter(format!("{age_q} IS NOT NULL")),
        );
        column.indexes.push(Index::new(&naming.index(user, &[IndexColumn::new(age)]), [age]));
        let mut post = table("post").column(Column::new("age", Type::Integer));
        post.foreign_keys.push(ForeignKey::new(
            &naming.foreign_key("post", &["age"], user),
            ["age"],
            user,
            [age],
        ));
        [column, post]
    };
    check(
        &build("user", "age", ""),
        &models(&build("person", "years", ""), &[("user", "person"), ("age", "person.years")]),
        &[],
        &[
            "rename table `user` to `person`",
            "rename column `age` of table `person` to `years`",
            "rename index `ix_user_age` of table `person` to `ix_person_years`",
        ],
    );
}

#[test]
fn a_leftover_name_that_is_wanted_again_is_given_up() {
    let unique = |table: Table, column: &str| table.unique(&format!("uq_t_{column}"), [column]);
    let mut renamed = columns(&["b"]);
    renamed.uniques.push(Unique::new("uq_t_a", ["b"]));
    check(
        &[renamed],
        &models(&[unique(unique(columns(&["b", "a"]), "a"), "b")], &[]),
        &[],
        &[
            "drop unique constraint `uq_t_a` of table `t`",
            "add column `a` to table `t`",
            "add unique constraint `uq_t_a` to table `t`",
            "add unique constraint `uq_t_b` to table `t`",
        ],
    );
}

#[test]
fn a_name_that_the_model_gives_is_wanted() {
    let unique = |name: &str| [columns(&["a"]).unique(name, ["a"])];
    check(&unique("mine"), &models(&unique("uq_t_a"), &[]), &[], &[]);
    check(
        &unique("mine"),
        &models(&unique("yours"), &[]),
        &[],
        &[
            "drop unique constraint `mine` of table `t`",
            "add unique constraint `yours` to table `t`",
        ],
    );
}

#[test]
fn a_table_is_renamed_and_changed_at_once() {
    check(
        &[table("old").column(Column::new("a", Type::Integer))],
        &models(
            &[table("new")
                .column(Column::new("b", Type::Text))
                .column(Column::new("c", Type::Text))
                .unique("uq_new_b", ["b"])],
            &[("old", "new"), ("a", "new.b")],
        ),
        &[],
        &[
            "rename table `old` to `new`",
            "rename column `a` of table `new` to `b`",
            "add column `c` to table `new`",
            "alter column `b` of table `new`",
            "add unique constraint `uq_new_b` to table `new`",
        ],
    );
}
