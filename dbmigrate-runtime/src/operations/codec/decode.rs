//! Decodes operations strictly: an unknown operation or member is an error and never ignored, since
//! a newer version wrote it for a reason.

use std::borrow::Cow;
use std::collections::BTreeMap;

use super::DecodeError;
use super::encode::{ACTIONS, simple_type};
use crate::Value;
use crate::operations::{
    Batch, ColumnChange, Execute, Json, Operation, OtherObject, Sql, Step, TableChange,
};
use crate::schema::{
    Check, Column, DefaultValue, Deferrable, ForeignKey, Generated, Identity, Index, IndexColumn,
    IndexTerm, Nulls, PrimaryKey, ReferentialAction, Table, TableOption, Type, Unique,
};

/// Decodes what [`encode`](super::encode) wrote.
///
/// # Errors
///
/// When the text isn't JSON, or contains something that this version doesn't know.
pub fn decode(text: &str) -> Result<Vec<Operation>, DecodeError> {
    let json = Json::parse(text).map_err(DecodeError::new)?;
    operations(&json).map_err(DecodeError::new)
}

type Res<T> = Result<T, String>;

pub(crate) fn operations(json: &Json) -> Res<Vec<Operation>> {
    items(json)?.iter().map(operation).collect()
}

/// An object whose members are taken one by one; a member that is left over is an error.
struct Members<'a> {
    json: &'a [(Cow<'a, str>, Json<'a>)],
    /// A bit for each of the first members. No object of ours has nearly as many as there are bits.
    taken: u64,
}

impl<'a> Members<'a> {
    fn of(json: &'a Json<'a>) -> Res<Members<'a>> {
        match json {
            Json::Object(json) => Ok(Members { json, taken: 0 }),
            other => Err(format!("expected an object, found `{other}`")),
        }
    }

    fn opt(&mut self, key: &'static str) -> Option<&'a Json<'a>> {
        let place = self.json.iter().position(|(text, _)| text == key)?;
        self.taken |= bit(place);
        Some(&self.json[place].1)
    }

    fn req(&mut self, key: &'static str) -> Res<&'a Json<'a>> {
        self.opt(key).ok_or_else(|| format!("member `{key}` is missing"))
    }

    fn text(&mut self, key: &'static str) -> Res<String> {
        text(self.req(key)?)
    }

    fn opt_text(&mut self, key: &'static str) -> Res<Option<String>> {
        self.opt(key).map(text).transpose()
    }

    fn texts(&mut self, key: &'static str) -> Res<Vec<String>> {
        texts(self.req(key)?)
    }

    fn flag(&mut self, key: &'static str) -> Res<bool> {
        Ok(self.opt(key).map(boolean).transpose()?.unwrap_or(false))
    }

    /// The table options that are given, each on or off.
    fn options(&mut self) -> Res<BTreeMap<TableOption, bool>> {
        let mut options = BTreeMap::new();
        for option in TableOption::ALL {
            if let Some(json) = self.opt(option.key()) {
                options.insert(option, boolean(json)?);
            }
        }
        Ok(options)
    }

    fn list<T>(&mut self, key: &'static str, each: fn(&Json) -> Res<T>) -> Res<Vec<T>> {
        match self.opt(key) {
            Some(list) => items(list)?.iter().map(each).collect(),
            None => Ok(Vec::new()),
        }
    }

    /// A member that is `null` if the value is to be removed.
    fn change<T>(
        &mut self,
        key: &'static str,
        each: fn(&Json) -> Res<T>,
    ) -> Res<Option<Option<T>>> {
        match self.opt(key) {
            None => Ok(None),
            Some(Json::Null) => Ok(Some(None)),
            Some(value) => each(value).map(|value| Some(Some(value))),
        }
    }

    fn end(self) -> Res<()> {
        let mut members = self.json.iter().enumerate();
        match members.find(|(place, _)| self.taken & bit(*place) == 0) {
            Some((_, (key, _))) => Err(format!("member `{key}` is unknown to this version")),
            None => Ok(()),
        }
    }
}

/// The bit of a member; none for those after the last bit, which are therefore never taken.
fn bit(place: usize) -> u64 {
    u32::try_from(place).ok().and_then(|place| 1_u64.checked_shl(place)).unwrap_or(0)
}

