//! Records as they are read from files, and what is done with them.

use dbmigrate_runtime::engine::dialect::Sqlite;
use dbmigrate_runtime::engine::record::FieldRecord;
use dbmigrate_runtime::schema::{
    Column, ForeignKey, Index, IndexColumn, ReferentialAction, Table, Type,
};
use expect_test::expect;

use super::*;

fn model(path: &str, line: u32, table: &str) -> ModelRecord {
    ModelRecord {
        path: path.to_owned(),
        file: "src/models.rs".to_owned(),
        manifest_dir: "/srv/app".to_owned(),
        line,
        table: Table::new(table).column(Column::new("id", Type::BigInteger).not_null()),
        renamed_from: None,
        database: None,
        unmanaged: false,
        docs: Some("A thing.".to_owned()),
        fields: vec![FieldRecord {
            column: "id".to_owned(),
            field: "id".to_owned(),
            line: line + 1,
            docs: Some("Its number.".to_owned()),
            renamed_from: None,
        }],
    }
}

fn found(records: &[ModelRecord]) -> Found {
    Found { records: records.to_vec(), ..Found::default() }
}

#[track_caller]
fn refused(records: &[ModelRecord], expected: &str) {
    let res = distinct(found(records)).and_then(|models| schema(&models, false, &Sqlite, &[]));
    assert_eq!(res.unwrap_err().message(), expected);
}

#[test]
fn what_library_and_binary_compile_is_one_model() {
    let records = [model("app::User", 3, "user"), model("app::User", 3, "user")];
    assert_eq!(distinct(found(&records)).unwrap(), records[..1]);
    let records = [model("app::User", 3, "user"), model("server::User", 3, "user")];
    assert_eq!(distinct(found(&records)).unwrap(), records[..1]);
}

#[test]
fn two_sets_of_features_are_told() {
    let mut other = model("app::User", 3, "user");
    other.table.columns.clear();
    refused(
        &[model("app::User", 3, "user"), other],
        "the model `app::User` at src/models.rs:3 was compiled twice, with different columns each \
         time",
    );
}

#[test]
fn a_default_that_is_no_value_of_its_column_is_refused() {
    let with = |ty: Type| {
        let mut model = model("app::User", 3, "user");
        model.table.columns[0] = Column::new("id", ty).default("A");
        [model]
    };
    refused(
        &with(Type::enumeration("kind", ["a", "b"])),
        "the default \"A\" of the field `id` is not one of its values: `a`, `b`, in the model \
         `app::User` at src/models.rs:4",
    );
    refused(
        &with(Type::Integer),
        "the default \"A\" of the field `id` is a string, but the column is an integer, in the model \
         `app::User` at src/models.rs:4",
    );
    refused(
        &with(Type::Boolean),
        "the default \"A\" of the field `id` is a string, but the column is a boolean, in the \
         model `app::User` at src/models.rs:4",
    );
    let of = |ty: Type, default: &str| {
        let mut model = model("app::User", 3, "user");
        model.table.columns[0] = Column::new("id", ty).default(default);
        [model]
    };
    refused(
        &of(Type::DateTime, "2024-01-01T00:00:00Z"),
        "the default \"2024-01-01T00:00:00Z\" of the field `id` has a time zone, but the column is \
         a datetime, in the model `app::User` at src/models.rs:4",
    );
    refused(
        &of(Type::Json, "1e999"),
        "the default \"1e999\" of the field `id` can't be read as JSON: number out of range at \
         line 1 column 5, in the model `app::User` at src/models.rs:4",
    );
    for ty in [Type::enumeration("kind", ["A"]), Type::Text, Type::String(1)] {
        schema(&with(ty), false, &Sqlite, &[]).unwrap();
    }
}

fn indexed(mut table: Table, index: Index) -> Table {
    table.indexes.push(index);
    table
}

#[test]
fn sql_that_would_run_as_something_else_is_refused_at_its_model() {
    let with = |table: fn(Table) -> Table| {
        let mut model = model("app::User", 3, "user");
        model.table = table(model.table.column(Column::new("name", Type::Text)));
        schema(&[model], false, &Sqlite, &[]).map_err(|err| err.to_string())
    };
    let of = |what: &str, name: &str| {
        format!(
            "{what} of the model `app::User` at src/models.rs:3: `\"{name}\"` is in double quotes, \
             which makes it a name, but table `user` has no such column"
        )
    };
    assert_eq!(
        with(|table| table.check("ck", "\"naem\" <> ''")).unwrap_err(),
        format!(
            "{}\n  hint: did you mean `\"name\"`? A string is written `'naem'`",
            of("check `ck`", "naem")
        )
    );
    type Change = fn(Table) -> Table;
    let refused: [(&str, Change); 4] = [
        ("the condition of index `ix`", |table| {
            indexed(table, Index::new("ix", ["id"]).filter("\"naem\" > 1"))
        }),
        ("index `ix`", |table| {
            let index = Index::new("ix", ["id"]);
            indexed(table, index.column(IndexColumn::expression("upper(\"naem\")")))
        }),
        ("the expression of column `up`", |table| {
            table.column(Column::new("up", Type::Text).generated_virtual("upper(\"naem\")"))
        }),
        ("check `ck`", |table| table.check("ck", "id in (\"naem\")")),
    ];
    for (what, table) in refused {
        let err = with(table).unwrap_err();
        assert!(err.starts_with(&of(what, "naem")), "{err}");
    }
    let err = with(|table| table.column(Column::new("c", Type::Text).default_sql("(\"x\")")))
        .unwrap_err();
    assert!(err.contains("the default of column `c`"), "{err}");
    let err = with(|table| table.check("ck", "id = :id")).unwrap_err();
    assert!(err.contains("the placeholder `:id` has no value"), "{err}");
    with(|table| table.check("ck", "\"NAME\" <> 'naem' and \"user\".\"id\" > 0")).unwrap();
}

