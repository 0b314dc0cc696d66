//! How Rust types map to a database: the traits behind the derive macros.
//!
//! [`Model`] is a struct that is a table, [`Columns`] is a struct whose fields are columns of
//! several tables, and [`ColumnType`] is a type of a single column. The derive macros never
//! interpret the name of a type: they generate code that asks these traits, and the compiler
//! answers.

#[doc(hidden)]
pub mod check;
mod foreign;
mod impls;
pub(crate) mod record;
mod ty;

use record::Record;
pub use ty::Ty;
pub(crate) use ty::{Kind, plain, plain_named, tag};

/// A struct that is a table.
///
/// `#[derive(Model)]` implements this trait. The constants belong to the macro, and their contents
/// may change in any version. The derive also leaves a record of the table in the compiler's
/// output, from which `cargo dbmigrate` reads the table without running the program.
///
/// A struct's fields are its columns, in the same order. A field's type determines the column's
/// type through [`ColumnType`]; `Option<T>` makes the column nullable. Everything else is given in
/// `#[model(...)]`, where fields are always referred to by their Rust names, in lists too.
///
/// # Example: *two tables and a foreign key*
///
/// ```
/// # #[cfg(feature = "derive")] {
/// use dbmigrate_runtime::Model;
///
/// #[derive(Model)]
/// pub struct User {
///     #[model(primary_key)]
///     pub id: i64,
///     #[model(length = 120, unique)]
///     pub email: String,
/// }
///
/// #[derive(Model)]
/// #[model(index(author_id, title))]
/// pub struct Post {
///     #[model(primary_key)]
///     pub id: i64,
///     #[model(references = User::id, on_delete = cascade)]
///     pub author_id: i64,
///     #[model(length = 200)]
///     pub title: String,
///     pub body: Option<String>,
/// }
///
/// assert_eq!(Post::TABLE, "post");
/// # }
/// ```
///
/// # On the struct
///
/// | key | meaning |
/// |---|---|
/// | `table = "..."` | the table's name; default: the struct's name in snake case |
/// | `schema = "..."` | the schema that contains the table, on PostgreSQL; other databases refuse it. The table is then called `schema.table` everywhere: in revisions, in `renamed_from`, in flags and in settings |
/// | `rename_all = "camelCase"` | the case of the column names |
/// | `renamed_from = "..."` | the table's previous name: the table is renamed, not dropped and created |
/// | `primary_key(a, b)`, `primary_key(name = "...", columns(a, b))` | a primary key of several columns, or one with a name of its own |
/// | `no_primary_key` | the table has no primary key |
/// | `unique(a, b)`, `unique(name = "...", columns(a, b))` | a unique constraint; also `nulls_not_distinct`, `include(c)` and `deferrable = "..."` |
/// | `index(a, b desc)`, `index(name = "...", columns(a, c collate "...", sql("...")), unique, where = "...")` | an index; also `using = "gin"`, `include(d)`, `nulls_not_distinct`, `with("fillfactor = 70")` and `concurrently`, and after a column `opclass "..."`, `nulls_first`, `nulls_last` or, on MySQL and MariaDB, `prefix 20`. There, `using` can be `fulltext` or `spatial` |
/// | `exclude(name = "...", using = "gist", elements(a with "=", b with "&&"), where = "...")` | an exclusion constraint of PostgreSQL: the operators of all elements must not hold between two rows |
/// | `check("...")`, `check(name = "...", expr = "...")`, `check(sqlite = "...", postgres = "...")` | a check constraint |
/// | `foreign_key(columns(a, b), references = Other(x, y), ...)` | a foreign key of several columns; also `name`, `on_delete`, `on_update` and `deferrable` |
/// | `comment = "..."` | the table's comment |
/// | `sqlite(strict, without_rowid)`, `strict`, `without_rowid` | SQLite's table options `STRICT` and `WITHOUT ROWID`; other databases ignore them |
/// | `postgres(unlogged, with("fillfactor = 70"), tablespace = "...")` | options of the table on PostgreSQL; other databases ignore them |
/// | `mysql(engine = "...", charset = "...", collate = "...")` | options of the table on MySQL and MariaDB; other databases ignore them. Without them, a table is stored by InnoDB, and its texts are `utf8mb4` and compared exactly |
/// | `database = "..."` | the database of the table, in a project with several |
/// | `unmanaged` | the table is never migrated, but other models can refer to it |
/// | `crate = path` | the path of `dbmigrate_runtime`, if the crate is renamed |
///
/// # On a field
///
/// | key | meaning |
/// |---|---|
/// | `primary_key` | this column is the primary key |
/// | `autoincrement`, `autoincrement = false` | a single integer key generates values and never uses one twice, or does not generate values; without either, it generates values and may reuse those of deleted rows |
/// | `identity = always`, `by_default` or `serial` | how an integer column generates its values on PostgreSQL; a key that generates values does so `by_default`. On SQLite only a key can |
/// | `column = "..."` | the column's name; default: the field's name |
/// | `renamed_from = "..."` | the column's previous name |
/// | `length = 100` | the maximum number of characters of a text |
/// | `precision = 10`, `scale = 2` | the number of digits of a decimal, and how many of them are after the decimal point |
/// | `type = Decimal(10, 2)`, `type = raw("...")`, `type = raw(sqlite = "...", postgres = "...", mysql = "...")` | another column type: a variant of [`schema::Type`](crate::schema::Type), or the database's own name for a type; `raw("")` is an SQLite column without a type |
/// | `unique`, `index`, `check("...")` | the same as on the struct, for this column |
/// | `default = 0`, `default = now`, `default = sql("...")` | the default: the value of new rows that don't give one |
/// | `references = Other::field`, `references = Other`, `references = Other(field)` | a foreign key; without a field it refers to the primary key |
/// | `on_delete`, `on_update` | `no_action`, `restrict`, `cascade`, `set_null` or `set_default` |
/// | `deferrable` | `"initially deferred"` or `"initially immediate"` |
/// | `generated("...", stored)`, `generated("...", virtual)` | a generated column |
/// | `collate = "..."`, `comment = "..."` | the column's collation and comment |
/// | `mysql(on_update_now, invisible, charset = "...")` | on MySQL and MariaDB: each change of the row sets the column to the time of the session; `SELECT *` leaves it out; the character set. Other databases ignore them |
/// | `nullable`, `not_null` | override what the field's type says |
/// | `skip` | the field is not a column |
/// | `flatten` | the field holds a struct with [`Columns`]; its fields become columns of this table |
///
/// # Indexes of servers
///
/// SQLite leaves out what only makes an index smaller or faster: `using`, `include`, `with`,
/// `concurrently`, `opclass`, `prefix` and the order of NULLs. It refuses what changes which rows a
/// table accepts: `nulls_not_distinct`, a `prefix` in a unique index, a `deferrable` unique
/// constraint, and `exclude`.
///
/// # SQL for each database
///
/// Wherever an attribute takes SQL, it takes one text for all databases or one for each:
/// `default = sql(sqlite = "...", postgres = "...", mysql = "...")`,
/// `check(name = "...", sqlite = "...", postgres = "...")`,
/// `generated(sqlite = "...", postgres = "...", stored)`, and in an index
/// `where = sql(sqlite = "...", postgres = "...")` and `columns(sql(sqlite = "...", postgres = "..."))`.
/// A revision has all of them. A database that needs one and has none refuses the revision while it
/// is planned.
///
/// # On a type of your own
///
/// `#[derive(Columns)]` on a struct takes `rename_all`, `primary_key`, `unique`, `index`,
/// `exclude`, `check`, `foreign_key` and `crate` as a model does, and everything that a field takes.
/// `#[derive(ColumnType)]` on a struct with one field (a newtype) or on an enum without data takes:
///
/// | key | on | meaning |
/// |---|---|---|
/// | `length = 100`, `type = ...` | a newtype | as on a field |
/// | `rename_all = "..."` | an enum | the case of the variants' names; default: snake case |
/// | `name = "..."`, also as `#[column_type(name = "...")]` | an enum | the name of the enumeration, in databases that name them |
/// | `text`, also as `#[column_type(text)]` | an enum | text with a check, also in databases with enumerations |
/// | `rename = "..."` | a variant | the name that is stored for this variant |
///
/// # Types
///
/// This table shows the column type of each Rust type, and what that is in each database.
/// `Option<T>` is a nullable `T`. References, `Box<T>` and `Cow<T>` are the same as `T`.
///
/// | Rust type | column type | SQLite | PostgreSQL | MySQL and MariaDB | values on SQLite |
/// |---|---|---|---|---|---|
/// | `bool` | `Boolean` | `BOOLEAN` | `boolean` | `tinyint(1)` | the integers 0 and 1 |
/// | `i8`, `i16` | `TinyInteger`, `SmallInteger` | `INTEGER` | `smallint` | `tinyint`, `smallint` | an integer |
/// | `i32`, `i64` | `Integer`, `BigInteger` | `INTEGER` | `integer`, `bigint` | `int`, `bigint` | an integer |
/// | `u8`, `u16`, `u32` | `TinyUnsigned`, `SmallUnsigned`, `Unsigned` | `INTEGER` | `smallint`, `integer`, `bigint` | `tinyint unsigned`, `smallint unsigned`, `int unsigned` | an integer |
/// | `u64` | `BigUnsigned` | `INTEGER` | `numeric(20, 0)` | `bigint unsigned` | an integer of at most 63 bits |
/// | `f32`, `f64` | `Float`, `Double` | `REAL` | `real`, `double precision` | `float`, `double` | a number |
/// | `String`, `str` | `Text` | `TEXT` | `text` | `longtext` | text |
/// | `String` with `length = n`; `char` has the length 1 | `String(n)` | `VARCHAR(n)` | `varchar(n)` | `varchar(n)` | text; SQLite doesn't enforce the length |
/// | any with `type = Decimal(p, s)`, or a decimal type with `precision = p, scale = s`; up to 15 digits | `Decimal(p, s)` | `DECIMAL(p, s)` | `numeric(p, s)` | `decimal(p, s)` | a number, or text that is a number; reading gives a number |
/// | the same with more than 15 digits | `Decimal(p, s)` | `TEXT` | `numeric(p, s)` | `decimal(p, s)` | text, which compares as text |
/// | `rust_decimal::Decimal`, `bigdecimal::BigDecimal` | `Numeric` | `TEXT` | `numeric` | `decimal` | text, which compares as text |
/// | `chrono::NaiveDate`, `time::Date`, `jiff::civil::Date` | `Date` | `DATE` | `date` | `date` | text: `2024-12-31` |
/// | `chrono::NaiveTime`, `time::Time`, `jiff::civil::Time` | `Time` | `TIME` | `time` | `time(6)` | text: `23:59:59`, optionally with a fraction |
/// | `chrono::NaiveDateTime`, `time::PrimitiveDateTime`, `jiff::civil::DateTime` | `DateTime` | `DATETIME` | `timestamp` | `datetime(6)` | text: `2024-12-31 23:59:59` |
/// | `chrono::DateTime`, `time::OffsetDateTime`, `jiff::Timestamp` | `Timestamp` | `DATETIME` | `timestamptz` | `timestamp(6)` | text: `2024-12-31 23:59:59+00:00` |
/// | `uuid::Uuid` | `Uuid` | `BLOB` | `uuid` | `binary(16)` | its 16 bytes |
/// | `serde_json::Value` | `Json` | `TEXT` | `jsonb` | `json` | text |
/// | `Vec<u8>`, `bytes::Bytes` | `Binary` | `BLOB` | `bytea` | `longblob` | bytes |
/// | `[u8; N]` | `FixedBinary(N)` | `BLOB` | `bytea` | `varbinary(N)` | bytes; SQLite doesn't enforce the length |
/// | an enum that derives [`ColumnType`] | `Enum` | `TEXT` with a check | an enum type; with `text`, `text` with a check | `enum(...)` | the variant's name as text |
/// | `Vec<T>` | `Array` | none | an array | none | SQLite refuses the column |
/// | any with `type = raw("...")` | `Raw` | as written | as written | as written | whatever the type holds |
///
/// A `STRICT` table has fewer types: integers and booleans are `INTEGER`, floating point numbers are
/// `REAL`, bytes and UUIDs are `BLOB`, and everything else is `TEXT`, including all decimals.
///
/// SQLite has no exact decimal type, but its numbers keep 15 digits exactly. Decimals of up to 15
/// digits are therefore numbers, and sort, compare and add up as such. `9.50` is stored as `9.5`,
/// and `2.00` as the integer `2`. Read such a column as a number, or as text with
/// `printf('%.2f', price)`. SQLite adds binary numbers; `round(sum(price), 2)` is the exact sum if
/// the sum has at most 15 digits. Decimals with more digits are text. Text is exact, but `10.5`
/// sorts before `9.5`, and `9.50` is not equal to `9.5`. `migrate` warns if a key, an index or a
/// check compares such text.
///
/// SQLite stores a value of any kind in a column of any type. When a type changes, an upgrade
/// refuses the values that rusqlite and sqlx, with the types of chrono and time, can't read as the
/// new type. For this reason a `DateTime` is a text with seconds and without a time zone: sqlx would
/// drop the zone, and rusqlite refuses the text. A `Timestamp` may have a time zone;
/// `jiff::Timestamp` and `chrono::DateTime<FixedOffset>` need one. A `Numeric` has any number of
/// digits, of which `rust_decimal` reads 28. Before 3.38 SQLite may lack its JSON functions, and
/// then an upgrade refuses to change values to JSON.
///
/// # Example: *keys, indexes, defaults and an enumeration*
///
/// ```
/// # #[cfg(feature = "derive")] {
/// use dbmigrate_runtime::{ColumnType, Model};
///
/// #[derive(ColumnType)]
/// pub enum Status {
///     Draft,
///     Sent,
/// }
///
/// #[derive(Model)]
/// #[model(
///     // A primary key of two columns.
///     primary_key(shop_id, number),
///     // A partial index.
///     index(name = "ix_invoice_unpaid", columns(due_on), where = "paid_on IS NULL"),
///     check("net >= 0"),
/// )]
/// pub struct Invoice {
///     pub shop_id: i64,
///     pub number: i64,
///     // The default of an enumeration is the stored name of a variant.
///     #[model(default = "draft")]
///     pub status: Status,
///     pub due_on: String,
///     pub paid_on: Option<String>,
///     #[model(default = now)]
///     pub created_at: String,
///     pub net: i64,
///     #[model(default = 0)]
///     pub tax: i64,
///     #[model(generated("net + tax", stored))]
///     pub gross: i64,
/// }
/// # }
/// ```
///
/// # Mistakes
///
/// A mistake is a compile error at the attribute: an unknown key, an unknown column, or a foreign
/// key between columns of different types (by the [`ColumnType`] of the Rust types; `length` and
/// `type` don't count). A struct with type parameters can't be a model, since it would be a
/// different table for each type.
///
/// SQL in an attribute is checked when the tool reads the models. A placeholder is refused, and so
/// is a double-quoted name that isn't a column of the table, since SQLite would take it for a text.
/// Write texts in single quotes.
///
/// ```compile_fail
/// use dbmigrate_runtime::Model;
///
/// #[derive(Model)]
/// struct User {
///     #[model(primary_key)]
///     id: i64,
///     // error: the column type of `manager` is integer, but that of `User::id` is big integer
///     #[model(references = User::id)]
///     manager: Option<i32>,
/// }
/// ```
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not a model",
    label = "this type has no table",
    note = "a struct becomes a model with `#[derive(dbmigrate_runtime::Model)]`"
)]
pub trait Model {
    /// The table's name, after its schema if it has one: `billing.invoice`.
    const TABLE: &'static str;

