//! A whole service on axum and sqlx, as docs/agent.md shows it. `cargo run --example axum_sqlx` serves `GET /orders` on
//! 127.0.0.1:8081.

use apm_agent::tower::ApmLayer;
use axum::{Router, extract::State, http::StatusCode, routing::get};
use sqlx::SqlitePool;
use tracing_subscriber::layer::SubscriberExt as _;
use tracing_subscriber::util::SubscriberInitExt as _;

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let agent = apm_agent::Agent::from_env()?.start(); // 1: keep it: when dropped, it sends what is left
    tracing_subscriber::registry()
        .with(apm_agent::tracing::layer()) // 2: a span per query. Not SQLite? `.with_sqlx("postgresql", Some("shop"))`
        .try_init()?;
    let shop = SqlitePool::connect("sqlite:shop.db?mode=rwc").await?;
    sqlx::query("CREATE TABLE IF NOT EXISTS orders (id INTEGER PRIMARY KEY, item TEXT NOT NULL)")
        .execute(&shop)
        .await?;
    let service = Router::new()
        .route("/orders", get(orders))
        .with_state(shop)
        .layer(ApmLayer::new(&agent)); // 3: a transaction per request
    let listener = tokio::net::TcpListener::bind("127.0.0.1:8081").await?;
    axum::serve(listener, service).await?;
    Ok(())
}

async fn orders(State(shop): State<SqlitePool>) -> Result<String, StatusCode> {
    sqlx::query("INSERT INTO orders (item) VALUES ('tea')")
        .execute(&shop)
        .await
        .map_err(failed)?;
    let count: i64 = sqlx::query_scalar("SELECT count(*) FROM orders")
        .fetch_one(&shop)
        .await
        .map_err(failed)?;
    Ok(format!("{count} orders\n"))
}

fn failed(error: sqlx::Error) -> StatusCode {
    apm_agent::capture_error(&error); // errors that a handler swallows have to be told
    StatusCode::INTERNAL_SERVER_ERROR
}
