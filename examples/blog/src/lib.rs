//! A blog's tables.

use dbmigrate_runtime::Model;

/// A registered user.
#[derive(Model)]
pub struct User {
    #[model(primary_key)]
    pub id: i64,
    #[model(length = 100, unique)]
    pub username: String,
    #[model(length = 120, unique)]
    pub email: Option<String>,
    pub created_at: chrono::NaiveDateTime,
}

/// What a user wrote.
#[derive(Model)]
pub struct Post {
    #[model(primary_key)]
    pub id: i64,
    #[model(length = 200, index)]
    pub title: String,
    pub body: String,
    #[model(references = User::id, on_delete = cascade, index)]
    pub author_id: i64,
    #[model(default = false)]
    pub published: bool,
}
