//! How a database reads SQL as tokens, as plain data.

use super::quotes::{Inside, Quotes};
use super::{Kind, is_one_of};

/// The lexical rules of a database: all that is needed to take a text apart.
///
/// A server's rules are those of a session whose settings the driver has pinned, so that they are
/// the same for every connection.
#[derive(Debug, PartialEq, Eq)]
pub struct Lexicon {
    /// White space.
    pub spaces: &'static [char],
    /// Names, texts and bytes between quotes; those with a longer beginning come first.
    pub quotes: &'static [Quotes],
    /// Whether `$$...$$` and `$tag$...$tag$` are texts.
    pub has_dollar_quotes: bool,
    /// What is passed over.
    pub comments: Comments,
    /// What stands for a value that is bound.
    pub params: Params,
    /// Whether `@name` and `@@name` are variables of the session.
    pub has_variables: bool,
    /// What can begin a word.
    pub words: Words,
    /// Marks of more than one character, longer ones first.
    pub symbols: &'static [&'static str],
    /// The characters of which any run is one operator; empty where `symbols` has all operators.
    pub operators: &'static str,
    /// When a name in a text is one in the catalog.
    pub names: Names,
    /// Words that are names only in quotes, in lists.
    pub reserved: &'static [&'static [&'static str]],
    /// Further words that are values, and names only in quotes.
    pub values: &'static [&'static str],
    /// What statements do, by words in them.
    pub statements: Statements,
}

/// How comments are written.
#[derive(Debug, PartialEq, Eq)]
pub struct Comments {
    /// What begins one that ends with its line.
    pub line: &'static [&'static str],
    /// Whether white space has to follow `--`.
    pub dashes_need_space: bool,
    /// Whether `/* */` can be within another.
    pub nested: bool,
    /// What begins one whose content is run after all.
    pub executed: &'static [&'static str],
}

/// How placeholders are written, beside `?1`: a statement for any database has that form, and a
/// driver gives it the database's own.
#[derive(Debug, PartialEq, Eq)]
pub struct Params {
    /// Whether `?` is one without a number.
    pub alone: bool,
    /// What begins one with a name.
    pub named: &'static [char],
    /// What begins one with a number.
    pub numbered: &'static [char],
}

/// What can begin a word beside letters and `_`; digits and `$` can always follow.
#[derive(Debug, PartialEq, Eq)]
pub struct Words {
    /// Whether a digit can, where a letter follows.
    pub digit_first: bool,
    /// Whether `$` can.
    pub dollar_first: bool,
}

/// When a name in a text is one in the catalog.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Names {
    /// The case of ASCII letters never matters.
    AnyCase,
    /// Without quotes a name stands for the one in lower case, in quotes for exactly itself.
    LowerUnlessQuoted,
}

impl Names {
    /// Whether what [`Token::identifier`](super::Token::identifier) gives is that name.
    pub fn same(self, identifier: &str, name: &str) -> bool {
        match self {
            Names::AnyCase => identifier.eq_ignore_ascii_case(name),
            Names::LowerUnlessQuoted => identifier == name,
        }
    }
}

/// What statements do, by words in them.
#[derive(Debug, PartialEq, Eq)]
pub struct Statements {
    /// The first words of statements that change rows alone.
    pub of_rows: &'static [&'static str],
    /// Words that may mean a change of more than rows, wherever they stand.
    pub of_objects: &'static [&'static str],
}

impl Lexicon {
    /// Whether the word is a name only in quotes, because it begins or joins something.
    pub fn is_reserved(&self, word: &str) -> bool {
        self.reserved.iter().any(|words| is_one_of(word, words))
    }

    /// Whether the word is a value, and a name only in quotes.
    pub fn is_value(&self, word: &str) -> bool {
        is_one_of(word, self.values)
    }

    /// A text in single quotes.
    pub fn quote_text(&self, text: &str) -> String {
        let has_escapes = |quotes: &Quotes| match quotes.inside {
            Inside::Backslash(_) => quotes.open == "'",
            Inside::Nothing | Inside::Twice | Inside::CodePoints => false,
        };
        let quoted = super::quote_text(text);
        if self.quotes.iter().any(has_escapes) { quoted.replace('\\', "\\\\") } else { quoted }
    }
}

/// What is assumed where no database is known, as in the replay of migrations.
///
/// These are SQLite's rules, which take the quotes of every other database for what they are there
/// (sqlite.org, `lang_keywords.html`). What is written for one database alone is read by its own.
pub static NEUTRAL: Lexicon = RULES;

/// The same, for a database that differs in little.
pub(crate) const RULES: Lexicon = Lexicon {
    // A byte order mark is one too.
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

/// The keywords of SQLite's tokenizer that its grammar doesn't let fall back to names.
#[rustfmt::skip]
const RESERVED: &[&str] = &[
    "ADD", "ALL", "ALTER", "AND", "AS", "AUTOINCREMENT", "BETWEEN", "CASE", "CHECK", "COLLATE",
    "COMMIT", "CONSTRAINT", "CREATE", "DEFAULT", "DEFERRABLE", "DELETE", "DISTINCT", "DROP",
    "ELSE", "ESCAPE", "EXCEPT", "EXISTS", "FOREIGN", "FROM", "GROUP", "HAVING", "IN", "INDEX",
    "INSERT", "INTERSECT", "INTO", "IS", "ISNULL", "JOIN", "LIMIT", "NOT", "NOTHING", "NOTNULL",
    "NULL", "ON", "OR", "ORDER", "PRIMARY", "REFERENCES", "RETURNING", "SELECT", "SET", "TABLE",
    "THEN", "TO", "TRANSACTION", "UNION", "UNIQUE", "UPDATE", "USING", "VALUES", "WHEN", "WHERE",
];
