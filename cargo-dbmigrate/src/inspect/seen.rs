//! What a database has shown about columns, so that it isn't asked about each of them.

use std::collections::HashMap;

use dbmigrate_runtime::engine::dialect::Comparing;
use dbmigrate_runtime::schema::{Column, Table, TableOptions, Type};

/// What the database keeps of columns as other tables have them.
pub(super) struct Seen {
    /// Whether what is kept of a column depends on nothing but what a case has: definitions are
    /// stored as they are written.
    is_plain: bool,
    /// The types that were not kept.
    unkept: Vec<Case>,
    /// The columns that were, by the words of their types.
    kept: HashMap<String, Vec<Case>>,
}

/// A column as a model would say it, for one that the database has. Its name doesn't matter.
struct Case {
    said: Column,
    actual: Column,
    options: TableOptions,
    /// The number of columns of the primary key; 0 if the column is not among them.
    n_key_columns: usize,
}

impl Seen {
    pub(super) fn new(comparing: &Comparing) -> Seen {
        let is_plain = comparing.keeps_definitions;
        Seen { is_plain, unkept: Vec::new(), kept: HashMap::new() }
    }

    /// Remembers that the type isn't kept.
    pub(super) fn learn_unkept(&mut self, table: &Table, said: &Column) {
        if !self.is_unkept(table, said) {
            self.unkept.extend(unkept(table, said));
        }
    }

    /// Whether the type is known not to be kept.
    pub(super) fn is_unkept(&self, table: &Table, said: &Column) -> bool {
        !self.unkept.is_empty()
            && unkept(table, said).is_some_and(|case| self.unkept.iter().any(|own| own.is(&case)))
    }

    /// Remembers that the column is kept.
    pub(super) fn learn_kept(&mut self, table: &Table, said: &Column) {
        if self.is_kept(table, said) {
            return;
        }
        let Some((words, actual)) = self.plain(table, said) else { return };
        let words = words.to_owned();
        let case = Case {
            said: said.clone(),
            actual: actual.clone(),
            options: table.options.clone(),
            n_key_columns: n_key_columns(table, said),
        };
        self.kept.entry(words).or_default().push(case);
    }

    /// Whether the column is known to be kept.
    pub(super) fn is_kept(&self, table: &Table, said: &Column) -> bool {
        let Some((words, actual)) = self.plain(table, said) else { return false };
        let Some(cases) = self.kept.get(words) else { return false };
        let n_key_columns = n_key_columns(table, said);
        cases.iter().any(|case| {
            case.n_key_columns == n_key_columns
                && case.options == table.options
                && is_alike(&case.said, said)
                && is_alike(&case.actual, actual)
        })
    }

    /// The database's column and the words of its type, if nothing else counts.
    fn plain<'a>(&self, table: &'a Table, said: &Column) -> Option<(&'a str, &'a Column)> {
        let actual = table.find_column(&said.name).filter(|_| self.is_plain)?;
        match &actual.ty {
            // An expression is about other columns.
            Type::Raw(words) if said.generated.is_none() => Some((words, actual)),
            _ => None,
        }
    }
}

impl Case {
    fn is(&self, other: &Case) -> bool {
        self.n_key_columns == other.n_key_columns
            && self.options == other.options
            && is_alike(&self.said, &other.said)
            && is_alike(&self.actual, &other.actual)
    }
}

/// All that a type depends on.
fn unkept(table: &Table, said: &Column) -> Option<Case> {
    let actual = table.find_column(&said.name)?.ty.clone();
    let mut column = Column::new("", said.ty.clone());
    column.autoincrement = said.autoincrement;
    column.identity = said.identity;
    column.collation.clone_from(&said.collation);
    Some(Case {
        said: column,
        actual: Column::new("", actual),
        options: table.options.clone(),
        n_key_columns: n_key_columns(table, said),
    })
}

fn n_key_columns(table: &Table, column: &Column) -> usize {
    let key = table.primary_key.as_ref().filter(|key| key.columns.contains(&column.name));
    key.map_or(0, |key| key.columns.len())
}

/// Whether two columns differ in nothing but their names.
fn is_alike(one: &Column, other: &Column) -> bool {
    let Column {
        name: _,
        ty,
        nullable,
        default,
        autoincrement,
        identity,
        generated,
        collation,
        charset,
        on_update_now,
        invisible,
        comment,
    } = one;
    *ty == other.ty
        && *nullable == other.nullable
        && *default == other.default
        && *autoincrement == other.autoincrement
        && *identity == other.identity
        && *generated == other.generated
        && *collation == other.collation
        && *charset == other.charset
        && *on_update_now == other.on_update_now
        && *invisible == other.invisible
        && *comment == other.comment
}