#[test]
fn an_action_that_sets_a_required_column_to_null_is_refused() {
    let with = |action: ReferentialAction, column: Column| {
        let mut model = model("app::User", 3, "user");
        model.table.columns[0] = column;
        let key = ForeignKey::new("fk_user_id_team", ["id"], "team", ["id"]).on_delete(action);
        model.table.foreign_keys.push(key);
        [model]
    };
    let id = || Column::new("id", Type::BigInteger);
    refused(
        &with(ReferentialAction::SetNull, id().not_null()),
        "`on_delete = set_null` of a foreign key sets the field `id`, which is required, in the \
         model `app::User` at src/models.rs:4",
    );
    refused(
        &with(ReferentialAction::SetDefault, id().not_null()),
        "`on_delete = set_default` of a foreign key sets the field `id`, which is required and has \
         no default, in the model `app::User` at src/models.rs:4",
    );
    for (action, column) in [
        (ReferentialAction::SetNull, id()),
        (ReferentialAction::SetDefault, id()),
        (ReferentialAction::SetDefault, id().not_null().default(1)),
        (ReferentialAction::Cascade, id().not_null()),
    ] {
        schema(&with(action, column), false, &Sqlite, &[]).unwrap();
    }
}

#[test]
fn a_foreign_key_to_what_is_not_unique_in_the_table_s_own_model_is_refused_at_its_field() {
    let user = || {
        let mut user = model("app::User", 3, "user");
        user.table = user.table.column(Column::new("name", Type::Text)).primary_key("pk", ["id"]);
        user
    };
    let post = |columns: &[&str]| {
        let mut post = model("app::Post", 9, "post");
        let mut key = ForeignKey::new("fk_post_id_user", ["id"], "user", ["id"]);
        key.references_columns = columns.iter().map(|&name| name.to_owned()).collect();
        post.table.foreign_keys.push(key);
        post
    };
    // The struct in the attribute declares uniqueness, but the table belongs to another struct.
    let mut view = user();
    view.path = "app::UserByName".to_owned();
    view.unmanaged = true;
    view.table = view.table.unique("uq_user_name", ["name"]);
    let models = [user(), view.clone(), post(&["name"])];
    let err = schema(&models, false, &Sqlite, &[]).unwrap_err();
    assert_eq!(
        err.to_string(),
        "the foreign key of the field `id` refers to column `name` of table `user`, which is \
         neither the primary key nor unique, in the model `app::Post` at src/models.rs:10\n  hint: \
         make what it refers to unique in the model `app::User` at src/models.rs:3, which has that \
         table, or refer to its primary key"
    );
    refused(
        &[user(), post(&["nick"])],
        "the foreign key of the field `id` refers to table `user`, which has no column `nick`, in \
         the model `app::Post` at src/models.rs:10",
    );
    let mut keyless = user();
    keyless.table.primary_key = None;
    refused(
        &[keyless, post(&[])],
        "the foreign key of the field `id` refers to table `user`, which has no primary key, in \
         the model `app::Post` at src/models.rs:10",
    );
    // Nothing is known about a table that no model describes.
    schema(&[view, post(&["name"])], false, &Sqlite, &[]).unwrap();
    schema(&[user(), post(&["ID"])], false, &Sqlite, &[]).unwrap();
}

#[test]
fn two_models_of_one_table_are_both_named() {
    refused(
        &[model("app::a::User", 3, "user"), model("app::b::User", 9, "user")],
        "two models have the table `user`: `app::a::User` at src/models.rs:3 and `app::b::User` at \
         src/models.rs:9",
    );
    refused(
        &[model("app::User", 3, "user"), model("app::Users", 9, "USER")],
        "two models have tables whose names differ only in case, `user` and `USER`: `app::User` at \
         src/models.rs:3 and `app::Users` at src/models.rs:9",
    );
}

#[test]
fn an_unmanaged_model_is_no_table() {
    let view = ModelRecord { unmanaged: true, ..model("app::View", 9, "user") };
    let schema = schema(&[model("app::User", 3, "user"), view], false, &Sqlite, &[]).unwrap();
    assert_eq!(schema.tables.len(), 1);
}

