//! The comparison: fresh processes of all variants in random order, each loaded route by route.

use std::collections::HashMap;
use std::io::{BufRead as _, BufReader};
use std::net::{SocketAddr, TcpListener};
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use anyhow::Context as _;
use clap::{Args, ValueEnum as _};

use crate::cpu::Snapshot;
use crate::pace;
use crate::serve::Variant;
use crate::sink::{self, Counts};
use crate::spread::{Spread, interval};
use crate::wrk;

#[derive(Debug, Args)]
pub(crate) struct Options {
    /// Fresh processes per variant.
    #[arg(long, default_value_t = 15)]
    processes: u32,
    /// Length of each burst, at full speed and at a fixed rate.
    #[arg(long, default_value_t = 2)]
    seconds: u32,
    /// Only loads whose name contains this.
    #[arg(long, default_value = "")]
    only: String,
}

/// A way to load the service.
#[derive(Debug)]
struct Load {
    name: &'static str,
    path: &'static str,
    headers: &'static [&'static str],
    /// Requests per second of the burst at a fixed rate: less than half of what each variant can do.
    rate: u32,
    /// Events that one request makes, in both agents: a transaction or server span, and a span per statement.
    events: u64,
}

/// `/sql-write` comes last, because it makes the table larger.
const LOADS: [Load; 4] = [
    Load {
        name: "/",
        path: "/",
        headers: &[],
        rate: 16_000,
        events: 1,
    },
    Load {
        name: "/ with nine headers",
        path: "/",
        // With `Host`, which wrk sends itself, nine.
        headers: &[
            "User-Agent: Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0",
            "Accept: text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8",
            "Accept-Language: en-US,en;q=0.5",
            "Accept-Encoding: gzip, deflate, br, zstd",
            "Connection: keep-alive",
            "Cookie: session=0b6f1f4e2d",
            "Upgrade-Insecure-Requests: 1",
            "Cache-Control: max-age=0",
        ],
        rate: 16_000,
        events: 1,
    },
    Load {
        name: "/sql-group, 1000 rows",
        path: "/sql-group",
        headers: &[],
        rate: 2_000,
        events: 2,
    },
    Load {
        name: "/sql-write",
        path: "/sql-write",
        headers: &[],
        rate: 4_000,
        events: 8,
    },
];

/// The longest time that a variant may take to send the rest and end.
const PATIENCE: Duration = Duration::from_secs(20);

/// All measurements of one variant under one load, one per process.
#[derive(Debug, Default)]
struct Series {
    /// At full speed.
    per_second: Vec<f64>,
    full_cpu_us: Vec<f64>,
    /// At a fixed rate.
    cpu_us: Vec<f64>,
}

/// Events that a variant should have sent, and those that arrived, over all processes.
#[derive(Debug, Default)]
struct Delivery {
    expected: u64,
    /// Requests that were under way when a burst ended make events without being counted.
    uncertain: u64,
    received: u64,
    bytes: u64,
    others: u64,
}

