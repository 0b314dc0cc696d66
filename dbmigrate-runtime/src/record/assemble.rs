//! Assembles a table from a record's payload.

use super::cursor::{Cursor, DEPTH};
use super::error::RecordError;
use super::fact::{Fact, facts};
use super::{FieldRecord, ModelRecord};
use crate::schema::naming::Convention;
use crate::schema::{Check, Column, ForeignKey, Index, IndexTerm, PrimaryKey, Table, Type};

type Result<T> = std::result::Result<T, RecordError>;

/// The model in a payload, or `None` if it is the canary.
pub(super) fn record(
    payload: &[u8],
    offset: usize,
    naming: &Convention,
) -> Result<Option<ModelRecord>> {
    let (mut literal, holes) = split(payload, offset)?;
    if literal.text()? == "canary" {
        literal.finish()?;
        holes.finish()?;
        return Ok(None);
    }
    model(payload, offset, naming).map(Some)
}

/// The model in a payload.
pub(super) fn model(payload: &[u8], offset: usize, naming: &Convention) -> Result<ModelRecord> {
    let (mut literal, mut holes) = split(payload, offset)?;
    let start = literal.offset;
    match literal.text()? {
        "model" => {}
        kind => return Err(RecordError::unknown(start, "kind", kind)),
    }
    let name = literal.text()?;
    let line = literal.number()?;
    let mut model = Model {
        offset,
        naming,
        record: ModelRecord {
            path: String::new(),
            file: String::new(),
            manifest_dir: String::new(),
            line,
            table: Table::new(literal.text()?),
            renamed_from: None,
            database: None,
            unmanaged: false,
            docs: None,
            fields: Vec::new(),
        },
        key: Vec::new(),
        key_name: None,
    };
    let group = Group::read(literal, &mut holes, 0, &mut |holes| {
        model.record.path = format!("{}::{name}", holes.text()?);
        model.record.file = holes.owned()?;
        model.record.manifest_dir = holes.owned()?;
        Ok(())
    })?;
    holes.finish()?;
    model.columns(&group, None)?;
    model.constraints(group)?;
    Ok(model.finished())
}

/// Splits a payload into the macro's literal and the holes.
fn split(payload: &[u8], offset: usize) -> Result<(Cursor<'_>, Cursor<'_>)> {
    let mut holes = Cursor::new(payload, offset);
    let length = holes.length()?;
    Ok((holes.take(length)?, holes))
}

/// What a model or a group of columns declares, with the holes filled in.
struct Group<'a> {
    facts: Vec<Fact>,
    members: Vec<Member<'a>>,
}

struct Member<'a> {
    field: &'a str,
    line: u32,
    kind: Kind<'a>,
}

enum Kind<'a> {
    Column(Box<Column>, Vec<Fact>),
    Flattened(Group<'a>),
}

impl<'a> Group<'a> {
    /// Reads the facts and fields from the literal, and the columns' types, the texts (`head` reads
    /// the first ones) and the groups from the holes.
    fn read(
        mut literal: Cursor<'a>,
        holes: &mut Cursor<'a>,
        depth: u32,
        head: &mut dyn FnMut(&mut Cursor<'a>) -> Result<()>,
    ) -> Result<Group<'a>> {
        if depth > DEPTH {
            return Err(RecordError::deep(literal.offset));
        }
        let mut group = Group { facts: facts(&mut literal)?, members: Vec::new() };
        for _ in 0..literal.count()? {
            group.members.push(Member::read(&mut literal)?);
        }
        literal.finish()?;
        for member in &mut group.members {
            if let Kind::Column(column, _) = &mut member.kind {
                (column.ty, column.nullable) = holes.ty()?;
            }
        }
        head(holes)?;
        group.facts.iter_mut().try_for_each(|fact| refer(fact, holes))?;
        for member in &mut group.members {
            if let Kind::Column(_, facts) = &mut member.kind {
                facts.iter_mut().try_for_each(|fact| refer(fact, holes))?;
            }
        }
        for member in &mut group.members {
            if let Kind::Flattened(inner) = &mut member.kind {
                let mut literal = holes.bytes()?;
                let start = literal.offset;
                match literal.text()? {
                    "columns" => {}
                    kind => return Err(RecordError::unknown(start, "kind", kind)),
                }
                *inner = Group::read(literal, holes, depth + 1, &mut |_| Ok(()))?;
            }
        }
        Ok(group)
    }
}

