//! Bodies and questions that chance has changed: they get an answer, and no handler panics.
//!
//! `POCKET_APM_FUZZ_ROUNDS` sets how many of each (default 200).

use std::cell::RefCell;
use std::env;
use std::rc::Rc;

use apm_server::generate::{Options, generate};
use apm_server::import::Target;
use fastrand::Rng;

use crate::support::events::now;
use crate::support::server::TestServer;

/// Pieces that are put into the middle of a text.
const PIECES: [&str; 22] = [
    "\0",
    "\"",
    "\\",
    "\\ud800",
    "\\u0000",
    "\u{202e}",
    "\u{feff}",
    "\n",
    "\r\n",
    "{",
    "}",
    "[[[[[[[[[[[[[[[[",
    "1e999",
    "-0",
    "-9223372036854775809",
    "18446744073709551616",
    "0.00000000000000000000000001",
    "null",
    ":",
    ",",
    "{\"metadata\":{}}\n",
    "\u{10ffff}",
];

/// Values of parameters that mean something somewhere.
const VALUES: [&str; 24] = [
    "",
    "-1",
    "0",
    "99999999999999999999",
    "1e308",
    "NaN",
    "now-1h",
    "now+1000000y",
    "now/d",
    "0000-00-00",
    "9999-12-31T23:59:60Z",
    "-292277022657-01-27",
    "transaction.name: \"",
    "a:(b or c and not d",
    "a: **********",
    "\\",
    "%",
    "%00",
    "../../etc/passwd",
    "'; DROP TABLE tx; --",
    "SELECT * FROM v_spans",
    "WITH RECURSIVE c(x) AS (SELECT 1 UNION ALL SELECT x+1 FROM c) SELECT x FROM c",
    "ffffffffffffffffffffffffffffffff",
    "\u{1f600}",
];

const PARAMETERS: [&str; 24] = [
    "from", "to", "env", "q", "cmp", "tz", "type", "name", "sort", "cols", "group", "field",
    "open", "as", "page", "size", "first", "item", "tab", "sample", "scale", "min_us", "sql",
    "service",
];

const PATHS: [&str; 27] = [
    "/services",
    "/services/V",
    "/services/demo-shop/transactions",
    "/services/demo-shop/transactions/view",
    "/services/V/errors",
    "/services/demo-shop/errors/V",
    "/services/demo-shop/metrics",
    "/services/demo-shop/dependencies",
    "/traces",
    "/traces/V",
    "/errors",
    "/queries",
    "/queries/V",
    "/insights",
    "/discover",
    "/suggest",
    "/sql",
    "/compare",
    "/live",
    "/setup",
    "/settings",
    "/api/v1/discover",
    "/api/v1/traces/V",
    "/api/v1/check",
    "/api/v1/check/baseline",
    "/api/v1/services/V/transactions",
    "/config/v1/agents",
];

/// Rounds of one server: what a question takes grows with what is stored, and a long run would take hours.
const ROUNDS_OF_ONE: u64 = 500;

fn rounds() -> u64 {
    env::var("POCKET_APM_FUZZ_ROUNDS").map_or(200, |rounds| rounds.parse().expect("a number"))
}

/// Bodies as agents send them.
fn valid_bodies() -> Vec<Vec<u8>> {
    let bodies = Rc::new(RefCell::new(Vec::new()));
    let kept = Rc::clone(&bodies);
    let mut target = Target::function(move |body| kept.borrow_mut().push(body.to_vec()));
    generate(&Options::new(4, now()), &mut target, |_| ()).expect("made");
    bodies.take()
}

/// A stretch of a body, at most as long as a line or two.
fn stretch(rng: &mut Rng, length: usize) -> std::ops::Range<usize> {
    let start = rng.usize(..length);
    start..length.min(start + rng.usize(..400))
}

/// A body with a few changes.
fn mutated(rng: &mut Rng, bodies: &[Vec<u8>]) -> Vec<u8> {
    let mut body = bodies[rng.usize(..bodies.len())].clone();
    // Some lines of it.
    let most = 20_000.min(body.len());
    let some = rng.usize(most / 2..=most);
    let end = body[..some].iter().rposition(|byte| *byte == b'\n');
    body.truncate(end.map_or(some, |end| end + 1));
    for _ in 0..rng.usize(0..4) {
        let at = rng.usize(..body.len());
        match rng.u8(..5) {
            0 => body[at] ^= 1 << rng.u8(..8),
            1 => {
                let piece = PIECES[rng.usize(..PIECES.len())];
                body.splice(at..at, piece.bytes());
            }
            2 => {
                let range = stretch(rng, body.len());
                body.drain(range);
            }
            3 => {
                let range = stretch(rng, body.len());
                let copy = body[range].to_vec();
                body.splice(at..at, copy);
            }
            _ => {
                let other = &bodies[rng.usize(..bodies.len())];
                let range = stretch(rng, other.len());
                body.splice(at..at, other[range].iter().copied());
            }
        }
        if body.is_empty() {
            body.push(b'\n');
        }
    }
    body
}

/// An address with values that may mean anything.
fn question(rng: &mut Rng) -> String {
    let encoded = |text: &str| -> String {
        let byte = |byte: u8| format!("%{byte:02X}");
        text.bytes().map(byte).collect()
    };
    let mut value = || encoded(VALUES[rng.usize(..VALUES.len())]);
    let path = value();
    let values: Vec<_> = (0..3).map(|_| value()).collect();
    let pairs: Vec<_> = values
        .iter()
        .map(|value| format!("{}={value}", PARAMETERS[rng.usize(..PARAMETERS.len())]))
        .collect();
    let path = PATHS[rng.usize(..PATHS.len())].replace('V', &path);
    format!("{path}?{}", pairs.join("&"))
}

#[actix_web::test]
async fn changed_bodies_and_questions_are_answered_and_nothing_panics() {
    let bodies = valid_bodies();
    let seed = env::var("POCKET_APM_FUZZ_SEED").map_or_else(
        |_| fastrand::u64(..),
        |seed| seed.parse().expect("a number"),
    );
    let mut rng = Rng::with_seed(seed);
    let (mut taken, mut refused) = (0, 0);
    let mut server = begin(&bodies).await;
    for round in 0..rounds() {
        if round > 0 && round % ROUNDS_OF_ONE == 0 {
            end(server, &bodies, seed).await;
            server = begin(&bodies).await;
        }
        let what = format!("POCKET_APM_FUZZ_SEED={seed}, round {round}");
        let body = mutated(&mut rng, &bodies);
        let answer = server.intake(body).await;
        match answer.status {
            202 => taken += 1,
            400 => refused += 1,
            _ => panic!("{what}: {answer:?}"),
        }
        let path = question(&mut rng);
        let accept = ["application/json", "text/html"][rng.usize(..2)];
        let answer = server.send("GET", &path, &[("Accept", accept)], "").await;
        assert!(answer.status < 500, "{what}: {path}: {answer:?}");
    }
    // Both were tried, and the server goes on.
    assert!(taken > 0 && refused > 0, "{taken} taken, {refused} refused");
    end(server, &bodies, seed).await;
}

async fn begin(bodies: &[Vec<u8>]) -> TestServer {
    let server = TestServer::start();
    for body in bodies {
        assert_eq!(server.intake(body.clone()).await.status, 202);
    }
    server
}

async fn end(server: TestServer, bodies: &[Vec<u8>], seed: u64) {
    for body in bodies {
        let answer = server.intake(body.clone()).await;
        assert_eq!(answer.status, 202, "seed {seed}");
    }
    server.stop().await;
}
