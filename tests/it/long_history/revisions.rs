//! The revisions of the long history, and the models that they lead to.

/// A revision's message, the ids of its parents unless it follows the one before it, and what it
/// does in each direction.
pub type Revision = (&'static str, &'static [usize], &'static str, &'static str);

/// The revision after which an application inserts rows of its own.
pub const BEFORE_ROWS: usize = 20;

const fn then(message: &'static str, up: &'static str, down: &'static str) -> Revision {
    (message, &[], up, down)
}

pub const REVISIONS: &[Revision] = &[
    then(
        "people",
        r#"op.create_table(Table::new("person")
            .column(Column::new("id", Type::BigInteger).not_null())
            .column(Column::new("name", Type::String(100)).not_null())
            .primary_key("pk_person", ["id"]));"#,
        r#"op.drop_table("person");"#,
    ),
    then(
        "posts",
        r#"op.create_table(Table::new("post")
            .column(Column::new("id", Type::BigInteger).not_null())
            .column(Column::new("person_id", Type::BigInteger).not_null())
            .column(Column::new("title", Type::String(200)).not_null())
            .primary_key("pk_post", ["id"])
            .foreign_key(
                ForeignKey::new("fk_post_person_id_person", ["person_id"], "person", ["id"])
                    .on_delete(Action::Cascade)));"#,
        r#"op.drop_table("post");"#,
    ),
    then(
        "rows of people",
        r#"op.bulk_insert("person", ["id", "name"])
            .row((1, "Ada")).row((2, "Grace")).row((3, "Edsger 'Dijkstra'"));"#,
        r#"op.execute("DELETE FROM person");"#,
    ),
    then(
        "rows of posts",
        r#"op.bulk_insert("post", ["id", "person_id", "title"])
            .row((1, 1, "First")).row((2, 1, "Second; -- no end")).row((3, 3, "Third"));"#,
        r#"op.execute("DELETE FROM post");"#,
    ),
    then(
        "nullable column",
        r#"op.add_column("person", Column::new("email", Type::String(120)));"#,
        r#"op.drop_column("person", "email");"#,
    ),
    then(
        "column with default",
        r#"op.add_column("post", Column::new("views", Type::Integer).not_null().default(7));"#,
        r#"op.drop_column("post", "views");"#,
    ),
    then(
        "column with fill",
        r#"op.add_column("post", Column::new("slug", Type::String(200)).not_null())
            .using("lower(title)");"#,
        r#"op.drop_column("post", "slug");"#,
    ),
    then(
        "data",
        r#"op.execute("UPDATE person SET email = lower(name)");"#,
        r#"op.execute("UPDATE person SET email = NULL");"#,
    ),
    then(
        "index",
        r#"op.create_index("post", Index::new("ix_post_slug", ["slug"]));"#,
        r#"op.drop_index("post", "ix_post_slug");"#,
    ),
    then(
        "unique",
        r#"op.add_unique("person", Unique::new("uq_person_email", ["email"]));"#,
        r#"op.drop_unique("person", "uq_person_email");"#,
    ),
    then(
        "check",
        r#"op.add_check("post", Check::new("ck_post_views", "views >= 0"));"#,
        r#"op.drop_check("post", "ck_post_views");"#,
    ),
    then(
        "wider integer",
        r#"op.alter_column("post", "views", ColumnChange::new().ty(Type::BigInteger));"#,
        r#"op.alter_column("post", "views", ColumnChange::new().ty(Type::Integer));"#,
    ),
    then(
        "longer text",
        r#"op.alter_column("person", "name", ColumnChange::new().ty(Type::String(160)));"#,
        r#"op.alter_column("person", "name", ColumnChange::new().ty(Type::String(100)));"#,
    ),
    then(
        "renamed column",
        r#"op.rename_column("person", "name", "full_name");"#,
        r#"op.rename_column("person", "full_name", "name");"#,
    ),
    then(
        "tags",
        r#"op.create_table(Table::new("tag")
            .column(Column::new("id", Type::BigInteger).not_null())
            .column(Column::new("post_id", Type::BigInteger).not_null())
            .primary_key("pk_label", ["id"])
            .foreign_key(ForeignKey::new("fk_label_post_id_post", ["post_id"], "post", ["id"])));"#,
        r#"op.drop_table("tag");"#,
    ),
    then(
        "rows of tags",
        r#"op.bulk_insert("tag", ["id", "post_id"]).row((1, 1)).row((2, 3));"#,
        r#"op.execute("DELETE FROM tag");"#,
    ),
    then(
        "renamed table",
        r#"op.rename_table("tag", "label");"#,
        r#"op.rename_table("label", "tag");"#,
    ),
    then(
        "other default",
        r#"op.alter_column("post", "views", ColumnChange::new().default(9));"#,
        r#"op.alter_column("post", "views", ColumnChange::new().default(7));"#,
    ),
    then(
        "no default",
        r#"op.alter_column("post", "views", ColumnChange::new().no_default());"#,
        r#"op.alter_column("post", "views", ColumnChange::new().default(9));"#,
    ),
    then(
        "a default again",
        r#"op.alter_column("post", "views", ColumnChange::new().default(5));"#,
        r#"op.alter_column("post", "views", ColumnChange::new().no_default());"#,
    ),
    then(
        "required column",
        r#"op.alter_column("person", "email",
            ColumnChange::new().not_null().fill("full_name"));"#,
        r#"op.alter_column("person", "email", ColumnChange::new().nullable());"#,
    ),
    then(
        "optional column",
        r#"op.alter_column("person", "email", ColumnChange::new().nullable());"#,
        r#"op.alter_column("person", "email", ColumnChange::new().not_null());"#,
    ),
    then(
        "enumeration",
        r#"op.add_column("person",
            Column::new("level", Type::enumeration("level", ["guest", "member"]))
                .not_null().default("guest"));"#,
        r#"op.drop_column("person", "level");"#,
    ),
    then(
        "value at the end",
        r#"op.alter_column("person", "level", ColumnChange::new()
            .ty(Type::enumeration("level", ["guest", "member", "owner"])));"#,
        r#"op.alter_column("person", "level", ColumnChange::new()
            .ty(Type::enumeration("level", ["guest", "member"])));"#,
    ),
    then(
        "members",
        r#"op.execute("UPDATE person SET level = 'member' WHERE id > 1");"#,
        r#"op.execute("UPDATE person SET level = 'guest' WHERE id > 1");"#,
    ),
    then(
        "value in the middle",
        r#"op.alter_column("person", "level", ColumnChange::new()
            .ty(Type::enumeration("level", ["guest", "member", "admin", "owner"])));"#,
        r#"op.alter_column("person", "level", ColumnChange::new()
            .ty(Type::enumeration("level", ["guest", "member", "owner"])));"#,
    ),
    then(
        "no guests",
        r#"op.execute("UPDATE person SET level = 'admin' WHERE level = 'guest'");"#,
        r#"op.execute("UPDATE person SET level = 'guest' WHERE level = 'admin'");"#,
    ),
    then(
        "value removed",
        r#"op.alter_column("person", "level", ColumnChange::new().default("member")
            .ty(Type::enumeration("level", ["member", "admin", "owner"])));"#,
        r#"op.alter_column("person", "level", ColumnChange::new().default("guest")
            .ty(Type::enumeration("level", ["guest", "member", "admin", "owner"])));"#,
    ),
    then(
        "text enumeration",
        r#"op.add_column("post", Column::new("tone", Type::text_enumeration(["calm", "loud"]))
            .not_null().default("calm"));"#,
        r#"op.drop_column("post", "tone");"#,
    ),
    then(
        "text enumeration with more",
        r#"op.alter_column("post", "tone",
            ColumnChange::new().ty(Type::text_enumeration(["calm", "loud", "wild"])));"#,
        r#"op.alter_column("post", "tone",
            ColumnChange::new().ty(Type::text_enumeration(["calm", "loud"])));"#,
    ),
    then(
        "generated column",
        r#"op.add_column("post",
            Column::new("twice", Type::BigInteger).generated_stored("views * 2"));"#,
        r#"op.drop_column("post", "twice");"#,
    ),
    then(
        "other expression",
        r#"op.alter_column("post", "twice", ColumnChange::new().generated_stored("views * 3"));"#,
        r#"op.alter_column("post", "twice", ColumnChange::new().generated_stored("views * 2"));"#,
    ),
    then(
        "renamed generated column",
        r#"op.rename_column("post", "twice", "triple");"#,
        r#"op.rename_column("post", "triple", "twice");"#,
    ),
    then(
        "index of a generated column",
        r#"op.create_index("post", Index::new("ix_post_triple", ["triple"]));"#,
        r#"op.drop_index("post", "ix_post_triple");"#,
    ),
    then(
        "decimal",
        r#"op.add_column("post",
            Column::new("price", Type::Decimal(8, 2)).not_null().default(0));"#,
        r#"op.drop_column("post", "price");"#,
    ),
    then(
        "longer decimal",
        r#"op.alter_column("post", "price", ColumnChange::new().ty(Type::Decimal(12, 2)));"#,
        r#"op.alter_column("post", "price", ColumnChange::new().ty(Type::Decimal(8, 2)));"#,
    ),
    then(
        "prices",
        r#"op.run("set prices", |db| {
            for row in db.query("SELECT id, views FROM post ORDER BY id", ())? {
                let (id, views): (i64, i64) = (row.get("id")?, row.get("views")?);
                db.execute("UPDATE post SET price = ?1 WHERE id = ?2", (id * 10 + views, id))?;
            }
            Ok(())
        });"#,
        r#"op.execute("UPDATE post SET price = 0");"#,
    ),
    then(
        "time of creation",
        r#"op.add_column("post",
            Column::new("created_at", Type::DateTime).not_null().default_now());"#,
        r#"op.drop_column("post", "created_at");"#,
    ),
    then(
        "dates",
        r#"op.add_column("person", Column::new("born", Type::Date));
    op.execute("UPDATE person SET born = '2001-02-03' WHERE id = 2");"#,
        r#"op.drop_column("person", "born");"#,
    ),
    then(
        "boolean",
        r#"op.add_column("post",
            Column::new("is_public", Type::Boolean).not_null().default(false));"#,
        r#"op.drop_column("post", "is_public");"#,
    ),
    // Two branches.
    (
        "bytes",
        &[40],
        r#"op.add_column("label", Column::new("data", Type::Binary));"#,
        r#"op.drop_column("label", "data");"#,
    ),
    then(
        "text without a limit",
        r#"op.add_column("label", Column::new("note", Type::Text));"#,
        r#"op.drop_column("label", "note");"#,
    ),
    (
        "accounts",
        &[40],
        r#"op.create_table(Table::new("account")
            .column(Column::new("person_id", Type::BigInteger).not_null())
            .column(Column::new("kind", Type::String(20)).not_null())
            .column(Column::new("balance", Type::Integer).not_null().default(0))
            .primary_key("pk_account", ["person_id", "kind"])
            .check("ck_account_balance", "balance > -1000"));"#,
        r#"op.drop_table("account");"#,
    ),
    then(
        "rows of accounts",
        r#"op.bulk_insert("account", ["person_id", "kind", "balance"])
            .row((1, "main", 10)).row((1, "other", -20)).row((2, "main", 30));"#,
        r#"op.execute("DELETE FROM account");"#,
    ),
    ("merge", &[42, 44], "", ""),
    then(
        "no index",
        r#"op.drop_index("post", "ix_post_slug");"#,
        r#"op.create_index("post", Index::new("ix_post_slug", ["slug"]));"#,
    ),
    then(
        "index of two columns",
        r#"op.create_index("post", Index::new("ix_post_slug_views", ["slug"])
            .column(IndexColumn::new("views").desc()));"#,
        r#"op.drop_index("post", "ix_post_slug_views");"#,
    ),
    then(
        "index of dates",
        r#"op.create_index("person", Index::new("ix_born", ["born"]));"#,
        r#"op.drop_index("person", "ix_born");"#,
    ),
    then(
        "renamed index",
        r#"op.rename_index("person", "ix_born", "ix_person_born");"#,
        r#"op.rename_index("person", "ix_person_born", "ix_born");"#,
    ),
    then(
        "optional reference",
        r#"op.alter_column("label", "post_id", ColumnChange::new().nullable());"#,
        r#"op.alter_column("label", "post_id", ColumnChange::new().not_null());"#,
    ),
    then(
        "other action",
        r#"op.drop_foreign_key("label", "fk_label_post_id_post");
    op.add_foreign_key("label",
        ForeignKey::new("fk_label_post_id_post", ["post_id"], "post", ["id"])
            .on_delete(Action::SetNull));"#,
        r#"op.drop_foreign_key("label", "fk_label_post_id_post");
    op.add_foreign_key("label",
        ForeignKey::new("fk_label_post_id_post", ["post_id"], "post", ["id"]));"#,
    ),
    then(
        "no unique",
        r#"op.drop_unique("person", "uq_person_email");"#,
        r#"op.add_unique("person", Unique::new("uq_person_email", ["email"]));"#,
    ),
    then(
        "unique of two columns",
        r#"op.add_unique("person",
            Unique::new("uq_person_email_full_name", ["email", "full_name"]));"#,
        r#"op.drop_unique("person", "uq_person_email_full_name");"#,
    ),
    then(
        "other check",
        r#"op.drop_check("post", "ck_post_views");
    op.add_check("post", Check::new("ck_post_views", "views > -5"));"#,
        r#"op.drop_check("post", "ck_post_views");
    op.add_check("post", Check::new("ck_post_views", "views >= 0"));"#,
    ),
    then(
        "foreign key",
        r#"op.add_foreign_key("account",
        ForeignKey::new("fk_account_person_id_person", ["person_id"], "person", ["id"]));"#,
        r#"op.drop_foreign_key("account", "fk_account_person_id_person");"#,
    ),
    then(
        "seats without a key",
        r#"op.create_table(Table::new("seat")
            .column(Column::new("row_no", Type::Integer).not_null())
            .column(Column::new("seat_no", Type::Integer).not_null())
            .column(Column::new("code", Type::String(10)).not_null()));
    op.bulk_insert("seat", ["row_no", "seat_no", "code"])
        .row((1, 1, "11")).row((1, 2, "12")).row((2, 1, "21"));"#,
        r#"op.drop_table("seat");"#,
    ),
    then(
        "primary key",
        r#"op.add_primary_key("seat", PrimaryKey::new("pk_seat", ["row_no", "seat_no"]));"#,
        r#"op.drop_primary_key("seat", "pk_seat");"#,
    ),
    then(
        "other primary key",
        r#"op.drop_primary_key("seat", "pk_seat");
    op.add_primary_key("seat", PrimaryKey::new("pk_seat", ["seat_no", "row_no"]));"#,
        r#"op.drop_primary_key("seat", "pk_seat");
    op.add_primary_key("seat", PrimaryKey::new("pk_seat", ["row_no", "seat_no"]));"#,
    ),
    then(
        "text to integer",
        r#"op.alter_column("seat", "code", ColumnChange::new().ty(Type::Integer));"#,
        r#"op.alter_column("seat", "code", ColumnChange::new().ty(Type::String(10)));"#,
    ),
    then("view", "op.invoke(&ADULT);", "op.revert(&ADULT);"),
    then(
        "SQL of each database",
        r#"op.execute(Sql::from("UPDATE post SET title = title || '!'")
        .mysql("UPDATE post SET title = concat(title, '!')"));"#,
        r#"op.execute("UPDATE post SET title = substr(title, 1, length(title) - 1)");"#,
    ),
    then(
        "dropped column",
        r#"op.drop_column("label", "note");"#,
        r#"op.add_column("label", Column::new("note", Type::Text));"#,
    ),
    then(
        "dropped table",
        r#"op.create_table(Table::new("scrap").column(Column::new("id", Type::Integer)));
    op.drop_table("scrap");"#,
        "",
    ),
    then(
        "comments",
        r#"op.alter_column("person", "email", ColumnChange::new().comment(Some("it's one")));
    op.alter_table("person", TableChange::new().comment(Some("people")));"#,
        r#"op.alter_table("person", TableChange::new().comment(None));
    op.alter_column("person", "email", ColumnChange::new().comment(None));"#,
    ),
    then(
        "unique index over an expression",
        r#"op.create_index("person", Index::new("ix_person_low", [])
            .column(IndexColumn::expression("lower(full_name)"))
            .column(IndexColumn::new("email")).unique());"#,
        r#"op.drop_index("person", "ix_person_low");"#,
    ),
    then(
        "renamed index over an expression",
        r#"op.rename_index("person", "ix_person_low", "ix_person_lower");"#,
        r#"op.rename_index("person", "ix_person_lower", "ix_person_low");"#,
    ),
    then(
        "longer text in an expression",
        r#"op.alter_column("person", "full_name", ColumnChange::new().ty(Type::String(180)));"#,
        r#"op.alter_column("person", "full_name", ColumnChange::new().ty(Type::String(160)));"#,
    ),
    then(
        "samples",
        r#"op.create_table(Table::new("sample")
            .column(Column::new("id", Type::BigInteger).not_null())
            .column(Column::new("weight", Type::Double).not_null())
            .column(Column::new("notes", Type::Json))
            .column(Column::new("token", Type::Uuid))
            .primary_key("pk_sample", ["id"]));
    op.bulk_insert("sample", ["id", "weight", "notes"])
            .row((1, 1.5, "{\"a\": [1, null]}")).row((2, -0.25, Value::Null));"#,
        r#"op.drop_table("sample");"#,
    ),
    then(
        "weight of samples from a real number to a whole one and a text",
        r#"op.alter_column("sample", "weight",
            ColumnChange::new().ty(Type::BigInteger).using("round(weight * 4)"));
    op.add_column("sample", Column::new("code", Type::String(40)));
    op.execute("UPDATE sample SET code = 'Sample'");"#,
        r#"op.drop_column("sample", "code");
    op.alter_column("sample", "weight",
            ColumnChange::new().ty(Type::Double).using("weight / 4.0"));"#,
    ),
    then(
        "index over an expression",
        r#"op.create_index("sample", Index::new("ix_sample_lower_code", [])
            .column(IndexColumn::expression("lower(code)")));"#,
        r#"op.drop_index("sample", "ix_sample_lower_code");"#,
    ),
    then(
        "renamed value of the enumeration",
        r#"op.alter_column("person", "level", ColumnChange::new()
            .ty(Type::enumeration("level", ["member", "chief", "owner"]))
            .using("CASE level WHEN 'admin' THEN 'chief' ELSE level END"));"#,
        r#"op.alter_column("person", "level", ColumnChange::new()
            .ty(Type::enumeration("level", ["member", "admin", "owner"]))
            .using("CASE level WHEN 'chief' THEN 'admin' ELSE level END"));"#,
    ),
    then(
        "step in pieces",
        r#"op.run_batched("mark samples", "sample.id", 1, |db, range| {
        db.execute("UPDATE sample SET code = 'Piece' WHERE id BETWEEN ?1 AND ?2", range)?;
        Ok(())
    });"#,
        r#"op.run_batched("unmark samples", "sample.id", 1, |db, range| {
        db.execute("UPDATE sample SET code = 'Sample' WHERE id BETWEEN ?1 AND ?2", range)?;
        Ok(())
    });"#,
    ),
];

