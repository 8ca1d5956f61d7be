//! A data set for trying the pages and for measuring: made up, but as agents would send it.
//!
//! Four services call each other, read and write databases, fail, log and report metrics over a window of time. Some
//! things are there to be found: a statement that gets slower as its table grows, one that runs once per item, a burst
//! of errors, a release that made a route slower. The same seed makes the same data but for the window's end.
//!
//! It stores nothing. It writes intake v2 request bodies and hands them to a [`Target`], the way that
//! an agent's go.

mod encode;
mod world;

use std::time::Duration;

use fastrand::Rng;

use crate::import::{ImportError, Summary, Target};
use encode::{Body, Ids};
use world::{ROUTES, Route, SERVICES, Step};

/// Events per request body.
const TOGETHER: usize = 1000;

/// The interval at which a service reports metrics, µs; longer where there are few traces.
const METRICS: i64 = 30_000_000;

/// Traces between two reports, at least.
const TRACES_PER_REPORT: u64 = 20;

/// The request to make something up.
#[derive(Clone, Debug)]
pub struct Options {
    /// Number of traces; some ten spans each.
    pub traces: u64,
    /// The time over which they are spread.
    pub window: Duration,
    /// The end of that time, µs since the epoch.
    pub end: i64,
    /// The seed of the random numbers.
    pub seed: u64,
}

impl Options {
    /// The request for so many traces over the last day.
    pub fn new(traces: u64, now: i64) -> Self {
        Self {
            traces,
            window: Duration::from_secs(24 * 60 * 60),
            end: now,
            seed: 1,
        }
    }
}

/// Makes a data set and sends it. `progress` is called now and then with the number of traces that are done.
pub fn generate(
    options: &Options,
    target: &mut Target,
    mut progress: impl FnMut(u64),
) -> Result<Summary, ImportError> {
    let mut maker = Maker::new(options);
    let mut summary = Summary::default();
    for trace in 0..options.traces {
        maker.metrics_until(maker.time(trace));
        maker.trace(trace);
        // Bodies of all services go together, so that traces arrive about whole.
        if maker.bodies.iter().any(|body| body.events() >= TOGETHER) {
            for body in &mut maker.bodies {
                if body.events() > 0 {
                    summary += target.send(body.text())?;
                    body.clear();
                }
            }
            progress(trace + 1);
        }
    }
    for body in maker.bodies.iter().filter(|body| body.events() > 0) {
        summary += target.send(body.text())?;
    }
    summary += target.finish()?;
    progress(options.traces);
    Ok(summary)
}

struct Maker<'o> {
    options: &'o Options,
    rng: Rng,
    /// One per service.
    bodies: Vec<Body>,
    next_metrics: i64,
}

/// The caller of a request.
#[derive(Clone, Copy)]
struct Caller {
    trace_id: u128,
    parent_id: Option<u64>,
}

/// The end of a request.
struct Ended {
    duration: i64,
    status: u16,
}

impl<'o> Maker<'o> {
    fn new(options: &'o Options) -> Self {
        let bodies = SERVICES.iter().map(Body::new).collect();
        let mut maker = Self {
            options,
            rng: Rng::with_seed(options.seed),
            bodies,
            next_metrics: 0,
        };
        maker.next_metrics = maker.start();
        maker
    }

    fn window(&self) -> i64 {
        i64::try_from(self.options.window.as_micros()).unwrap_or(i64::MAX / 4)
    }

    fn start(&self) -> i64 {
        self.options.end - self.window()
    }

    /// When a trace begins: they are spread evenly, with a swell.
    fn time(&self, trace: u64) -> i64 {
        let part = trace as f64 / self.options.traces as f64;
        // Three waves over the window: charts of rates have busy and quiet times.
        let swell = (part * std::f64::consts::TAU * 3.0).sin() * 0.03;
        self.start() + ((part + swell).clamp(0.0, 1.0) * self.window() as f64) as i64
    }

    /// The part of the window that has passed, 0 to 1.
    fn part(&self, ts: i64) -> f64 {
        ((ts - self.start()) as f64 / self.window().max(1) as f64).clamp(0.0, 1.0)
    }

    /// A duration around a mean: most shorter, few much longer.
    fn around(&mut self, mean: f64) -> i64 {
        // The logarithm of 0 is without bound.
        let unit = self.rng.f64().max(1e-9);
        (mean * (0.55 - 0.45 * unit.ln())).max(1.0) as i64
    }

