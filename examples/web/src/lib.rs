//! The models. They are in the library, so that they can be read while a binary's queries don't
//! compile yet.

use dbmigrate_runtime::Model;

/// Something to do.
#[derive(Model)]
pub struct Item {
    #[model(primary_key)]
    pub id: i64,
    #[model(length = 200, check("title <> ''"))]
    pub title: String,
    #[model(default = false)]
    pub done: bool,
}
