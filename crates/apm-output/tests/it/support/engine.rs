//! An engine: its documents, what it is told to do next, and what a test asks of it.

mod aggregations;
mod answers;
mod lifecycles;
mod policies;
mod query;

use std::collections::{BTreeMap, HashMap, HashSet, VecDeque};
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use rustls::ServerConfig;
use serde_json::Value;

pub(crate) use lifecycles::Lifecycles;
pub(crate) use policies::Policies;

use super::http::serve_with;
pub(crate) use super::http::{Answer, Request, serve};

pub(crate) const ELASTICSEARCH: &str = r#"{"version":{"number":"9.1.0","build_flavor":"default"}}"#;
pub(crate) const OPENSEARCH: &str =
    r#"{"version":{"distribution":"opensearch","number":"2.19.6"}}"#;

/// The next answers to `_bulk`.
#[derive(Clone, Debug)]
pub(crate) enum Act {
    /// Nothing is taken, and this is the status.
    Status(u16),
    /// Everything is taken, and the answer is none of an engine.
    TakenGarbage,
    /// Nothing is taken, and the connection breaks off.
    Reset,
    /// Everything is taken, and the connection breaks off.
    TakenReset,
    /// Everything is taken, and there is no answer.
    TakenSilence,
    /// Everything is taken, and the answer is longer than any that is read.
    TakenEndless,
    /// Everything is taken; then all data streams get a new index, and the connection breaks off.
    TakenRollover,
    /// Of each so many documents, one gets this status.
    Items(usize, u16),
}

/// An engine in this process.
#[derive(Clone, Debug)]
pub(crate) struct Engine {
    address: SocketAddr,
    is_tls: bool,
    state: Arc<Mutex<State>>,
}

#[derive(Debug)]
pub(crate) struct State {
    about: &'static str,
    /// All documents: data stream and source, by id. More than one of an id is a mistake.
    pub(crate) documents: BTreeMap<String, Vec<(String, Value)>>,
    /// Data stream, index and id.
    indexed: HashSet<(String, usize, String)>,
    generation: usize,
    pub(crate) script: VecDeque<Act>,
    /// Documents whose text has this are refused.
    pub(crate) poison: Option<&'static str>,
    /// Documents whose text has this get this answer. They are not taken.
    pub(crate) answers: Option<(&'static str, Value)>,
    /// A request with a document whose text has this is refused as a whole.
    pub(crate) unreadable: Option<&'static str>,
    pub(crate) templates: HashMap<String, Value>,
    pub(crate) policies: Policies,
    pub(crate) lifecycles: Lifecycles,
    /// Documents of plain indices: path of the document, version, source.
    pub(crate) plain: BTreeMap<String, (u64, Value)>,
    /// Documents whose text has this are there, and no search finds them.
    pub(crate) hidden: Option<&'static str>,
    /// The credential that is asked for.
    pub(crate) credential: Option<String>,
    /// The owners of requests that have no answer yet, each as often as it is told of.
    pub(crate) at_work: Vec<String>,
    /// The owners of all requests with documents.
    pub(crate) owners: HashSet<String>,
    /// Documents of a request, at most.
    pub(crate) largest: usize,
    pub(crate) log: Vec<String>,
}

impl Engine {
    pub(crate) fn start(about: &'static str) -> Self {
        Self::start_with(about, None)
    }

    /// Starts behind TLS.
    pub(crate) fn start_tls(about: &'static str, tls: Arc<ServerConfig>) -> Self {
        Self::start_with(about, Some(tls))
    }

    fn start_with(about: &'static str, tls: Option<Arc<ServerConfig>>) -> Self {
        let is_tls = tls.is_some();
        let state = Arc::new(Mutex::new(State {
            about,
            documents: BTreeMap::new(),
            indexed: HashSet::new(),
            generation: 0,
            script: VecDeque::new(),
            poison: None,
            answers: None,
            unreadable: None,
            templates: HashMap::new(),
            policies: Policies::default(),
            lifecycles: Lifecycles::default(),
            plain: BTreeMap::new(),
            hidden: None,
            credential: None,
            at_work: Vec::new(),
            owners: HashSet::new(),
            largest: usize::MAX,
            log: Vec::new(),
        }));
        let shared = Arc::clone(&state);
        let address = serve_with(tls, move |request| lock(&shared).answer(request));
        Self {
            address,
            is_tls,
            state,
        }
    }

    pub(crate) fn url(&self) -> String {
        let scheme = if self.is_tls { "https" } else { "http" };
        format!("{scheme}://{}", self.address)
    }

    /// The answer to a request that came another way.
    pub(crate) fn answer(&self, request: &Request) -> Answer {
        self.state().answer(request)
    }

    /// All data streams get a new index.
    pub(crate) fn roll_over(&self) {
        self.state().generation += 1;
    }

    pub(crate) fn state(&self) -> MutexGuard<'_, State> {
        lock(&self.state)
    }

    pub(crate) fn script(&self, acts: impl IntoIterator<Item = Act>) {
        self.state().script.extend(acts);
    }

    /// Ids that are there more than once.
    pub(crate) fn duplicates(&self) -> usize {
        let state = self.state();
        let twice = state.documents.values().filter(|copies| copies.len() > 1);
        twice.count()
    }

    /// Documents of events, by id.
    pub(crate) fn events(&self) -> BTreeMap<String, (String, Value)> {
        let state = self.state();
        let events = state
            .documents
            .iter()
            .filter(|(_, copies)| is_event(copies));
        events
            .map(|(id, copies)| (id.clone(), copies[0].clone()))
            .collect()
    }

    /// The number of documents of events. Tests ask for it while they wait, so it copies none.
    pub(crate) fn event_count(&self) -> usize {
        let state = self.state();
        state
            .documents
            .values()
            .filter(|copies| is_event(copies))
            .count()
    }

    /// Documents of aggregates.
    pub(crate) fn aggregates(&self) -> Vec<Value> {
        let state = self.state();
        let all = state.documents.values().map(|copies| copies[0].1.clone());
        all.filter(|document| document["metricset"]["interval"].is_string())
            .collect()
    }
}

fn lock(state: &Mutex<State>) -> MutexGuard<'_, State> {
    state.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Whether a document, with its copies, is one of an event: it is no aggregate, and no metric of the server itself.
fn is_event(copies: &[(String, Value)]) -> bool {
    let (index, document) = &copies[0];
    document["metricset"]["interval"].is_null() && !index.starts_with("metrics-pocket.")
}
