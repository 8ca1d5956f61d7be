//! An engine: data streams with indices behind them, `_bulk`, a refresh, a search by ids, index templates.

mod aggregations;
mod policies;
mod query;

use std::collections::{BTreeMap, HashMap, HashSet, VecDeque};
use std::io::Read;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use flate2::read::GzDecoder;
use serde_json::{Value, json};

use aggregations::aggregations;
pub(crate) use policies::Policies;
use query::{matches, number};

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
    /// Everything is taken; then all data streams get a new index, and the connection breaks off.
    TakenRollover,
    /// Of each so many documents, one gets this status.
    Items(usize, u16),
}

/// An engine in this process.
#[derive(Clone, Debug)]
pub(crate) struct Engine {
    address: SocketAddr,
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
    pub(crate) templates: HashMap<String, Value>,
    pub(crate) policies: Policies,
    /// Documents of plain indices: path of the document, version, source.
    pub(crate) plain: BTreeMap<String, (u64, Value)>,
    /// Documents whose text has this are there, and no search finds them.
    pub(crate) hidden: Option<&'static str>,
    /// The credential that is asked for.
    pub(crate) credential: Option<String>,
    /// Documents of a request, at most.
    pub(crate) largest: usize,
    pub(crate) log: Vec<String>,
}

impl Engine {
    pub(crate) fn start(about: &'static str) -> Self {
        let state = Arc::new(Mutex::new(State {
            about,
            documents: BTreeMap::new(),
            indexed: HashSet::new(),
            generation: 0,
            script: VecDeque::new(),
            poison: None,
            templates: HashMap::new(),
            policies: Policies::default(),
            plain: BTreeMap::new(),
            hidden: None,
            credential: None,
            largest: usize::MAX,
            log: Vec::new(),
        }));
        let shared = Arc::clone(&state);
        let address = serve(move |request| lock(&shared).answer(request));
        Self { address, state }
    }

