// What the compiler finds in constants: foreign keys, and attributes that don't fit a type.
use dbmigrate_runtime::{Columns, Model};

mod other {
    #[derive(dbmigrate_runtime::Model)]
    #[model(primary_key(a, b), table = "others")]
    pub struct Other<'a> {
        a: i64,
        b: &'a str,
        #[model(column = "number", unique)]
        c: i32,
        #[model(skip)]
        d: i32,
    }

    #[derive(dbmigrate_runtime::Model)]
    #[model(no_primary_key)]
    pub struct NoKey {
        #[model(unique)]
        a: i64,
    }

    #[derive(dbmigrate_runtime::Columns)]
    #[model(unique(e, f))]
    pub struct Part {
        e: i64,
        f: i64,
    }

    #[derive(dbmigrate_runtime::Model)]
    #[model(
        unique(a, b),
        index(columns(c), unique, where = "c > 0"),
        index(columns(sql("d")), unique),
        index(columns(g), unique)
    )]
    pub struct Uniques {
        #[model(primary_key)]
        id: i64,
        #[model(index)]
        a: i64,
        b: i64,
        #[model(column = "sea")]
        c: i64,
        d: i64,
        g: i64,
        #[model(flatten)]
        part: Part,
    }
}

#[derive(Model)]
#[model(
    foreign_key(columns(b, a), references = other::Other), //~ error: the column type of `b` is text, but that of `Other::a` is big integer
    //~^ error: the column type of `a` is big integer, but that of `Other::b` is text
    foreign_key(columns(a, b), references = other::Other, on_delete = set_null), //~ error: `on_delete = set_null` needs a nullable column, but `a` is not an `Option`
    //~^ error: `on_delete = set_null` needs a nullable column, but `b` is not an `Option`
    foreign_key(columns(a), references = other::Other), //~ error: the primary key of `Other` has two columns, but the foreign key has one column
    foreign_key(columns(a, b), references = other::Other(a, x)), //~ error: `Other` has no field `x`
)]
struct References {
    #[model(primary_key)]
    id: i64,
    #[model(references = other::Other::e)] //~ error: `Other` has no field `e`
    a: i64,
    #[model(references = other::Other::d)] //~ error: `Other` has no field `d`
    b: String,
    #[model(references = other::Other::c)] //~ error: the column type of `c` is big integer, but that of `Other::c` is integer
    c: i64,
    #[model(references = other::NoKey)] //~ error: `NoKey` has no primary key to refer to; name the field, as in `references = NoKey::field`
    d: i64,
    #[model(references = Self, on_update = set_null)] //~ error: `on_update = set_null` needs a nullable column, but `e` is not an `Option`
    e: i64,
    #[model(references = other::Other::number, on_update = set_null)]
    f: Option<i32>,
    #[model(references = other::NoKey(a), nullable, on_delete = set_null)]
    g: i64,
}

#[derive(Model)]
#[model(
    foreign_key(columns(a, b), references = other::Uniques(b, a)),
    foreign_key(columns(a, b), references = other::Uniques(f, e)),
    foreign_key(columns(a, b), references = other::Uniques(a, e)), //~ error: `Uniques::a` and `Uniques::e` are neither the primary key of `Uniques` nor unique together, so a foreign key cannot refer to them; write `unique(...)` on the struct there
    foreign_key(columns(a, b), references = other::Uniques(a, id)), //~ error: `Uniques::a` and `Uniques::id` are neither the primary key
)]
struct Unreferable {
    #[model(primary_key)]
    id: i64,
    #[model(references = other::Uniques::a)] //~ error: `Uniques::a` is neither the primary key of `Uniques` nor unique, so a foreign key cannot refer to it; write `#[model(unique)]` there, or refer to the key
    a: i64,
    #[model(references = other::Uniques::sea)] //~ error: `Uniques::sea` is neither the primary key of `Uniques` nor unique
    b: i64,
    #[model(references = other::Uniques::d)] //~ error: `Uniques::d` is neither
    c: i64,
    #[model(references = other::Uniques::g, on_delete = set_default)] //~ error: `on_delete = set_default` needs a default, but `d` has none and is not an `Option`
    d: i64,
    #[model(references = other::Uniques::id, on_update = set_default, default = 1)]
    e: i64,
    #[model(references = other::Uniques, on_delete = set_default)]
    f: Option<i64>,
}

