//! Assembles a table from its `CREATE TABLE`, without a database.

use super::charset;
use super::constant;
use super::ddl;
use super::flavor::Flavor;
use super::keys;
use super::parse::{ColumnPart, KeyPart, Parsed, Term};
use super::size;
use super::types;
use crate::dialect::{Beyond, Part, PartKind, Unsaid};
use crate::schema::{
    Check, Column, ForeignKey, Generated, Index, IndexColumn, IndexTerm, PrimaryKey,
    ReferentialAction, Table, Type, Unique,
};

/// A table, and what a schema can't represent of it.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Assembled {
    pub(super) table: Table,
    pub(super) beyond: Vec<Beyond>,
    /// The same, of what changes nothing that a table does, so that it isn't compared.
    pub(super) unsaid: Vec<Unsaid>,
}

/// The collation of JSON, which is a text on MariaDB.
const JSON_COLLATION: &str = "utf8mb4_bin";

pub(super) fn assemble(flavor: Flavor, parsed: &Parsed) -> Assembled {
    let mut assembling = Assembling {
        flavor,
        table: Table::new(&*parsed.name),
        beyond: Vec::new(),
        unsaid: Vec::new(),
    };
    assembling.options(parsed);
    assembling.table.columns.reserve_exact(parsed.columns.len());
    for column in &parsed.columns {
        assembling.column(parsed, column);
    }
    for key in &parsed.keys {
        assembling.key(key);
    }
    for check in &parsed.checks {
        let expression = flavor.lexicon().unparenthesised(&check.condition);
        assembling.table.checks.push(Check::new(&check.name, expression));
        if !check.is_enforced {
            assembling.part(PartKind::Check, &check.name, "is NOT ENFORCED");
        }
    }
    for key in &parsed.foreign_keys {
        assembling.table.foreign_keys.push(ForeignKey {
            name: key.name.clone(),
            columns: key.columns.clone(),
            references_table: key.target.clone(),
            references_columns: key.target_columns.clone(),
            on_delete: action(&key.on_delete),
            on_update: action(&key.on_update),
            deferrable: None,
        });
    }
    assembling.finish()
}

/// The action with this name. Without one, and with any other, rows that are referred to stay.
fn action(name: &str) -> ReferentialAction {
    match name {
        "CASCADE" => ReferentialAction::Cascade,
        "SET NULL" => ReferentialAction::SetNull,
        "SET DEFAULT" => ReferentialAction::SetDefault,
        _ => ReferentialAction::NoAction,
    }
}

struct Assembling {
    flavor: Flavor,
    table: Table,
    beyond: Vec<Beyond>,
    unsaid: Vec<Unsaid>,
}

impl Assembling {
    fn unsaid(&mut self, text: String) {
        self.unsaid.push(Unsaid { table: Some(self.table.name.clone()), text });
    }

    fn beyond(&mut self, columns: Vec<String>, part: Option<Part>, text: String) {
        self.beyond.push(Beyond { table: self.table.name.clone(), columns, part, text });
    }

    fn part(&mut self, kind: PartKind, name: &str, text: &str) {
        let part = Part { kind, name: Some(name.to_owned()), content: String::new() };
        self.beyond(Vec::new(), Some(part), text.to_owned());
    }

    fn options(&mut self, parsed: &Parsed) {
        for (name, value) in &parsed.options {
            match name.as_str() {
                "COMMENT" => {
                    self.table.comment = Some(value.clone()).filter(|text| !text.is_empty());
                }
                "AUTO_INCREMENT" => {}
                "COLLATE" => self.table.collation = Some(value.clone()),
                "CHARSET" if parsed.option("COLLATE").is_none() => {
                    self.table.collation = Some(charset::default_of(value));
                }
                "CHARSET" => {}
                "ENGINE" if value.eq_ignore_ascii_case("InnoDB") => {}
                "ENGINE" => self.table.engine = Some(value.clone()),
                // MariaDB writes it for all tables of Aria.
                "PAGE_CHECKSUM" if value == "1" => {}
                name => self.beyond(Vec::new(), None, format!("has {name}={value}")),
            }
        }
        let own = self.flavor.collation();
        self.table.collation = self.table.collation.take().filter(|name| name != own);
        for words in &parsed.unknown {
            self.beyond(Vec::new(), None, format!("has `{words}`"));
        }
    }