#[derive(Debug, Default)]
struct Results {
    series: HashMap<(Variant, &'static str), Series>,
    deliveries: HashMap<Variant, Delivery>,
}

pub(crate) fn run(options: &Options) -> anyhow::Result<()> {
    let listener = TcpListener::bind(("127.0.0.1", 0))?;
    let sink = listener.local_addr()?;
    let counts = Arc::new(Counts::default());
    let counting = Arc::clone(&counts);
    std::thread::spawn(move || sink::serve(listener, counting));

    let loads: Vec<_> = LOADS
        .iter()
        .filter(|load| load.name.contains(&options.only))
        .collect();
    let mut results = Results::default();
    for round in 1..=options.processes {
        let mut variants = Variant::value_variants().to_vec();
        fastrand::shuffle(&mut variants);
        for variant in variants {
            eprintln!("process {round} of {}: {variant:?}", options.processes);
            results.measure(variant, &loads, options.seconds, sink, &counts)?;
        }
    }
    for load in &loads {
        results.print(load);
    }
    results.print_deliveries();
    Ok(())
}

impl Results {
    /// One fresh process, from start to end.
    fn measure(
        &mut self,
        variant: Variant,
        loads: &[&'static Load],
        seconds: u32,
        sink: SocketAddr,
        counts: &Counts,
    ) -> anyhow::Result<()> {
        let before = [&counts.events, &counts.others, &counts.bytes]
            .map(|count| count.load(Ordering::Relaxed));
        let service = Service::start(variant, sink)?;
        let delivery = self.deliveries.entry(variant).or_default();
        // The first second also loads code, connects and fills buffers.
        let warm_up = loads
            .first()
            .copied()
            .into_iter()
            .map(|load| (load, 1, false));
        let bursts = loads.iter().map(|load| (*load, seconds, true));
        for (load, seconds, counted) in warm_up.chain(bursts) {
            let url = format!("http://{}{}", service.addr, load.path);
            let (burst, full) = service.used(|| wrk::burst(&url, load.headers, seconds))?;
            delivery.expected += burst.requests * load.events;
            delivery.uncertain += wrk::CONNECTIONS * load.events;
            if !counted {
                continue;
            }
            let (requests, paced) = service
                .used(|| pace::burst(service.addr, load.path, load.headers, load.rate, seconds))?;
            delivery.expected += requests * load.events;
            let series = self.series.entry((variant, load.name)).or_default();
            let each = |used: Duration, requests: u64| used.as_secs_f64() * 1e6 / requests as f64;
            series.per_second.push(burst.per_second);
            series.full_cpu_us.push(each(full, burst.requests));
            series.cpu_us.push(each(paced, requests));
        }
        service.stop()?;
        delivery.received += counts.events.load(Ordering::Relaxed) - before[0];
        delivery.others += counts.others.load(Ordering::Relaxed) - before[1];
        delivery.bytes += counts.bytes.load(Ordering::Relaxed) - before[2];
        Ok(())
    }

    fn print(&self, load: &Load) {
        let [bare, ours, otel] = [Variant::Bare, Variant::Ours, Variant::Otel]
            .map(|variant| &self.series[&(variant, load.name)]);
        println!("\n{}", load.name);
        println!(
            "  {:<5} {:>10}  {:>19}  {:>8}   {:>10}  {:>8}   {:>10}  {:>17}  {:>8}",
            "",
            "requests/s",
            "quartiles",
            "of bare",
            "CPU µs/req",
            "added",
            "at a rate",
            "quartiles",
            "added"
        );
        let base = (
            median(&bare.per_second),
            median(&bare.full_cpu_us),
            median(&bare.cpu_us),
        );
        for (name, series) in [("bare", bare), ("ours", ours), ("otel", otel)] {
            let (speed, full, cpu) = (
                Spread::from_values(&series.per_second),
                median(&series.full_cpu_us),
                Spread::from_values(&series.cpu_us),
            );
            println!(
                "  {name:<5} {:>10.0}  {:>19}  {:>8.3}   {full:>10.2}  {:>+8.2}   {:>10.2}  {:>17}  {:>+8.2}",
                speed.median,
                format!("{:.0} – {:.0}", speed.quartiles.0, speed.quartiles.1),
                speed.median / base.0,
                full - base.1,
                cpu.median,
                format!("{:.2} – {:.2}", cpu.quartiles.0, cpu.quartiles.1),
                cpu.median - base.2,
            );
        }
        let added = |[bare, ours, otel]: [f64; 3]| (ours - bare) / (otel - bare);
        let full = [&bare.full_cpu_us[..], &ours.full_cpu_us, &otel.full_cpu_us];
        let (low, high) = interval(full, added);
        println!(
            "  added CPU at full speed, ours / otel: {:.2} (95 %: {low:.2} – {high:.2})",
            added(full.map(median))
        );
        let cpu = [&bare.cpu_us[..], &ours.cpu_us, &otel.cpu_us];
        let (low, high) = interval(cpu, added);
        println!(
            "  added CPU at {} requests/s, ours / otel: {:.2} (95 %: {low:.2} – {high:.2})",
            load.rate,
            added(cpu.map(median))
        );
        let (low_us, high_us) = interval([cpu[0], cpu[1]], |[bare, ours]| ours - bare);
        let speeds = [&bare.per_second[..], &ours.per_second];
        let (low_speed, high_speed) = interval(speeds, |[bare, ours]| ours / bare);
        println!(
            "  ours: {:+.2} µs (95 %: {low_us:+.2} – {high_us:+.2}), requests/s × {:.3} (95 %: {low_speed:.3} – \
                {high_speed:.3})",
            median(cpu[1]) - median(cpu[0]),
            median(speeds[1]) / median(speeds[0])
        );
    }

    fn print_deliveries(&self) {
        println!("\nevents that arrived, over all processes");
        for (name, variant) in [("ours", Variant::Ours), ("otel", Variant::Otel)] {
            let delivery = &self.deliveries[&variant];
            println!(
                "  {name}: {} for {} expected (and up to {} of requests cut off by the end of a burst), missing {}; \
                    {:.0} B each; {} other events",
                delivery.received,
                delivery.expected,
                delivery.uncertain,
                delivery.expected.saturating_sub(delivery.received),
                delivery.bytes as f64 / delivery.received as f64,
                delivery.others,
            );
        }
    }
}

fn median(values: &[f64]) -> f64 {
    Spread::from_values(values).median
}

/// A process of this same binary that serves, with a database of its own.
#[derive(Debug)]
struct Service {
    child: Child,
    addr: SocketAddr,
    _dir: tempfile::TempDir,
}

impl Service {
    fn start(variant: Variant, sink: SocketAddr) -> anyhow::Result<Self> {
        let dir = tempfile::tempdir()?;
        let name = variant
            .to_possible_value()
            .context("a variant has a name")?;
        let mut child = Command::new(std::env::current_exe()?)
            .args(["serve", name.get_name()])
            .args(["--sink", &format!("http://{sink}")])
            .arg("--database")
            .arg(dir.path().join("people.db"))
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()?;
        let mut line = String::new();
        let stdout = child.stdout.take().context("the child has an output")?;
        BufReader::new(stdout).read_line(&mut line)?;
        let addr = line
            .trim()
            .parse()
            .with_context(|| format!("the service printed {line:?} instead of its address"))?;
        Ok(Self {
            child,
            addr,
            _dir: dir,
        })
    }

    /// The result of `work`, and the CPU time that the service took meanwhile.
    fn used<R>(&self, work: impl FnOnce() -> anyhow::Result<R>) -> anyhow::Result<(R, Duration)> {
        let start = Snapshot::take(self.child.id())?;
        let result = work()?;
        Ok((result, Snapshot::take(self.child.id())?.since(&start)))
    }

    /// Lets it send the rest and end.
    fn stop(mut self) -> anyhow::Result<()> {
        drop(self.child.stdin.take());
        let deadline = std::time::Instant::now() + PATIENCE;
        while self.child.try_wait()?.is_none() {
            if std::time::Instant::now() > deadline {
                self.child.kill()?;
                anyhow::bail!("the service did not end within {} s", PATIENCE.as_secs());
            }
            std::thread::sleep(Duration::from_millis(20));
        }
        Ok(())
    }
}
