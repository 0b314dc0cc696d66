//! The lexical rules of MySQL and MariaDB, from MySQL's manual, chapter 11, "Language Structure",
//! and MariaDB's pages "Identifier Names", "Comment Syntax" and "Reserved Words".
//!
//! Sessions and scripts enable `ANSI_QUOTES` and `PIPES_AS_CONCAT`, so that in a revision `"name"`
//! is a name and `a || b` a text on every database, and leave `NO_BACKSLASH_ESCAPES` disabled, as it
//! is by default.

use crate::sql::{
    Comments, Escapes, Inside, Kind, Lexicon, Names, Params, Quotes, Statements, Words,
};

/// The rules of MySQL.
pub static MYSQL: Lexicon = Lexicon { reserved: &[RESERVED, RESERVED_BY_MYSQL], ..COMMON };

/// The rules of MariaDB.
pub static MARIADB: Lexicon = Lexicon {
    comments: Comments { executed: &["/*!", "/*M!"], ..COMMON.comments },
    reserved: &[RESERVED, RESERVED_BY_MARIADB],
    ..COMMON
};

const COMMON: Lexicon = Lexicon {
    spaces: &[' ', '\t', '\n', '\x0b', '\x0c', '\r'],
    // An introducer before a text, such as `_utf8mb4`, is a word.
    quotes: &[
        Quotes { open: "N'", close: '\'', kind: Kind::Text, inside: ESCAPED },
        Quotes { open: "B'", close: '\'', kind: Kind::Blob, inside: Inside::Nothing },
        Quotes { open: "X'", close: '\'', kind: Kind::Blob, inside: Inside::Nothing },
        Quotes { open: "'", close: '\'', kind: Kind::Text, inside: ESCAPED },
        Quotes { open: "`", close: '`', kind: Kind::Quoted, inside: Inside::Twice },
        Quotes { open: "\"", close: '"', kind: Kind::Quoted, inside: Inside::Twice },
    ],
    has_dollar_quotes: false,
    comments: Comments {
        line: &["--", "#"],
        dashes_need_space: true,
        nested: false,
        executed: &["/*!"],
    },
    params: Params { alone: true, named: &[], numbered: &[] },
    has_variables: true,
    words: Words { digit_first: true, dollar_first: true },
    symbols: &["<=>", "->>", "->", "||", "&&", "<=", "<>", "<<", ">=", ">>", "!=", ":="],
    operators: "",
    // The names of tables may be exact, depending on the server.
    names: Names::AnyCase,
    reserved: &[RESERVED],
    values: &[],
    statements: Statements {
        of_rows: &["INSERT", "REPLACE", "UPDATE", "DELETE", "WITH"],
        of_objects: &["CREATE", "DROP", "ALTER", "RENAME"],
    },
};

const ESCAPED: Inside = Inside::Backslash(Escapes::Mysql);

