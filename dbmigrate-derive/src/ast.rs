//! What a struct declares: the stage between its syntax and the generated code.

use proc_macro2::{Ident, Span};
use syn::ext::IdentExt;
use syn::punctuated::Punctuated;
use syn::{Attribute, DeriveInput, Generics, Meta, Path, Token, Type};

use crate::attr::{self, Keys, Place};
use crate::case::{self, Rule};
use crate::ctxt::Ctxt;
use crate::value::{
    Actions, Check, DefaultValue, ForeignKey, Generated, Index, Mysql, Names, Reader, Reference,
    Spanned, Ty, Unique,
};

type Text = Spanned<String>;

/// A model or a group of columns.
pub(crate) struct Struct<'a> {
    pub(crate) place: Place,
    pub(crate) ident: &'a Ident,
    pub(crate) name: String,
    pub(crate) generics: &'a Generics,
    pub(crate) docs: Option<String>,
    pub(crate) is_packed: bool,
    pub(crate) attrs: StructAttrs,
    pub(crate) fields: Vec<Field<'a>>,
}

/// The attributes of a struct.
#[derive(Default)]
pub(crate) struct StructAttrs {
    pub(crate) keys: Keys,
    pub(crate) table: Option<Text>,
    pub(crate) schema: Option<Text>,
    pub(crate) rename_all: Option<Rule>,
    pub(crate) renamed_from: Option<Text>,
    pub(crate) comment: Option<Text>,
    pub(crate) database: Option<Text>,
    /// Options of single databases: `strict`, `without_rowid`, `unlogged`.
    pub(crate) options: Vec<String>,
    pub(crate) with: Option<Text>,
    pub(crate) tablespace: Option<Text>,
    pub(crate) mysql: Mysql,
    pub(crate) primary_key: Option<Names>,
    pub(crate) primary_key_name: Option<Text>,
    pub(crate) uniques: Vec<Unique>,
    pub(crate) indexes: Vec<Index>,
    pub(crate) checks: Vec<Check>,
    pub(crate) foreign_keys: Vec<ForeignKey>,
    pub(crate) krate: Option<Path>,
}

/// A field that is a column or a group of columns.
pub(crate) struct Field<'a> {
    pub(crate) ident: &'a Ident,
    /// The name, without `r#`.
    pub(crate) name: String,
    pub(crate) column: String,
    pub(crate) ty: &'a Type,
    pub(crate) docs: Option<String>,
    pub(crate) attrs: FieldAttrs,
}

/// The attributes of a field.
#[derive(Default)]
pub(crate) struct FieldAttrs {
    pub(crate) keys: Keys,
    pub(crate) column: Option<Text>,
    pub(crate) renamed_from: Option<Text>,
    pub(crate) comment: Option<Text>,
    pub(crate) collate: Option<Text>,
    pub(crate) autoincrement: Option<Spanned<bool>>,
    pub(crate) identity: Option<Text>,
    pub(crate) mysql: Mysql,
    pub(crate) length: Option<Spanned<u32>>,
    pub(crate) precision: Option<Spanned<u32>>,
    pub(crate) scale: Option<Spanned<u32>>,
    pub(crate) ty: Option<Ty>,
    pub(crate) unique: Option<Unique>,
    pub(crate) index: Option<Index>,
    pub(crate) check: Option<Check>,
    pub(crate) default: Option<DefaultValue>,
    pub(crate) references: Option<Reference>,
    pub(crate) actions: Actions,
    pub(crate) generated: Option<Generated>,
}

impl FieldAttrs {
    pub(crate) fn has(&self, key: &str) -> bool {
        self.keys.get(key).is_some()
    }
}

impl<'a> Struct<'a> {
    pub(crate) fn read(
        cx: &Ctxt,
        input: &'a DeriveInput,
        fields: &'a Punctuated<syn::Field, Token![,]>,
        place: Place,
    ) -> Struct<'a> {
        let attrs = StructAttrs::read(cx, &input.attrs, place);
        let fields =
            fields.iter().filter_map(|field| Field::read(cx, field, attrs.rename_all)).collect();
        Struct {
            place,
            ident: &input.ident,
            name: input.ident.unraw().to_string(),
            generics: &input.generics,
            docs: attr::docs(&input.attrs),
            is_packed: input.attrs.iter().any(is_packed),
            attrs,
            fields,
        }
    }

    /// The table's name, after its schema.
    pub(crate) fn table(&self) -> String {
        let table = match &self.attrs.table {
            Some(table) => table.value.clone(),
            None => case::snake(&self.name),
        };
        match &self.attrs.schema {
            Some(schema) => format!("{}.{table}", schema.value),
            None => table,
        }
    }

    /// The field with this name, or else the field whose column has this name.
    pub(crate) fn find(&self, name: &str) -> Option<&Field<'a>> {
        self.columns()
            .find(|field| field.name == name)
            .or_else(|| self.columns().find(|field| field.column == name))
    }

    /// The fields that are columns.
    pub(crate) fn columns(&self) -> impl Iterator<Item = &Field<'a>> {
        self.fields.iter().filter(|field| !field.attrs.has("skip") && !field.attrs.has("flatten"))
    }

    /// The fields that are columns or groups of columns.
    pub(crate) fn members(&self) -> impl Iterator<Item = &Field<'a>> {
        self.fields.iter().filter(|field| !field.attrs.has("skip"))
    }

    /// The fields that are groups of columns.
    pub(crate) fn groups(&self) -> impl Iterator<Item = &Field<'a>> {
        self.fields.iter().filter(|field| field.attrs.has("flatten"))
    }
}

