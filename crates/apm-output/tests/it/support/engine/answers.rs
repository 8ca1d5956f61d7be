//! Answers of the engine: data streams with indices behind them, `_bulk`, a refresh, searches, index templates.

use std::collections::HashSet;
use std::io::Read as _;

use flate2::read::GzDecoder;
use serde_json::{Value, json};

use super::aggregations::aggregations;
use super::query::{self, matches, number};
use super::{Act, Answer, Request, State};

impl State {
    pub(super) fn answer(&mut self, request: &Request) -> Answer {
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
        if let Some(answer) = self.lifecycle(request, path) {
            return answer;
        }
        match (&*request.method, path) {
            (_, path) if path.starts_with("/_plugins/_ism/") => self.policies.answer(request),
            ("GET", "/") => Answer::Reply(200, self.about.into()),
            ("GET", "/_tasks") => {
                let tasks: serde_json::Map<_, _> = self
                    .at_work
                    .pop()
                    .map(|owner| ("n:1".to_owned(), json!({"headers": {"X-Opaque-Id": owner}})))
                    .into_iter()
                    .collect();
                reply(200, &json!({"nodes": {"n": {"tasks": tasks}}}))
            }
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
        self.owners.insert(request.header("x-opaque-id").to_owned());
        let mut text = String::new();
        let decoded = GzDecoder::new(&*request.body).read_to_string(&mut text);
        decoded.expect("gzip");
        let lines: Vec<&str> = text.lines().collect();
        if lines.len() / 2 > self.largest {
            return reply(413, &json!({}));
        }
        if let Some(text) = self.unreadable
            && lines.iter().any(|line| line.contains(text))
        {
            let error =
                json!({"type": "parse_exception", "reason": "Failed to parse content to map"});
            return reply(400, &json!({"error": error, "status": 400}));
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
            if let Some((text, answer)) = &self.answers
                && pair[1].contains(text)
            {
                errors |= answer["status"].as_u64().is_some_and(|status| status > 299);
                items.push(json!({"create": answer}));
                continue;
            }
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
            Some(Act::TakenEndless) => Answer::Reply(200, vec![b' '; 65 << 20]),
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
        reply(
            200,
            &json!({"result": "updated", "_seq_no": next, "_primary_term": 1}),
        )
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
        let left_out = query["bool"]["must_not"][0]["ids"]["values"].as_array();
        let is_left_out =
            |id: &str| left_out.is_some_and(|ids| ids.iter().any(|one| one.as_str() == Some(id)));
        let mut found: Vec<_> = all
            .chain(plain)
            .filter(|(_, id, _)| !is_left_out(id))
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
        if let Some(field) = question["collapse"]["field"].as_str() {
            let mut seen = HashSet::new();
            found.retain(|(_, _, source)| seen.insert(query::value(source, field).to_string()));
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

pub(super) fn reply(status: u16, body: &Value) -> Answer {
    Answer::Reply(status, body.to_string().into())
}
