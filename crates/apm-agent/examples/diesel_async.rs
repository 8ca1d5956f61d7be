//! Queries of diesel-async on SQLite. Its connection asks on other threads: the request is taken along to these.
//!
//! `cargo run -p apm-agent --example diesel_async`

use std::error::Error;
use std::time::Duration;

use apm_agent::{Agent, Context};
use diesel::prelude::*;
use diesel_async::RunQueryDsl; // in the place of that of Diesel
use diesel_async::sync_connection_wrapper::{SpawnBlocking, SyncConnectionWrapper};
use futures_util::future::BoxFuture;

diesel::table! {
    letter (id) {
        id -> Integer,
        town -> Text,
    }
}

/// A connection whose queries belong to the request that asks.
type AsyncSqlite = SyncConnectionWrapper<SqliteConnection, WithContext<Tokio>>;

/// Runs a connection's work elsewhere, with the context in which it was asked for.
struct WithContext<S>(S);

impl<S: SpawnBlocking> SpawnBlocking for WithContext<S> {
    fn spawn_blocking<'a, R>(
        &mut self,
        task: impl FnOnce() -> R + Send + 'static,
    ) -> BoxFuture<'a, Result<R, Box<dyn Error + Send + Sync>>>
    where
        R: Send + 'static,
    {
        let context = Context::current();
        self.0.spawn_blocking(move || context.run(task))
    }

    fn get_runtime() -> Self {
        Self(S::get_runtime())
    }
}

/// The runtime that diesel-async uses by itself; it has no public name.
type Tokio = <SyncConnectionWrapper<SqliteConnection> as Runtime>::Own;

trait Runtime {
    type Own;
}

impl<C, S> Runtime for SyncConnectionWrapper<C, S> {
    type Own = S;
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let agent = Agent::from_env()?.start();
    let diesel = agent.diesel(":memory:"); // before connections are opened
    let mut connection = SqliteConnection::establish(":memory:")?;
    diesel.instrument(&mut connection);
    let mut connection = AsyncSqlite::new(connection);

    let transaction = agent.transaction("count letters", "task");
    let counted = transaction.wrap(count(&mut connection)).await;
    agent.shutdown(Duration::from_secs(2));

    assert_eq!(counted?, 1);
    Ok(())
}

async fn count(connection: &mut AsyncSqlite) -> QueryResult<i64> {
    diesel::sql_query("CREATE TABLE letter (id INTEGER PRIMARY KEY, town TEXT NOT NULL)")
        .execute(connection)
        .await?;
    diesel::insert_into(letter::table)
        .values(letter::town.eq("Galway"))
        .execute(connection)
        .await?;
    letter::table
        .filter(letter::town.eq("Galway"))
        .count()
        .get_result(connection)
        .await
}