fn text(json: &Json) -> Res<String> {
    json.as_str().map(str::to_owned).ok_or_else(|| format!("expected text, found `{json}`"))
}

fn boolean(json: &Json) -> Res<bool> {
    json.as_bool().ok_or_else(|| format!("expected true or false, found `{json}`"))
}

fn identity(json: &Json) -> Res<Identity> {
    let found = json.as_str().and_then(Identity::by_key);
    found.ok_or_else(|| format!("identity `{json}` is unknown"))
}

fn number(json: &Json) -> Res<u32> {
    let number = json.as_int().and_then(|int| u32::try_from(int).ok());
    number.ok_or_else(|| format!("expected a small number, found `{json}`"))
}

fn items<'a>(json: &'a Json<'a>) -> Res<&'a [Json<'a>]> {
    json.as_array().ok_or_else(|| format!("expected a list, found `{json}`"))
}

fn texts(json: &Json) -> Res<Vec<String>> {
    items(json)?.iter().map(text).collect()
}

fn operation(json: &Json) -> Res<Operation> {
    let mut members = Members::of(json)?;
    let name = members.text("op")?;
    let operation = match name.as_str() {
        "create_table" => Operation::CreateTable(table(members.req("table")?)?),
        "drop_table" => Operation::DropTable { table: members.text("table")? },
        "rename_table" => {
            Operation::RenameTable { from: members.text("from")?, to: members.text("to")? }
        }
        "alter_table" => Operation::AlterTable {
            table: members.text("table")?,
            change: table_change(members.req("change")?)?,
        },
        "add_column" => Operation::AddColumn {
            table: members.text("table")?,
            column: column(members.req("column")?)?,
            using: members.opt("using").map(sql).transpose()?,
            before: members.opt_text("before")?,
        },
        "drop_column" => {
            Operation::DropColumn { table: members.text("table")?, column: members.text("column")? }
        }
        "alter_column" => Operation::AlterColumn {
            table: members.text("table")?,
            column: members.text("column")?,
            change: column_change(members.req("change")?)?,
        },
        "rename_column" => Operation::RenameColumn {
            table: members.text("table")?,
            from: members.text("from")?,
            to: members.text("to")?,
        },
        "add_primary_key" => Operation::AddPrimaryKey {
            table: members.text("table")?,
            primary_key: primary_key(members.req("primary_key")?)?,
        },
        "drop_primary_key" => {
            Operation::DropPrimaryKey { table: members.text("table")?, name: members.text("name")? }
        }
        "add_unique" => Operation::AddUnique {
            table: members.text("table")?,
            unique: unique(members.req("unique")?)?,
        },
        "drop_unique" => {
            Operation::DropUnique { table: members.text("table")?, name: members.text("name")? }
        }
        "add_foreign_key" => Operation::AddForeignKey {
            table: members.text("table")?,
            foreign_key: foreign_key(members.req("foreign_key")?)?,
        },
        "drop_foreign_key" => {
            Operation::DropForeignKey { table: members.text("table")?, name: members.text("name")? }
        }
        "add_check" => Operation::AddCheck {
            table: members.text("table")?,
            check: check(members.req("check")?)?,
        },
        "drop_check" => {
            Operation::DropCheck { table: members.text("table")?, name: members.text("name")? }
        }
        "create_index" => Operation::CreateIndex {
            table: members.text("table")?,
            index: index(members.req("index")?)?,
        },
        "drop_index" => {
            Operation::DropIndex { table: members.text("table")?, name: members.text("name")? }
        }
        "rename_index" => Operation::RenameIndex {
            table: members.text("table")?,
            from: members.text("from")?,
            to: members.text("to")?,
        },
        "execute" => Operation::Execute(Execute {
            sql: sql(members.req("sql")?)?,
            describes: members.opt("describes").map(operations).transpose()?.unwrap_or_default(),
            name: members.opt_text("name")?,
            reverse: members.opt("reverse").map(sql).transpose()?,
        }),
        "bulk_insert" => Operation::BulkInsert {
            table: members.text("table")?,
            columns: members.texts("columns")?,
            rows: members.list("rows", values)?,
        },
        "run" => Operation::Run(Step {
            name: members.text("step")?,
            action: None,
            batch: members.opt("batch").map(batch).transpose()?,
        }),
        "makes" => Operation::Makes(other_object(&mut members)?),
        "drops" => Operation::Drops(other_object(&mut members)?),
        other => return Err(format!("operation `{other}` is unknown to this version")),
    };
    members.end()?;
    Ok(operation)
}

