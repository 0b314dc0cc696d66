// What the compiler finds in constants: foreign keys, and attributes that a type doesn't fit.
use dbmigrate_runtime::{Columns, Model};

mod other {
    #[derive(dbmigrate_runtime::Model)]
    #[model(primary_key(a, b), table = "others")]
    pub struct Other<'a> {
        a: i64,
        b: &'a str,
        #[model(column = "number")]
        c: i32,
        #[model(skip)]
        d: i32,
    }

    #[derive(dbmigrate_runtime::Model)]
    #[model(no_primary_key)]
    pub struct NoKey {
        a: i64,
    }
}

#[derive(Model)]
#[model(
    foreign_key(columns(b, a), references = other::Other), //~ error: the column type of `b` is text, and that of `Other::a` is big integer
    //~^ error: the column type of `a` is big integer, and that of `Other::b` is text
    foreign_key(columns(a, b), references = other::Other, on_delete = set_null), //~ error: `on_delete = set_null` needs a column that takes NULL, and `a` is not an `Option`
    //~^ error: `on_delete = set_null` needs a column that takes NULL, and `b` is not an `Option`
    foreign_key(columns(a), references = other::Other), //~ error: the primary key of `Other` has two columns, and the foreign key has one column
    foreign_key(columns(a, b), references = other::Other(a, x)), //~ error: `Other` has no field `x`
)]
struct References {
    #[model(primary_key)]
    id: i64,
    #[model(references = other::Other::e)] //~ error: `Other` has no field `e`
    a: i64,
    #[model(references = other::Other::d)] //~ error: `Other` has no field `d`
    b: String,
    #[model(references = other::Other::c)] //~ error: the column type of `c` is big integer, and that of `Other::c` is integer
    c: i64,
    #[model(references = other::NoKey)] //~ error: `NoKey` has no primary key to refer to; name the field, as in `references = NoKey::field`
    d: i64,
    #[model(references = Self, on_update = set_null)] //~ error: `on_update = set_null` needs a column that takes NULL, and `e` is not an `Option`
    e: i64,
    #[model(references = other::Other::number, on_update = set_null)]
    f: Option<i32>,
    #[model(references = other::NoKey(a), nullable, on_delete = set_null)]
    g: i64,
}

#[derive(Model)]
struct Types {
    #[model(primary_key, autoincrement)] //~ error: `autoincrement` is for integers, and the column type of `id` is text
    id: String,
    #[model(length = 10)] //~ error: `length` is for text, and the column type of `a` is integer
    a: Option<i32>,
    #[model(collate = "NOCASE")] //~ error: `collate` is for text, and the column type of `b` is binary
    b: Vec<u8>,
    #[model(precision = 10, scale = 2)] //~ error: `precision` is for decimal numbers, and the column type of `c` is double
    c: f64,
}

#[derive(Columns)]
struct Key {
    #[model(primary_key)]
    id: i64,
}

#[derive(Columns)]
struct Plain {
    a: i64,
}

#[derive(Model)]
#[model(unique(a, b))] //~ error: there is no field `b`, in the flattened groups either
struct NoKey { //~ error: `NoKey` has no primary key, nor have the groups that it flattens; write `#[model(primary_key)]` on a field or `#[model(no_primary_key)]` on the struct
    #[model(flatten)]
    plain: Plain,
}

#[derive(Model)]
struct TwoKeys {
    #[model(flatten)]
    one: Key,
    #[model(flatten)]
    two: Key, //~ error: this group brings the primary key `id`, and `TwoKeys` says something else of its primary key already
    //~^ error: this group brings a column `id`, and there is one already
}

#[derive(Model)]
#[model(primary_key(id))]
struct TwoColumns {
    #[model(flatten)]
    first: Plain, //~ error: this group brings a column `a`, and there is one already
    id: i32,
    #[model(column = "a")]
    b: i64,
}

#[derive(dbmigrate_runtime::ColumnType)]
#[model(length = 3)] //~ error: `length` is for text, and the column type of `Small` is small integer
struct Small(i16);
