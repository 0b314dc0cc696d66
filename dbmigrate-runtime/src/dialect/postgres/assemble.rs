//! Assembles tables from the rows of the catalog's queries, without a database.

use std::collections::BTreeMap;

use super::POSTGRES;
use super::constant;
use super::rows::{ColumnRow, ConstraintRow, IndexRow, Relation};
use super::words;
use crate::dialect::{Beyond, ObjectKind, Part, PartKind, Unreadable};
use crate::schema::DEFAULT_METHOD;
use crate::schema::{
    Check, Column, Deferrable, ForeignKey, Generated, Identity, Index, IndexColumn, Nulls,
    PrimaryKey, ReferentialAction, Schema, Table, TableOption, Type, Unique,
};

/// The rows about some tables.
#[derive(Debug, Default)]
pub(super) struct Rows {
    pub(super) relations: Vec<Relation>,
    pub(super) columns: Vec<ColumnRow>,
    pub(super) constraints: Vec<ConstraintRow>,
    pub(super) indexes: Vec<IndexRow>,
}

/// What the rows describe.
#[derive(Debug, Default)]
pub(super) struct Assembled {
    pub(super) schema: Schema,
    pub(super) beyond: Vec<Beyond>,
    pub(super) unreadable: Vec<Unreadable>,
}

/// The tables that the rows describe. A row of a table that was dropped between two queries is
/// ignored.
pub(super) fn assemble(rows: Rows) -> Assembled {
    let mut assembling = Assembling::default();
    for relation in rows.relations {
        assembling.relation(&relation);
    }
    for row in rows.columns {
        assembling.column(row);
    }
    let mut keys: BTreeMap<i64, Vec<IndexRow>> = BTreeMap::new();
    let mut order = Vec::new();
    for row in rows.indexes {
        if !keys.contains_key(&row.index) {
            order.push(row.index);
        }
        keys.entry(row.index).or_default().push(row);
    }
    for row in rows.constraints {
        let index = keys.get(&row.index).map_or(&[][..], Vec::as_slice);
        assembling.constraint(row, index);
    }
    for index in order.iter().filter_map(|index| keys.get(index)) {
        assembling.index(index);
    }
    assembling.finish()
}

#[derive(Default)]
struct Assembling {
    tables: BTreeMap<i64, Table>,
    beyond: Vec<Beyond>,
    unreadable: Vec<Unreadable>,
}

/// A feature of a column, a constraint or an index that a schema can't represent.
struct Feature<'a> {
    table: &'a str,
    columns: &'a [String],
    part: Option<Part>,
}

impl Assembling {
    fn say(&mut self, feature: &Feature<'_>, text: impl Into<String>) {
        self.beyond.push(Beyond {
            table: feature.table.to_owned(),
            columns: feature.columns.to_vec(),
            part: feature.part.clone(),
            text: text.into(),
        });
    }

    fn relation(&mut self, relation: &Relation) {
        let mut table = Table::new(&relation.name);
        table.schema.clone_from(&relation.schema);
        table.comment = relation.comment.clone();
        table.options.set(TableOption::Unlogged, relation.persistence == "u");
        table.with = relation.options.clone();
        table.tablespace = relation.tablespace.clone();
        let feature = Feature { table: &relation.name, columns: &[], part: None };
        let mut say = |text: Option<String>| {
            text.into_iter().for_each(|text| self.say(&feature, text));
        };
        say(relation.partition_key.as_ref().map(|key| format!("is partitioned by {key}")));
        say(relation.parents.as_ref().map(|parents| format!("inherits from {parents}")));
        say(relation.of_type.as_ref().map(|ty| format!("is of the type {ty}")));
        say(relation.has_row_security.then(|| "has row level security".to_owned()));
        say(relation.forces_row_security.then(|| "forces row level security".to_owned()));
        say(relation.method.as_ref().map(|name| format!("has the access method `{name}`")));
        let identity = match relation.replica_identity.as_str() {
            "f" => Some("FULL"),
            "n" => Some("NOTHING"),
            "i" => Some("USING INDEX"),
            _ => None,
        };
        say(identity.map(|identity| format!("has REPLICA IDENTITY {identity}")));
        self.tables.insert(relation.oid, table);
    }

