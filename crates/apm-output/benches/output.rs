//! Documents per second and CPU time per document of the output, and what it adds to the cost of taking events.
//!
//! `cargo bench -p pocket-apm-output`. The engine is a thread that counts documents and answers at once. CPU time is
//! that of the threads of the process by their names, from `/proc`, without those of the engine. The events are those
//! of a file of NDJSON that `POCKET_APM_STREAM` names, else made up. With `POCKET_APM_OUTPUT_GOALS` set it fails where
//! a goal is missed (ADR 522): `.ci/torture` runs it so.
#![expect(clippy::print_stdout, reason = "a bench prints what it measures")]

use std::collections::BTreeMap;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use apm_intake::Stream;
use apm_output::{Config, Output};
use apm_store::{Store, StoreOptions};
use flate2::read::GzDecoder;

const EVENTS: u64 = 200_000;

/// The longest time of a run. What takes longer does not go on.
const LONGEST: Duration = Duration::from_secs(120);

/// CPU time of a document at most, µs, with compression.
const DOCUMENT: f64 = 40.0;

/// CPU time of taking an event beside an output at most, as a multiple of that without one.
const INTAKE: f64 = 1.6;

/// Ticks of a second in `/proc`.
const TICKS: f64 = 100.0;

fn main() {
    if std::env::args().any(|argument| argument == "--test") {
        return;
    }
    let body = stream();
    let (taken, _) = run(&body, Mode::Alone);
    let (both, sent) = run(&body, Mode::Output);
    let (shared, sharing) = run(&body, Mode::Sharing);
    let micros = |seconds: f64| seconds * 1e6 / EVENTS as f64;
    let of_output = |run: &Run| -> f64 {
        let threads = run.cpu.iter();
        let own = threads.filter(|(name, _)| name.starts_with("apm-output"));
        own.map(|(_, cpu)| cpu).sum()
    };
    let (own, own_sharing) = (of_output(&sent), of_output(&sharing));
    println!("{EVENTS} events of {} B each as sent", sent.bytes);
    println!(
        "taking events:               {:6.1} µs CPU per event",
        micros(taken)
    );
    println!(
        "taking them with the output: {:6.1} µs CPU per event, {:.2} times as much",
        micros(both - own),
        (both - own) / taken
    );
    println!(
        "and with shared counts:      {:6.1} µs CPU per event, {:.2} times as much",
        micros(shared - own_sharing),
        (shared - own_sharing) / taken
    );
    println!(
        "the output alone:            {:6.1} µs CPU per document",
        micros(own)
    );
    println!(
        "the same with shared counts: {:6.1} µs CPU per document",
        micros(own_sharing)
    );
    println!(
        "documents per second:        {:6.0}",
        EVENTS as f64 / sent.seconds
    );
    if std::env::var_os("POCKET_APM_OUTPUT_GOALS").is_some() {
        compare(&[
            ("µs CPU per document", micros(own), DOCUMENT),
            (
                "µs CPU per document, with shared counts",
                micros(own_sharing),
                DOCUMENT,
            ),
            (
                "times the CPU of taking an event",
                (both - own) / taken,
                INTAKE,
            ),
            (
                "times the CPU of taking an event, with shared counts",
                (shared - own_sharing) / taken,
                INTAKE,
            ),
        ]);
    }
}

/// Compares what was measured with what it may be at most, and fails after all were told.
fn compare(goals: &[(&str, f64, f64)]) {
    println!("running {} comparisons with goals", goals.len());
    let missed = goals.iter().filter(|(what, measured, most)| {
        // A value that was not measured is no number, and meets no goal.
        let is_met = measured <= most && *measured > 0.0;
        let word = if is_met { "met" } else { "MISSED" };
        println!("{word}: {measured:.2} {what}, at most {most}");
        !is_met
    });
    let missed = missed.count();
    assert!(missed == 0, "{missed} goals are missed");
}

/// The parts that a run has.
#[derive(Clone, Copy, PartialEq)]
enum Mode {
    /// The store.
    Alone,
    /// The store and the output of events.
    Output,
    /// The same, and counts for other servers.
    Sharing,
}

/// A run's numbers.
struct Run {
    cpu: BTreeMap<String, f64>,
    seconds: f64,
    bytes: u64,
}