/// `#[repr(packed)]`
fn is_packed(attr: &Attribute) -> bool {
    match &attr.meta {
        Meta::List(list) if list.path.is_ident("repr") => {
            list.tokens.to_string().contains("packed")
        }
        _ => false,
    }
}

impl StructAttrs {
    fn read(cx: &Ctxt, attrs: &[Attribute], place: Place) -> StructAttrs {
        let mut struct_attrs = StructAttrs::default();
        struct_attrs.keys = attr::keys(cx, attrs, place, |key, span, input| {
            let read = Reader { key, place, span };
            match key.name {
                "table" => struct_attrs.table = Some(read.text(input)?),
                "schema" => struct_attrs.schema = Some(read.schema(input)?),
                "rename_all" => struct_attrs.rename_all = Some(rule(&read.text(input)?)?),
                "renamed_from" => struct_attrs.renamed_from = Some(read.text(input)?),
                "comment" => struct_attrs.comment = Some(read.text(input)?),
                "database" => struct_attrs.database = Some(read.text(input)?),
                "primary_key" => {
                    let key = read.primary_key(input)?;
                    (struct_attrs.primary_key_name, struct_attrs.primary_key) =
                        (key.0, Some(key.1));
                }
                "unique" => struct_attrs.uniques.push(read.unique(input)?),
                "index" => struct_attrs.indexes.push(read.index(input)?),
                "exclude" => struct_attrs.indexes.push(read.exclude(input)?),
                "check" => struct_attrs.checks.push(read.check(input)?),
                "foreign_key" => struct_attrs.foreign_keys.push(read.foreign_key(input)?),
                "crate" => struct_attrs.krate = Some(read.path(input)?),
                "sqlite" => struct_attrs.options.extend(read.sqlite(input)?),
                "mysql" => struct_attrs.mysql = read.mysql(input)?,
                "postgres" => {
                    let postgres = read.postgres(input)?;
                    struct_attrs.options.extend(postgres.options);
                    struct_attrs.with = postgres.with;
                    struct_attrs.tablespace = postgres.tablespace;
                }
                "strict" | "without_rowid" => {
                    read.flag(input)?;
                    struct_attrs.options.push(key.name.to_owned());
                }
                // no_primary_key, unmanaged
                _ => drop(read.flag(input)?),
            }
            Ok(())
        });
        struct_attrs
    }
}

/// The rule for the value of `rename_all`.
pub(crate) fn rule(text: &Text) -> syn::Result<Rule> {
    Rule::named(&text.value).map_err(|message| syn::Error::new(text.span, message))
}

impl<'a> Field<'a> {
    fn read(cx: &Ctxt, field: &'a syn::Field, rename_all: Option<Rule>) -> Option<Field<'a>> {
        let ident = field.ident.as_ref()?;
        let name = ident.unraw().to_string();
        let attrs = FieldAttrs::read(cx, &field.attrs);
        let column = match (&attrs.column, rename_all) {
            (Some(name), _) => name.value.clone(),
            (None, Some(rule)) => rule.apply(&name),
            (None, None) => name.clone(),
        };
        let docs = attr::docs(&field.attrs);
        Some(Field { ident, name, column, ty: &field.ty, docs, attrs })
    }

    pub(crate) fn span(&self) -> Span {
        self.ident.span()
    }
}

impl FieldAttrs {
    fn read(cx: &Ctxt, attrs: &[Attribute]) -> FieldAttrs {
        let mut field_attrs = FieldAttrs::default();
        field_attrs.keys = attr::keys(cx, attrs, Place::Field, |key, span, input| {
            let read = Reader { key, place: Place::Field, span };
            match key.name {
                "column" => field_attrs.column = Some(read.text(input)?),
                "renamed_from" => field_attrs.renamed_from = Some(read.text(input)?),
                "comment" => field_attrs.comment = Some(read.text(input)?),
                "collate" => field_attrs.collate = Some(read.text(input)?),
                "autoincrement" => field_attrs.autoincrement = Some(read.switch(input)?),
                "mysql" => field_attrs.mysql = read.mysql(input)?,
                "identity" => field_attrs.identity = Some(read.identity(input)?),
                "length" => field_attrs.length = Some(read.number(input)?),
                "precision" => field_attrs.precision = Some(read.number(input)?),
                "scale" => field_attrs.scale = Some(read.number(input)?),
                "type" => field_attrs.ty = Some(read.ty(input)?),
                "unique" => field_attrs.unique = Some(read.unique(input)?),
                "index" => field_attrs.index = Some(read.index(input)?),
                "check" => field_attrs.check = Some(read.check(input)?),
                "default" => field_attrs.default = Some(read.default(input)?),
                "references" => field_attrs.references = Some(read.references(input)?),
                "on_delete" => field_attrs.actions.on_delete = Some(read.action(key.name, input)?),
                "on_update" => field_attrs.actions.on_update = Some(read.action(key.name, input)?),
                "deferrable" => field_attrs.actions.deferrable = Some(read.deferrable(input)?),
                "generated" => field_attrs.generated = Some(read.generated(input)?),
                // primary_key, nullable, not_null, skip, flatten
                _ => drop(read.flag(input)?),
            }
            Ok(())
        });
        field_attrs
    }
}
