//! The lexical rules of PostgreSQL, from its manual's chapter 4.1, "Lexical Structure".

use crate::sql::{
    Comments, Escapes, Inside, Kind, Lexicon, Names, Params, Quotes, Statements, Words,
};

/// The rules with `standard_conforming_strings`, which the driver's sessions enable.
pub static POSTGRES: Lexicon = Lexicon {
    spaces: &[' ', '\t', '\n', '\x0b', '\x0c', '\r'],
    // A backtick is part of operators, and brackets belong to arrays. `UESCAPE`, which sets another
    // escape character for `U&'...'`, isn't supported.
    quotes: &[
        Quotes { open: "U&'", close: '\'', kind: Kind::Text, inside: Inside::CodePoints },
        Quotes { open: "U&\"", close: '"', kind: Kind::Quoted, inside: Inside::CodePoints },
        Quotes {
            open: "E'",
            close: '\'',
            kind: Kind::Text,
            inside: Inside::Backslash(Escapes::Postgres),
        },
        Quotes { open: "N'", close: '\'', kind: Kind::Text, inside: Inside::Twice },
        Quotes { open: "B'", close: '\'', kind: Kind::Blob, inside: Inside::Twice },
        Quotes { open: "X'", close: '\'', kind: Kind::Blob, inside: Inside::Twice },
        Quotes { open: "'", close: '\'', kind: Kind::Text, inside: Inside::Twice },
        Quotes { open: "\"", close: '"', kind: Kind::Quoted, inside: Inside::Twice },
    ],
    has_dollar_quotes: true,
    comments: Comments { line: &["--"], dashes_need_space: false, nested: true, executed: &[] },
    // `?` is an operator of `jsonb`, `:` occurs in slices, and `@` in operators.
    params: Params { alone: false, named: &[], numbered: &['$'] },
    has_variables: false,
    words: Words { digit_first: false, dollar_first: false },
    symbols: &["::", ":=", ".."],
    operators: "+-*/<>=~!@#%^&|`?",
    names: Names::LowerUnlessQuoted,
    reserved: &[RESERVED],
    values: &[],
    // `WITH ... SELECT ... INTO` creates a table.
    statements: Statements {
        of_rows: &["INSERT", "UPDATE", "DELETE", "MERGE"],
        of_objects: &["CREATE", "DROP", "ALTER"],
    },
};

/// The reserved words in the manual's appendix C, including those that can be the name of a
/// function or a type.
#[rustfmt::skip]
const RESERVED: &[&str] = &[
    "ALL", "ANALYSE", "ANALYZE", "AND", "ANY", "ARRAY", "AS", "ASC", "ASYMMETRIC",
    "AUTHORIZATION", "BINARY", "BOTH", "CASE", "CAST", "CHECK", "COLLATE", "COLLATION", "COLUMN",
    "CONCURRENTLY", "CONSTRAINT", "CREATE", "CROSS", "CURRENT_CATALOG", "CURRENT_DATE",
    "CURRENT_ROLE", "CURRENT_SCHEMA", "CURRENT_TIME", "CURRENT_TIMESTAMP", "CURRENT_USER",
    "DEFAULT", "DEFERRABLE", "DESC", "DISTINCT", "DO", "ELSE", "END", "EXCEPT", "FALSE", "FETCH",
    "FOR", "FOREIGN", "FREEZE", "FROM", "FULL", "GRANT", "GROUP", "HAVING", "ILIKE", "IN",
    "INITIALLY", "INNER", "INTERSECT", "INTO", "IS", "ISNULL", "JOIN", "LATERAL", "LEADING",
    "LEFT", "LIKE", "LIMIT", "LOCALTIME", "LOCALTIMESTAMP", "NATURAL", "NOT", "NOTNULL", "NULL",
    "OFFSET", "ON", "ONLY", "OR", "ORDER", "OUTER", "OVERLAPS", "PLACING", "PRIMARY",
    "REFERENCES", "RETURNING", "RIGHT", "SELECT", "SESSION_USER", "SIMILAR", "SOME", "SYMMETRIC",
    "SYSTEM_USER", "TABLE", "TABLESAMPLE", "THEN", "TO", "TRAILING", "TRUE", "UNION", "UNIQUE",
    "USER", "USING", "VARIADIC", "VERBOSE", "WHEN", "WHERE", "WINDOW", "WITH",
];

#[cfg(test)]
mod tests {
    use super::POSTGRES;
    use crate::sql::Kind;

    /// The kinds of the significant tokens.
    fn kinds(text: &str) -> Vec<Kind> {
        POSTGRES.significant(text).iter().map(|token| token.kind).collect()
    }

