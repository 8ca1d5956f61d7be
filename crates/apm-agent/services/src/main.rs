//! Serves people, pets and cats on 127.0.0.1:8081. The variables `ELASTIC_APM_…` say where the agent sends.

use std::error::Error;

use services::with_rusqlite::Pets;
use services::with_sea_orm::Cats;
use services::with_sqlx::People;

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let agent = apm_agent::Agent::from_env()?.start();
    services::watch_tracing()?;
    let (people, cats) = (People::open().await?, Cats::open().await?);
    let service = services::service(&agent, people, Pets::open()?, cats);
    let listener = tokio::net::TcpListener::bind("127.0.0.1:8081").await?;
    axum::serve(listener, service).await?;
    Ok(())
}
