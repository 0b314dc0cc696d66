// Keys that are unknown, misplaced, duplicated, or that lack something they need.
use dbmigrate_runtime::{Columns, Model};

#[derive(Model)]
#[model(tabel = "users")] //~ error: unknown key `tabel` (did you mean `table`?); the keys of a model's struct are `table`, `schema`, `rename_all`
#[model(lenght = 10, strict, "x")] //~ error: unknown key `lenght`; the keys of a model's struct are
//~^ error: expected a key; the keys of a model's struct are `table`
#[model(length = 10)] //~ error: `length` is not a key of a model's struct; it belongs on a field, as `length = 100`
struct OnStruct {
    #[model(primary_key)]
    id: i64,
    #[model(lenght = 10)] //~ error: unknown key `lenght` (did you mean `length`?); the keys of a field are `renamed_from`, `primary_key`
    a: String,
    #[model(table = "x", unique, unique)] //~ error: `table` is not a key of a field; it belongs on a model's struct, as `table = "..."`
    //~^ error: `unique` is given twice
    b: String,
    #[model] //~ error: this attribute is empty; write `#[model(...)]`
    c: String,
    #[model = "x"] //~ error: this attribute is empty; write `#[model(...)]`
    d: String,
    #[model(unique index)] //~ error: expected `unique`
    e: String,
    #[model(flatten(x))] //~ error: `flatten` doesn't take a value
    f: i64,
    #[model(length = 3 unique)] //~ error: expected `,` between keys
    g: String,
    #[model()]
    h: String,
}

#[derive(Model)]
#[model(strict, table = "a", table = "b", strict)] //~ error: `table` is given twice
//~^ error: `strict` is given twice
struct Twice {
    #[model(primary_key)]
    id: i64,
}

#[derive(Columns)]
#[model(table = "group")] //~ error: `table` is not a key of a `Columns` struct; it belongs on a model's struct
struct Group {
    a: i64,
}