/// Fills in the table and columns that a foreign key refers to.
fn refer(fact: &mut Fact, holes: &mut Cursor<'_>) -> Result<()> {
    if let Fact::ForeignKey(key) = fact {
        key.references_table = holes.owned()?;
        for _ in 0..key.columns.len() {
            key.references_columns.push(holes.owned()?);
        }
    }
    Ok(())
}

impl<'a> Member<'a> {
    fn read(literal: &mut Cursor<'a>) -> Result<Member<'a>> {
        let start = literal.offset;
        let kind = literal.text()?;
        let (field, line) = (literal.text()?, literal.number()?);
        let kind = match kind {
            "column" => {
                let name = literal.optional()?.unwrap_or_else(|| field.to_owned());
                Kind::Column(Box::new(Column::new(&name, Type::Text)), facts(literal)?)
            }
            "flatten" => Kind::Flattened(Group { facts: Vec::new(), members: Vec::new() }),
            word => return Err(RecordError::unknown(start, "kind of field", word)),
        };
        Ok(Member { field, line, kind })
    }
}

/// A model that is being assembled.
struct Model<'n> {
    offset: usize,
    naming: &'n Convention,
    record: ModelRecord,
    /// The columns of the primary key.
    key: Vec<String>,
    /// Its name, if the model names it.
    key_name: Option<String>,
}

