//! A fact that a record states about a struct or a field: a keyword and its arguments.
//!
//! The keywords are those of the attributes, so that the derive and this reader don't have to share
//! a table of numbers.

use super::cursor::Cursor;
use super::error::RecordError;
use crate::Value;
use crate::model;
use crate::schema::{
    DefaultValue, Deferrable, ForeignKey, Generated, Identity, Index, IndexColumn, IndexTerm,
    Nulls, ReferentialAction, Sql, TableOption, Type, Unique,
};

type Result<T> = std::result::Result<T, RecordError>;

/// A single fact. Columns are given by the names of their fields, as in the attribute.
#[derive(Debug)]
pub(super) enum Fact {
    RenamedFrom(String),
    /// It is also at the beginning of the table's name.
    Schema(String),
    Docs(String),
    Comment(String),
    Database(String),
    Unmanaged,
    Option(TableOption),
    PrimaryKey(Vec<String>),
    PrimaryKeyName(String),
    /// Its name is empty if it isn't given.
    Unique(Unique),
    /// The same.
    Index(Index),
    Check(Option<String>, Sql),
    /// The referenced tables and columns are filled in later, from the holes.
    ForeignKey(ForeignKey),
    Autoincrement(bool),
    Identity(Identity),
    With(String),
    Tablespace(String),
    Engine(String),
    Charset(String),
    OnUpdateNow,
    Invisible,
    Type(Type),
    Length(u32),
    Nullable(bool),
    Default(DefaultValue),
    Generated(Generated),
    Collate(String),
}

/// Reads facts up to the empty keyword that ends the list.
pub(super) fn facts(literal: &mut Cursor<'_>) -> Result<Vec<Fact>> {
    let mut facts = Vec::new();
    loop {
        let start = literal.offset;
        let fact = match literal.text()? {
            "" => return Ok(facts),
            "renamed_from" => Fact::RenamedFrom(literal.owned()?),
            "schema" => Fact::Schema(literal.owned()?),
            "docs" => Fact::Docs(literal.owned()?),
            "comment" => Fact::Comment(literal.owned()?),
            "database" => Fact::Database(literal.owned()?),
            "unmanaged" => Fact::Unmanaged,
            "primary_key" => Fact::PrimaryKey(literal.list()?),
            "primary_key_name" => Fact::PrimaryKeyName(literal.owned()?),
            "unique" => Fact::Unique(unique(literal)?),
            "index" => Fact::Index(index(literal)?),
            "exclude" => Fact::Index(exclusion(literal)?),
            "check" => Fact::Check(literal.optional()?, sql(literal)?),
            "foreign_key" => Fact::ForeignKey(foreign_key(literal)?),
            "autoincrement" => Fact::Autoincrement(literal.flag()?),
            "identity" => Fact::Identity(identity(literal)?),
            "with" => Fact::With(literal.owned()?),
            "tablespace" => Fact::Tablespace(literal.owned()?),
            "engine" => Fact::Engine(literal.owned()?),
            "charset" => Fact::Charset(literal.owned()?),
            "on_update_now" => Fact::OnUpdateNow,
            "invisible" => Fact::Invisible,
            "type" => Fact::Type(named_type(literal)?),
            "raw" => Fact::Type(Type::Raw(literal.owned()?)),
            "per_dialect" => Fact::Type(Type::PerDialect(literal.pairs()?.into_iter().collect())),
            "length" => Fact::Length(literal.number()?),
            "nullable" => Fact::Nullable(literal.flag()?),
            "default" => Fact::Default(default(literal)?),
            "generated" => {
                let expression = sql(literal)?;
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

/// One text for all databases, or the texts of some.
fn sql(literal: &mut Cursor<'_>) -> Result<Sql> {
    let mut by_dialect = literal.pairs()?;
    by_dialect.sort();
    let any = if by_dialect.is_empty() { Some(literal.owned()?) } else { None };
    Ok(Sql { any, by_dialect })
}

fn identity(literal: &mut Cursor<'_>) -> Result<Identity> {
    let start = literal.offset;
    let word = literal.text()?;
    Identity::by_key(word).ok_or_else(|| RecordError::unknown(start, "`identity`", word))
}

fn unique(literal: &mut Cursor<'_>) -> Result<Unique> {
    Ok(Unique {
        name: literal.owned()?,
        columns: literal.list()?,
        nulls_not_distinct: literal.flag()?,
        include: literal.list()?,
        deferrable: deferrable(literal)?,
    })
}

fn index(literal: &mut Cursor<'_>) -> Result<Index> {
    let name = literal.owned()?;
    let unique = literal.flag()?;
    let filter = if literal.flag()? { Some(sql(literal)?) } else { None };
    let using = literal.optional()?;
    let include = literal.list()?;
    let nulls_not_distinct = literal.flag()?;
    let with = literal.optional()?;
    let concurrently = literal.flag()?;
    let columns = (0..literal.count()?)
        .map(|_| {
            let expression = literal.flag()?;
            let term = if expression {
                IndexTerm::Expression(sql(literal)?)
            } else {
                IndexTerm::Column(literal.owned()?)
            };
            Ok(IndexColumn {
                term,
                collation: literal.optional()?,
                descending: literal.flag()?,
                prefix: Some(literal.number()?).filter(|length| *length > 0),
                opclass: literal.optional()?,
                nulls: nulls(literal)?,
                operator: None,
            })
        })
        .collect::<Result<_>>()?;
    Ok(Index {
        name,
        columns,
        unique,
        filter,
        using,
        include,
        nulls_not_distinct,
        with,
        concurrently,
    })
}

/// An index, and an operator for each of its columns.
fn exclusion(literal: &mut Cursor<'_>) -> Result<Index> {
    let mut index = index(literal)?;
    for column in &mut index.columns {
        column.operator = Some(literal.owned()?);
    }
    Ok(index)
}

fn nulls(literal: &mut Cursor<'_>) -> Result<Option<Nulls>> {
    let start = literal.offset;
    match literal.text()? {
        "" => Ok(None),
        "nulls_first" => Ok(Some(Nulls::First)),
        "nulls_last" => Ok(Some(Nulls::Last)),
        word => Err(RecordError::unknown(start, "order of NULL", word)),
    }
}

fn deferrable(literal: &mut Cursor<'_>) -> Result<Option<Deferrable>> {
    let start = literal.offset;
    match literal.text()? {
        "" => Ok(None),
        "initially deferred" => Ok(Some(Deferrable::InitiallyDeferred)),
        "initially immediate" => Ok(Some(Deferrable::InitiallyImmediate)),
        word => Err(RecordError::unknown(start, "`deferrable`", word)),
    }
}

fn foreign_key(literal: &mut Cursor<'_>) -> Result<ForeignKey> {
    let mut key = ForeignKey::new(literal.text()?, [], "", []);
    key.columns = literal.list()?;
    key.on_delete = action(literal)?;
    key.on_update = action(literal)?;
    key.deferrable = deferrable(literal)?;
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
        "sql" => return Ok(DefaultValue::Sql(sql(literal)?)),
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
