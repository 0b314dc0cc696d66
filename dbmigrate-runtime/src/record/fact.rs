//! A fact that a record states about a struct or a field: a keyword and its arguments.
//!
//! The keywords are those of the attributes, so that the derive and this reader don't have to share
//! a table of numbers.

use super::cursor::Cursor;
use super::error::RecordError;
use crate::Value;
use crate::model;
use crate::schema::{
    DefaultValue, Deferrable, ForeignKey, Generated, IndexColumn, IndexTerm, ReferentialAction,
    TableOption, Type,
};

type Result<T> = std::result::Result<T, RecordError>;

/// A single fact. Columns are given by the names of their fields, as in the attribute.
#[derive(Debug)]
pub(super) enum Fact {
    RenamedFrom(String),
    Docs(String),
    Comment(String),
    Database(String),
    Unmanaged,
    Option(TableOption),
    PrimaryKey(Vec<String>),
    Unique(Option<String>, Vec<String>),
    Index(Index),
    Check(Option<String>, String),
    /// The referenced tables and columns are filled in later, from the holes.
    ForeignKey(ForeignKey),
    Autoincrement(bool),
    Type(Type),
    Length(u32),
    Nullable(bool),
    Default(DefaultValue),
    Generated(Generated),
    Collate(String),
}

/// An index, before its name and the names of its columns are known.
#[derive(Debug)]
pub(super) struct Index {
    pub(super) name: Option<String>,
    pub(super) columns: Vec<IndexColumn>,
    pub(super) unique: bool,
    pub(super) filter: Option<String>,
}

/// Reads facts up to the empty keyword that ends the list.
pub(super) fn facts(literal: &mut Cursor<'_>) -> Result<Vec<Fact>> {
    let mut facts = Vec::new();
    loop {
        let start = literal.offset;
        let fact = match literal.text()? {
            "" => return Ok(facts),
            "renamed_from" => Fact::RenamedFrom(literal.owned()?),
            "docs" => Fact::Docs(literal.owned()?),
            "comment" => Fact::Comment(literal.owned()?),
            "database" => Fact::Database(literal.owned()?),
            "unmanaged" => Fact::Unmanaged,
            "primary_key" => Fact::PrimaryKey(literal.list()?),
            "unique" => Fact::Unique(literal.optional()?, literal.list()?),
            "index" => Fact::Index(index(literal)?),
            "check" => Fact::Check(literal.optional()?, literal.owned()?),
            "foreign_key" => Fact::ForeignKey(foreign_key(literal)?),
            "autoincrement" => Fact::Autoincrement(literal.flag()?),
            "type" => Fact::Type(named_type(literal)?),
            "raw" => Fact::Type(Type::Raw(literal.owned()?)),
            "per_dialect" => Fact::Type(Type::PerDialect(literal.pairs()?.into_iter().collect())),
            "length" => Fact::Length(literal.number()?),
            "nullable" => Fact::Nullable(literal.flag()?),
            "default" => Fact::Default(default(literal)?),
            "generated" => {
                let expression = literal.owned()?;
                Fact::Generated(Generated { expression, stored: literal.flag()? })
            }
            "collate" => Fact::Collate(literal.owned()?),
            word => match TableOption::by_key(word) {
                Some(option) => Fact::Option(option),
                None => return Err(RecordError::unknown(start, "word", word)),
            },
        };
        facts.push(fact);
    }
}

fn index(literal: &mut Cursor<'_>) -> Result<Index> {
    let name = literal.optional()?;
    let unique = literal.flag()?;
    let filter = literal.optional()?;
    let columns = (0..literal.count()?)
        .map(|_| {
            let expression = literal.flag()?;
            let text = literal.owned()?;
            let term =
                if expression { IndexTerm::Expression(text) } else { IndexTerm::Column(text) };
            let collation = literal.optional()?;
            Ok(IndexColumn { term, descending: literal.flag()?, collation })
        })
        .collect::<Result<_>>()?;
    Ok(Index { name, columns, unique, filter })
}

fn foreign_key(literal: &mut Cursor<'_>) -> Result<ForeignKey> {
    let mut key = ForeignKey::new(literal.text()?, [], "", []);
    key.columns = literal.list()?;
    key.on_delete = action(literal)?;
    key.on_update = action(literal)?;
    let start = literal.offset;
    key.deferrable = match literal.text()? {
        "" => None,
        "initially deferred" => Some(Deferrable::InitiallyDeferred),
        "initially immediate" => Some(Deferrable::InitiallyImmediate),
        word => return Err(RecordError::unknown(start, "`deferrable`", word)),
    };
    Ok(key)
}

fn action(literal: &mut Cursor<'_>) -> Result<ReferentialAction> {
    let start = literal.offset;
    match literal.text()? {
        "" | "no_action" => Ok(ReferentialAction::NoAction),
        "restrict" => Ok(ReferentialAction::Restrict),
        "cascade" => Ok(ReferentialAction::Cascade),
        "set_null" => Ok(ReferentialAction::SetNull),
        "set_default" => Ok(ReferentialAction::SetDefault),
        word => Err(RecordError::unknown(start, "action", word)),
    }
}

/// `type = Decimal(10, 2)`
fn named_type(literal: &mut Cursor<'_>) -> Result<Type> {
    let start = literal.offset;
    match literal.text()? {
        "String" => Ok(Type::String(literal.number()?)),
        "FixedBinary" => Ok(Type::FixedBinary(literal.number()?)),
        "Decimal" => Ok(Type::Decimal(literal.number()?, literal.number()?)),
        name => model::plain_named(name).ok_or_else(|| RecordError::unknown(start, "type", name)),
    }
}

fn default(literal: &mut Cursor<'_>) -> Result<DefaultValue> {
    let start = literal.offset;
    let value = match literal.text()? {
        "now" => return Ok(DefaultValue::Now),
        "sql" => return Ok(DefaultValue::Sql(literal.owned()?)),
        "bool" => Value::Bool(literal.flag()?),
        "integer" => Value::Integer(parsed(literal)?),
        "real" => Value::Real(parsed(literal)?),
        "text" => Value::Text(literal.owned()?),
        "blob" => Value::Blob(literal.bytes()?.as_bytes().to_vec()),
        word => return Err(RecordError::unknown(start, "default", word)),
    };
    Ok(DefaultValue::Literal(value))
}

fn parsed<T: std::str::FromStr>(literal: &mut Cursor<'_>) -> Result<T> {
    let start = literal.offset;
    literal.text()?.parse().map_err(|_| RecordError::number(start))
}