    pub(crate) fn url(&self) -> String {
        format!("http://{}", self.address)
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
        let events = state.documents.iter().filter(|(_, copies)| {
            let interval = &copies[0].1["metricset"]["interval"];
            interval.is_null() && !copies[0].0.starts_with("metrics-pocket.")
        });
        events
            .map(|(id, copies)| (id.clone(), copies[0].clone()))
            .collect()
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

impl State {
    fn answer(&mut self, request: &Request) -> Answer {
        self.log
            .push(format!("{} {}", request.method, request.path));
        let shown = request.header("authorization");
        if self
            .credential
            .as_deref()
            .is_some_and(|wanted| wanted != shown)
        {
            return reply(401, &json!({"error": "unauthorized"}));
        }
        let path = request.path.split('?').next().unwrap_or_default();
        match (&*request.method, path) {
            (_, path) if path.starts_with("/_plugins/_ism/") => self.policies.answer(request),
            ("GET", "/") => Answer::Reply(200, self.about.into()),
            ("POST", "/_bulk") => self.bulk(request),
            ("POST", path) if path.ends_with("/_refresh") => {
                reply(200, &json!({"_shards": {"failed": 0}}))
            }
            ("POST", path) if path.ends_with("/_search") => self.search(request),
            ("GET", path) if path.contains("/_doc/") => match self.plain.get(path) {
                Some((version, source)) => reply(
                    200,
                    &json!({"found": true, "_seq_no": version, "_primary_term": 1, "_source": source}),
                ),
                None => reply(404, &json!({"found": false})),
            },
            ("PUT", path) if path.contains("/_doc/") => self.put(request, path),
            ("GET", path) => match self.templates.get(path) {
                Some(template) => {
                    let found = json!({"index_templates": [{"index_template": template}]});
                    reply(200, &found)
                }
                None => reply(404, &json!({})),
            },
            ("PUT", path) => {
                let template = serde_json::from_slice(&request.body).expect("JSON");
                self.templates.insert(path.to_owned(), template);
                reply(200, &json!({"acknowledged": true}))
            }
            _ => reply(405, &json!({})),
        }
    }

    fn bulk(&mut self, request: &Request) -> Answer {
        assert_eq!(request.header("content-encoding"), "gzip");
        let mut text = String::new();
        let decoded = GzDecoder::new(&*request.body).read_to_string(&mut text);
        decoded.expect("gzip");
        let lines: Vec<&str> = text.lines().collect();
        if lines.len() / 2 > self.largest {
            return reply(413, &json!({}));
        }
        let act = self.script.pop_front();
        match act {
            Some(Act::Status(status)) => return reply(status, &json!({"error": "not now"})),
            Some(Act::Reset) => return Answer::Reset,
            _ => {}
        }
        let mut items = Vec::new();
        let mut errors = false;
        for (at, pair) in lines.chunks(2).enumerate() {
            let status = match act {
                Some(Act::Items(each, status)) if at % each == 0 => status,
                _ if self.poison.is_some_and(|poison| pair[1].contains(poison)) => 400,
                _ => self.create(pair[0], pair[1]),
            };
            errors |= status > 299;
            items.push(match status {
                201 => json!({"create": {"status": 201}}),
                status => json!({"create": {"status": status, "error": {
                    "type": format!("error_{status}_exception"), "reason": "because"}}}),
            });
        }
        match act {
            Some(Act::TakenGarbage) => Answer::Reply(200, b"<html>proxy</html>".into()),
            Some(Act::TakenReset) => Answer::Reset,
            Some(Act::TakenSilence) => Answer::Silence,
            Some(Act::TakenRollover) => {
                self.generation += 1;
                Answer::Reset
            }
            _ => reply(200, &json!({"errors": errors, "items": items})),
        }
    }

    fn create(&mut self, action: &str, source: &str) -> u16 {
        let action: Value = serde_json::from_str(action).expect("JSON");
        let text = |name: &str| action["create"][name].as_str().expect(name).to_owned();
        let (stream, id) = (text("_index"), text("_id"));
        let source: Value = serde_json::from_str(source).expect("JSON");
        let key = (stream.clone(), self.generation, id.clone());
        if !self.indexed.insert(key) {
            return 409;
        }
        self.documents.entry(id).or_default().push((stream, source));
        201
    }

    /// A document of a plain index. It is refused where another version is there than the one that is told.
    fn put(&mut self, request: &Request, path: &str) -> Answer {
        let source: Value = serde_json::from_slice(&request.body).expect("JSON");
        let version = self.plain.get(path).map(|(version, _)| *version);
        let query = request.path.split_once('?').map_or("", |(_, query)| query);
        let wanted = query
            .split('&')
            .find_map(|part| part.strip_prefix("if_seq_no="));
        let is_wrong = wanted.is_some_and(|wanted| {
            version.map(|version| version.to_string()).as_deref() != Some(wanted)
        }) || (query.contains("op_type=create") && version.is_some());
        // A version of the writer's own has to be above the one that is there.
        let own = query
            .split('&')
            .find_map(|part| part.strip_prefix("version="))
            .map(|version| version.parse::<u64>().expect("a number"));
        let is_wrong = is_wrong || own.is_some_and(|own| version.is_some_and(|there| own <= there));
        if is_wrong {
            return reply(
                409,
                &json!({"error": {"type": "version_conflict_engine_exception"}}),
            );
        }
        let next = own.unwrap_or(version.map_or(0, |version| version + 1));
        self.plain.insert(path.to_owned(), (next, source));
        reply(200, &json!({"result": "updated"}))
    }

    /// A search by a filter of terms and ranges, sorted by one field.
    fn filtered(&self, indices: &str, question: &Value) -> Answer {
        let all = self.documents.iter().flat_map(|(id, copies)| {
            copies
                .iter()
                .map(move |(stream, source)| (stream.as_str(), id.as_str(), source))
        });
        let plain = self.plain.iter().filter_map(|(path, (_, source))| {
            let (index, id) = path.trim_start_matches('/').split_once("/_doc/")?;
            Some((index, id, source))
        });
        let is_of = |name: &str| {
            indices
                .split(',')
                .any(|pattern| match pattern.split_once('*') {
                    Some((head, tail)) => name.starts_with(head) && name.ends_with(tail),
                    None => name == pattern,
                })
        };
        let query = &question["query"];
        let mut found: Vec<_> = all
            .chain(plain)
            .filter(|(index, _, source)| is_of(index) && matches(query, source))
            .filter(|(_, _, source)| {
                self.hidden.is_none_or(|hidden| {
                    source["delta"].is_null() || !source.to_string().contains(hidden)
                })
            })
            .collect();
        if let Some((field, _)) = question["sort"][0]
            .as_object()
            .and_then(|sort| sort.iter().next())
        {
            found.sort_by_key(|(_, _, source)| number(source, field).map(|number| number as i64));
            if question["sort"][0][field]["order"] == "desc" {
                found.reverse();
            }
        }
        let total = found.len();
        let sources: Vec<&Value> = found.iter().map(|(_, _, source)| *source).collect();
        let aggregations = aggregations(question, &sources);
        if !question["post_filter"].is_null() {
            found.retain(|(_, _, source)| matches(&question["post_filter"], source));
        }
        let from = question["from"].as_u64().unwrap_or_default() as usize;
        let size = question["size"].as_u64().unwrap_or(10) as usize;
        let hits: Vec<_> = found
            .iter()
            .skip(from)
            .take(size)
            .map(|(_, id, source)| json!({"_id": id, "_source": source}))
            .collect();
        reply(
            200,
            &json!({"timed_out": false, "_shards": {"failed": 0},
                "hits": {"total": {"value": total}, "hits": hits},
                "aggregations": aggregations}),
        )
    }

    fn search(&mut self, request: &Request) -> Answer {
        let question: Value = serde_json::from_slice(&request.body).expect("JSON");
        if question["query"]["ids"].is_null() {
            let path = request.path.trim_start_matches('/');
            let indices = path.split('/').next().unwrap_or_default().to_owned();
            return self.filtered(&indices, &question);
        }
        let ids = question["query"]["ids"]["values"].as_array().expect("ids");
        let found = ids
            .iter()
            .filter(|id| self.documents.contains_key(id.as_str().expect("a text")));
        let hits: Vec<_> = found.map(|id| json!({"_id": id})).collect();
        let body = json!({"timed_out": false, "_shards": {"failed": 0}, "hits": {"hits": hits}});
        reply(200, &body)
    }
}

fn reply(status: u16, body: &Value) -> Answer {
    Answer::Reply(status, body.to_string().into())
}
