// Values that the key doesn't accept.
use dbmigrate_runtime::Model;

#[derive(Model)]
#[model(
    table = users, //~ error: expected `table = "..."`
    schema = "billing.eu", //~ error: a schema's name can't contain a dot, which separates it from the table's
    renamed_from = "", //~ error: `renamed_from` takes a string that isn't empty
    rename_all = "Snake", //~ error: unknown rule "Snake"; the rules are "lowercase", "UPPERCASE", "PascalCase", "camelCase", "snake_case"
    comment, //~ error: expected `comment = "..."`
    strict = true, //~ error: `strict` doesn't take a value
    database(x), //~ error: expected `database = "..."`
    check, //~ error: expected `check("...")`, `check(name = "...", expr = "...")` or `check(sqlite = "...", postgres = "...", mysql = "...")`
    check(name = "x"), //~ error: expected `check("...")`, `check(name = "...", expr = "...")` or `check(sqlite = "...", postgres = "...", mysql = "...")`
    check(expr = "a", where = "b"), //~ error: unknown option `where`; expected `name`, `expr`, `sqlite`, `postgres`, `mysql` or `mariadb`
    check(expr = "a", sqlite = "b"), //~ error: `expr` is for all databases; write it or one for each of them
    check(sqlite = "a", sqlite = "b"), //~ error: `sqlite` is given twice
    index(name = "z", columns(id), where = sql(oracle = "b")), //~ error: unknown option `oracle`; expected `sqlite`, `postgres`, `mysql` or `mariadb`
    index(sql()), //~ error: expected `index(a, b desc)`
    unique, //~ error: expected `unique(a, b)` or `unique(name = "...", columns(a, b), nulls_not_distinct, include(c), deferrable = "...")`
    unique(), //~ error: expected the names of fields
    unique(name = "x"), //~ error: expected `unique(a, b)` or
    index(name = "x", columns(id), name = "y"), //~ error: `name` is given twice
    index(id descending), //~ error: expected `desc`, `collate "..."`, `prefix 20`, `opclass "..."`, `nulls_first`, `nulls_last` or `,` after a column
    index(name = "n", columns(id), nulls_not_distinct), //~ error: `nulls_not_distinct` is for unique indexes; add `unique`
    exclude, //~ error: expected `exclude(name = "...", using = "gist", elements(a with "=", b with "&&"), where = "...")`
    exclude(using = "gist"), //~ error: expected `exclude(name = "...", using = "gist"
    exclude(elements(id)), //~ error: an element needs an operator, as in `room with "="`
    exclude(elements(id when "=")), //~ error: expected `with "..."` after an element
    exclude(columns(id with "=")), //~ error: unknown option `columns`; expected `name`, `using`, `elements` or `where`
    index(id with "="), //~ error: expected `desc`, `collate "..."`, `prefix 20`, `opclass "..."`, `nulls_first`, `nulls_last` or `,` after a column
    index(name = "i", columns(id), include(nothing)), //~ error: there is no field `nothing`; the fields are
    unique(name = "u", columns(id), deferrable = "later"), //~ error: expected `deferrable = "initially deferred"` or `deferrable = "initially immediate"`
    sqlite, //~ error: expected `sqlite(strict, without_rowid)`
    mysql(motor = "InnoDB"), //~ error: unknown option `motor`; expected `engine`, `charset` or `collate`
    postgres(logged), //~ error: unknown option `logged`; expected `unlogged`, `with` or `tablespace`
    index(3), //~ error: expected the name of a field
    crate = "x", //~ error: expected `crate = path`
)]
struct OnStruct {
    #[model(primary_key)]
    id: i64,
    #[model(length = "10")] //~ error: expected `length = 100`
    a: String,
    #[model(length = -1)] //~ error: expected a number from 0 to 4294967295
    b: String,
    #[model(length = 4294967296)] //~ error: expected a number from 0 to 4294967295
    c: String,
    #[model(length = 0)] //~ error: a `length` of 0 leaves no room for text
    d: String,
    #[model(length)] //~ error: expected `length = 100`
    e: String,
    #[model(column = 3)] //~ error: expected `column = "..."`
    f: String,
    #[model(default = Status::Draft)] //~ error: expected `default = 0`, `default = "text"`, `default = now` or `default = sql("...")`
    g: String,
    #[model(default = 18446744073709551615)] //~ error: expected a number that fits a signed 64-bit integer
    h: u64,
    #[model(default = -"x")] //~ error: expected `default = 0`
    i: String,
    #[model(default = now())] //~ error: expected `default = 0`
    j: String,
    #[model(type = Varchar(3))] //~ error: unknown column type `Varchar`; expected `Boolean`, `TinyInteger`, `SmallInteger`
    k: String,
    #[model(type = Decimal(10))] //~ error: expected `Decimal(precision, scale)`
    l: i64,
    #[model(type = Decimal(2, 10))] //~ error: expected `Decimal(precision, scale)`
    m: i64,
    #[model(type = Text(3))] //~ error: expected `Text`
    n: String,
    #[model(type = raw(oracle = "x"))] //~ error: unknown option `oracle`; expected `sqlite`, `postgres`, `mysql` or `mariadb`
    o: String,
    #[model(type = raw)] //~ error: expected `type = Decimal(10, 2)`, `type = raw("...")` or `type = raw(sqlite = "...", postgres = "...", mysql = "...")`
    p: String,
    #[model(type = "citext")] //~ error: expected `type = Decimal(10, 2)`
    q: String,
    #[model(generated("a"))] //~ error: expected `generated("...", stored)` or `generated("...", virtual)`
    r: i64,
    #[model(generated(sqlite = "a"))] //~ error: expected `generated("...", stored)` or `generated("...", virtual)`
    s2: i64,
    #[model(default = sql(postgres = ""))] //~ error: `default` takes a string that isn't empty
    s3: i64,
    #[model(generated("a", always))] //~ error: expected `generated("...", stored)` or `generated("...", virtual)`
    s: i64,
    #[model(autoincrement = 3)] //~ error: expected `autoincrement` or `autoincrement = false`
    t: i64,
    #[model(unique(columns(t)))] //~ error: unknown option `columns`; expected `name`
    u: i64,
    #[model(check("a" "b"))] //~ error: expected `check("...")`, `check(name = "...", expr = "...")` or `check(sqlite = "...", postgres = "...", mysql = "...")`
    v: i64,
    #[model(identity = sometimes)] //~ error: expected `identity = always|by_default|serial`
    v2: i64,
    #[model(references = User::id, on_delete = nullify)] //~ error: expected `on_delete = ` and `no_action`, `restrict`, `cascade`, `set_null` or `set_default`
    w: i64,
    #[model(references = User::id, deferrable = "deferred")] //~ error: expected `deferrable = "initially deferred"` or `deferrable = "initially immediate"`
    x: i64,
    #[model(references = user)] //~ error: `user` is not the name of a model; write `references = Model::user`, or `references = user(field)` if that is its name
    y: i64,
    #[model(references = "user.id")] //~ error: expected `references = Other`, `references = Other::field` or `references = Other(field)`
    z: i64,
}