    fn column(&mut self, parsed: &Parsed, part: &ColumnPart) {
        let flavor = self.flavor;
        let definition = &part.definition;
        let name = || vec![part.name.clone()];
        let (mut ty, odd_width) = types::read_with_width(flavor, &definition.ty);
        let is_json = definition.check.as_ref().is_some_and(|check| {
            let valid = format!("json_valid({})", super::flavor::quote(&part.name));
            flavor.lexicon().same_expression(check, &valid)
        });
        let either = |collation: Option<&str>, charset: Option<&str>| {
            collation.map(str::to_owned).or_else(|| charset.map(charset::default_of))
        };
        let collation = || {
            either(definition.collate.as_deref(), definition.charset.as_deref())
                .or_else(|| either(parsed.option("COLLATE"), parsed.option("CHARSET")))
        };
        // Another collation compares in another way, which only a text says.
        let is_json = is_json && collation().is_none_or(|own| own == JSON_COLLATION);
        if let Some(width) = odd_width {
            let text = format!(
                "column `{}.{}` is shown in a width of {width}, as `{}`",
                self.table.name, part.name, definition.ty
            );
            self.unsaid(text);
        }
        if is_json && ty == Type::Text {
            ty = Type::Json;
        } else if let Some(check) = &definition.check {
            // It has the column's name, and no constraint can be dropped by it.
            let expression = flavor.lexicon().unparenthesised(check);
            self.table.checks.push(Check::new("", expression));
        }
        let mut column = Column::new(&part.name, ty.clone());
        column.nullable = definition.nullable;
        let default = definition.default.as_ref();
        column.default = default.and_then(|text| constant::read(flavor, text, &ty));
        column.autoincrement = definition.auto_increment.then_some(true);
        column.generated = definition.generated.as_ref().map(|(expression, stored)| Generated {
            expression: flavor.lexicon().unparenthesised(expression).into(),
            stored: *stored,
        });
        column.comment = definition.comment.clone().filter(|comment| !comment.is_empty());
        if types::is_collated(flavor, &ty) {
            column.collation = collation().filter(|name| name != flavor.collation());
        }
        let is_now = |now: &str| {
            let own = super::literal::now_of_session(flavor, &ty);
            own.is_some_and(|own| own.eq_ignore_ascii_case(now.trim_end_matches("()")))
        };
        match &definition.on_update {
            Some(now) if is_now(now) => column.on_update_now = true,
            Some(now) => self.beyond(name(), None, format!("has ON UPDATE {now}")),
            None => {}
        }
        column.invisible = definition.invisible;
        if !part.unknown.is_empty() {
            self.beyond(name(), None, format!("has `{}`", part.unknown.join(" ")));
        }
        self.table.columns.push(column);
    }