/// Words that both databases reserve.
#[rustfmt::skip]
const RESERVED: &[&str] = &[
    "ACCESSIBLE", "ADD", "ALL", "ALTER", "ANALYZE", "AND", "AS", "ASC", "ASENSITIVE", "BEFORE",
    "BETWEEN", "BIGINT", "BINARY", "BLOB", "BOTH", "BY", "CALL", "CASCADE", "CASE", "CHANGE",
    "CHAR", "CHARACTER", "CHECK", "COLLATE", "COLUMN", "CONDITION", "CONSTRAINT", "CONTINUE",
    "CONVERT", "CREATE", "CROSS", "CURRENT_DATE", "CURRENT_TIME", "CURRENT_TIMESTAMP",
    "CURRENT_USER", "CURSOR", "DATABASE", "DATABASES", "DAY_HOUR", "DAY_MICROSECOND", "DAY_MINUTE",
    "DAY_SECOND", "DEC", "DECIMAL", "DECLARE", "DEFAULT", "DELAYED", "DELETE", "DESC", "DESCRIBE",
    "DETERMINISTIC", "DISTINCT", "DISTINCTROW", "DIV", "DOUBLE", "DROP", "DUAL", "EACH", "ELSE",
    "ELSEIF", "ENCLOSED", "ESCAPED", "EXCEPT", "EXISTS", "EXIT", "EXPLAIN", "FALSE", "FETCH",
    "FLOAT", "FLOAT4", "FLOAT8", "FOR", "FORCE", "FOREIGN", "FROM", "FULLTEXT", "GRANT", "GROUP",
    "HAVING", "HIGH_PRIORITY", "HOUR_MICROSECOND", "HOUR_MINUTE", "HOUR_SECOND", "IF", "IGNORE",
    "IN", "INDEX", "INFILE", "INNER", "INOUT", "INSENSITIVE", "INSERT", "INT", "INT1", "INT2",
    "INT3", "INT4", "INT8", "INTEGER", "INTERSECT", "INTERVAL", "INTO", "IS", "ITERATE", "JOIN",
    "KEY", "KEYS", "KILL", "LEADING", "LEAVE", "LEFT", "LIKE", "LIMIT", "LINEAR", "LINES", "LOAD",
    "LOCALTIME", "LOCALTIMESTAMP", "LOCK", "LONG", "LONGBLOB", "LONGTEXT", "LOOP", "LOW_PRIORITY",
    "MASTER_SSL_VERIFY_SERVER_CERT", "MATCH", "MAXVALUE", "MEDIUMBLOB", "MEDIUMINT", "MEDIUMTEXT",
    "MIDDLEINT", "MINUTE_MICROSECOND", "MINUTE_SECOND", "MOD", "MODIFIES", "NATURAL", "NOT",
    "NO_WRITE_TO_BINLOG", "NULL", "NUMERIC", "ON", "OPTIMIZE", "OPTION", "OPTIONALLY", "OR",
    "ORDER", "OUT", "OUTER", "OUTFILE", "OVER", "PARTITION", "PRECISION", "PRIMARY", "PROCEDURE",
    "PURGE", "RANGE", "READ", "READS", "READ_WRITE", "REAL", "RECURSIVE", "REFERENCES", "REGEXP",
    "RELEASE", "RENAME", "REPEAT", "REPLACE", "REQUIRE", "RESIGNAL", "RESTRICT", "RETURN",
    "REVOKE", "RIGHT", "RLIKE", "ROWS", "ROW_NUMBER", "SCHEMA", "SCHEMAS", "SECOND_MICROSECOND",
    "SELECT", "SENSITIVE", "SEPARATOR", "SET", "SHOW", "SIGNAL", "SMALLINT", "SPATIAL", "SPECIFIC",
    "SQL", "SQLEXCEPTION", "SQLSTATE", "SQLWARNING", "SQL_BIG_RESULT", "SQL_CALC_FOUND_ROWS",
    "SQL_SMALL_RESULT", "SSL", "STARTING", "STRAIGHT_JOIN", "TABLE", "TERMINATED", "THEN",
    "TINYBLOB", "TINYINT", "TINYTEXT", "TO", "TRAILING", "TRIGGER", "TRUE", "UNDO", "UNION",
    "UNIQUE", "UNLOCK", "UNSIGNED", "UPDATE", "USAGE", "USE", "USING", "UTC_DATE", "UTC_TIME",
    "UTC_TIMESTAMP", "VALUES", "VARBINARY", "VARCHAR", "VARCHARACTER", "VARYING", "WHEN", "WHERE",
    "WHILE", "WINDOW", "WITH", "WRITE", "XOR", "YEAR_MONTH", "ZEROFILL",
];

/// Words that MySQL 8.0 or a later version reserves in addition.
#[rustfmt::skip]
const RESERVED_BY_MYSQL: &[&str] = &[
    "CUBE", "CUME_DIST", "DENSE_RANK", "EMPTY", "FIRST_VALUE", "FUNCTION", "GENERATED", "GET",
    "GROUPING", "GROUPS", "IO_AFTER_GTIDS", "IO_BEFORE_GTIDS", "JSON_TABLE", "LAG", "LAST_VALUE",
    "LATERAL", "LEAD", "MANUAL", "NTH_VALUE", "NTILE", "OF", "OPTIMIZER_COSTS", "PARALLEL",
    "PERCENT_RANK", "QUALIFY", "RANK", "ROW", "STORED", "SYSTEM", "TABLESAMPLE", "VIRTUAL",
];

/// Words that MariaDB 10.6 or a later version reserves in addition.
#[rustfmt::skip]
const RESERVED_BY_MARIADB: &[&str] = &[
    "CURRENT_ROLE", "DELETE_DOMAIN_ID", "DO_DOMAIN_IDS", "GENERAL", "IGNORE_DOMAIN_IDS",
    "IGNORE_SERVER_IDS", "MASTER_HEARTBEAT_PERIOD", "OFFSET", "PAGE_CHECKSUM", "PARSE_VCOL_EXPR",
    "REF_SYSTEM_ID", "RETURNING", "SLOW", "STATS_AUTO_RECALC", "STATS_PERSISTENT",
    "STATS_SAMPLE_PAGES",
];

