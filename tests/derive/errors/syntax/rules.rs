// Keys that exclude each other, and keys that need another one.
use dbmigrate_runtime::Model;

#[derive(Model)]
#[model(no_primary_key)]
struct Exclusive {
    #[model(nullable, not_null)] //~ error: `nullable` and `not_null` exclude each other: a column is one or the other
    a: i64,
    #[model(length = 3, type = Text)] //~ error: `length` and `type` exclude each other: the type includes its length, as in `type = String(100)`
    b: String,
    #[model(precision = 3, scale = 1, type = Numeric)] //~ error: `precision` and `type` exclude each other
    //~^ error: `scale` and `type` exclude each other
    c: i64,
    #[model(precision = 3, scale = 1, length = 3)] //~ error: `length` and `precision` exclude each other: `length` is for text, `precision` for decimal numbers
    //~^ error: `length` and `scale` exclude each other
    d: i64,
    #[model(generated("a", stored), default = 3)] //~ error: `generated` and `default` exclude each other: a generated column is never inserted
    e: i64,
    #[model(unique, index)] //~ error: `index` and `unique` exclude each other: a unique column already has an index
    f: i64,
    #[model(skip, unique)] //~ error: `unique` and `skip` exclude each other: a skipped field is not a column
    g: i64,
    #[model(precision = 3)] //~ error: `precision` also needs `scale`, as in `precision = 10, scale = 2`
    h: i64,
    #[model(scale = 3)] //~ error: `scale` also needs `precision`, as in `precision = 10, scale = 2`
    i: i64,
    #[model(precision = 2, scale = 3)] //~ error: the `scale` is at most the `precision`, 2
    j: i64,
    #[model(on_delete = cascade, deferrable = "initially deferred")] //~ error: `on_delete` is for foreign keys, and `k` is not one; add `references = Other` or remove it
    //~^ error: `deferrable` is for foreign keys, and `k` is not one
    k: i64,
    #[model(autoincrement)] //~ error: only a primary key of a single column generates its values, and `l` is not one; add `primary_key` or remove `autoincrement`
    l: i64,
    #[model(column = "l")] //~ error: `l` is already the column of the field `l`
    m: i64,
    #[model(not_null, references = Keys::id, on_delete = set_null)] //~ error: `on_delete = set_null` and `not_null` exclude each other
    n: Option<i64>,
    #[model(precision = 0, scale = 0)] //~ error: a `precision` of 0 leaves no room for digits
    o: i64,
}

#[derive(Model)]
struct Keys {
    #[model(primary_key, unique)] //~ error: `unique` and `primary_key` exclude each other: a primary key is already unique
    id: i64,
    #[model(primary_key, nullable, index)] //~ error: a second primary key; for one key of several columns write `#[model(primary_key(id, second))]` on the struct
    //~^ error: `nullable` and `primary_key` exclude each other: a primary key is never NULL
    //~| error: `index` and `primary_key` exclude each other: a primary key already has an index
    second: i64,
}

#[derive(Model)]
struct NoKey { //~ error: `NoKey` has no primary key; write `#[model(primary_key)]` on a field, `#[model(primary_key(a, b))]` or `#[model(no_primary_key)]` on the struct
    a: i64,
}

#[derive(Model)]
#[model(no_primary_key, without_rowid)] //~ error: a table `without_rowid` needs a primary key
struct KeyAndNot {
    #[model(primary_key, autoincrement, default = 3)] //~ error: `primary_key` and `no_primary_key` exclude each other
    //~^ error: `autoincrement` and `default` exclude each other: a column's values come from one of them
    a: i64,
}

#[derive(Model)]
#[model(primary_key(a, b), no_primary_key)] //~ error: `primary_key` and `no_primary_key` exclude each other
struct ListAndNot {
    #[model(autoincrement)] //~ error: only a primary key of a single column generates its values, and `a` is not one
    a: i64,
    b: i64,
}

#[derive(Model)]
#[model(primary_key(a))]
struct ListAndField {
    #[model(primary_key)] //~ error: the struct's `primary_key(...)` already names the key; remove one of them
    a: i64,
}

#[derive(Model)]
#[model(
    primary_key(id, idd), //~ error: there is no field `idd`; the fields are `id`, `name` and `other`
    unique(naem), //~ error: there is no field `naem`; the fields are `id`, `name` and `other`
    unique(name, name), //~ error: `name` is listed twice
    index(nope desc, sql("lower(whatever)")), //~ error: there is no field `nope`
    index(hidden), //~ error: the field `hidden` is skipped, so it is not a column
    unique(name = "x", columns(name)),
    unique(name), //~ error: these columns are already unique
    index(name = "x", columns(other)), //~ error: the name `x` is already used in this struct
    foreign_key(columns(none), references = Keys(id)), //~ error: there is no field `none`
    foreign_key(columns(id, name), references = Keys(id)), //~ error: 2 columns can't refer to 1
    foreign_key(columns(id)), //~ error: expected `foreign_key(columns(a, b), references = Other(x, y))`
)]
struct Lists {
    id: i64,
    name: String,
    #[model(column = "third")]
    other: String,
    #[model(skip)]
    hidden: String,
}

#[derive(Model)]
#[model(no_primary_key)]
struct NothingLeft { //~ error: all fields of `NothingLeft` are skipped
    #[model(skip)]
    a: i64,
}

#[derive(Model)]
#[model(no_primary_key)]
struct Flattened {
    #[model(flatten, unique)] //~ error: `unique` and `flatten` exclude each other: a flattened field is a group of columns, whose own struct has the attributes
    a: i64,
}