fn batch(json: &Json) -> Res<Batch> {
    let mut members = Members::of(json)?;
    let size = members.req("size")?;
    let size = size.as_int().and_then(|size| usize::try_from(size).ok());
    let batch = Batch {
        table: members.text("table")?,
        columns: members.texts("columns")?,
        size: size.ok_or("the size of a batch is no number")?,
        action: None,
    };
    members.end()?;
    Ok(batch)
}

fn other_object(members: &mut Members<'_>) -> Res<OtherObject> {
    Ok(OtherObject {
        kind: members.text("kind")?,
        name: members.text("name")?,
        table: members.opt_text("table")?,
    })
}

fn table(json: &Json) -> Res<Table> {
    let mut members = Members::of(json)?;
    let table = Table {
        name: members.text("name")?,
        schema: members.opt_text("schema")?,
        columns: members.list("columns", column)?,
        primary_key: members.opt("primary_key").map(primary_key).transpose()?,
        uniques: members.list("uniques", unique)?,
        foreign_keys: members.list("foreign_keys", foreign_key)?,
        checks: members.list("checks", check)?,
        indexes: members.list("indexes", index)?,
        options: members
            .options()?
            .into_iter()
            .filter_map(|(option, on)| on.then_some(option))
            .collect(),
        with: members.opt_text("with")?,
        tablespace: members.opt_text("tablespace")?,
        engine: members.opt_text("engine")?,
        charset: members.opt_text("charset")?,
        collation: members.opt_text("collation")?,
        comment: members.opt_text("comment")?,
    };
    members.end()?;
    Ok(table)
}

fn column(json: &Json) -> Res<Column> {
    let mut members = Members::of(json)?;
    let column = Column {
        name: members.text("name")?,
        ty: ty(members.req("type")?)?,
        nullable: !members.flag("not_null")?,
        default: members.opt("default").map(default).transpose()?,
        autoincrement: members.opt("autoincrement").map(boolean).transpose()?,
        identity: members.opt("identity").map(identity).transpose()?,
        generated: members.opt("generated").map(generated).transpose()?,
        collation: members.opt_text("collation")?,
        charset: members.opt_text("charset")?,
        on_update_now: members.flag("on_update_now")?,
        invisible: members.flag("invisible")?,
        comment: members.opt_text("comment")?,
    };
    members.end()?;
    Ok(column)
}

fn table_change(json: &Json) -> Res<TableChange> {
    let mut members = Members::of(json)?;
    let change = TableChange {
        options: members.options()?,
        with: members.change("with", text)?,
        tablespace: members.change("tablespace", text)?,
        engine: members.change("engine", text)?,
        charset: members.change("charset", text)?,
        collation: members.change("collation", text)?,
        comment: members.change("comment", text)?,
    };
    members.end()?;
    Ok(change)
}

fn column_change(json: &Json) -> Res<ColumnChange> {
    let mut members = Members::of(json)?;
    let change = ColumnChange {
        ty: members.opt("type").map(ty).transpose()?,
        nullable: members.opt("not_null").map(boolean).transpose()?.map(|not_null| !not_null),
        default: members.change("default", default)?,
        autoincrement: members.change("autoincrement", boolean)?,
        identity: members.change("identity", identity)?,
        generated: members.change("generated", generated)?,
        collation: members.change("collation", text)?,
        charset: members.change("charset", text)?,
        on_update_now: members.opt("on_update_now").map(boolean).transpose()?,
        invisible: members.opt("invisible").map(boolean).transpose()?,
        comment: members.change("comment", text)?,
        using: members.opt("using").map(sql).transpose()?,
        fill: members.opt("fill").map(sql).transpose()?,
    };
    members.end()?;
    Ok(change)
}