    fn trace(&mut self, trace: u64) {
        let total: u32 = ROUTES.iter().map(|route| route.weight).sum();
        let mut choice = self.rng.u32(..total);
        let mut entry = &ROUTES[0];
        for route in ROUTES {
            if choice < route.weight {
                entry = route;
                break;
            }
            choice -= route.weight;
        }
        let ts = self.time(trace);
        let caller = Caller {
            // An id of zeros is none.
            trace_id: self.rng.u128(1..),
            parent_id: None,
        };
        self.request(entry, ts, caller);
    }

    /// A transaction with all that it does.
    fn request(&mut self, route: &Route, ts: i64, caller: Caller) -> Ended {
        let ids = Ids {
            trace: caller.trace_id,
            transaction: self.rng.u64(1..),
            parent: caller.parent_id,
        };
        let part = self.part(ts);
        let release = if route.slower_release && part > 0.6 {
            1.8
        } else {
            1.0
        };
        let mut clock = ts + self.around(route.own_us * release / 2.0);
        let mut spans = 0;
        let mut status = 200;
        for step in route.steps {
            let (done, failed) = self.step(route, *step, ids, clock, &mut spans);
            clock = done;
            status = failed.unwrap_or(status);
        }
        clock += self.around(route.own_us * release / 2.0);
        // A few minutes in which errors are frequent, for the rule that looks for spikes.
        let burst = (0.42..0.45).contains(&part);
        let chance = if burst {
            route.fails * 8.0
        } else {
            route.fails
        };
        if self.rng.f64() < chance {
            status = 500;
            self.bodies[route.service].error(ids, route, clock - 1, self.rng.u32(..3));
        }
        let duration = clock - ts;
        let user = self.rng.u32(..500);
        self.bodies[route.service].transaction(ids, route, ts, duration, status, spans, user);
        if self.rng.u8(..4) == 0 {
            self.bodies[route.service].log(ids, route, clock, status);
        }
        Ended { duration, status }
    }

    /// One step; when it ended, and the status that it gives to the whole.
    fn step(
        &mut self,
        route: &Route,
        step: Step,
        ids: Ids,
        clock: i64,
        spans: &mut u32,
    ) -> (i64, Option<u16>) {
        match step {
            Step::Wait(mean) => (clock + self.around(mean), None),
            Step::Sql(statement, times) => {
                let mut clock = clock;
                for _ in 0..times {
                    let grown = 1.0 + statement.growth * self.part(clock);
                    let duration = self.around(statement.mean_us * grown);
                    let span = self.rng.u64(1..);
                    let literal = self.rng.u32(..10_000);
                    self.bodies[route.service].sql(ids, span, statement, clock, duration, literal);
                    *spans += 1;
                    clock += duration + self.rng.i64(5..60);
                }
                (clock, None)
            }
            Step::Call(index) => {
                let called = &ROUTES[index];
                let span = self.rng.u64(1..);
                let network = self.around(400.0);
                let caller = Caller {
                    trace_id: ids.trace,
                    parent_id: Some(span),
                };
                let ended = self.request(called, clock + network, caller);
                let duration = ended.duration + 2 * network;
                let host = SERVICES[called.service].name;
                self.bodies[route.service].http(
                    ids,
                    span,
                    host,
                    called.path,
                    clock,
                    duration,
                    ended.status,
                );
                *spans += 1;
                let status = (ended.status >= 500).then_some(502);
                (clock + duration, status)
            }
            Step::External(host, mean) => {
                let span = self.rng.u64(1..);
                let duration = self.around(mean);
                let status = if self.rng.u8(..50) == 0 { 503 } else { 200 };
                self.bodies[route.service].http(
                    ids,
                    span,
                    host,
                    "/v1/charges",
                    clock,
                    duration,
                    status,
                );
                *spans += 1;
                (clock + duration, (status >= 500).then_some(502))
            }
        }
    }

    fn metrics_until(&mut self, ts: i64) {
        while self.next_metrics < ts {
            let at = self.next_metrics;
            let part = self.part(at);
            for (service, body) in self.bodies.iter_mut().enumerate() {
                let load = 0.2 + 0.1 * part + self.rng.f64() * 0.2;
                body.metrics(at, load, self.rng.f64());
                for route in ROUTES.iter().filter(|route| route.service == service) {
                    body.breakdown(at, route);
                }
            }
            // Few traces over a long window would otherwise come with many times as many reports of metrics.
            let reports = (self.options.traces / TRACES_PER_REPORT).max(1);
            let apart = self.window() / i64::try_from(reports).unwrap_or(i64::MAX);
            self.next_metrics += apart.max(METRICS);
        }
    }
}