/// Takes all events, and sends them while they come where that is asked for. Gives back seconds of CPU without the
/// engine's.
fn run(body: &[u8], mode: Mode) -> (f64, Run) {
    let with_output = mode != Mode::Alone;
    let dir = tempfile::tempdir().expect("a directory");
    let mut options = StoreOptions::new(dir.path().join("apm.db"));
    options.max_size = None;
    options.keeps_unsent = with_output;
    options.shares_counts = mode == Mode::Sharing;
    let store = Store::open(options).expect("opens");
    let count = Arc::<AtomicU64>::default();
    let address = engine(&count);
    let output = with_output.then(|| {
        let config = Config::new([format!("http://{address}")]).expect("an address");
        Output::start(store.clone(), config).expect("starts")
    });
    let before = cpu();
    let start = Instant::now();
    let mut events = 0;
    let mut bytes = 0;
    while events < EVENTS {
        let mut stream = Stream::new(None, 300 * 1024, None, Arc::default());
        let mut chunk = body;
        let mut tickets = Vec::new();
        while let Some(batch) = stream.advance(&mut chunk) {
            tickets.push(store.submit_when_room(batch).expect("open"));
        }
        stream.finish();
        if let Some(batch) = stream.take() {
            tickets.push(store.submit_when_room(batch).expect("open"));
        }
        bytes += body.len() as u64;
        for ticket in tickets {
            events += ticket.wait().expect("stored").events as u64;
        }
    }
    if let Some(output) = &output {
        while count.load(Ordering::Relaxed) < events {
            let stats = output.stats();
            assert!(
                start.elapsed() < LONGEST,
                "{} of {events} documents were sent: {:?}",
                stats.documents,
                stats.trouble
            );
            std::thread::sleep(Duration::from_millis(5));
        }
    }
    let seconds = start.elapsed().as_secs_f64();
    let mut spent = cpu();
    for (name, cpu) in &mut spent {
        *cpu = (*cpu - before.get(name).unwrap_or(&0.0)) * EVENTS as f64 / events as f64;
    }
    if let Some(output) = output {
        output.stop();
    }
    let own = spent.iter().filter(|(name, _)| *name != "engine");
    let sum = own.map(|(_, cpu)| cpu).sum();
    (
        sum,
        Run {
            cpu: spent,
            seconds,
            bytes: bytes / events,
        },
    )
}

/// Seconds of CPU of the threads, by name.
fn cpu() -> BTreeMap<String, f64> {
    let mut all = BTreeMap::new();
    for task in std::fs::read_dir("/proc/self/task")
        .expect("Linux")
        .flatten()
    {
        let Ok(stat) = std::fs::read_to_string(task.path().join("stat")) else {
            continue;
        };
        let (head, tail) = stat.rsplit_once(')').expect("a name");
        let name = head.split_once('(').expect("a name").1.to_owned();
        let times = tail.split_whitespace().skip(11).take(2);
        let ticks: f64 = times
            .map(|ticks| ticks.parse::<f64>().expect("a number"))
            .sum();
        *all.entry(name).or_default() += ticks / TICKS;
    }
    all
}

/// Answers every bulk request with 201 for each document, and counts them.
fn engine(count: &Arc<AtomicU64>) -> std::net::SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
    let address = listener.local_addr().expect("bound");
    let count = Arc::clone(count);
    let named = |work: Box<dyn FnOnce() + Send>| {
        std::thread::Builder::new()
            .name("engine".to_owned())
            .spawn(work)
            .expect("a thread")
    };
    named(Box::new(move || {
        for stream in listener.incoming().flatten() {
            let count = Arc::clone(&count);
            named(Box::new(move || connection(&stream, &count)));
        }
    }));
    address
}