    fn column(&mut self, row: ColumnRow) {
        let Some(table) = self.tables.get_mut(&row.table) else { return };
        let name = table.name.clone();
        // Two sequences of a column are no reason to read it twice.
        if table.columns.last().is_some_and(|last| last.name == row.name) {
            return;
        }
        let ty = match row.enumeration {
            Some(enumeration) if row.is_array => {
                Type::Array(Box::new(Type::Enum(enumeration, row.labels)))
            }
            Some(enumeration) => Type::Enum(enumeration, row.labels),
            None => words::read(&row.ty),
        };
        let mut column = Column::new(&row.name, ty);
        column.nullable = !row.is_required;
        column.collation = row.collation;
        column.comment = row.comment;
        match (row.generated.as_str(), row.expression) {
            ("", Some(text)) => column.default = Some(constant::read(&text, &column.ty)),
            (how, Some(text)) => {
                let expression = POSTGRES.unparenthesised(&text).to_owned();
                column.generated =
                    Some(Generated { expression: expression.into(), stored: how == "s" });
            }
            (_, None) => {}
        }
        // Whether the column is the key is known later.
        column.autoincrement = (row.is_serial || !row.identity.is_empty()).then_some(true);
        column.identity = match row.identity.as_str() {
            "a" => Some(Identity::Always),
            "d" => Some(Identity::ByDefault),
            _ => row.is_serial.then_some(Identity::Serial),
        };
        table.columns.push(column);
        let columns = [row.name];
        let feature = Feature { table: &name, columns: &columns, part: None };
        let has_sequence = row.is_serial || !row.identity.is_empty();
        if let Some(options) = row.sequence.filter(|options| !options.is_empty() && has_sequence) {
            self.say(&feature, format!("takes its values from a sequence with {options}"));
        }
    }

    fn constraint(&mut self, row: ConstraintRow, index: &[IndexRow]) {
        let Some(table) = self.tables.get_mut(&row.table) else { return };
        let table_name = table.name.clone();
        let name = row.name.clone();
        let columns = row.columns.clone();
        let kind = match row.kind.as_str() {
            "p" => {
                table.primary_key = Some(PrimaryKey { name: name.clone(), columns });
                PartKind::PrimaryKey
            }
            "u" => {
                table.uniques.push(Unique {
                    name: name.clone(),
                    columns,
                    nulls_not_distinct: index.iter().any(|key| key.nulls_not_distinct),
                    include: included(index),
                    deferrable: deferrable(&row),
                });
                PartKind::Unique
            }
            "f" => {
                table.foreign_keys.push(foreign_key(&row));
                PartKind::ForeignKey
            }
            "c" => {
                let text = row.expression.as_deref().unwrap_or_default();
                let expression = POSTGRES.unparenthesised(text).to_owned();
                table.checks.push(Check { name: name.clone(), expression: expression.into() });
                PartKind::Check
            }
            kind => {
                let feature = Feature { table: &table_name, columns: &columns, part: None };
                if kind == "x" && !row.is_deferrable {
                    self.index_of(index, &row.operators);
                } else if kind == "x" {
                    let definition = row.expression.unwrap_or_default();
                    let constraint = format!("the exclusion constraint `{name}`: {definition}");
                    let feature = Feature { columns: &[], ..feature };
                    self.say(&feature, format!("has {constraint}"));
                } else if row.is_not_inherited {
                    self.say(&feature, "is NOT NULL NO INHERIT");
                } else {
                    self.say(&feature, "is NOT NULL NOT VALID, so existing rows may have NULL");
                }
                return;
            }
        };
        let part = Part { kind, name: Some(name), content: String::new() };
        let feature = Feature { table: &table_name, columns: &row.columns, part: Some(part) };
        if row.is_deferrable && kind == PartKind::PrimaryKey {
            let text =
                if row.is_deferred { "is DEFERRABLE INITIALLY DEFERRED" } else { "is DEFERRABLE" };
            self.say(&feature, text);
        }
        if !row.is_enforced {
            self.say(&feature, "is NOT ENFORCED");
        } else if !row.is_validated {
            self.say(&feature, "is NOT VALID, so existing rows may violate the condition");
        }
        if row.is_not_inherited && kind == PartKind::Check {
            self.say(&feature, "is NO INHERIT");
        }
        if row.has_period {
            let text = if kind == PartKind::ForeignKey { "PERIOD" } else { "WITHOUT OVERLAPS" };
            self.say(&feature, format!("is over a period ({text})"));
        }
        if kind == PartKind::ForeignKey && row.matches == "f" {
            self.say(&feature, "is MATCH FULL");
        }
        if !row.delete_columns.is_empty() {
            let action = action(&row.on_delete).sql();
            let columns = row.delete_columns.join("`, `");
            self.say(&feature, format!("has ON DELETE {action} for `{columns}` only"));
        }
        if kind == PartKind::PrimaryKey || kind == PartKind::Unique {
            self.index_features(&feature, index);
        }
    }

