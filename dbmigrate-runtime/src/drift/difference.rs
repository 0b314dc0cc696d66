//! A single difference between a database and its migrations, and its wording.

use std::fmt;

use crate::dialect::{Beyond, Part};
use crate::operations::OtherObject;

/// A single difference between a database and what its migrations create.
///
/// ``column `user.age` is nullable, but NOT NULL in the migrations``
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Difference {
    /// The table. For a view or the like, the table that it belongs to, or an empty string.
    pub table: String,
    /// The part of the table that differs.
    pub subject: Subject,
    /// What the database has and what the migrations define.
    pub kind: DifferenceKind,
}

/// What a difference is about.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Subject {
    /// The table.
    Table,
    /// The column of this name.
    Column(String),
    /// This constraint or index.
    Part(Part),
    /// A view or the like that a revision declares: its kind and its name.
    Object {
        /// The kind as the revision declares it, such as `view`.
        kind: String,
        /// Its name.
        name: String,
    },
}

/// In what way a database differs from its migrations.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum DifferenceKind {
    /// Only the migrations have it.
    Missing,
    /// Only the database has it.
    Extra,
    /// The database has it although the revision that creates it isn't applied.
    Early,
    /// The database still has it although the operations removed it.
    StillThere,
    /// It can't be compared, for this reason.
    Unreadable(String),
    /// A property has different values, or only one side has a value.
    Has {
        /// The property.
        property: Property,
        /// The value in the migrations.
        expected: Option<String>,
        /// The value in the database.
        actual: Option<String>,
    },
    /// The column is nullable in the database (`true`) or NOT NULL (`false`), and the migrations
    /// say the opposite.
    Nullable(bool),
    /// The table or column has this property, such as `AUTOINCREMENT`, in the database but not in
    /// the migrations.
    Is(&'static str),
    /// The table or column has this property in the migrations but not in the database.
    IsNot(&'static str),
    /// Both sides have a constraint or an index with this name, with different definitions.
    Differs {
        /// The definition in the migrations.
        expected: String,
        /// The definition in the database.
        actual: String,
    },
    /// Both sides have an equivalent constraint or index, which has this name in the migrations.
    Named(String),
    /// The database has this feature, which no revision can express.
    Beyond(String),
    /// The database can't be asked whether both sides are the same: this text, with the reason.
    Untold(String),
}

/// A property for which a table or a column can have a value.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Property {
    /// A table's primary key.
    PrimaryKey,
    /// A column's type.
    Type,
    /// A column's default.
    Default,
    /// The expression that a column is generated from.
    Expression,
    /// A column's collation.
    Collation,
    /// The comment of a table or a column.
    Comment,
    /// The storage parameters of a table.
    Parameters,
    /// The tablespace of a table.
    Tablespace,
    /// The storage engine of a table.
    Engine,
}

impl Difference {
    /// A table that doesn't exist.
    pub fn missing(table: &str) -> Difference {
        Difference::of_table(table, DifferenceKind::Missing)
    }

    /// A table of the database that could not be parsed.
    pub fn unreadable(table: &str, why: &str) -> Difference {
        Difference::of_table(table, DifferenceKind::Unreadable(why.to_owned()))
    }

    /// A view or the like that doesn't exist.
    pub(super) fn missing_object(object: &OtherObject) -> Difference {
        let OtherObject { kind, name, table, .. } = object;
        let subject = Subject::Object { kind: kind.clone(), name: name.clone() };
        let table = table.clone().unwrap_or_default();
        Difference { table, subject, kind: DifferenceKind::Missing }
    }

    /// A difference in a feature of a table, a column, or a constraint or index.
    pub(super) fn of_feature(feature: &Beyond, kind: DifferenceKind) -> Difference {
        let subject = match (&feature.part, feature.columns.first()) {
            (Some(part), _) => Subject::Part(part.clone()),
            (None, Some(column)) => Subject::Column(column.clone()),
            (None, None) => Subject::Table,
        };
        Difference { table: feature.table.clone(), subject, kind }
    }

    pub(crate) fn of_table(table: &str, kind: DifferenceKind) -> Difference {
        Difference { table: table.to_owned(), subject: Subject::Table, kind }
    }

    /// Whether the object already exists although the revision that creates it isn't applied.
    pub fn is_early(&self) -> bool {
        self.kind == DifferenceKind::Early
    }

    /// Whether it is a feature that a schema can't represent, so that no revision can express it.
    pub fn is_beyond(&self) -> bool {
        matches!(self.kind, DifferenceKind::Beyond(_))
    }