    fn unquoted(text: &str) -> String {
        let tokens = POSTGRES.tokens(text);
        let [token] = tokens.as_slice() else { panic!("{text}: {tokens:?}") };
        token.unquoted().unwrap_or_else(|| panic!("{text}")).into_owned()
    }

    #[test]
    fn texts_are_what_the_manual_says() {
        // Sections 4.1.2.1 to 4.1.2.4.
        assert_eq!(unquoted(r"'C:\dir'"), r"C:\dir");
        assert_eq!(unquoted("'Dianne''s horse'"), "Dianne's horse");
        assert_eq!(unquoted(r"E'a\'b\\\n\t\x41\101\u00e9\U0001F600''\z'"), "a'b\\\n\tAAé😀'z");
        assert_eq!(unquoted(r"e'\xc3\xa9'"), "é");
        assert_eq!(unquoted(r"U&'d\0061t\+000061 \\ '''"), r"data \ '");
        assert_eq!(unquoted("$$Dianne's horse$$"), "Dianne's horse");
        assert_eq!(unquoted("$x_1$ $$ ; -- $x_1$"), " $$ ; -- ");
        assert_eq!(unquoted("n'x'"), "x");
        assert_eq!(kinds("B'1010' || x'1FF'"), [Kind::Blob, Kind::Symbol, Kind::Blob]);
        let open = |text| assert!(!POSTGRES.tokens(text).last().unwrap().is_closed(), "{text}");
        open(r"E'a\'");
        open("$a$ $b$");
        open("/* /* */");
        open(r"'it''");
    }

    #[test]
    fn marks_of_other_databases_mean_something_else() {
        assert_eq!(
            kinds("a[1:n]"),
            [Kind::Word, Kind::Symbol, Kind::Number, Kind::Symbol, Kind::Word, Kind::Symbol]
        );
        assert_eq!(kinds("a::text"), [Kind::Word, Kind::Symbol, Kind::Word]);
        // An operator, and placeholders.
        assert_eq!(kinds("data ? 'key'"), [Kind::Word, Kind::Symbol, Kind::Text]);
        assert_eq!(kinds("$1 ?2"), [Kind::Param, Kind::Param]);
        assert_eq!(kinds("a$1"), [Kind::Word]);
        assert_eq!(kinds("@x #- `"), [Kind::Symbol, Kind::Word, Kind::Symbol, Kind::Symbol]);
        let symbols = |text: &'static str| {
            let tokens = POSTGRES.significant(text);
            let symbols = tokens.iter().filter(|token| token.kind == Kind::Symbol);
            symbols.map(|token| token.text).collect::<Vec<_>>()
        };
        assert_eq!(symbols("a=-1"), ["=", "-"]);
        assert_eq!(symbols("a @-1"), ["@-"]);
        assert_eq!(symbols("a*/*b*/+--c"), ["*", "+"]);
        assert_eq!(symbols("a ->> 'b' <@ c || d"), ["->>", "<@", "||"]);
        let comment = POSTGRES.tokens("/* a /* b */ c */d");
        assert_eq!(comment.len(), 2);
    }

    #[test]
    fn names_fold_to_lower_case_unless_they_are_quoted() {
        let same = |a, b| assert!(POSTGRES.same_expression(a, b), "{a} != {b}");
        let other = |a, b| assert!(!POSTGRES.same_expression(a, b), "{a} == {b}");
        same("Age > 0", "(\"age\">0)");
        same("\"Age\"", "\"Age\"");
        same(r#"U&"\0061ge""#, "age");
        same("E'it\\'s'", "'it''s'");
        same("$$x$$", "'x'");
        other("Age", "\"Age\"");
        other("\"Age\"", "\"age\"");
        // `USER` is a function without parentheses.
        other("user", "\"user\"");
        assert!(POSTGRES.mentions("AGE > 0", "age"));
        assert!(!POSTGRES.mentions("AGE > 0", "AGE"));
        assert!(!POSTGRES.mentions("$$age$$", "age"));
        let renamed = |text| POSTGRES.rename_identifier(text, "time", "at");
        assert_eq!(renamed("TIME > a::time with time zone and time > 0"), {
            "\"at\" > a::time with time zone and \"at\" > 0"
        });
        assert_eq!(renamed("\"Time\" > \"time\""), "\"Time\" > \"at\"");
    }

    #[test]
    fn a_query_that_may_make_a_table_changes_objects() {
        assert!(!POSTGRES.may_change_objects("UPDATE t SET a = $$DROP TABLE$$; -- CREATE"));
        assert!(POSTGRES.may_change_objects("WITH a AS (SELECT 1) SELECT * INTO b FROM a"));
        assert!(POSTGRES.may_change_objects("DO $$ BEGIN EXECUTE 'DROP TABLE t'; END $$"));
    }
}
