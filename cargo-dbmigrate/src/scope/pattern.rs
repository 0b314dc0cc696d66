//! The patterns of `include` and `exclude`.

use std::fmt;

use glob::MatchOptions;
use serde::Deserialize;

/// Matches names as databases compare them.
const OPTIONS: MatchOptions = MatchOptions {
    case_sensitive: false,
    require_literal_separator: false,
    require_literal_leading_dot: false,
};

/// A name in which `*` stands for any text and `?` for one character.
#[derive(Debug, Clone, PartialEq)]
pub struct Name(glob::Pattern);

impl Name {
    fn new(text: &str) -> Result<Name, String> {
        // Two `*` mean the same as one, and brackets are ordinary characters.
        let mut pattern = String::new();
        for char in text.chars() {
            match char {
                '*' if pattern.ends_with('*') => {}
                '[' => pattern.push_str("[[]"),
                c => pattern.push(c),
            }
        }
        glob::Pattern::new(&pattern).map(Name).map_err(|err| err.to_string())
    }

    pub fn matches(&self, name: &str) -> bool {
        self.0.matches_with(name, OPTIONS)
    }
}

/// A pattern of `include`.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(try_from = "String")]
pub struct Included(pub Name);

impl TryFrom<String> for Included {
    type Error = String;

    fn try_from(text: String) -> Result<Included, String> {
        match parsed("include", &text)? {
            Pattern::Table(name) | Pattern::Either { table: name, .. } => Ok(Included(name)),
            Pattern::Column(..) | Pattern::Object(..) => Err(format!(
                "`include` has `{text}`, but it takes only tables; `exclude` takes columns as \
                 `table.column`, and constraints and indexes as `kind:name`"
            )),
        }
    }
}

/// A pattern of `exclude`.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(try_from = "String")]
pub struct Excluded {
    text: String,
    pattern: Pattern,
}

impl TryFrom<String> for Excluded {
    type Error = String;

    fn try_from(text: String) -> Result<Excluded, String> {
        let pattern = parsed("exclude", &text)?;
        Ok(Excluded { text, pattern })
    }
}

impl fmt::Display for Excluded {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

impl Excluded {
    pub fn matches(&self, subject: &Subject<'_>) -> bool {
        match (&self.pattern, subject) {
            (Pattern::Table(pattern), Subject::Table(name)) => pattern.matches(name),
            (
                Pattern::Column(table, column) | Pattern::Either { column: (table, column), .. },
                Subject::Column(of, name),
            ) => table.matches(of) && column.matches(name),
            // Only a name with a dot is that of a table in a schema.
            (Pattern::Either { table, .. }, Subject::Table(name)) => {
                name.contains('.') && table.matches(name)
            }
            (Pattern::Object(kind, pattern), Subject::Object(of, name)) => {
                kind == of && pattern.matches(name)
            }
            _ => false,
        }
    }
}

#[derive(Debug, Clone, PartialEq)]
enum Pattern {
    Table(Name),
    Column(Name, Name),
    /// `a.b`: the column of a table, or the table of a schema.
    Either {
        table: Name,
        column: (Name, Name),
    },
    Object(Kind, Name),
}

/// The kind of a constraint or an index.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    Index,
    Unique,
    ForeignKey,
    Check,
}

impl Kind {
    const ALL: [(&'static str, Kind); 4] = [
        ("index", Kind::Index),
        ("unique", Kind::Unique),
        ("foreign_key", Kind::ForeignKey),
        ("check", Kind::Check),
    ];
}

/// What a pattern can match.
#[derive(Debug, Clone, Copy)]
pub enum Subject<'a> {
    Table(&'a str),
    Column(&'a str, &'a str),
    Object(Kind, &'a str),
}

impl fmt::Display for Subject<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Subject::Table(name) => write!(f, "the table `{name}`"),
            Subject::Column(table, name) => write!(f, "the column `{table}.{name}`"),
            Subject::Object(kind, name) => {
                let kind = match kind {
                    Kind::Index => "index",
                    Kind::Unique => "unique constraint",
                    Kind::ForeignKey => "foreign key",
                    Kind::Check => "check",
                };
                write!(f, "the {kind} `{name}`")
            }
        }
    }
}

fn parsed(key: &str, text: &str) -> Result<Pattern, String> {
    let name = |part: &str| match part {
        "" => {
            Err(format!("`{key}` has `{text}`, in which a name is missing; `*` matches any name"))
        }
        part => Name::new(part).map_err(|why| format!("`{key}` has `{text}`: {why}")),
    };
    if let Some((kind, rest)) = text.split_once(':') {
        let Some((_, kind)) = Kind::ALL.iter().find(|(name, _)| *name == kind) else {
            let all = Kind::ALL.map(|(name, _)| name).join("`, `");
            return Err(format!(
                "`{key}` has `{text}`, but there is no kind `{kind}`; the kinds are `{all}`"
            ));
        };
        return Ok(Pattern::Object(*kind, name(rest)?));
    }
    match text.split('.').collect::<Vec<_>>().as_slice() {
        [table] => Ok(Pattern::Table(name(table)?)),
        [table, column] => {
            let column = (name(table)?, name(column)?);
            Ok(Pattern::Either { table: name(text)?, column })
        }
        [schema, table, column] => {
            name(schema)?;
            name(table)?;
            Ok(Pattern::Column(name(&format!("{schema}.{table}"))?, name(column)?))
        }
        _ => Err(format!(
            "`{key}` has `{text}`, but a column is written `table.column` or \
             `schema.table.column`; use `?` for a `.` in a name"
        )),
    }
}
