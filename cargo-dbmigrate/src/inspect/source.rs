//! The source code of models.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;

use dbmigrate_runtime::engine::Backend;
use dbmigrate_runtime::engine::sql;
use dbmigrate_runtime::schema::{
    Column, ForeignKey, Index, IndexColumn, IndexTerm, Nulls, PrimaryKey, Table, TableOption, Type,
    Unique,
};

use super::attribute::{
    Key, actions, attribute, comment, default, deferrable, is_said_by_comment, named,
};
use super::code::{ColumnCode, Model, Style};
use super::declare::{self, Declared};
use super::enumerations::{self, Enumerations};
use super::in_code::{self, Names};
use super::names;
use super::rust_types::{self, RustType};
use crate::render::text;
use crate::threads;

/// Whether an enum of Rust can have these values: it has some, and a variant has no empty name.
pub(super) fn has_variants(values: &[String]) -> bool {
    !values.is_empty() && values.iter().all(|value| !value.is_empty())
}

/// The models of the tables that are asked for, in their order, with the foreign keys that no model
/// can have.
pub(super) fn models(tables: &[Declared], style: &Style<'_>) -> (Vec<Model>, Vec<String>) {
    // No struct gets the name of one that is there.
    let names = style.existing.values().filter_map(|model| model.path.rsplit("::").next());
    let names = names.chain(style.taken.iter().map(String::as_str));
    let mut used: BTreeSet<String> = names.map(str::to_owned).collect();
    let names = Names::of(tables, style, &mut used);
    let mut enumerations = Enumerations::of(style.enumerations);
    let mut left_out = Vec::new();
    // An enumeration that is declared beside an existing model has a path for all others.
    let is_new = |place: &usize| !style.existing.contains_key(&tables[*place].table.name);
    let is_asked = |place: &usize| style.asked.contains(&tables[*place].table.name);
    let mut places: Vec<usize> = (0..tables.len()).filter(is_asked).collect();
    places.sort_by_key(is_new);
    let writer = |place: usize| {
        let table = &tables[place].table;
        Writer { table, names: &names, own: &names[&table.name], style }
    };
    let mut parts = Vec::new();
    for place in places {
        let writer = writer(place);
        left_out.extend(writer.left_out());
        parts.push((place, writer.enums(&mut used, &mut enumerations)));
    }
    parts.sort_by_key(|(place, _)| *place);
    let models = threads::mapped(&parts, |(place, enums)| writer(*place).model(enums));
    (models, left_out)
}

/// The code of a field.
struct Field {
    code: String,
    /// Its type.
    rust: String,
    /// The feature of the runtime that the type lacks.
    lacks: Option<&'static str>,
}

/// The enums of a table's columns.
#[derive(Default)]
struct Enums {
    /// By the places of the columns.
    of_columns: BTreeMap<usize, EnumOfColumn>,
    /// The names of those that exist, or that another table has declared.
    others: BTreeSet<String>,
}

struct EnumOfColumn {
    /// As the field names it.
    name: String,
    /// Its code, if it is declared beside the struct.
    declared: Option<String>,
}

/// Writes the code of one table.
#[derive(Clone, Copy)]
struct Writer<'a> {
    table: &'a Table,
    names: &'a Names<'a>,
    own: &'a in_code::Table<'a>,
    style: &'a Style<'a>,
}

/// The parts of a table that attributes of fields say.
#[derive(Default)]
struct OnFields {
    uniques: BTreeSet<usize>,
    indexes: BTreeSet<usize>,
    foreign_keys: BTreeSet<usize>,
    /// The keys of their attributes, by column.
    keys: BTreeMap<String, Vec<Key>>,
}