const SIMPLE_TYPES: [Type; 20] = [
    Type::Boolean,
    Type::TinyInteger,
    Type::SmallInteger,
    Type::Integer,
    Type::BigInteger,
    Type::TinyUnsigned,
    Type::SmallUnsigned,
    Type::Unsigned,
    Type::BigUnsigned,
    Type::Float,
    Type::Double,
    Type::Numeric,
    Type::Text,
    Type::Date,
    Type::Time,
    Type::DateTime,
    Type::Timestamp,
    Type::Uuid,
    Type::Json,
    Type::Binary,
];

fn ty(json: &Json) -> Res<Type> {
    if let Some(name) = json.as_str() {
        let found = SIMPLE_TYPES.iter().find(|ty| simple_type(ty) == Some(name));
        return found.cloned().ok_or_else(|| format!("type `{name}` is unknown to this version"));
    }
    let mut members = Members::of(json)?;
    let key = members.json.first().map_or("", |(key, _)| key.as_ref());
    let ty = match key {
        "decimal" => match items(members.req("decimal")?)? {
            [precision, scale] => Type::Decimal(number(precision)?, number(scale)?),
            _ => return Err("a decimal needs precision and scale".to_owned()),
        },
        "string" => Type::String(number(members.req("string")?)?),
        "fixed_binary" => Type::FixedBinary(number(members.req("fixed_binary")?)?),
        "enum" | "values" => Type::Enum(members.text("enum")?, members.texts("values")?),
        "array" => Type::array(ty(members.req("array")?)?),
        "raw" => Type::Raw(members.text("raw")?),
        "per_dialect" => {
            Type::PerDialect(pairs(members.req("per_dialect")?)?.into_iter().collect())
        }
        other => return Err(format!("type `{other}` is unknown to this version")),
    };
    members.end()?;
    Ok(ty)
}

fn pairs(json: &Json) -> Res<Vec<(String, String)>> {
    let members = Members::of(json)?.json.iter();
    let mut pairs: Vec<_> = members
        .map(|(key, value)| Ok((key.clone().into_owned(), text(value)?)))
        .collect::<Res<_>>()?;
    pairs.sort();
    Ok(pairs)
}

fn default(json: &Json) -> Res<DefaultValue> {
    if json.as_str() == Some("now") {
        return Ok(DefaultValue::Now);
    }
    let mut members = Members::of(json)?;
    let default = match members.opt("value") {
        Some(json) => DefaultValue::Literal(value(json)?),
        None => DefaultValue::Sql(sql(members.req("sql")?)?),
    };
    members.end()?;
    Ok(default)
}

fn generated(json: &Json) -> Res<Generated> {
    let mut members = Members::of(json)?;
    let generated =
        Generated { expression: sql(members.req("expression")?)?, stored: members.flag("stored")? };
    members.end()?;
    Ok(generated)
}

fn named_columns(json: &Json) -> Res<(String, Vec<String>)> {
    let mut members = Members::of(json)?;
    let res = (members.text("name")?, members.texts("columns")?);
    members.end()?;
    Ok(res)
}

fn primary_key(json: &Json) -> Res<PrimaryKey> {
    named_columns(json).map(|(name, columns)| PrimaryKey { name, columns })
}

fn unique(json: &Json) -> Res<Unique> {
    let mut members = Members::of(json)?;
    let unique = Unique {
        name: members.text("name")?,
        columns: members.texts("columns")?,
        nulls_not_distinct: members.flag("nulls_not_distinct")?,
        include: members.list("include", text)?,
        deferrable: deferrable(&mut members)?,
    };
    members.end()?;
    Ok(unique)
}

fn deferrable(members: &mut Members<'_>) -> Res<Option<Deferrable>> {
    match members.opt_text("deferrable")?.as_deref() {
        None => Ok(None),
        Some("initially_immediate") => Ok(Some(Deferrable::InitiallyImmediate)),
        Some("initially_deferred") => Ok(Some(Deferrable::InitiallyDeferred)),
        Some(other) => Err(format!("deferrable `{other}` is unknown")),
    }
}

fn check(json: &Json) -> Res<Check> {
    let mut members = Members::of(json)?;
    let check = Check { name: members.text("name")?, expression: sql(members.req("expression")?)? };
    members.end()?;
    Ok(check)
}