/// An operation of the project's own.
pub const VIEWS: &str = r#"//! Views as operations.

use dbmigrate_runtime::prelude::*;

pub struct CreateView {
    pub name: &'static str,
    pub select: &'static str,
}

impl CustomOperation for CreateView {
    fn name(&self) -> String {
        format!("create view `{}`", self.name)
    }

    fn sql(&self) -> Sql {
        format!("CREATE VIEW {} AS {}", self.name, self.select).into()
    }

    fn reverse(&self) -> Option<Sql> {
        Some(format!("DROP VIEW {}", self.name).into())
    }
}

pub const ADULT: CreateView =
    CreateView { name: "rich", select: "SELECT kind FROM account WHERE balance > 17" };
"#;

pub const MODELS: &str = r#"
use dbmigrate_runtime::{ColumnType, Model};

#[derive(ColumnType)]
pub enum Level { Member, Chief, Owner }

#[derive(ColumnType)]
#[column_type(text)]
pub enum Tone { Calm, Loud, Wild }

#[derive(Model)]
#[model(
    comment = "people",
    unique(email, full_name),
    index(name = "ix_person_lower", columns(sql("lower(full_name)"), email), unique),
)]
pub struct Person {
    #[model(primary_key)]
    pub id: i64,
    #[model(length = 180)]
    pub full_name: String,
    #[model(length = 120, comment = "it's one")]
    pub email: Option<String>,
    #[model(default = "member")]
    pub level: Level,
    #[model(index)]
    pub born: Option<chrono::NaiveDate>,
}