fn connection(stream: &TcpStream, count: &AtomicU64) {
    let mut reader = BufReader::new(stream);
    loop {
        let (mut path, mut length) = (String::new(), 0);
        if reader.read_line(&mut path).unwrap_or(0) == 0 {
            return;
        }
        loop {
            let mut line = String::new();
            if reader.read_line(&mut line).unwrap_or(0) == 0 {
                return;
            }
            match line.trim_end().split_once(':') {
                None => break,
                Some((name, value)) if name.eq_ignore_ascii_case("content-length") => {
                    length = value.trim().parse().unwrap_or(0);
                }
                Some(_) => {}
            }
        }
        let mut body = vec![0; length];
        if reader.read_exact(&mut body).is_err() {
            return;
        }
        let answer = if path.contains("_bulk") {
            let mut text = Vec::new();
            GzDecoder::new(&*body).read_to_end(&mut text).expect("gzip");
            let lines: Vec<&[u8]> = text.split(|byte| *byte == b'\n').collect();
            let documents = lines.len() / 2;
            let has = |line: &[u8], text: &[u8]| line.windows(text.len()).any(|part| part == text);
            let events = lines
                .iter()
                .skip(1)
                .step_by(2)
                .filter(|line| !has(line, b"\"interval\":\"") && !has(line, b"\"delta\":{"));
            count.fetch_add(events.count() as u64, Ordering::Relaxed);
            let items = vec![r#"{"create":{"status":201}}"#; documents].join(",");
            format!(r#"{{"errors":false,"items":[{items}]}}"#)
        } else if path.contains("_search") || path.contains("_refresh") {
            r#"{"timed_out":false,"_shards":{"failed":0},"hits":{"hits":[]}}"#.to_owned()
        } else {
            r#"{"version":{"number":"9.1.0"}}"#.to_owned()
        };
        let head = format!(
            "HTTP/1.1 200 OK\r\ncontent-length: {}\r\n\r\n",
            answer.len()
        );
        let mut writer = stream;
        if writer.write_all(head.as_bytes()).is_err()
            || writer.write_all(answer.as_bytes()).is_err()
        {
            return;
        }
    }
}

/// The body of a request of an agent, sent again and again.
fn stream() -> Vec<u8> {
    if let Some(file) = std::env::var_os("POCKET_APM_STREAM") {
        return std::fs::read(file).expect("a file of NDJSON");
    }
    let mut body = r#"{"metadata":{"service":{"name":"shop","environment":"production","version":"1.0",
"language":{"name":"rust","version":"1.95"},"framework":{"name":"actix-web","version":"4"},
"agent":{"name":"rust","version":"1"}},
"process":{"pid":7,"title":"shop"},"system":{"hostname":"web-1","architecture":"x86_64","platform":"linux"}}}"#
        .replace('\n', "");
    for n in 0..1000 {
        let text = match n % 8 {
            0 => TRANSACTION,
            _ => SPAN,
        };
        let text = text
            .replace('\n', "")
            .replace("ID", &format!("{n:016x}"))
            .replace("ROOT", &format!("{:016x}", n - n % 8))
            .replace("NUMBER", &n.to_string())
            .replace("NAME", &(n % 20).to_string())
            .replace("TIME", &apm_time::now().to_string());
        body.push('\n');
        body += &text;
    }
    body.into_bytes()
}

const TRANSACTION: &str = r#"{"transaction":{"id":"ID","trace_id":"ROOTROOT","name":"GET /people/NAME",
"type":"request","result":"HTTP 2xx","outcome":"success","duration":NUMBER.5,"timestamp":TIME,
"span_count":{"started":7},"context":{"request":{"method":"GET",
"url":{"full":"http://shop.example/people?page=NUMBER","pathname":"/people","search":"?page=NUMBER"},
"headers":{"user-agent":"curl/8","accept":"*/*"},"socket":{"remote_address":"10.0.0.1"}},
"response":{"status_code":200,"headers":{"content-type":"application/json"}}}}}"#;

const SPAN: &str = r#"{"span":{"id":"ID","trace_id":"ROOTROOT","transaction_id":"ROOT","parent_id":"ROOT",
"name":"SELECT FROM people","type":"db","subtype":"sqlite","action":"query","duration":0.NUMBER,"timestamp":TIME,
"outcome":"success","context":{"db":{"instance":"people.db","type":"sql",
"statement":"SELECT id, name, city FROM people WHERE city = ? ORDER BY name LIMIT 50 OFFSET ?"},
"destination":{"service":{"resource":"sqlite/people.db"}},
"service":{"target":{"type":"sqlite","name":"people.db"}}}}}"#;
