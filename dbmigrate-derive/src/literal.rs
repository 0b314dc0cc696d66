//! Encodes what the macro knows about a struct as bytes: the literal of its record.
//!
//! `dbmigrate_runtime::engine::record` decodes it. Its keywords are those of the attributes.

use crate::ast::{Field, Struct};
use crate::attr::Place;
use crate::value::{Actions, Check, DefaultValue, Index, Names, Spanned, Sql, Ty, Unique};

/// The literal for the record of a model or a group.
pub(crate) fn literal(model: &Struct<'_>) -> Vec<u8> {
    let mut out = Writer::default();
    match model.place {
        Place::Model => {
            out.text("model").text(&model.name).number(line(model.ident)).text(&model.table());
        }
        _ => {
            out.text("columns");
        }
    }
    out.struct_facts(model);
    out.number(model.members().count() as u32);
    for field in model.members() {
        out.field(field);
    }
    out.bytes
}

fn line(ident: &proc_macro2::Ident) -> u32 {
    ident.span().start().line as u32
}

#[derive(Default)]
struct Writer {
    bytes: Vec<u8>,
}

/// The text of a key that was given.
fn text_of(text: &Option<Spanned<String>>) -> Option<&str> {
    text.as_ref().map(|text| text.value.as_str())
}

impl Writer {
    /// Seven bits per byte, lowest first; the eighth bit is set in all bytes but the last.
    fn number(&mut self, mut number: u32) -> &mut Writer {
        while number > 127 {
            self.bytes.push(number as u8 | 128);
            number >>= 7;
        }
        self.bytes.push(number as u8);
        self
    }

    fn flag(&mut self, flag: bool) -> &mut Writer {
        self.number(flag.into())
    }

    fn blob(&mut self, bytes: &[u8]) -> &mut Writer {
        self.number(bytes.len() as u32);
        self.bytes.extend_from_slice(bytes);
        self
    }

    fn text(&mut self, text: &str) -> &mut Writer {
        self.blob(text.as_bytes())
    }

    /// Writes a text, or an empty one for `None`.
    fn optional(&mut self, text: Option<&crate::value::Spanned<String>>) -> &mut Writer {
        self.text(text.map_or("", |text| &text.value))
    }

    fn names(&mut self, names: &Names) -> &mut Writer {
        self.number(names.len() as u32);
        for name in names {
            self.text(&name.value);
        }
        self
    }

    fn pairs(&mut self, pairs: &[(String, String)]) -> &mut Writer {
        self.number(pairs.len() as u32);
        for (key, text) in pairs {
            self.text(key).text(text);
        }
        self
    }

    /// Writes the texts of some databases; without any, the text for all.
    fn sql(&mut self, sql: &Sql) -> &mut Writer {
        self.pairs(&sql.by_database);
        if sql.by_database.is_empty() {
            self.text(&sql.any);
        }
        self
    }

    /// Writes a keyword and its text, if there is one.
    fn keyword(&mut self, word: &str, text: Option<&str>) -> &mut Writer {
        if let Some(text) = text {
            self.text(word).text(text);
        }
        self
    }

    fn struct_facts(&mut self, model: &Struct<'_>) {
        let attrs = &model.attrs;
        self.keyword("renamed_from", text_of(&attrs.renamed_from))
            .keyword("schema", text_of(&attrs.schema))
            .keyword("docs", model.docs.as_deref())
            .keyword("comment", text_of(&attrs.comment))
            .keyword("database", text_of(&attrs.database));
        if attrs.keys.get("unmanaged").is_some() {
            self.text("unmanaged");
        }
        for option in &attrs.options {
            self.text(option);
        }
        self.keyword("with", text_of(&attrs.with))
            .keyword("tablespace", text_of(&attrs.tablespace))
            .keyword("engine", text_of(&attrs.mysql.engine))
            .keyword("charset", text_of(&attrs.mysql.charset))
            .keyword("collate", text_of(&attrs.mysql.collate));
        if let Some(names) = &attrs.primary_key {
            self.text("primary_key").names(names);
        }
        self.keyword("primary_key_name", text_of(&attrs.primary_key_name));
        for unique in &attrs.uniques {
            self.unique(unique, None);
        }
        for index in &attrs.indexes {
            self.index(index, None);
        }
        for check in &attrs.checks {
            self.check(check);
        }
        for key in &attrs.foreign_keys {
            self.text("foreign_key").optional(key.name.as_ref()).names(&key.columns);
            self.actions(&key.actions);
        }
        self.text("");
    }

    fn unique(&mut self, unique: &Unique, of: Option<&str>) {
        self.text("unique").optional(unique.name.as_ref());
        match of {
            Some(field) => self.number(1).text(field),
            None => self.names(&unique.columns),
        };
        self.flag(unique.nulls_not_distinct).names(&unique.include);
        self.optional(unique.deferrable.as_ref());
    }

