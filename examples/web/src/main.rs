//! A to-do list over HTTP.
//!
//! ```console
//! $ cargo run &
//! $ curl -H 'content-type: application/json' -d '{"title": "try dbmigrate"}' localhost:3000/items
//! $ curl localhost:3000/items
//! ```

use std::error::Error;

use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::routing::{get, post};
use axum::{Json, Router};
use serde::{Deserialize, Serialize};

#[path = "../migrations/mod.rs"]
mod migrations;

/// The database that the program was compiled for.
#[cfg(postgres)]
type Pool = sqlx::PgPool;
#[cfg(mysql)]
type Pool = sqlx::MySqlPool;
#[cfg(not(any(postgres, mysql)))]
type Pool = sqlx::SqlitePool;

#[derive(Debug, PartialEq, Serialize)]
struct Item {
    id: i64,
    title: String,
    done: bool,
}

#[derive(Deserialize)]
struct NewItem {
    title: String,
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let url = std::env::var("DATABASE_URL").unwrap_or_else(|_| "sqlite:app.db".to_owned());
    for id in migrations::migrator().upgrade_async(&url).await? {
        println!("applied {id}");
    }
    let listener = tokio::net::TcpListener::bind("127.0.0.1:3000").await?;
    axum::serve(listener, app(Pool::connect(&url).await?)).await?;
    Ok(())
}

fn app(pool: Pool) -> Router {
    Router::new()
        .route("/items", get(list).post(add))
        .route("/items/{id}/done", post(finish))
        .with_state(pool)
}

async fn list(State(pool): State<Pool>) -> Result<Json<Vec<Item>>, StatusCode> {
    #[cfg(not(mysql))]
    let sql = sqlx::query_as!(
        Item,
        r#"SELECT id AS "id!", title, done AS "done: bool" FROM item ORDER BY id"#
    );
    // sqlx takes a text for bytes if its collation compares it exactly, as that of a column does.
    #[cfg(mysql)]
    let sql = sqlx::query_as!(
        Item,
        r#"SELECT id AS "id!", CAST(title AS CHAR) AS "title!", done AS "done: bool"
            FROM item ORDER BY id"#
    );
    sql.fetch_all(&pool).await.map(Json).map_err(failed)
}

async fn add(
    State(pool): State<Pool>,
    Json(new): Json<NewItem>,
) -> Result<(StatusCode, Json<Item>), StatusCode> {
    #[cfg(not(mysql))]
    let item = sqlx::query_as!(
        Item,
        r#"INSERT INTO item (title) VALUES ($1) RETURNING id AS "id!", title, done AS "done: bool""#,
        new.title
    )
    .fetch_one(&pool)
    .await
    .map_err(failed)?;
    #[cfg(mysql)]
    let item = {
        let sql = sqlx::query!("INSERT INTO item (title) VALUES (?)", new.title);
        let id = sql.execute(&pool).await.map_err(failed)?.last_insert_id();
        Item { id: id as i64, title: new.title, done: false }
    };
    Ok((StatusCode::CREATED, Json(item)))
}

async fn finish(State(pool): State<Pool>, Path(id): Path<i64>) -> Result<StatusCode, StatusCode> {
    #[cfg(not(mysql))]
    let sql = sqlx::query!("UPDATE item SET done = true WHERE id = $1", id);
    #[cfg(mysql)]
    let sql = sqlx::query!("UPDATE item SET done = true WHERE id = ?", id);
    let done = sql.execute(&pool).await.map_err(failed)?;
    Ok(if done.rows_affected() == 1 { StatusCode::NO_CONTENT } else { StatusCode::NOT_FOUND })
}

fn failed(err: sqlx::Error) -> StatusCode {
    match err {
        sqlx::Error::Database(err) if err.is_check_violation() => StatusCode::UNPROCESSABLE_ENTITY,
        _ => StatusCode::INTERNAL_SERVER_ERROR,
    }
}

#[cfg(test)]
mod tests {
    use dbmigrate_runtime::TestDatabase;

    use super::*;

    /// A pool on a migrated database of this test's own, which is dropped at its end.
    async fn database() -> (TestDatabase, State<Pool>) {
        let url = std::env::var("DATABASE_URL").unwrap_or_else(|_| "sqlite:app.db".to_owned());
        let make = migrations::migrator().spawn(move |migrator| migrator.test_database(&url));
        let database = make.await.unwrap();
        let pool = Pool::connect(database.url()).await.unwrap();
        (database, State(pool))
    }

    fn new(title: &str) -> Json<NewItem> {
        Json(NewItem { title: title.to_owned() })
    }

    #[tokio::test]
    async fn an_item_is_open_until_it_is_done() {
        let (_database, pool) = database().await;
        let (status, Json(item)) = add(pool.clone(), new("write tests")).await.unwrap();
        assert_eq!((status, item.id, item.done), (StatusCode::CREATED, 1, false));
        assert_eq!(finish(pool.clone(), Path(1)).await, Ok(StatusCode::NO_CONTENT));
        let Json(items) = list(pool).await.unwrap();
        assert_eq!(items, [Item { id: 1, title: "write tests".to_owned(), done: true }]);
    }

    #[tokio::test]
    async fn another_test_has_other_items() {
        let (_database, pool) = database().await;
        // A route that axum can't read is a panic.
        let _routes = app(pool.0.clone());
        assert_eq!(list(pool.clone()).await.unwrap().0, []);
        assert_eq!(finish(pool, Path(1)).await, Ok(StatusCode::NOT_FOUND));
    }

    #[tokio::test]
    async fn an_item_has_a_title() {
        let (_database, pool) = database().await;
        assert_eq!(add(pool, new("")).await.unwrap_err(), StatusCode::UNPROCESSABLE_ENTITY);
    }
}