    /// The fields that are columns, for foreign keys of other models.
    #[doc(hidden)]
    const FIELDS: Fields;

    /// The table as it is recorded.
    #[doc(hidden)]
    const RECORD: Record;
}

/// A struct whose fields are columns of every model that flattens it.
///
/// `#[derive(Columns)]` implements this trait. Such a struct has no table of its own. A model gets
/// its columns, under their own names, at the position of the field that contains the struct.
/// Constraints and indexes are named after the model's table.
///
/// # Example
///
/// ```
/// # #[cfg(feature = "derive")] {
/// use dbmigrate_runtime::{Columns, Model};
///
/// #[derive(Columns)]
/// pub struct Audit {
///     #[model(default = now)]
///     pub created_at: String,
///     pub deleted_at: Option<String>,
/// }
///
/// #[derive(Model)]
/// pub struct Invoice {
///     #[model(primary_key)]
///     pub id: i64,
///     #[model(flatten)]
///     pub audit: Audit,
/// }
/// # }
/// ```
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not a group of columns",
    label = "this type can't be flattened",
    note = "a struct becomes a group of columns with `#[derive(dbmigrate_runtime::Columns)]`"
)]
pub trait Columns {
    /// The fields that are columns.
    #[doc(hidden)]
    const FIELDS: Fields;

