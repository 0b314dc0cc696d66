//! What a database has shown about columns, so that it isn't asked about each of them.

use std::collections::HashMap;

use dbmigrate_runtime::engine::dialect::Comparing;
use dbmigrate_runtime::schema::{Column, DefaultValue, Identity, Table, TableOptions, Type};

/// A column as a model would say it.
#[derive(Clone, Copy)]
pub(super) struct Said<'a> {
    /// The database's own, which has the same name.
    pub(super) column: &'a Column,
    pub(super) ty: &'a Type,
    pub(super) default: Option<&'a DefaultValue>,
}

/// What the database keeps of columns as other tables have them.
pub(super) struct Seen {
    /// Whether what is kept of a column depends on nothing but what a case has: definitions are
    /// stored as they are written.
    is_plain: bool,
    /// The types that were not kept.
    unkept: Vec<Unkept>,
    /// The columns that were, by the words of their types.
    kept: HashMap<String, Vec<Kept>>,
}

/// A type that was not kept, with all that this depends on.
struct Unkept {
    said: Type,
    actual: Type,
    autoincrement: Option<bool>,
    identity: Option<Identity>,
    collation: Option<String>,
    place: Place,
}

/// A column that was kept. Its name doesn't matter.
struct Kept {
    said: Type,
    default: Option<DefaultValue>,
    actual: Column,
    place: Place,
}

/// What a column's table has to do with it.
#[derive(PartialEq)]
struct Place {
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
    pub(super) fn learn_unkept(&mut self, table: &Table, said: Said<'_>) {
        if self.is_unkept(table, said) {
            return;
        }
        let column = said.column;
        self.unkept.push(Unkept {
            said: said.ty.clone(),
            actual: column.ty.clone(),
            autoincrement: column.autoincrement,
            identity: column.identity,
            collation: column.collation.clone(),
            place: Place::of(table, column),
        });
    }

    /// Whether the type is known not to be kept.
    pub(super) fn is_unkept(&self, table: &Table, said: Said<'_>) -> bool {
        let column = said.column;
        self.unkept.iter().any(|case| {
            case.said == *said.ty
                && case.actual == column.ty
                && case.autoincrement == column.autoincrement
                && case.identity == column.identity
                && case.collation == column.collation
                && case.place == Place::of(table, column)
        })
    }

    /// Remembers that the column is kept.
    pub(super) fn learn_kept(&mut self, table: &Table, said: Said<'_>) {
        if self.is_kept(table, said) {
            return;
        }
        let Some(words) = self.plain(said) else { return };
        let case = Kept {
            said: said.ty.clone(),
            default: said.default.cloned(),
            actual: said.column.clone(),
            place: Place::of(table, said.column),
        };
        self.kept.entry(words.to_owned()).or_default().push(case);
    }

    /// Whether the column is known to be kept.
    pub(super) fn is_kept(&self, table: &Table, said: Said<'_>) -> bool {
        let Some(cases) = self.plain(said).and_then(|words| self.kept.get(words)) else {
            return false;
        };
        let place = Place::of(table, said.column);
        cases.iter().any(|case| {
            case.place == place
                && case.said == *said.ty
                && case.default.as_ref() == said.default
                && is_alike(&case.actual, said.column)
        })
    }

    /// The words of the type in the database, if nothing else counts.
    fn plain<'a>(&self, said: Said<'a>) -> Option<&'a str> {
        match &said.column.ty {
            // An expression is about other columns.
            Type::Raw(words) if self.is_plain && said.column.generated.is_none() => Some(words),
            _ => None,
        }
    }
}

impl Place {
    fn of(table: &Table, column: &Column) -> Place {
        let key = table.primary_key.as_ref().filter(|key| key.columns.contains(&column.name));
        let n_key_columns = key.map_or(0, |key| key.columns.len());
        Place { options: table.options.clone(), n_key_columns }
    }
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
