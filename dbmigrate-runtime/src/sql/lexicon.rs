//! The lexical rules of a database, as plain data.

use super::quotes::{Inside, Quotes};
use super::{Kind, is_one_of};

/// The lexical rules of a database: everything that is needed to split a text into tokens.
///
/// A server's rules are those of a session with certain settings, which the driver sets, so that
/// the rules are the same for every connection.
#[derive(Debug, PartialEq, Eq)]
pub struct Lexicon {
    /// White space.
    pub spaces: &'static [char],
    /// The quotes of names, texts and bytes, those with longer opening marks first.
    pub quotes: &'static [Quotes],
    /// Whether `$$...$$` and `$tag$...$tag$` are texts.
    pub has_dollar_quotes: bool,
    /// How comments are written.
    pub comments: Comments,
    /// How placeholders are written.
    pub params: Params,
    /// Whether `@name` and `@@name` are session variables.
    pub has_variables: bool,
    /// Which characters can start a word.
    pub words: Words,
    /// Operators and marks with several characters, longer ones first.
    pub symbols: &'static [&'static str],
    /// Characters that form an operator in any combination; empty if `symbols` lists all operators.
    pub operators: &'static str,
    /// When a name in a text is the same as one in the catalog.
    pub names: Names,
    /// Lists of words that are names only in quotes.
    pub reserved: &'static [&'static [&'static str]],
    /// Words that are values, and names only in quotes.
    pub values: &'static [&'static str],
    /// Words that tell what statements do.
    pub statements: Statements,
}

/// How comments are written.
#[derive(Debug, PartialEq, Eq)]
pub struct Comments {
    /// The opening marks of comments that end with their line.
    pub line: &'static [&'static str],
    /// Whether white space has to follow `--`.
    pub dashes_need_space: bool,
    /// Whether `/* */` can be nested.
    pub nested: bool,
    /// The opening marks of comments whose content is run.
    pub executed: &'static [&'static str],
}

/// How placeholders are written, besides `?1`: statements for every database use that form, and the
/// driver rewrites it to the database's own.
#[derive(Debug, PartialEq, Eq)]
pub struct Params {
    /// Whether `?` without a number is a placeholder.
    pub alone: bool,
    /// The characters before the name of a named placeholder.
    pub named: &'static [char],
    /// The characters before the number of a numbered placeholder.
    pub numbered: &'static [char],
}

/// Which characters can start a word besides letters and `_`. Digits and `$` can always follow.
#[derive(Debug, PartialEq, Eq)]
pub struct Words {
    /// Whether a digit can, if a letter follows.
    pub digit_first: bool,
    /// Whether `$` can.
    pub dollar_first: bool,
}

/// When a name in a text is the same as one in the catalog.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Names {
    /// The case of ASCII letters never matters.
    AnyCase,
    /// A name without quotes stands for its lower-case form, a quoted one for exactly itself.
    LowerUnlessQuoted,
}

impl Names {
    /// Whether the result of [`Token::identifier`](super::Token::identifier) is this name.
    pub fn same(self, identifier: &str, name: &str) -> bool {
        match self {
            Names::AnyCase => identifier.eq_ignore_ascii_case(name),
            Names::LowerUnlessQuoted => identifier == name,
        }
    }
}

/// Words that tell what statements do.
#[derive(Debug, PartialEq, Eq)]
pub struct Statements {
    /// The first words of statements that only change rows.
    pub of_rows: &'static [&'static str],
    /// Words that may indicate a change of more than rows, anywhere in a statement.
    pub of_objects: &'static [&'static str],
}

impl Lexicon {
    /// Whether the word is a name only in quotes, because it is a keyword of the grammar.
    pub fn is_reserved(&self, word: &str) -> bool {
        self.reserved.iter().any(|words| is_one_of(word, words))
    }

    /// Whether the word is a value, and a name only in quotes.
    pub fn is_value(&self, word: &str) -> bool {
        is_one_of(word, self.values)
    }

    /// A text as a string literal.
    pub fn quote_text(&self, text: &str) -> String {
        let has_escapes = |quotes: &Quotes| match quotes.inside {
            Inside::Backslash(_) => quotes.open == "'",
            Inside::Nothing | Inside::Twice | Inside::CodePoints => false,
        };
        let quoted = super::quote_text(text);
        if self.quotes.iter().any(has_escapes) { quoted.replace('\\', "\\\\") } else { quoted }
    }
}

/// The rules if the database isn't known, as in the replay of migrations.
///
/// These are SQLite's rules, which accept the quotes of all other databases with the same meaning
/// (sqlite.org, `lang_keywords.html`). SQL for a single database is read by that database's own
/// rules.
pub static NEUTRAL: Lexicon = RULES;

/// The same rules, as a basis for those of similar databases.
pub(crate) const RULES: Lexicon = Lexicon {
    // A byte order mark counts as white space.
    spaces: &[' ', '\t', '\n', '\x0c', '\r', '\u{feff}'],
    quotes: &[
        Quotes { open: "'", close: '\'', kind: Kind::Text, inside: Inside::Twice },
        Quotes { open: "\"", close: '"', kind: Kind::Quoted, inside: Inside::Twice },
        Quotes { open: "`", close: '`', kind: Kind::Quoted, inside: Inside::Twice },
        Quotes { open: "[", close: ']', kind: Kind::Quoted, inside: Inside::Nothing },
        Quotes { open: "X'", close: '\'', kind: Kind::Blob, inside: Inside::Nothing },
    ],
    has_dollar_quotes: false,
    comments: Comments { line: &["--"], dashes_need_space: false, nested: false, executed: &[] },
    params: Params { alone: true, named: &[':', '@', '$', '#'], numbered: &[] },
    has_variables: false,
    words: Words { digit_first: false, dollar_first: true },
    symbols: &["->>", "::", "->", "||", "<=", "<>", "<<", ">=", ">>", "!=", "=="],
    operators: "",
    names: Names::AnyCase,
    reserved: &[RESERVED],
    values: &["TRUE", "FALSE", "CURRENT_DATE", "CURRENT_TIME", "CURRENT_TIMESTAMP"],
    statements: Statements {
        of_rows: &["INSERT", "UPDATE", "DELETE"],
        of_objects: &["CREATE", "DROP", "ALTER"],
    },
};

/// The keywords of SQLite's tokenizer that its grammar doesn't accept as names.
#[rustfmt::skip]
const RESERVED: &[&str] = &[
    "ADD", "ALL", "ALTER", "AND", "AS", "AUTOINCREMENT", "BETWEEN", "CASE", "CHECK", "COLLATE",
    "COMMIT", "CONSTRAINT", "CREATE", "DEFAULT", "DEFERRABLE", "DELETE", "DISTINCT", "DROP",
    "ELSE", "ESCAPE", "EXCEPT", "EXISTS", "FOREIGN", "FROM", "GROUP", "HAVING", "IN", "INDEX",
    "INSERT", "INTERSECT", "INTO", "IS", "ISNULL", "JOIN", "LIMIT", "NOT", "NOTHING", "NOTNULL",
    "NULL", "ON", "OR", "ORDER", "PRIMARY", "REFERENCES", "RETURNING", "SELECT", "SET", "TABLE",
    "THEN", "TO", "TRANSACTION", "UNION", "UNIQUE", "UPDATE", "USING", "VALUES", "WHEN", "WHERE",
];