    fn index(&mut self, keys: &[IndexRow]) {
        if keys.first().is_some_and(|first| !first.is_of_constraint) {
            self.index_of(keys, &[]);
        }
    }

    /// An index with these operators, if it is an exclusion constraint.
    fn index_of(&mut self, keys: &[IndexRow], operators: &[String]) {
        let Some(first) = keys.first() else { return };
        let Some(table) = self.tables.get_mut(&first.table) else { return };
        if !first.is_valid {
            self.unreadable.push(Unreadable {
                kind: ObjectKind::Index,
                name: first.name.clone(),
                why: "it is invalid, since building it concurrently failed or isn't finished"
                    .to_owned(),
            });
            return;
        }
        let column = |(place, key): (usize, &IndexRow)| {
            let descending = key.order & 1 != 0;
            let part = match (&key.column, &key.expression) {
                (Some(column), _) => {
                    let part = IndexColumn::new(column);
                    IndexColumn { collation: key.collation.clone(), ..part }
                }
                (None, text) => {
                    let text = text.as_deref().unwrap_or_default();
                    let part = IndexColumn::expression(POSTGRES.unparenthesised(text));
                    let definition = key.definition.as_deref();
                    let collation = definition.and_then(|text| collation_in(text, place));
                    IndexColumn { collation, ..part }
                }
            };
            // Nulls are sorted as the highest values by default.
            let nulls = match key.order & 3 {
                1 => Some(Nulls::Last),
                2 => Some(Nulls::First),
                _ => None,
            };
            let operator = operators.get(place).cloned();
            IndexColumn { descending, opclass: key.class.clone(), nulls, operator, ..part }
        };
        table.indexes.push(Index {
            name: first.name.clone(),
            columns: keys.iter().filter(|key| key.is_key).enumerate().map(column).collect(),
            unique: first.is_unique,
            filter: first.filter.as_deref().map(|text| POSTGRES.unparenthesised(text).into()),
            using: Some(first.method.clone()).filter(|method| method != DEFAULT_METHOD),
            include: included(keys),
            nulls_not_distinct: first.nulls_not_distinct,
            with: first.options.clone(),
            concurrently: false,
        });
        let table_name = table.name.clone();
        let kind = if operators.is_empty() { PartKind::Index } else { PartKind::Exclusion };
        let part = Part { kind, name: Some(first.name.clone()), content: String::new() };
        let columns: Vec<String> = keys.iter().filter_map(|key| key.column.clone()).collect();
        let feature = Feature { table: &table_name, columns: &columns, part: Some(part) };
        self.index_features(&feature, keys);
    }