impl Writer<'_> {
    /// The foreign keys to tables without a model, in words.
    fn left_out(&self) -> impl Iterator<Item = String> + '_ {
        let table = self.table;
        table.foreign_keys.iter().filter(|key| !self.names.has_model(key)).map(|key| {
            format!(
                "foreign key on `{}` of table `{}`: there is no model of `{}`",
                key.columns.join("`, `"),
                table.name,
                key.references_table
            )
        })
    }

    /// The enums of the columns. A new one reserves its name, and later tables may share it.
    fn enums(&self, used: &mut BTreeSet<String>, shared: &mut Enumerations) -> Enums {
        let table = self.table;
        let existing = self.style.existing.get(&table.name);
        let user = existing.map(|model| model.path.as_str());
        let mut enums = Enums::default();
        for (place, column) in table.columns.iter().enumerate() {
            let element = match &column.ty {
                Type::Array(of) => of,
                ty => ty,
            };
            let listed = self.own.listed.get(&column.name);
            let (in_database, values) = match (element, listed) {
                (Type::Enum(in_database, values), _) => (in_database.as_str(), values),
                // A listed one is a text by what its field says.
                (_, Some(values)) => ("enum", values),
                _ => continue,
            };
            let has_field = existing.is_some_and(|model| model.fields.contains_key(&column.name));
            if !has_variants(values) || has_field {
                continue;
            }
            // Only PostgreSQL's have a name of their own, under which tables share them.
            let is_named = !["", "enum"].contains(&in_database);
            if let Some(found) = shared.find(in_database, user).filter(|_| is_named) {
                enums.others.insert(found.clone());
                enums.of_columns.insert(place, EnumOfColumn { name: found, declared: None });
                continue;
            }
            let wanted = if is_named {
                names::of_type(in_database)
            } else {
                let model = self.name().rsplit("::").next().unwrap_or_default();
                let model = model.trim_start_matches("r#").trim_end_matches('_');
                format!("{model}{}", names::of_type(&column.name))
            };
            let own = names::unused(wanted, used);
            if is_named {
                shared.add(in_database, user, &own);
            }
            let code = enumerations::code((&own, in_database), values, &self.style.comparing);
            enums.of_columns.insert(place, EnumOfColumn { name: own, declared: Some(code) });
        }
        enums
    }

    /// The name of the struct.
    fn name(&self) -> &str {
        &self.own.model
    }

    fn model(&self, enums: &Enums) -> Model {
        let (table, name) = (self.table, self.name());
        let on_fields = self.on_fields();
        let (mut fields, mut columns) = (String::new(), Vec::new());
        for (place, column) in table.columns.iter().enumerate() {
            let own = enums.of_columns.get(&place);
            let enumeration = own.map(|own| own.name.clone());
            let Field { code: field, rust, lacks } =
                self.field(column, enumeration.as_deref(), &on_fields);
            fields += &field;
            columns.push(ColumnCode {
                column: column.name.clone(),
                field,
                rust,
                enumeration,
                declared: own.and_then(|own| own.declared.clone()),
                lacks,
            });
        }
        let declared: Vec<&EnumOfColumn> =
            enums.of_columns.values().filter(|own| own.declared.is_some()).collect();
        let keys = table.foreign_keys.iter();
        let targets = keys.filter_map(|key| self.names.of_table(&key.references_table));
        let targets = targets.map(|target| &target.model);
        let mut refers_to: BTreeSet<String> =
            targets.chain(&enums.others).filter(|other| *other != name).cloned().collect();
        refers_to.retain(|other| !declared.iter().any(|own| own.name == *other));
        let mut code = String::new();
        for text in declared.iter().filter_map(|own| own.declared.as_deref()) {
            let _ = writeln!(code, "{text}");
        }
        code += &comment(table.comment.as_deref(), "");
        code += "#[derive(Model)]\n";
        code += &attribute(&self.struct_keys(name, &on_fields), "");
        let _ = write!(code, "pub struct {name} {{\n{fields}}}\n");
        Model {
            table: table.name.clone(),
            name: name.to_owned(),
            code,
            has_enumeration: !declared.is_empty(),
            refers_to,
            columns,
        }
    }

    fn field(&self, column: &Column, enumeration: Option<&str>, on_fields: &OnFields) -> Field {
        let natural = self.own.natural.get(column.name.as_str()).copied().unwrap_or(&column.ty);
        let listed = self.own.listed.get(&column.name).and(enumeration);
        let natural = if enumeration.is_some() && listed.is_none() { &column.ty } else { natural };
        let mut ty = rust_types::of(&column.ty, natural, self.style.crates, enumeration);
        if let Some(name) = listed {
            ty = RustType { text: name.to_owned(), said: Some(column.ty.clone()), lacks: None };
        }
        if self.own.worded.contains(&column.name) {
            ty.said = Some(column.ty.clone());
        }
        let key = self.table.primary_key.as_ref();
        let is_key = key.is_some_and(|key| key.columns.contains(&column.name));
        let is_option = column.nullable && !is_key;
        let rust = if is_option { format!("Option<{}>", ty.text) } else { ty.text };
        let mut keys = Vec::new();
        let field = self.own.field(&column.name);
        if field != column.name {
            keys.push(Key::Plain(format!("column = {}", text(&column.name))));
        }
        keys.extend(on_fields.keys.get(&column.name).into_iter().flatten().cloned());
        let mut add = |key: String| keys.push(Key::Plain(key));
        match &ty.said {
            Some(ty) => add(format!("type = {}", self.said(ty))),
            None => match &column.ty {
                Type::String(length) => add(format!("length = {length}")),
                Type::Decimal(precision, scale) => {
                    add(format!("precision = {precision}"));
                    add(format!("scale = {scale}"));
                }
                _ => {}
            },
        }
        column.default.as_ref().and_then(default).into_iter().for_each(&mut add);
        if let Some(generated) = &column.generated {
            let how = if generated.stored { "stored" } else { "virtual" };
            add(format!("generated({}, {how})", text(&generated.expression)));
        }
        if let Some(collation) = &column.collation {
            add(format!("collate = {}", text(collation)));
        }
        let mut mysql = Vec::new();
        mysql.extend(column.on_update_now.then_some("on_update_now"));
        mysql.extend(column.invisible.then_some("invisible"));
        if !mysql.is_empty() {
            add(format!("mysql({})", mysql.join(", ")));
        }
        self.comment_key(column.comment.as_deref()).into_iter().for_each(&mut add);
        let field = names::written(field);
        let comment = comment(column.comment.as_deref(), "    ");
        let code = format!("{comment}{}    pub {field}: {rust},\n", attribute(&keys, "    "));
        Field { code, rust, lacks: ty.lacks }
    }

    /// A column type as `type = ...` names it.
    fn said(&self, ty: &Type) -> String {
        match ty {
            Type::Raw(words) => format!("raw({})", text(words)),
            Type::Array(_) | Type::Enum(..) | Type::PerDialect(_) => {
                format!("raw({})", text(&self.in_own_words(ty)))
            }
            ty => format!("{ty:?}"),
        }
    }

    /// A column type in the database's own words.
    fn in_own_words(&self, ty: &Type) -> String {
        match ty {
            Type::Enum(name, _) if !name.is_empty() && self.style.backend == Backend::Postgres => {
                sql::quote(name)
            }
            Type::Array(of) => format!("{}[]", self.in_own_words(of)),
            ty => (self.style.comparing.ty)(ty),
        }
    }

    /// The attribute for a comment, unless the doc comment says it.
    fn comment_key(&self, comment: Option<&str>) -> Option<String> {
        let comment = comment?;
        let is_said = self.style.doc_comments && is_said_by_comment(comment);
        (!is_said).then(|| format!("comment = {}", text(comment)))
    }

    /// What is said about the columns in the attributes of their fields: keys, uniques, indexes and
    /// references of one column under the names of the convention.
    fn on_fields(&self) -> OnFields {
        let Writer { table, names, style, .. } = self;
        let mut on_fields = OnFields::default();
        let bare = table.bare_name();
        let mut add = |column: &str, key: String| {
            on_fields.keys.entry(column.to_owned()).or_default().push(Key::Plain(key));
        };
        let key = table.primary_key.as_ref().filter(|key| self.has_usual_name(key));
        if let Some([column]) = key.map(|key| key.columns.as_slice()) {
            add(column, "primary_key".to_owned());
        }
        let usual = declare::generated_anyway(table, &style.comparing);
        for column in &table.columns {
            let is_usual = usual == Some(column.name.as_str());
            if let Some(on) = column.autoincrement.filter(|_| !is_usual) {
                let on = if on { "autoincrement" } else { "autoincrement = false" };
                add(&column.name, on.to_owned());
            }
            if let Some(identity) = column.identity {
                add(&column.name, format!("identity = {}", identity.key()));
            }
        }
        for (place, unique) in table.uniques.iter().enumerate() {
            let conventional = style.naming.unique(bare, &unique.columns);
            if let ([column], true) = (&*unique.columns, unique.is_plain()) {
                if unique.name.is_empty() || unique.name == conventional {
                    add(column, "unique".to_owned());
                    on_fields.uniques.insert(place);
                }
            }
        }
        for (place, index) in table.indexes.iter().enumerate() {
            if let [IndexColumn { term: IndexTerm::Column(column), .. }] = &*index.columns {
                let name = style.naming.index(bare, &index.columns);
                if *index == Index::new(&name, [column.as_str()]) {
                    add(column, "index".to_owned());
                    on_fields.indexes.insert(place);
                }
            }
        }
        for (place, key) in table.foreign_keys.iter().enumerate() {
            let conventional = style.naming.foreign_key(bare, &key.columns, &key.references_table);
            let [column] = &*key.columns else { continue };
            let is_named = !key.name.is_empty() && key.name != conventional;
            let is_taken = on_fields
                .foreign_keys
                .iter()
                .any(|place| table.foreign_keys[*place].columns == key.columns);
            if is_named || is_taken || !names.has_model(key) {
                continue;
            }
            add(column, format!("references = {}", self.target(key)));
            for said in actions(key) {
                add(column, said);
            }
            on_fields.foreign_keys.insert(place);
        }
        on_fields
    }

    /// The struct that a foreign key refers to, with the columns unless they are its primary key.
    fn target(&self, key: &ForeignKey) -> String {
        let target = &self.names[&key.references_table];
        let model = &target.model;
        if target.key == Some(&key.references_columns) {
            return model.clone();
        }
        match key.references_columns.as_slice() {
            [column] if target.field(column) == column => {
                format!("{model}::{}", names::written(column))
            }
            columns => format!("{model}({})", target.columns(columns)),
        }
    }

    /// Whether a primary key has no name of its own, or the one of the convention.
    fn has_usual_name(&self, key: &PrimaryKey) -> bool {
        let Style { naming, comparing, .. } = self.style;
        // Some databases call all of them the same.
        let is_kept = comparing.names_primary_keys || comparing.keeps_definitions;
        let usual = naming.primary_key(self.table.bare_name(), &key.columns);
        key.name.is_empty() || !is_kept || key.name == usual
    }

    fn struct_keys(&self, name: &str, on_fields: &OnFields) -> Vec<Key> {
        let Writer { table, names, own, style } = self;
        let columns = |columns: &[String]| own.columns(columns);
        let mut keys = Vec::new();
        if let Some(schema) = &table.schema {
            keys.push(Key::Plain(format!("schema = {}", text(schema))));
        }
        if names::snake(name) != table.bare_name() {
            keys.push(Key::Plain(format!("table = {}", text(table.bare_name()))));
        }
        match &table.primary_key {
            None => keys.push(Key::Plain("no_primary_key".to_owned())),
            Some(key) if !self.has_usual_name(key) => {
                let name = format!("name = {}", text(&key.name));
                let columns = format!("columns({})", columns(&key.columns));
                keys.push(Key::List("primary_key", vec![name, columns]));
            }
            Some(key) if key.columns.len() > 1 => {
                keys.push(Key::Plain(format!("primary_key({})", columns(&key.columns))));
            }
            Some(_) => {}
        }
        let mut postgres = Vec::new();
        for option in TableOption::of(style.backend).filter(|option| table.has(*option)) {
            let key = option.key().to_owned();
            match option.backend() {
                Backend::Postgres => postgres.push(key),
                _ => keys.push(Key::Plain(key)),
            }
        }
        postgres.extend(table.with.as_ref().map(|with| format!("with({})", text(with))));
        let tablespace = table.tablespace.as_ref();
        postgres.extend(tablespace.map(|name| format!("tablespace = {}", text(name))));
        if !postgres.is_empty() {
            keys.push(Key::List("postgres", postgres));
        }
        let mysql = [("engine", &table.engine), ("collate", &table.collation)];
        let mysql: Vec<_> = mysql
            .into_iter()
            .filter_map(|(key, value)| Some(format!("{key} = {}", text(value.as_ref()?))))
            .collect();
        if !mysql.is_empty() {
            keys.push(Key::List("mysql", mysql));
        }
        let rest = |place: &usize, said: &BTreeSet<usize>| !said.contains(place);
        for (place, unique) in table.uniques.iter().enumerate() {
            if rest(&place, &on_fields.uniques) {
                keys.push(self.unique(unique));
            }
        }
        for (place, index) in table.indexes.iter().enumerate() {
            if rest(&place, &on_fields.indexes) {
                keys.push(self.index(index));
            }
        }
        for (place, key) in table.foreign_keys.iter().enumerate() {
            if rest(&place, &on_fields.foreign_keys) && names.has_model(key) {
                let mut parts = named(&key.name);
                parts.push(format!("columns({})", columns(&key.columns)));
                parts.push(format!("references = {}", self.target(key)));
                parts.extend(actions(key));
                keys.push(Key::List("foreign_key", parts));
            }
        }
        for check in &table.checks {
            let conventional = style.naming.table_check(table.bare_name(), &check.expression);
            let expression = text(&check.expression);
            keys.push(if check.name.is_empty() || check.name == conventional {
                Key::Plain(format!("check({expression})"))
            } else {
                let name = format!("name = {}", text(&check.name));
                Key::List("check", vec![name, format!("expr = {expression}")])
            });
        }
        keys.extend(self.comment_key(table.comment.as_deref()).map(Key::Plain));
        keys
    }

    fn unique(&self, unique: &Unique) -> Key {
        let columns = |columns: &[String]| self.own.columns(columns);
        let conventional = self.style.naming.unique(self.table.bare_name(), &unique.columns);
        let is_named = !unique.name.is_empty() && unique.name != conventional;
        if !is_named && unique.is_plain() {
            return Key::Plain(format!("unique({})", columns(&unique.columns)));
        }
        let mut parts = if is_named { named(&unique.name) } else { Vec::new() };
        parts.push(format!("columns({})", columns(&unique.columns)));
        if !unique.include.is_empty() {
            parts.push(format!("include({})", columns(&unique.include)));
        }
        if unique.nulls_not_distinct {
            parts.push("nulls_not_distinct".to_owned());
        }
        parts.extend(unique.deferrable.map(deferrable));
        Key::List("unique", parts)
    }

    fn index(&self, index: &Index) -> Key {
        let is_exclusion = index.is_exclusion();
        let columns: Vec<String> = index
            .columns
            .iter()
            .map(|column| {
                let mut part = match &column.term {
                    IndexTerm::Column(name) => self.own.column(name),
                    IndexTerm::Expression(sql) => format!("sql({})", text(sql)),
                };
                if let Some(prefix) = column.prefix {
                    part += &format!(" prefix {prefix}");
                }
                if let Some(opclass) = &column.opclass {
                    part += &format!(" opclass {}", text(opclass));
                }
                if let Some(collation) = &column.collation {
                    part += &format!(" collate {}", text(collation));
                }
                part += if column.descending { " desc" } else { "" };
                part += match column.nulls {
                    None => "",
                    Some(Nulls::First) => " nulls_first",
                    Some(Nulls::Last) => " nulls_last",
                };
                if let Some(operator) = &column.operator {
                    part += &format!(" with {}", text(operator));
                }
                part
            })
            .collect();
        let mut parts = named(&index.name);
        let list = if is_exclusion { "elements" } else { "columns" };
        parts.push(format!("{list}({})", columns.join(", ")));
        if index.unique {
            parts.push("unique".to_owned());
        }
        if let Some(method) = &index.using {
            parts.push(format!("using = {}", text(method)));
        }
        if !index.include.is_empty() {
            let include = self.own.columns(&index.include);
            parts.push(format!("include({include})"));
        }
        if index.nulls_not_distinct {
            parts.push("nulls_not_distinct".to_owned());
        }
        if let Some(with) = &index.with {
            parts.push(format!("with({})", text(with)));
        }
        if let Some(filter) = &index.filter {
            parts.push(format!("where = {}", text(filter)));
        }
        let word = if is_exclusion { "exclude" } else { "index" };
        Key::List(word, parts)
    }
}