    fn index(&mut self, index: &Index, of: Option<&str>) {
        let word = if index.is_exclusion() { "exclude" } else { "index" };
        self.text(word).optional(index.name.as_ref()).flag(index.unique);
        self.flag(index.filter.is_some());
        if let Some(filter) = &index.filter {
            self.sql(filter);
        }
        self.optional(index.using.as_ref()).names(&index.include);
        self.flag(index.nulls_not_distinct.is_some()).optional(index.with.as_ref());
        self.flag(index.concurrently);
        if let Some(field) = of {
            self.number(1).flag(false).text(field).text("").flag(false).number(0).text("").text("");
            return;
        }
        self.number(index.terms.len() as u32);
        for term in &index.terms {
            self.flag(term.sql.is_some());
            match &term.sql {
                Some(sql) => self.sql(sql),
                None => self.text(&term.what.value),
            };
            self.optional(term.collation.as_ref()).flag(term.descending);
            self.number(term.prefix.unwrap_or_default());
            self.optional(term.opclass.as_ref()).text(term.nulls);
        }
        for operator in index.terms.iter().filter_map(|term| term.operator.as_ref()) {
            self.text(&operator.value);
        }
    }

    fn check(&mut self, check: &Check) {
        self.text("check").optional(check.name.as_ref()).sql(&check.expression);
    }

    fn actions(&mut self, actions: &Actions) {
        self.optional(actions.on_delete.as_ref())
            .optional(actions.on_update.as_ref())
            .optional(actions.deferrable.as_ref());
    }

    fn field(&mut self, field: &Field<'_>) {
        if field.attrs.has("flatten") {
            self.text("flatten").text(&field.name).number(line(field.ident));
            return;
        }
        let column = if field.column == field.name { "" } else { &field.column };
        self.text("column").text(&field.name).number(line(field.ident)).text(column);
        self.field_facts(field);
        self.text("");
    }

    fn field_facts(&mut self, field: &Field<'_>) {
        let attrs = &field.attrs;
        self.keyword("renamed_from", text_of(&attrs.renamed_from))
            .keyword("docs", field.docs.as_deref())
            .keyword("comment", text_of(&attrs.comment))
            .keyword("collate", text_of(&attrs.collate));
        if attrs.has("primary_key") {
            self.text("primary_key").number(1).text(&field.name);
        }
        if let Some(switch) = &attrs.autoincrement {
            self.text("autoincrement").flag(switch.value);
        }
        self.keyword("identity", text_of(&attrs.identity));
        self.keyword("charset", text_of(&attrs.mysql.charset));
        for option in &attrs.mysql.options {
            self.text(option);
        }
        if let Some(length) = &attrs.length {
            self.text("length").number(length.value);
        }
        if let (Some(precision), Some(scale)) = (&attrs.precision, &attrs.scale) {
            self.text("type").text("Decimal").number(precision.value).number(scale.value);
        }
        if let Some(ty) = &attrs.ty {
            self.ty(ty);
        }
        if attrs.has("nullable") || attrs.has("not_null") {
            self.text("nullable").flag(attrs.has("nullable"));
        }
        if let Some(default) = &attrs.default {
            self.default_value(default);
        }
        if let Some(generated) = &attrs.generated {
            self.text("generated").sql(&generated.expression).flag(generated.stored);
        }
        if let Some(unique) = &attrs.unique {
            self.unique(unique, Some(&field.name));
        }
        if let Some(index) = &attrs.index {
            self.index(index, Some(&field.name));
        }
        if let Some(check) = &attrs.check {
            self.check(check);
        }
        if attrs.references.is_some() {
            self.text("foreign_key").text("").number(1).text(&field.name);
            self.actions(&attrs.actions);
        }
    }

    fn ty(&mut self, ty: &Ty) {
        match ty {
            Ty::Named(name, numbers) => {
                self.text("type").text(name);
                for number in numbers {
                    self.number(*number);
                }
            }
            Ty::Raw(sql) => {
                self.text("raw").text(sql);
            }
            Ty::PerDialect(types) => {
                self.text("per_dialect").pairs(types);
            }
        }
    }

    fn default_value(&mut self, default: &DefaultValue) {
        self.text("default");
        match default {
            DefaultValue::Bool(default) => self.text("bool").flag(*default),
            DefaultValue::Integer(default) => self.text("integer").text(&default.to_string()),
            DefaultValue::Real(default) => self.text("real").text(default),
            DefaultValue::Text(default) => self.text("text").text(default),
            DefaultValue::Blob(bytes) => self.text("blob").blob(bytes),
            DefaultValue::Now => self.text("now"),
            DefaultValue::Sql(default) => self.text("sql").sql(default),
        };
    }
}