impl Model<'_> {
    /// Adds the columns of a group; `at` is the line of the field that flattens it.
    fn columns(&mut self, group: &Group<'_>, at: Option<u32>) -> Result<()> {
        self.record.table.columns.reserve_exact(group.members.len());
        for member in &group.members {
            let line = at.unwrap_or(member.line);
            match &member.kind {
                Kind::Column(column, facts) => self.column(member.field, line, column, facts)?,
                Kind::Flattened(inner) => self.columns(inner, Some(line))?,
            }
        }
        Ok(())
    }

    fn column(&mut self, field: &str, line: u32, column: &Column, facts: &[Fact]) -> Result<()> {
        let mut column = column.clone();
        let mut source = FieldRecord {
            column: column.name.clone(),
            field: field.to_owned(),
            line,
            docs: None,
            renamed_from: None,
        };
        for fact in facts {
            match fact {
                Fact::RenamedFrom(fact) => source.renamed_from = Some(fact.clone()),
                Fact::Docs(fact) => source.docs = Some(fact.clone()),
                Fact::Comment(fact) => column.comment = Some(fact.clone()),
                Fact::Autoincrement(on) => column.autoincrement = Some(*on),
                Fact::Identity(identity) => column.identity = Some(*identity),
                Fact::Type(fact) => column.ty = fact.clone(),
                Fact::Length(fact) => column.ty = Type::String(*fact),
                Fact::Nullable(fact) => column.nullable = *fact,
                Fact::Default(default_value) => column.default = Some(default_value.clone()),
                Fact::Generated(generated) => column.generated = Some(generated.clone()),
                Fact::Collate(fact) => column.collation = Some(fact.clone()),
                Fact::Charset(fact) => column.charset = Some(fact.clone()),
                Fact::OnUpdateNow => column.on_update_now = true,
                Fact::Invisible => column.invisible = true,
                // These facts belong to the table.
                Fact::PrimaryKey(_)
                | Fact::PrimaryKeyName(_)
                | Fact::Unique(_)
                | Fact::Index(_)
                | Fact::Check(..)
                | Fact::ForeignKey(_) => {}
                Fact::Schema(_)
                | Fact::Database(_)
                | Fact::Unmanaged
                | Fact::Option(_)
                | Fact::With(_)
                | Fact::Tablespace(_)
                | Fact::Engine(_) => {
                    return Err(RecordError::unknown(self.offset, "word of a field", field));
                }
            }
        }
        if self.record.table.find_column(&column.name).is_some() {
            return Err(RecordError::second_column(self.offset, &column.name));
        }
        self.record.table.columns.push(column);
        self.record.fields.push(source);
        Ok(())
    }

    /// Adds the table's constraints and indexes of a group, once all columns are known.
    fn constraints(&mut self, group: Group<'_>) -> Result<()> {
        for fact in group.facts {
            self.fact(fact, None)?;
        }
        for member in group.members {
            match member.kind {
                Kind::Column(column, facts) => {
                    for fact in facts {
                        self.fact(fact, Some(&column.name))?;
                    }
                }
                Kind::Flattened(inner) => self.constraints(inner)?,
            }
        }
        Ok(())
    }

    /// Adds a fact about the table, from the struct or from the field of this column.
    fn fact(&mut self, fact: Fact, of: Option<&str>) -> Result<()> {
        match fact {
            Fact::PrimaryKey(fields) => self.key = self.resolved(&fields)?,
            Fact::PrimaryKeyName(name) => self.key_name = Some(name),
            Fact::Unique(mut unique) => {
                unique.columns = self.resolved(&unique.columns)?;
                unique.include = self.resolved(&unique.include)?;
                if unique.name.is_empty() {
                    unique.name =
                        self.naming.unique(self.record.table.bare_name(), &unique.columns);
                }
                self.record.table.uniques.push(unique);
            }
            Fact::Index(index) => self.index(index)?,
            Fact::Check(name, expression) => {
                let name = name.unwrap_or_else(|| match of {
                    Some(column) => self.naming.check(self.record.table.bare_name(), column),
                    None => self.naming.table_check(self.record.table.bare_name(), &expression),
                });
                self.record.table.checks.push(Check { name, expression });
            }
            Fact::ForeignKey(key) => self.foreign_key(key)?,
            // A field's own facts were already added to its column.
            _ if of.is_some() => {}
            Fact::RenamedFrom(fact) => self.record.renamed_from = Some(fact),
            Fact::Docs(fact) => self.record.docs = Some(fact),
            Fact::Schema(schema) => self.record.table.schema = Some(schema),
            Fact::Comment(fact) => self.record.table.comment = Some(fact),
            Fact::Database(fact) => self.record.database = Some(fact),
            Fact::Unmanaged => self.record.unmanaged = true,
            Fact::Option(option) => self.record.table.options.set(option, true),
            Fact::With(parameters) => self.record.table.with = Some(parameters),
            Fact::Tablespace(name) => self.record.table.tablespace = Some(name),
            Fact::Engine(name) => self.record.table.engine = Some(name),
            Fact::Charset(name) => self.record.table.charset = Some(name),
            Fact::Collate(name) => self.record.table.collation = Some(name),
            Fact::Autoincrement(_)
            | Fact::Identity(_)
            | Fact::Type(_)
            | Fact::Length(_)
            | Fact::Nullable(_)
            | Fact::Default(_)
            | Fact::Generated(_)
            | Fact::OnUpdateNow
            | Fact::Invisible => {
                let table = &self.record.table.name;
                return Err(RecordError::unknown(self.offset, "word of a struct", table));
            }
        }
        Ok(())
    }

    fn index(&mut self, mut index: Index) -> Result<()> {
        for column in &mut index.columns {
            if let IndexTerm::Column(field) = &mut column.term {
                *field = self.resolve(field)?;
            }
        }
        index.include = self.resolved(&index.include)?;
        if index.name.is_empty() {
            index.name = self.naming.index(self.record.table.bare_name(), &index.columns);
        }
        self.record.table.indexes.push(index);
        Ok(())
    }

    fn foreign_key(&mut self, mut key: ForeignKey) -> Result<()> {
        key.columns = self.resolved(&key.columns)?;
        if key.name.is_empty() {
            let table = self.record.table.bare_name();
            key.name = self.naming.foreign_key(table, &key.columns, &key.references_table);
        }
        self.record.table.foreign_keys.push(key);
        Ok(())
    }

    fn resolved(&self, fields: &[String]) -> Result<Vec<String>> {
        fields.iter().map(|field| self.resolve(field)).collect()
    }

    /// The column of the field with this name, or else the column with this name.
    fn resolve(&self, name: &str) -> Result<String> {
        let fields = &self.record.fields;
        let found = fields
            .iter()
            .find(|field| field.field == name)
            .or_else(|| fields.iter().find(|field| field.column == name));
        found
            .map(|field_record| field_record.column.clone())
            .ok_or_else(|| RecordError::no_column(self.offset, name))
    }

    fn finished(mut self) -> ModelRecord {
        let table = &mut self.record.table;
        for column in &mut table.columns {
            if self.key.contains(&column.name) {
                column.nullable = false;
            }
        }
        if !self.key.is_empty() {
            let convention = || self.naming.primary_key(table.bare_name(), &self.key);
            let name = self.key_name.unwrap_or_else(convention);
            table.primary_key = Some(PrimaryKey { name, columns: self.key });
        }
        table.uniques.sort_by(|one, two| one.name.cmp(&two.name));
        table.foreign_keys.sort_by(|one, two| one.name.cmp(&two.name));
        table.checks.sort_by(|one, two| one.name.cmp(&two.name));
        table.indexes.sort_by(|one, two| one.name.cmp(&two.name));
        self.record
    }
}