    /// Whether it is about a view or the like that a revision declares.
    pub fn is_other_object(&self) -> bool {
        matches!(self.subject, Subject::Object { .. })
    }

    /// Whether both sides are equivalent apart from a name.
    pub fn is_of_names(&self) -> bool {
        matches!(self.kind, DifferenceKind::Named(_))
    }

    /// Whether both are the same kind of difference of the same subject, apart from the names and
    /// texts involved.
    pub(crate) fn is_like(&self, other: &Difference) -> bool {
        self.table == other.table
            && self.subject.is_like(&other.subject)
            && self.kind.is_like(&other.kind)
    }

    /// Adopts a column's new name.
    pub(crate) fn rename_column(&mut self, from: &str, to: &str) {
        match &mut self.subject {
            Subject::Column(name) if name == from => to.clone_into(name),
            _ => {}
        }
    }

    /// The sort key: by table, with columns last, then by wording.
    pub(super) fn place(&self) -> (String, Option<String>, String, String) {
        let (column, object) = match &self.subject {
            Subject::Table => (None, String::new()),
            Subject::Column(name) => (Some(name.clone()), String::new()),
            Subject::Part(part) => (None, part.to_string()),
            Subject::Object { kind, name } => (None, format!("{kind} `{name}`")),
        };
        (self.table.clone(), column, object, self.kind.to_string())
    }
}

impl Subject {
    fn is_like(&self, other: &Subject) -> bool {
        match (self, other) {
            (Subject::Part(a), Subject::Part(b)) => {
                a.kind == b.kind && a.name.is_some() == b.name.is_some()
            }
            (Subject::Object { kind: a, .. }, Subject::Object { kind: b, .. }) => a == b,
            _ => self == other,
        }
    }
}

impl DifferenceKind {
    fn is_like(&self, other: &DifferenceKind) -> bool {
        use DifferenceKind::{Differs, Has, Named, Unreadable};
        match (self, other) {
            (Has { property: a, actual: had, .. }, Has { property: b, actual: has, .. }) => {
                a == b && had.is_some() == has.is_some()
            }
            (Unreadable(_), Unreadable(_)) | (Differs { .. }, Differs { .. }) => true,
            (Named(_), Named(_)) => true,
            _ => self == other,
        }
    }
}

impl fmt::Display for Difference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Difference { table, subject, kind } = self;
        match subject {
            Subject::Table => write!(f, "table `{table}`")?,
            Subject::Column(column) => write!(f, "column `{table}.{column}`")?,
            Subject::Part(part) => write!(f, "{part} of table `{table}`")?,
            Subject::Object { kind, name } if table.is_empty() => write!(f, "{kind} `{name}`")?,
            Subject::Object { kind, name } => write!(f, "{kind} `{name}` of table `{table}`")?,
        }
        write!(f, " {kind}")
    }
}

impl fmt::Display for DifferenceKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        use DifferenceKind as Kind;
        match self {
            Kind::Missing => f.write_str("is missing from the database"),
            Kind::Extra => f.write_str("is not in the migrations"),
            Kind::Early => f.write_str("already exists, but is created by a later revision"),
            Kind::StillThere => f.write_str("is still in the database"),
            Kind::Unreadable(why) => write!(f, "can't be compared: {why}"),
            Kind::Has { property, expected, actual } => {
                let expected = expected.as_deref().unwrap_or("none");
                match actual {
                    Some(actual) => {
                        write!(f, "has the {property} {actual}, but {expected} in the migrations")
                    }
                    None => write!(f, "has no {property}, but {expected} in the migrations"),
                }
            }
            Kind::Nullable(true) => f.write_str("is nullable, but NOT NULL in the migrations"),
            Kind::Nullable(false) => f.write_str("is NOT NULL, but nullable in the migrations"),
            Kind::Is(what) => write!(f, "is {what}, but not in the migrations"),
            Kind::IsNot(what) => write!(f, "is not {what}, but is in the migrations"),
            Kind::Differs { expected, actual } => {
                write!(f, "is {actual}, but {expected} in the migrations")
            }
            Kind::Named(name) => write!(f, "is named `{name}` in the migrations"),
            Kind::Beyond(what) => write!(f, "{what}, which a revision can't express"),
            Kind::Untold(what) => write!(f, "can't be compared: {what}"),
        }
    }
}

impl fmt::Display for Property {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Property::PrimaryKey => "primary key",
            Property::Type => "type",
            Property::Default => "default",
            Property::Expression => "expression",
            Property::Collation => "collation",
            Property::Comment => "comment",
            Property::Parameters => "storage parameters",
            Property::Tablespace => "tablespace",
            Property::Engine => "engine",
        })
    }
}
