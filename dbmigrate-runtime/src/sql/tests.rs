//! Tokens by the rules that apply if the database isn't known.

use std::borrow::Cow;

use super::*;

fn tokens(text: &str) -> Vec<Token<'_>> {
    NEUTRAL.tokens(text)
}

const NASTY: &[&str] = &[
    "",
    "'",
    "''",
    "'''",
    "\"",
    "\"\"\"",
    "`a``b`",
    "[a]]",
    "[",
    "x'",
    "x'0",
    "X'ff'",
    "/*",
    "/*/",
    "/**/",
    "/* a *",
    "--",
    "-- a\n--",
    "-",
    "/",
    "1e+",
    "1e+5",
    "1.5.5",
    ".5",
    ".",
    "0x1e+5",
    "12ab_c",
    "1_000",
    "a$b",
    "$a",
    "$",
    ":",
    "::a",
    "?12a",
    "@",
    "#x",
    "größe\u{a0}名前",
    "\u{feff}a",
    "\0",
    "a\0b",
    "->>->||<><<=",
    "\\",
    "😀'😀",
    "\r\n\t\x0b\x0c",
];

#[test]
fn tokens_are_the_text_whatever_it_is() {
    for a in NASTY {
        for b in NASTY {
            for text in [format!("{a}{b}"), format!("{a} {b}"), format!("{a}'{b}\n{a}")] {
                let tokens = tokens(&text);
                let whole: String = tokens.iter().map(|token| token.text).collect();
                assert_eq!(whole, text);
                for token in &tokens {
                    assert_eq!(&text[token.start..token.end()], token.text);
                    assert!(!token.text.is_empty());
                    let _ = (token.identifier(), token.is_closed());
                }
                let _ =
                    (NEUTRAL.rename_identifier(&text, "a", "b"), NEUTRAL.unparenthesised(&text));
                assert!(NEUTRAL.same_expression(&text, &text), "{text}");
            }
        }
    }
}

#[test]
fn each_token_has_its_kind() {
    let kinds = |text| tokens(text).iter().map(|token| token.kind).collect::<Vec<_>>();
    assert_eq!(kinds("a\u{a0}b"), [Kind::Word]);
    assert_eq!(kinds("x'ab'"), [Kind::Blob]);
    assert_eq!(kinds("1.5e-3"), [Kind::Number]);
    assert_eq!(kinds("1-3"), [Kind::Number, Kind::Symbol, Kind::Number]);
    assert_eq!(kinds("a->>'b'"), [Kind::Word, Kind::Symbol, Kind::Text]);
    assert_eq!(kinds("varchar[10]"), [Kind::Word, Kind::Quoted]);
    assert_eq!(kinds("?1:a"), [Kind::Param, Kind::Param]);
    assert_eq!(kinds("--a\n/*b*/"), [Kind::Comment, Kind::Space, Kind::Comment]);
}

#[test]
fn a_quoted_name_is_read_without_its_quotes() {
    let name = |text| tokens(text)[0].identifier().map(Cow::into_owned);
    assert_eq!(name("\"a\"\"b\"").unwrap(), "a\"b");
    assert_eq!(name("`a``b`").unwrap(), "a`b");
    assert_eq!(name("[a\"b]").unwrap(), "a\"b");
    assert_eq!(name("\"\"").unwrap(), "");
    assert_eq!(name("\"a\"\""), None);
    assert_eq!(name("\"a"), None);
    assert_eq!(name("'a'"), None);
}

#[test]
fn expressions_are_the_same_but_for_how_they_are_written() {
    let same = |a, b| assert!(NEUTRAL.same_expression(a, b), "{a} != {b}");
    let other = |a, b| assert!(!NEUTRAL.same_expression(a, b), "{a} == {b}");
    same("a>0", "((A > 0)) -- positive");
    same("\"a\" IN ('x', 'y')", "`a` in('x','y')");
    same("x'AB' || 1E5", "X'ab' || 1e5");
    same("(a) + (b)", "(a)+(b)");
    other("(a) + (b)", "a + b");
    other("a = 'X'", "a = 'x'");
    other("a < = b", "a <= b");
    other("a IS NULL", "a IS \"null\"");
    other("a", "a b");
    other("'a'", "a");
}

#[test]
fn a_name_in_a_text_or_a_comment_is_not_mentioned() {
    assert!(NEUTRAL.mentions("SELECT [Age] FROM t", "age"));
    assert!(NEUTRAL.mentions("\"age\" > 1", "age"));
    assert!(!NEUTRAL.mentions("'age' -- age\n/* age */ = ages", "age"));
}