#[derive(Model)]
struct Defaults<'a> {
    #[model(primary_key)]
    id: i64,
    #[model(default = now)] //~ error: the default is the time, but the column type of `a` is big integer
    a: i64,
    #[model(default = now)] //~ error: the default is the time, but the column type of `b` is boolean
    b: bool,
    #[model(default = now)] //~ error: the default is the time, but the column type of `c` is binary
    c: Vec<u8>,
    #[model(default = now)] //~ error: the default is the time, but the column type of `d` is double
    d: Option<f64>,
    #[model(default = 300)] //~ error: the default is outside 0 to 255, the range of the column type of `e`: tiny unsigned
    e: u8,
    #[model(default = -1)] //~ error: the default is outside 0 to 4294967295, the range of the column type of `f`: unsigned
    f: Option<u32>,
    #[model(default = 2)] //~ error: the default is outside 0 to 1, the range of the column type of `g`: boolean
    g: bool,
    #[model(default = true)] //~ error: the default is a boolean, but the column type of `h` is integer
    h: i32,
    #[model(default = 1.5)] //~ error: the default is a fractional number, but the column type of `i` is integer
    i: i32,
    #[model(default = "yes")] //~ error: the default is a string, but the column type of `j` is boolean
    j: bool,
    #[model(default = "bytes")] //~ error: the default is a string, but the column type of `k` is binary
    k: &'a [u8],
    #[model(default = b"abc")] //~ error: the default has a different number of bytes than `l` holds
    l: [u8; 2],
    #[model(default = "ab")] //~ error: the default has more characters than `m` holds
    m: char,
    #[model(default = "")] //~ error: the default is an empty string, but the column type of `none` is char
    none: Option<char>,
    #[model(default = b"a")] //~ error: the default is bytes, but the column type of `n` is text
    n: String,
    #[model(default = now)]
    o: String,
    #[model(type = Boolean, default = true)]
    p: i32,
    #[model(default = 127)]
    q: i8,
}

#[derive(Model)]
struct Types {
    #[model(primary_key, autoincrement)] //~ error: `autoincrement` is for integers, but the column type of `id` is text
    id: String,
    #[model(length = 10)] //~ error: `length` is for text, but the column type of `a` is integer
    a: Option<i32>,
    #[model(collate = "NOCASE")] //~ error: `collate` is for text, but the column type of `b` is binary
    b: Vec<u8>,
    #[model(precision = 10, scale = 2)] //~ error: `precision` is for decimal numbers, but the column type of `c` is double
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
struct NoKey { //~ error: `NoKey` and the groups that it flattens have no primary key; write `#[model(primary_key)]` on a field or `#[model(no_primary_key)]` on the struct
    #[model(flatten)]
    plain: Plain,
}

#[derive(Model)]
struct TwoKeys {
    #[model(flatten)]
    one: Key,
    #[model(flatten)]
    two: Key, //~ error: this group brings the primary key `id`, but `TwoKeys` already has a primary key or `no_primary_key`
    //~^ error: this group brings a column `id`, which already exists
}

#[derive(Model)]
#[model(primary_key(id))]
struct TwoColumns {
    #[model(flatten)]
    first: Plain, //~ error: this group brings a column `a`, which already exists
    id: i32,
    #[model(column = "a")]
    b: i64,
}

#[derive(dbmigrate_runtime::ColumnType)]
#[model(length = 3)] //~ error: `length` is for text, but the column type of `Small` is small integer
struct Small(i16);