    /// The columns as they are recorded.
    #[doc(hidden)]
    const RECORD: Record;
}

/// The type of a column.
///
/// It is implemented for the numbers that databases have, `bool`, text, bytes and lists, for
/// `Option<T>`, which makes a column nullable, and for references and boxes. Features of this crate
/// add the types of `chrono`, `time`, `jiff`, `uuid`, `rust_decimal`, `bigdecimal`, `serde_json`
/// and `bytes`.
///
/// `#[derive(ColumnType)]` implements it for a newtype, which is stored like the type that it
/// wraps, and for an enum without data, which is stored as the name of the variant in snake case. A
/// newtype takes the attributes `length = 100` and `type = ...`, as a field of a [`Model`] does. An
/// enum takes `rename_all = "..."`, `name = "..."` (the name of the type on databases with named
/// enumerations) and `text` (text with a check there as well), and a variant takes `rename = "..."`.
///
/// # Example: *derived*
///
/// ```
/// # #[cfg(feature = "derive")] {
/// use dbmigrate_runtime::ColumnType;
///
/// #[derive(ColumnType)]
/// #[model(length = 120)]
/// pub struct Email(String);
///
/// #[derive(ColumnType)]
/// pub enum Status {
///     Draft,
///     #[model(rename = "live")]
///     Published,
/// }
/// # }
/// ```
///
/// # Example: *by hand*
///
/// ```
/// use dbmigrate_runtime::ColumnType;
/// use dbmigrate_runtime::model::Ty;
///
/// /// A price in cents.
/// pub struct Cents(i64);
///
/// impl ColumnType for Cents {
///     const TY: Ty = Ty::BIG_INTEGER;
/// }
///
/// /// Text that compares without regard to case.
/// pub struct Tag(String);
///
/// impl ColumnType for Tag {
///     const TY: Ty = Ty::per_dialect(&[("sqlite", "TEXT COLLATE NOCASE"), ("postgres", "citext")]);
/// }
/// ```
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not a column type",
    label = "no column type is known for this type",
    note = "for a type of your own, use `#[derive(dbmigrate_runtime::ColumnType)]` on a newtype or \
            an enum without data, or implement the trait by hand",
    note = "for types of chrono, time, jiff, uuid, rust_decimal, bigdecimal, serde_json and bytes, \
            enable the feature of that name of dbmigrate-runtime",
    note = "for a field that is not a column, use `#[model(skip)]`"
)]
pub trait ColumnType {
    /// The column's type.
    const TY: Ty;

