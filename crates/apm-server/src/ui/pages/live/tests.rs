use actix_web::web;
use diesel::Connection as _;
use diesel::connection::SimpleConnection as _;

use super::*;
use crate::ui::demo::Demo;
use crate::ui::moment::Clock;

async fn demo() -> Demo {
    let demo = || Demo::new(apm_time::now());
    web::block(demo).await.unwrap()
}

fn state(demo: &Demo, query: &str) -> State {
    let now = apm_time::now();
    State {
        store: demo.store.clone(),
        query: kql::parse(query, now).unwrap(),
        feed: Feed::Events,
        view: View::fallback("/live", Clock::new(now, None)),
        version: 0,
        seen: -1,
        quiet: 0,
        _place: Place::take().unwrap(),
    }
}

#[actix_web::test]
async fn a_stream_that_finds_nothing_in_what_arrives_says_that_it_is_there() {
    let demo = demo().await;
    let mut state = state(&demo, "service.name: nobody");
    let mut said = Vec::new();
    for _ in 0..=QUIET_STEPS {
        // As if something had been stored since the last step.
        state.version = u64::MAX;
        said.push(state.step().await);
    }
    let last = said.pop().flatten();
    assert_eq!(last.as_deref(), Some(": still here\n\n"));
    assert!(said.iter().all(Option::is_none), "{said:?}");
    assert_eq!(state.step().await, None, "it counts anew");
}

#[actix_web::test]
async fn what_could_not_be_read_is_read_at_the_next_step() {
    let demo = demo().await;
    let mut state = state(&demo, "service.name: my-app-01");
    let path = demo.store.options().path.clone();
    let rename = move |from: &str, to: &str| {
        let path = path.to_str().unwrap();
        let mut other = SqliteConnection::establish(path).unwrap();
        let sql = format!("PRAGMA busy_timeout = 10000; ALTER TABLE {from} RENAME TO {to}");
        other.batch_execute(&sql).unwrap();
    };
    rename("block", "gone");
    assert_eq!(state.step().await, None);
    rename("gone", "block");
    let said = state.step().await.unwrap_or_default();
    let id = format!("id: {}\nevent: rows\n", state.seen);
    assert!(said.starts_with(&id), "{said}");
    assert_eq!(state.step().await, None, "each once");
}