fn action(json: Option<&Json>) -> Res<ReferentialAction> {
    let Some(json) = json else { return Ok(ReferentialAction::NoAction) };
    let found = ACTIONS.iter().find(|(_, text)| json.as_str() == Some(text));
    found.map(|(action, _)| *action).ok_or_else(|| format!("action `{json}` is unknown"))
}

fn foreign_key(json: &Json) -> Res<ForeignKey> {
    let mut members = Members::of(json)?;
    let foreign_key = ForeignKey {
        name: members.text("name")?,
        columns: members.texts("columns")?,
        references_table: members.text("references_table")?,
        references_columns: members.texts("references_columns")?,
        on_delete: action(members.opt("on_delete"))?,
        on_update: action(members.opt("on_update"))?,
        deferrable: deferrable(&mut members)?,
    };
    members.end()?;
    Ok(foreign_key)
}

fn index(json: &Json) -> Res<Index> {
    let mut members = Members::of(json)?;
    let index = Index {
        name: members.text("name")?,
        columns: members.list("columns", index_column)?,
        unique: members.flag("unique")?,
        filter: members.opt("filter").map(sql).transpose()?,
        using: members.opt_text("using")?,
        include: members.list("include", text)?,
        nulls_not_distinct: members.flag("nulls_not_distinct")?,
        with: members.opt_text("with")?,
        concurrently: members.flag("concurrently")?,
    };
    members.end()?;
    Ok(index)
}

fn index_column(json: &Json) -> Res<IndexColumn> {
    if let Some(column) = json.as_str() {
        return Ok(IndexColumn::new(column));
    }
    let mut members = Members::of(json)?;
    let term = match members.opt_text("column")? {
        Some(column) => IndexTerm::Column(column),
        None => IndexTerm::Expression(sql(members.req("expression")?)?),
    };
    let column = IndexColumn {
        term,
        descending: members.flag("descending")?,
        collation: members.opt_text("collation")?,
        prefix: members.opt("prefix").map(number).transpose()?,
        opclass: members.opt_text("opclass")?,
        nulls: match members.opt_text("nulls")?.as_deref() {
            None => None,
            Some("first") => Some(Nulls::First),
            Some("last") => Some(Nulls::Last),
            Some(other) => return Err(format!("nulls `{other}` is unknown")),
        },
        operator: members.opt_text("operator")?,
    };
    members.end()?;
    Ok(column)
}

fn sql(json: &Json) -> Res<Sql> {
    if let Some(any) = json.as_str() {
        return Ok(Sql::from(any));
    }
    let mut members = Members::of(json)?;
    let sql = Sql { any: members.opt_text("any")?, by_dialect: pairs(members.req("by_dialect")?)? };
    members.end()?;
    Ok(sql)
}

pub(crate) fn values(json: &Json) -> Res<Vec<Value>> {
    items(json)?.iter().map(value).collect()
}

pub(crate) fn value(json: &Json) -> Res<Value> {
    Ok(match json {
        Json::Null => Value::Null,
        Json::Bool(json) => Value::Bool(*json),
        Json::Int(json) => Value::Integer(*json),
        Json::Text(json) => Value::Text(json.clone().into_owned()),
        Json::Array(_) => return Err(format!("expected a value, found `{json}`")),
        Json::Object(members) => {
            let [(tag, Json::Text(text))] = members.as_slice() else {
                return Err(format!("expected a value, found `{json}`"));
            };
            let bad = || format!("expected a value, found `{json}`");
            match tag.as_ref() {
                "integer" => Value::Integer(text.parse().map_err(|_| bad())?),
                "real" => Value::Real(text.parse().map_err(|_| bad())?),
                "blob" => Value::Blob(hex(text).ok_or_else(bad)?),
                _ => return Err(bad()),
            }
        }
    })
}

fn hex(text: &str) -> Option<Vec<u8>> {
    let digits: Vec<u8> =
        text.chars().map(|c| c.to_digit(16).map(|digit| digit as u8)).collect::<Option<_>>()?;
    (digits.len() % 2 == 0)
        .then(|| digits.chunks(2).map(|chunk| chunk[0] << 4 | chunk[1]).collect())
}
