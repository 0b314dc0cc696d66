//! Only the parent of a revision is replaced, and nothing else in its file.

use super::*;

const MODULE: &str = "//! add a column\n//!\n//! Revision ID: b2\n//! Revises: a1\n\
    //! Create Date: 2024-10-15 14:54:59 UTC\n\nuse dbmigrate_runtime::prelude::*;\n\n\
    // pub const DOWN_REVISION: &[&str] = &[\"a1\"];\n\
    pub const REVISION: &str = \"b2\";\n\
    pub const DOWN_REVISION: &[&str] = &[\"a1\"]; // of Ada; keep\n\
    pub const BRANCH_LABELS: &[&str] = &[];\n\
    pub const DEPENDS_ON: &[&str] = &[\"a1\"];\n\n\
    pub fn upgrade(op: &mut Operations) {\n    op.execute(\"Revises: a1\");\n}\n";

fn followed(text: &str, old: &[&str]) -> Option<String> {
    let old: Vec<String> = old.iter().map(|old| (*old).to_owned()).collect();
    follow(text, &old, "c3").map(|edit| edit.text)
}

#[track_caller]
fn check(text: &str, old: &[&str], edits: &[(&str, &str)]) {
    let mut expected = text.to_owned();
    for (from, to) in edits {
        assert_eq!(expected.matches(from).count(), 1, "{from} in {expected}");
        expected = expected.replace(from, to);
    }
    assert_eq!(followed(text, old), Some(expected));
}

#[test]
fn the_constant_and_the_line_of_the_header_change() {
    let edits = [
        ("//! Revises: a1", "//! Revises: c3"),
        (
            "\npub const DOWN_REVISION: &[&str] = &[\"a1\"]",
            "\npub const DOWN_REVISION: &[&str] = &[\"c3\"]",
        ),
    ];
    check(MODULE, &["a1"], &edits);
    // With other line endings, a byte order mark, and multi-byte characters before the constant.
    let text =
        format!("\u{feff}{}", MODULE.replace("add a column", "Größe ✓").replace('\n', "\r\n"));
    let edits = edits.map(|(from, to)| (from.to_owned(), to.to_owned()));
    check(&text, &["a1"], &[(&edits[0].0, &edits[0].1), (&edits[1].0, &edits[1].1)]);
    let edit = follow(&text, &["a1".to_owned()], "c3").unwrap();
    assert_eq!(edit.lines[0], ("//! Revises: a1".to_owned(), "//! Revises: c3".to_owned()));
    assert!(edit.lines[1].1.ends_with("= &[\"c3\"]; // of Ada; keep"), "{:?}", edit.lines);
}

#[test]
fn other_layouts_and_other_numbers_of_parents() {
    let with = |value: &str| MODULE.replace("&[\"a1\"]; // of", &format!("{value}; // of"));
    let revises = ("//! Revises: a1", "//! Revises: c3");
    let text = with("&[\n    \"a1\", // ; the one before\n]");
    check(&text, &["a1"], &[revises, ("    \"a1\", //", "    \"c3\", //")]);
    check(&with("&[r#\"a1\"#]"), &["a1"], &[revises, ("r#\"a1\"#", "\"c3\"")]);
    let text = with("&[]").replace("Revises: a1\n", "Revises: <base>\n");
    check(
        &text,
        &[],
        &[("Revises: <base>", "Revises: c3"), ("= &[]; // of", "= &[\"c3\"]; // of")],
    );
    let text = with("&[\"a1\", \"a2\"]").replace("Revises: a1\n", "Revises: a1, a2\n");
    check(
        &text,
        &["a1", "a2"],
        &[("Revises: a1, a2", "Revises: c3"), ("\"a1\", \"a2\"", "\"c3\"")],
    );
}

#[test]
fn a_header_that_says_something_else_stays() {
    let constant = (
        "\npub const DOWN_REVISION: &[&str] = &[\"a1\"]",
        "\npub const DOWN_REVISION: &[&str] = &[\"c3\"]",
    );
    for line in ["//! Revises: a12", "//! Revises: nothing", "//! By Ada", "//! Revises: a1, b2"] {
        check(&MODULE.replace("//! Revises: a1", line), &["a1"], &[constant]);
    }
    let text = MODULE.replace("//! Revises: a1", "//! Revises:   a1 (account table) ");
    let revises = ("//! Revises:   a1 (account table) ", "//! Revises:   c3 (account table) ");
    check(&text, &["a1"], &[constant, revises]);
}

#[test]
fn what_is_not_written_out_is_left_to_a_person() {
    assert_eq!(followed(MODULE, &["other"]), None);
    for value in ["PARENTS", "&[PARENT]", "&[concat!(\"a\", \"1\")]", "&nonsense("] {
        let text = MODULE.replace("&[\"a1\"]; // of", &format!("{value}; // of"));
        assert_eq!(followed(&text, &["a1"]), None, "{value}");
    }
    let array = MODULE.replace(
        "DOWN_REVISION: &[&str] = &[\"a1\"]; // of",
        "DOWN_REVISION: &[&str; 0] = &[]; // of",
    );
    assert_eq!(followed(&array, &[]), None);
    let twice = format!("{MODULE}#[cfg(test)]\npub const DOWN_REVISION: &[&str] = &[\"a1\"];\n");
    assert_eq!(followed(&twice, &["a1"]), None);
    assert_eq!(followed(&format!("#!shebang\n{MODULE}"), &["a1"]), None);
}
