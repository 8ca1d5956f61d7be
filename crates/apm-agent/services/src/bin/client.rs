//! Asks the services on sqlx, rusqlite and SeaORM a few things under `apm-agent`. The variables `ELASTIC_APM_…` say
//! where it sends; `LINGER` is the time that it stays, so that the agent asks for its settings again, in seconds.

use std::error::Error;
use std::time::Duration;

use services::ask::ask_all;
use services::with_rusqlite::Pets;
use services::with_sea_orm::Cats;
use services::with_sqlx::People;

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let agent = apm_agent::Agent::from_env()?.start();
    services::watch_tracing()?;
    let (people, cats) = (People::open().await?, Cats::open().await?);
    let service = services::service(&agent, people, Pets::open()?, cats);
    let paths = [
        ("/people/1", 200),
        ("/people/2", 404),
        ("/pets/1", 200),
        ("/cats/Tib", 200),
    ];
    ask_all(service, &paths).await?;
    apm_agent::capture_error(&std::io::Error::other("the shelf is empty"));
    let linger = std::env::var("LINGER").ok();
    let linger: f64 = linger.map_or(Ok(0.0), |seconds| seconds.parse())?;
    // The metrics are sent once a second.
    tokio::time::sleep(Duration::from_secs_f64(1.5 + linger)).await;
    if !agent.shutdown(Duration::from_secs(10)) {
        return Err("not everything was sent within ten seconds".into());
    }
    Ok(())
}
