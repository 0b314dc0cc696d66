// Types that don't implement what an attribute or a field needs.
use dbmigrate_runtime::{Columns, Model};

struct Opaque;

#[derive(Model)]
struct Fields {
    #[model(primary_key)]
    id: usize, //~ error: `usize` is not a column type
    a: Opaque, //~ error: `Opaque` is not a column type
    b: Option<std::time::Instant>, //~ error: `Instant` is not a column type
    c: Vec<u128>, //~ error: `u128` is not a column type
    #[model(flatten)]
    d: Opaque, //~ error: `Opaque` is not a group of columns
    #[model(references = Opaque)] //~ error: `Opaque` is not a model
    e: i64,
    #[model(references = Opaque::id)] //~ error: `Opaque` is not a model
    f: i64,
    #[model(references = Group::a)] //~ error: Group` is not a model
    g: i64,
}

#[derive(Columns)]
struct Group {
    a: i64,
}
