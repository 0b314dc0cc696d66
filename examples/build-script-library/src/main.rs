//! Asks the database, with queries that were checked while this was compiled.

use sqlx::{Connection, SqliteConnection};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), sqlx::Error> {
    let url = std::env::var("DATABASE_URL").unwrap_or_else(|_| "sqlite:app.db".to_owned());
    let mut conn = SqliteConnection::connect(&url).await?;
    sqlx::query!("INSERT INTO item (title) VALUES (?)", "try dbmigrate").execute(&mut conn).await?;
    for item in sqlx::query!("SELECT id, title FROM item ORDER BY id").fetch_all(&mut conn).await? {
        println!("{} {}", item.id, item.title);
    }
    Ok(())
}
