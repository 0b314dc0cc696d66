// What can't be a model or a column type at all.
use dbmigrate_runtime::{ColumnType, Columns, Model};

#[derive(Model)]
struct Tuple(i64, String); //~ error: the fields of a tuple struct have no names for columns; a model is a struct with named fields, `struct Tuple { ... }`

#[derive(Model)]
struct Unit; //~ error: a unit struct has no columns; a model is a struct with named fields

#[derive(Model)]
struct Empty {} //~ error: a struct without fields has no columns; a model is a struct with named fields

#[derive(Model)]
enum Kind { //~ error: an enum has no columns; a model is a struct with named fields, `struct Kind { ... }`; to use it as the type of one column, derive `ColumnType`
    A,
}

#[derive(Columns)]
union Bits { //~ error: a union has no columns; a group of columns is a struct with named fields, `struct Bits { ... }`
    a: u32,
    b: f32,
}

#[derive(Model)]
struct Generic<T> { //~ error: a model can't have type parameters, since it stands for one table and not for one per `T`; only lifetimes are allowed
    #[model(primary_key)]
    id: T,
}

#[derive(Model)]
struct Const<'a, const N: usize> { //~ error: a model can't have const parameters, since it stands for one table and not for one per `N`; only lifetimes are allowed
    #[model(primary_key)]
    id: &'a [u8],
    hash: [u8; N],
}

#[derive(ColumnType)]
struct Pair(i64, i64); //~ error: a column type that is a struct has one field, `struct Pair(String)`, but this one has 2

#[derive(ColumnType)]
struct Nothing; //~ error: a column type that is a struct has one field, `struct Nothing(String)`, but this one has 0

#[derive(ColumnType)]
union Either { //~ error: a union can't be a column type; use a newtype, `struct Email(String)`, or an enum without data
    a: u32,
}

#[derive(ColumnType)]
enum Never {} //~ error: an enum without variants has no values to store

#[derive(ColumnType)]
#[column_type(text, name = "kind")] //~ error: `name` and `text` exclude each other: with `text`, the enumeration is no type that could have a name
enum Named {
    One,
}

#[derive(ColumnType)]
#[model(rename_al = "snake_case")] //~ error: unknown key `rename_al` (did you mean `rename_all`?); the keys of a `ColumnType` enum are `rename_all`, `name`, `text`, `crate`
enum Status {
    Draft,
    #[model(rename = "draft")] //~ error: another variant is already stored as "draft"
    Live,
    Done(i64), //~ error: a column stores the variant's name and nothing else, but `Done` has data
    #[model(value = "x")] //~ error: unknown key `value`; the keys of a variant of a `ColumnType` enum are `rename`
    Other,
}

#[derive(ColumnType)]
#[model(length = 3, type = Text, rename_all = "lowercase")] //~ error: `length` and `type` exclude each other: the type includes its length
//~^ error: `rename_all` is not a key of a `ColumnType` struct; it belongs on a model's struct
struct Email(String);