    /// The features of an index, or of the index of a constraint.
    fn index_features(&mut self, feature: &Feature<'_>, keys: &[IndexRow]) {
        let Some(first) = keys.first() else { return };
        let kind = feature.part.as_ref().map(|part| part.kind);
        if kind == Some(PartKind::PrimaryKey) && !included(keys).is_empty() {
            self.say(feature, format!("includes `{}`", included(keys).join("`, `")));
        }
        let is_index = matches!(kind, Some(PartKind::Index | PartKind::Exclusion));
        if let Some(options) = first.options.as_ref().filter(|_| !is_index) {
            self.say(feature, format!("has the options `{options}`"));
        }
        if let Some(tablespace) = &first.tablespace {
            self.say(feature, format!("is in the tablespace `{tablespace}`"));
        }
    }

    fn finish(mut self) -> Assembled {
        for table in self.tables.values_mut() {
            let key = generated_key_candidate(table);
            for column in &mut table.columns {
                let generates = column.autoincrement == Some(true);
                if key.as_deref() == Some(&*column.name) {
                    column.autoincrement = Some(generates);
                    column.identity = column.identity.filter(|own| *own != Identity::ByDefault);
                    // A serial key is one that generates its values.
                    column.default = column.default.take().filter(|_| !generates);
                    continue;
                }
                column.autoincrement = None;
                // The default of another serial column stays a default.
                column.identity = column.identity.filter(|own| *own != Identity::Serial);
            }
        }
        Assembled {
            schema: Schema::from_tables(self.tables.into_values()),
            beyond: self.beyond,
            unreadable: self.unreadable,
        }
    }
}

/// The columns that an index only stores.
fn included(keys: &[IndexRow]) -> Vec<String> {
    keys.iter().filter(|key| !key.is_key).filter_map(|key| key.column.clone()).collect()
}

/// When a constraint is checked, if that can be deferred.
fn deferrable(row: &ConstraintRow) -> Option<Deferrable> {
    match (row.is_deferrable, row.is_deferred) {
        (true, true) => Some(Deferrable::InitiallyDeferred),
        (true, false) => Some(Deferrable::InitiallyImmediate),
        (false, _) => None,
    }
}

/// The only column of the primary key, if it is an integer.
pub(super) fn generated_key_candidate(table: &Table) -> Option<String> {
    let [name] = table.primary_key.as_ref()?.columns.as_slice() else { return None };
    table.find_column(name).filter(|column| column.ty.is_integer()).map(|_| name.clone())
}

/// The collation that the definition of an index has for the key at this place.
fn collation_in(definition: &str, place: usize) -> Option<String> {
    let tokens = POSTGRES.significant(definition);
    let using = tokens.iter().position(|token| token.is_word("USING"))?;
    // The access method and the opening parenthesis follow.
    let mut keys = tokens.get(using + 3..)?;
    let mut depth = 0;
    let mut idx = 0;
    while let [token, rest @ ..] = keys {
        keys = rest;
        depth += i32::from(token.is_symbol("(")) - i32::from(token.is_symbol(")"));
        match depth {
            ..0 => return None,
            0 if token.is_symbol(",") => idx += 1,
            0 if idx == place && token.is_word("COLLATE") => {
                let mut name = rest.first()?.identifier()?.into_owned();
                if let [_, dot, own, ..] = rest {
                    if dot.is_symbol(".") {
                        name = format!("{name}.{}", own.identifier()?);
                    }
                }
                return Some(name);
            }
            _ => {}
        }
    }
    None
}

fn foreign_key(row: &ConstraintRow) -> ForeignKey {
    ForeignKey {
        name: row.name.clone(),
        columns: row.columns.clone(),
        references_table: row.references.clone().unwrap_or_default(),
        references_columns: row.references_columns.clone(),
        on_delete: action(&row.on_delete),
        on_update: action(&row.on_update),
        deferrable: deferrable(row),
    }
}

fn action(letter: &str) -> ReferentialAction {
    match letter {
        "r" => ReferentialAction::Restrict,
        "c" => ReferentialAction::Cascade,
        "n" => ReferentialAction::SetNull,
        "d" => ReferentialAction::SetDefault,
        _ => ReferentialAction::NoAction,
    }
}
