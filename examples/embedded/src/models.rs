//! The program's tables.

use dbmigrate_runtime::Model;

/// Something to do.
#[derive(Model)]
pub struct Item {
    #[model(primary_key)]
    pub id: i64,
    #[model(length = 200)]
    pub title: String,
    #[model(default = false)]
    pub done: bool,
}