#[derive(Model)]
#[model(index(columns(slug, views desc)))]
pub struct Post {
    #[model(primary_key)]
    pub id: i64,
    #[model(references = Person, on_delete = cascade)]
    pub person_id: i64,
    #[model(length = 200)]
    pub title: String,
    #[model(default = 5, check("views > -5"))]
    pub views: i64,
    #[model(length = 200)]
    pub slug: String,
    #[model(default = "calm")]
    pub tone: Tone,
    #[model(generated("views * 3", stored), index)]
    pub triple: Option<i64>,
    #[model(type = Decimal(12, 2), default = 0)]
    pub price: f64,
    #[model(default = now)]
    pub created_at: chrono::NaiveDateTime,
    #[model(default = false)]
    pub is_public: bool,
}

#[derive(Model)]
pub struct Label {
    #[model(primary_key)]
    pub id: i64,
    #[model(references = Post, on_delete = set_null)]
    pub post_id: Option<i64>,
    pub data: Option<Vec<u8>>,
}

#[derive(Model)]
#[model(primary_key(person_id, kind))]
pub struct Account {
    #[model(references = Person)]
    pub person_id: i64,
    #[model(length = 20)]
    pub kind: String,
    #[model(default = 0, check("balance > -1000"))]
    pub balance: i32,
}

#[derive(Model)]
#[model(primary_key(seat_no, row_no))]
pub struct Seat {
    pub row_no: i32,
    pub seat_no: i32,
    pub code: i32,
}

#[derive(Model)]
#[model(index(name = "ix_sample_lower_code", columns(sql("lower(code)"))))]
pub struct Sample {
    #[model(primary_key)]
    pub id: i64,
    pub weight: i64,
    #[model(type = Json)]
    pub notes: Option<String>,
    #[model(type = Uuid)]
    pub token: Option<String>,
    #[model(length = 40)]
    pub code: Option<String>,
}
"#;