/// What else may have a column's name: a function, a type, a word, another table or its column.
#[test]
fn an_expression_names_a_column_of_its_own_row() {
    let tables = ["doc".to_owned(), "other".to_owned()];
    let names = |expression: &str, column: &str| {
        NEUTRAL.names_own_column(expression, OwnColumn { table: "doc", column, tables: &tables })
    };
    for expression in [
        "n",
        "[N] + 1",
        "coalesce(doc.n, 0)",
        "length(\"n\") COLLATE nocase",
        "(SELECT max(x) FROM third WHERE id = n)",
        "(SELECT other.n FROM other WHERE other.id = doc.n)",
        "CASE WHEN 1 THEN (SELECT 1 FROM other) ELSE n END",
        "extract(year FROM n)",
        "x IS DISTINCT FROM n",
        "(SELECT max(x) FROM third WHERE x IS DISTINCT FROM n)",
        "(SELECT max(n, y) FROM third)",
        "(SELECT max(x) FROM other AS o JOIN third ON o.id = doc.n)",
        "(SELECT x FROM doc AS d WHERE d.id = doc.n)",
        "(SELECT group_concat(value) FROM json_each(n))",
        "(SELECT max(q.x) FROM (SELECT x FROM other) AS q WHERE q.x < n)",
    ] {
        assert!(names(expression, "n"), "{expression}");
    }
    for expression in [
        "'n' /* n */",
        "n('now')",
        "CAST(1 AS n)",
        "'1'::n",
        "n '2026-12-31'",
        "x COLLATE n",
        "other.n",
        "(SELECT n.x FROM n)",
        "(SELECT n FROM other WHERE other.id = doc.id)",
        "(SELECT max(n) FROM (SELECT n FROM other) AS o)",
        "(SELECT x FROM third JOIN other ON n = third.id)",
        "(SELECT max(doc.n) FROM doc)",
        "(SELECT n FROM app.other)",
        "(SELECT n FROM (third CROSS JOIN other))",
        "(SELECT n FROM third AS t, other)",
        "(SELECT n FROM (SELECT n FROM other) AS q WHERE q.n > 1)",
        "(SELECT id FROM other AS doc WHERE doc.n = 1)",
    ] {
        assert!(!names(expression, "n"), "{expression}");
    }
    assert!(!names("CASE WHEN a THEN 1 ELSE 2 END", "end"));
    assert!(names("CASE WHEN a THEN 1 ELSE \"end\" END", "end"));
}

#[test]
fn what_a_name_in_a_subquery_over_a_view_means_is_unclear() {
    let tables = ["doc".to_owned(), "other".to_owned()];
    let own = OwnColumn { table: "doc", column: "n", tables: &tables };
    let is_known = |name: &str| ["doc", "other", "third"].contains(&name);
    for (expression, source) in [
        ("(SELECT n FROM v)", Some("v")),
        ("(SELECT max(x) FROM v AS w WHERE w.id = n)", Some("w")),
        ("coalesce((SELECT x FROM third JOIN app.v ON n = 1), 0)", Some("v")),
        ("(WITH c AS (SELECT 1 AS n) SELECT n FROM c)", Some("c")),
        ("(SELECT max(n) FROM json_each(doc.x))", Some("json_each")),
        ("(SELECT v.n FROM v WHERE v.id = doc.n)", None),
        ("(SELECT n FROM v, other)", None),
        ("(SELECT max(x) FROM third WHERE id = n)", None),
        ("(SELECT max(value) FROM json_each(n))", None),
        ("(SELECT max(x) FROM v) + n", None),
        ("n", None),
    ] {
        let found = NEUTRAL.unclear_source(expression, own, is_known);
        assert_eq!(found.as_deref(), source, "{expression}");
    }
}

#[test]
fn the_end_of_a_case_is_no_name() {
    assert_eq!(
        NEUTRAL.rename_identifier("\"end\" > CASE WHEN \"end\" THEN 1 ELSE 0 END", "end", "to"),
        "\"to\" > CASE WHEN \"to\" THEN 1 ELSE 0 END"
    );
    assert_eq!(NEUTRAL.rename_identifier("end > 0", "end", "to"), "\"to\" > 0");
}

#[test]
fn a_renamed_column_is_renamed_in_expressions_but_not_in_texts_or_calls() {
    let check = |expression, expect: &str| {
        assert_eq!(NEUTRAL.rename_identifier(expression, "lower", "name"), expect);
    };
    check("lower > 1", "\"name\" > 1");
    check("LOWER(lower) = 'lower'", "LOWER(\"name\") = 'lower'");
    check("\"lower\" = 'it''s lower'", "\"name\" = 'it''s lower'");
    check("lowercase OR 'unclosed lower", "lowercase OR 'unclosed lower");
    check("`lower` + [lower] /* lower */", "\"name\" + \"name\" /* lower */");
    check("CAST(lower AS lower) || lower", "CAST(\"name\" AS lower) || \"name\"");
    check("CAST(a AS big lower (10)) + lower", "CAST(a AS big lower (10)) + \"name\"");
    check("a COLLATE lower LIKE lower", "a COLLATE lower LIKE \"name\"");
    check("lower -- lower\n(lower)", "lower -- lower\n(\"name\")");
}