#[cfg(test)]
mod tests {
    use super::{MARIADB, MYSQL};
    use crate::sql::{Kind, Lexicon};

    /// The kinds of the significant tokens.
    fn kinds_by(lexicon: &'static Lexicon, text: &str) -> Vec<Kind> {
        lexicon.significant(text).iter().map(|token| token.kind).collect()
    }

    fn kinds(text: &str) -> Vec<Kind> {
        kinds_by(&MYSQL, text)
    }

    fn unquoted(text: &str) -> String {
        let tokens = MYSQL.tokens(text);
        let [token] = tokens.as_slice() else { panic!("{text}: {tokens:?}") };
        token.unquoted().unwrap_or_else(|| panic!("{text}")).into_owned()
    }

    #[test]
    fn texts_are_what_the_manual_says() {
        // Section 11.1.1, table "Special Character Escape Sequences".
        assert_eq!(unquoted(r"'it\'s ''it'' \\ \n\t\Z\0\q'"), "it's 'it' \\ \n\t\x1a\0q");
        assert_eq!(unquoted(r"'50\% \_'"), r"50\% \_");
        assert_eq!(unquoted("n'x'"), "x");
        // With ANSI_QUOTES, names have no escapes.
        assert_eq!(unquoted(r#""a\""#), r"a\");
        assert_eq!(unquoted("`a``b`"), "a`b");
        assert_eq!(
            kinds("_utf8mb4'x' X'4D' b'01'"),
            [Kind::Word, Kind::Text, Kind::Blob, Kind::Blob]
        );
        assert!(!MYSQL.tokens(r"'it\'").last().unwrap().is_closed());
        assert_eq!(MYSQL.quote_text(r"it's C:\"), r"'it''s C:\\'");
        assert_eq!(unquoted(&MYSQL.quote_text(r"it's C:\")), r"it's C:\");
    }

    #[test]
    fn a_comment_begins_with_a_number_sign_or_two_dashes_and_a_space() {
        // Section 11.7.
        assert_eq!(kinds("5--1"), [Kind::Number, Kind::Symbol, Kind::Symbol, Kind::Number]);
        assert_eq!(kinds("5 -- 1\n#2\n/*3*/--"), [Kind::Number]);
        // A comment whose content servers run doesn't count as a comment.
        assert_eq!(kinds("a /*!80023 INVISIBLE */ b"), [Kind::Word, Kind::Word, Kind::Word]);
        assert!(MYSQL.may_change_objects("DELETE FROM t; /*!50000 DROP TABLE t */"));
        assert_eq!(kinds_by(&MARIADB, "/*M!100600 a */"), [Kind::Word]);
        assert_eq!(kinds("/*M!100600 a */ b"), [Kind::Word]);
        let tokens = MYSQL.tokens("/*!80023 a */");
        assert!(tokens.iter().all(|token| token.is_closed()), "{tokens:?}");
    }

    #[test]
    fn names_may_begin_with_a_digit_and_variables_are_not_names() {
        // Sections 11.2 and 11.4.
        assert_eq!(kinds("1a 2e 3"), [Kind::Word, Kind::Word, Kind::Number]);
        assert_eq!(kinds("0x1F 0b01 1e5 1e+5 1.5 .5"), [Kind::Number; 6]);
        assert_eq!(
            kinds("@a @@global.b @`c d` ? ?1"),
            [Kind::Variable, Kind::Variable, Kind::Variable, Kind::Param, Kind::Param]
        );
        assert!(!MYSQL.mentions("@age := 1 -- age", "age"));
        assert_eq!(MYSQL.rename_identifier("@age + Age", "age", "years"), "@age + \"years\"");
        assert!(MYSQL.same_expression("`Age`>0", "(age > 0)"));
        assert!(!MYSQL.same_expression("rank", "`rank`"));
        assert!(MARIADB.same_expression("rank", "`rank`"));
        assert_eq!(
            kinds("a <=> b := c"),
            [Kind::Word, Kind::Symbol, Kind::Word, Kind::Symbol, Kind::Word]
        );
    }
}