#[test]
fn doc_comments_become_comments_unless_there_is_one() {
    let mut record = model("app::User", 3, "user");
    record.table.comment = Some("Said.".to_owned());
    let schema = schema(&[record], true, &Sqlite, &[]).unwrap();
    let table = schema.table("user").unwrap();
    assert_eq!(table.comment.as_deref(), Some("Said."));
    assert_eq!(table.columns[0].comment.as_deref(), Some("Its number."));
}

#[test]
fn a_runtime_of_another_format_is_answered_with_the_command_that_helps() {
    let refused = |record: &[u8], runtime: Option<&str>| {
        let damaged = record::scan(record).damaged.into_iter();
        let damaged = damaged.map(|error| Damaged { file: "target/libapp.rmeta".into(), error });
        let runtime_version = runtime.map(str::to_owned);
        let found = Found { damaged: damaged.collect(), runtime_version, ..Found::default() };
        distinct(found).unwrap_err().to_string()
    };
    let of_format = |format: u16| {
        let mut bytes = b"\xd8dbm\x9erec".to_vec();
        bytes.extend(format.to_le_bytes());
        bytes.extend([0; 8]);
        bytes
    };
    // A keyword that only a newer derive knows.
    let mut unknown = b"\xd8dbm\x9erec".to_vec();
    unknown.extend(record::FORMAT.to_le_bytes());
    let payload = b"\x06\x00\x00\x00\x05later";
    unknown.extend(u32::try_from(payload.len()).unwrap().to_le_bytes());
    unknown.extend(payload);
    unknown.extend(b"\x9den\xd8");
    let tool = env!("CARGO_PKG_VERSION");
    let (older, newer) = (of_format(record::FORMAT - 1), of_format(record::FORMAT + 1));
    let mut seen = String::new();
    for (record, runtime) in [
        (&older, Some("0.0.9")),
        (&older, Some(tool)),
        (&older, None),
        (&newer, Some("9.0.0")),
        (&newer, Some(tool)),
        (&newer, None),
        (&unknown, Some("0.0.9")),
        (&unknown, Some("9.0.0")),
        (&unknown, Some(tool)),
        (&unknown, None),
    ] {
        seen += &refused(record, runtime).replace(tool, "$TOOL");
        seen += "\n";
    }
    expect![[r#"
        failed to read the models in `libapp.rmeta`: the model record at offset 0 has format 3, but this version reads format 4
          hint: the package's dbmigrate-runtime 0.0.9 is older than this tool ($TOOL): `cargo update -p dbmigrate-runtime`, and where its requirement ends below that `cargo add dbmigrate-runtime@$TOOL`
        failed to read the models in `libapp.rmeta`: the model record at offset 0 has format 3, but this version reads format 4
          hint: the package's dbmigrate-runtime and this tool both have version $TOOL but differ: install the tool from the source of the runtime, as in `cargo install --git` or `--path`
        failed to read the models in `libapp.rmeta`: the model record at offset 0 has format 3, but this version reads format 4
          hint: the package's dbmigrate-runtime is older than this tool ($TOOL): `cargo update -p dbmigrate-runtime`, and where its requirement ends below that `cargo add dbmigrate-runtime@$TOOL`
        failed to read the models in `libapp.rmeta`: the model record at offset 0 has format 5, but this version reads format 4
          hint: the package's dbmigrate-runtime 9.0.0 is newer than this tool ($TOOL): `cargo install cargo-dbmigrate@9.0.0`
        failed to read the models in `libapp.rmeta`: the model record at offset 0 has format 5, but this version reads format 4
          hint: the package's dbmigrate-runtime and this tool both have version $TOOL but differ: install the tool from the source of the runtime, as in `cargo install --git` or `--path`
        failed to read the models in `libapp.rmeta`: the model record at offset 0 has format 5, but this version reads format 4
          hint: the package's dbmigrate-runtime is newer than this tool ($TOOL): `cargo install cargo-dbmigrate@<version of the runtime>`
        failed to read the models in `libapp.rmeta`: the model record has an unknown kind `later` at offset 18
          hint: the package's dbmigrate-runtime 0.0.9 is older than this tool ($TOOL): `cargo update -p dbmigrate-runtime`, and where its requirement ends below that `cargo add dbmigrate-runtime@$TOOL`
        failed to read the models in `libapp.rmeta`: the model record has an unknown kind `later` at offset 18
          hint: the package's dbmigrate-runtime 9.0.0 is newer than this tool ($TOOL): `cargo install cargo-dbmigrate@9.0.0`
        failed to read the models in `libapp.rmeta`: the model record has an unknown kind `later` at offset 18
          hint: build the package again: `cargo clean -p` its name, and repeat this command
        failed to read the models in `libapp.rmeta`: the model record has an unknown kind `later` at offset 18
          hint: build the package again: `cargo clean -p` its name, and repeat this command
    "#]].assert_eq(&seen);
}

#[test]
fn a_package_that_is_reached_by_a_link_has_its_models_once() {
    let linked =
        ModelRecord { manifest_dir: "/link/app".to_owned(), ..model("app::User", 3, "user") };
    let records = [model("app::User", 3, "user"), linked];
    assert_eq!(distinct(found(&records)).unwrap(), records[..1]);
}