    fn key(&mut self, key: &KeyPart) {
        let plain: Option<Vec<String>> = key
            .terms
            .iter()
            .map(|term| term.column.clone().filter(|_| term.prefix.is_none() && !term.descending))
            .collect();
        if let Some(words) = key.words() {
            self.part(PartKind::Index, &key.name, &format!("has `{words}`"));
        }
        if key.is_hashed() && !self.is_hashed(key) {
            let (name, table) = (&key.name, &self.table.name);
            self.unsaid(format!("index `{name}` of table `{table}` is declared `USING HASH`"));
        }
        match (key.kind.as_str(), plain) {
            ("PRIMARY", Some(columns)) => {
                self.table.primary_key = Some(PrimaryKey { name: "PRIMARY".to_owned(), columns });
            }
            ("UNIQUE", Some(columns)) => {
                let name = key.name.clone();
                self.table.uniques.push(Unique { name, columns, ..Unique::default() });
            }
            ("PRIMARY", None) => {
                let prefix =
                    |term: &Term| Some(format!("`{}`({})", term.column.as_ref()?, term.prefix?));
                let prefixes: Vec<String> = key.terms.iter().filter_map(prefix).collect();
                let text = format!("has only the beginning of {}", prefixes.join(", "));
                let kind = PartKind::PrimaryKey;
                let part = Part { kind, name: None, content: String::new() };
                self.beyond(Vec::new(), Some(part), text);
            }
            (kind, _) => {
                let mut index = Index { name: key.name.clone(), ..Index::default() };
                match kind {
                    "FULLTEXT" | "SPATIAL" => index.using = Some(kind.to_ascii_lowercase()),
                    "" | "UNIQUE" | "KEY" => {}
                    kind => self.part(PartKind::Index, &key.name, &format!("is {kind}")),
                }
                index.unique = kind == "UNIQUE";
                index.columns = key.terms.iter().map(|term| self.term(key, term)).collect();
                self.table.indexes.push(index);
            }
        }
    }

    /// Whether MariaDB itself has chosen a hash, for values that are too long for a key.
    fn is_hashed(&self, key: &KeyPart) -> bool {
        let columns: Vec<String> =
            key.terms.iter().filter_map(|term| term.column.clone()).collect();
        key.kind == "UNIQUE" && size::is_hashed(self.flavor, &self.table, &columns)
    }

    fn term(&mut self, key: &KeyPart, term: &Term) -> IndexColumn {
        let mut column = match &term.column {
            Some(name) => IndexColumn::new(name),
            None => {
                let lexicon = self.flavor.lexicon();
                IndexColumn::expression(lexicon.unparenthesised(&term.expression))
            }
        };
        column.descending = term.descending;
        let (Some(name), Some(prefix)) = (&term.column, term.prefix) else { return column };
        let names = key.terms.iter().filter_map(|term| term.column.as_ref());
        let own = ddl::room(self.flavor, &self.table, &names.collect::<Vec<_>>());
        if !ddl::is_long(self.flavor, &self.table, name) || prefix != own {
            column.prefix = Some(prefix);
        }
        column
    }

    fn finish(mut self) -> Assembled {
        // What a key would generate by itself is said, too.
        let key = match &self.table.primary_key {
            Some(PrimaryKey { columns, .. }) if columns.len() == 1 => Some(columns[0].clone()),
            _ => None,
        };
        let mut generating = Vec::new();
        for column in &mut self.table.columns {
            let is_key = key.as_ref().is_some_and(|key| key.eq_ignore_ascii_case(&column.name));
            let generates = column.autoincrement == Some(true);
            if generates && !is_key {
                generating.push(column.name.clone());
                column.autoincrement = None;
            }
            if is_key && column.ty.is_integer() {
                column.autoincrement = Some(generates);
            }
        }
        for name in generating {
            self.beyond(vec![name], None, "generates its values".to_owned());
        }
        // The indexes that foreign keys have for themselves.
        let names: Vec<String> =
            self.table.foreign_keys.iter().map(|key| key.name.clone()).collect();
        for name in names {
            let Some(at) = self.table.indexes.iter().position(|index| index.name == name) else {
                continue;
            };
            let index = self.table.indexes.remove(at);
            let key = self.table.foreign_keys.iter().find(|key| key.name == name);
            let columns: Vec<_> = index
                .columns
                .iter()
                .map(|column| match &column.term {
                    IndexTerm::Column(name) if !column.descending => name.clone(),
                    IndexTerm::Column(_) | IndexTerm::Expression(_) => String::new(),
                })
                .collect();
            let is_own = !keys::serves(&self.table, &columns)
                && key.is_some_and(|key| key.columns == columns);
            if !is_own {
                self.table.indexes.insert(at, index);
            }
        }
        if self.flavor.is_mariadb() {
            super::hidden::fold(&mut self.table);
        }
        Assembled { table: self.table, beyond: self.beyond, unsaid: self.unsaid }
    }
}