    /// The type of a column that holds a list of values of this type: an array, except for bytes.
    const LIST: Ty = Ty::array(&Self::TY);
}

/// The fields of a model or of a group of columns.
///
/// The derive passes these by value: the compiler would evaluate each reference to a constant as a
/// separate constant.
#[doc(hidden)]
#[derive(Debug, Clone, Copy)]
pub struct Fields {
    pub list: &'static [Field],
    /// The names of the primary key's fields, in the key's order.
    pub primary_key: &'static [&'static str],
    /// The names of fields that are unique together, without partial indexes. `None` if the table
    /// is managed elsewhere, so that its model may be incomplete.
    pub uniques: Option<&'static [&'static [&'static str]]>,
    /// `false` if the derive found a mistake, so that these fields aren't checked.
    pub known: bool,
}

/// A field and its column, or a field that is a group of columns.
#[doc(hidden)]
#[derive(Debug, Clone, Copy)]
pub enum Field {
    /// The name of the field, the name of the column (empty if it is the field's), and the type.
    Column(&'static str, &'static str, Ty),
    Group(Fields),
}

impl Fields {
    /// Stands in for the fields of a struct that the derive couldn't read.
    pub const UNKNOWN: Fields = Fields { list: &[], primary_key: &[], uniques: None, known: false };
}
