//! Models in every place where models are allowed; each compiles without a warning.
#![allow(non_camel_case_types)]

use super::{check, id};
use dbmigrate_runtime::Model;
use dbmigrate_runtime::schema::{Column, ForeignKey, ReferentialAction, Table, Type};

macro_rules! model {
    ($(#[$attr:meta])* $name:ident { $($field:ident: $ty:ty = $length:expr,)* }) => {
        $(#[$attr])*
        #[derive(Model)]
        struct $name {
            #[model(primary_key)]
            id: i64,
            $(#[model(length = $length)] $field: $ty,)*
        }
    };
}

model!(
    /// Made by a macro.
    Made { name: String = 10, other: Option<String> = 20, }
);

#[test]
fn made_by_a_macro() {
    let record = check::<Made>(
        Table::new("made")
            .column(id())
            .column(Column::new("name", Type::String(10)).not_null())
            .column(Column::new("other", Type::String(20)))
            .primary_key("pk_made", ["id"]),
    );
    assert_eq!(record.docs.as_deref(), Some("Made by a macro."));
}

macro_rules! child {
    ($name:ident of $parent:path, $on_delete:ident, $default:expr, $ty:ty) => {
        #[derive(Model)]
        #[model(unique(id, $name))]
        struct $name {
            #[model(primary_key)]
            id: i64,
            #[model(references = $parent, on_delete = $on_delete, default = $default)]
            $name: $ty,
        }
    };
}

child!(child of super::User, cascade, -5, Option<i64>);

#[test]
fn made_by_a_macro_that_says_everything() {
    check::<child>(
        Table::new("child")
            .column(id())
            .column(Column::new("child", Type::BigInteger).default(-5))
            .primary_key("pk_child", ["id"])
            .unique("uq_child_id_child", ["id", "child"])
            .foreign_key(
                ForeignKey::new("fk_child_child_user", ["child"], "user", ["id"])
                    .on_delete(ReferentialAction::Cascade),
            ),
    );
}

fn generic<T: Default>() -> T {
    #[derive(Model)]
    struct InGeneric {
        #[model(primary_key)]
        id: i64,
    }
    check::<InGeneric>(Table::new("in_generic").column(id()).primary_key("pk_in_generic", ["id"]));
    T::default()
}

#[test]
fn in_generic_functions_and_closures() {
    generic::<u8>();
    let closure = || {
        #[derive(Model)]
        struct r#struct {
            #[model(primary_key)]
            r#fn: i64,
        }
        let key = Column::new("fn", Type::BigInteger).not_null();
        check::<r#struct>(Table::new("struct").column(key).primary_key("pk_struct", ["fn"]));
    };
    closure();
}

#[derive(Model)]
#[repr(C, packed)]
struct Packed {
    #[model(primary_key)]
    #[allow(dead_code)]
    id: i64,
    #[cfg(any())]
    never: Missing,
}

#[test]
fn packed_and_with_fields_left_out() {
    check::<Packed>(Table::new("packed").column(id()).primary_key("pk_packed", ["id"]));
}

#[derive(Model)]
struct Bounded<'a, 'b: 'a>
where
    'a: 'a,
{
    #[model(primary_key)]
    id: &'a i64,
    b: &'b str,
}

#[deprecated]
#[derive(Model)]
struct Old {
    #[model(primary_key)]
    #[deprecated]
    id: i64,
}

/// Names of the prelude that have another meaning here.
#[test]
fn shadowed_names() {
    #[allow(dead_code)]
    struct Option;
    #[allow(dead_code)]
    struct str;
    #[allow(dead_code)]
    struct Model;
    #[allow(dead_code)]
    mod core {}
    const RECORD: usize = 4;

    #[derive(dbmigrate_runtime::Model)]
    struct Shadow {
        #[model(primary_key)]
        id: i64,
        bytes: [u8; RECORD],
    }

    let bytes = Column::new("bytes", Type::FixedBinary(4)).not_null();
    let expected = Table::new("shadow").column(id()).column(bytes);
    check::<Shadow>(expected.primary_key("pk_shadow", ["id"]));
    check::<Bounded<'_, '_>>(
        Table::new("bounded")
            .column(id())
            .column(Column::new("b", Type::Text).not_null())
            .primary_key("pk_bounded", ["id"]),
    );
}
