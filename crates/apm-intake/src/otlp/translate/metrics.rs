//! Points of metrics: those of one scope that agree in time and attributes are one event.

mod sample;

use std::collections::{HashMap, HashSet};

use apm_store::event::{Event, Metricset, Sample};

use sample::Counted;

use super::batches::{Batches, Time, note_time};
use super::sender::{ScopeFacts, Sender, write_data_stream};
use crate::conventions::{Json, KeyValue, Value, cut, is_label, label};
use crate::hash::{hash, hash_all};
use crate::otlp::bounds::MAX_ITEM;
use crate::otlp::model::{Metric, Point};

/// Attributes that are fields of the same name, rather than labels.
const FIELDS: [&str; 3] = ["event.dataset", "event.module", "user.name"];

/// The events of the current scope.
#[derive(Debug, Default)]
pub(super) struct Sets {
    sets: Vec<Set>,
    /// By time and attributes: the last set that has them.
    places: HashMap<(u64, u128), usize>,
    /// The metrics of each set, by the hashes of their names: a body has room for a million of them, too many to
    /// compare each with all the others.
    metrics: HashSet<(usize, u128)>,
    /// The memory of the sets, bytes, roughly.
    bytes: usize,
}

/// One event.
#[derive(Debug)]
struct Set {
    nanos: u64,
    /// Members of `tags`.
    labels: String,
    label_names: Vec<String>,
    /// Members of `ecs`.
    fields: String,
    dataset: Option<String>,
    namespace: Option<String>,
    /// Members of `samples`.
    samples: String,
    /// Those that are counted: name, unit, value.
    names: Vec<(String, String, Counted)>,
}

impl Sets {
    /// Adds a point.
    ///
    /// # Errors
    /// It has no value that can be kept; the text says what is wrong.
    pub(super) fn add(&mut self, metric: &Metric<'_>, point: &Point<'_>) -> Result<(), String> {
        let name = cut(&metric.name);
        if name.is_empty() {
            return Err("the metric has no name".to_owned());
        }
        let mut text = String::new();
        let counted = sample::write(&mut text, metric, point)?;
        let set = Set::empty(point);
        let key = (point.time, set.hash());
        let name_hash = hash(name);
        // One event cannot hold two values of a metric: the second begins another set. So does one whose name has the
        // hash of another, and one that comes when the event is long already.
        let known = self.places.get(&key).copied().filter(|place| {
            self.sets[*place].samples.len() < MAX_ITEM && self.metrics.insert((*place, name_hash))
        });
        let place = known.unwrap_or_else(|| {
            let place = self.sets.len();
            self.bytes += size_of::<Set>() + set.labels.len() + set.fields.len();
            self.sets.push(set);
            self.places.insert(key, place);
            self.metrics.insert((place, name_hash));
            place
        });
        // The name stands in the text, too.
        self.bytes += 2 * name.len() + text.len() + size_of::<(String, String, Counted)>();
        let set = &mut self.sets[place];
        Json::new(&mut set.samples).key(name).raw(&text);
        set.names
            .push((name.to_owned(), cut(&metric.unit).to_owned(), counted));
        Ok(())
    }

    /// Makes events of what is there, as long as all events together take less than so much memory. Returns how many
    /// points found no room.
    pub(super) fn drain(
        &mut self,
        sender: &Sender,
        scope: &ScopeFacts,
        out: &mut Batches,
        memory: usize,
    ) -> usize {
        self.places.clear();
        self.metrics.clear();
        self.bytes = 0;
        let mut left_out = 0;
        for set in self.sets.drain(..) {
            if out.bytes() >= memory {
                left_out += set.names.len();
                continue;
            }
            let time = match set.nanos {
                0 => Time {
                    at: out.received(),
                    sent: None,
                },
                nanos => out.time(nanos, sender.skew),
            };
            let mut text = String::new();
            set.write(&mut text, time, sender, scope);
            let batch = out.next();
            note_time(batch, time);
            set.label_names.iter().for_each(|name| batch.label(name));
            let first = u32::try_from(batch.samples.len()).expect("a batch is small");
            for (name, unit, counted) in set.names {
                let sample = Sample {
                    name: batch.keep(&name),
                    unit: (!unit.is_empty()).then(|| batch.keep(&unit)),
                    kind: counted.kind,
                    is_delta: counted.is_delta,
                    start: counted.start,
                    value: counted.value,
                };
                batch.samples.push(sample);
            }
            let labels = (!set.labels.is_empty()).then(|| format!("{{{}}}", set.labels));
            let labels = labels.map(|labels| batch.keep(&labels));
            let event = Metricset {
                service: Default::default(),
                timestamp: time.at,
                breakdown: None,
                samples: first..u32::try_from(batch.samples.len()).expect("a batch is small"),
                labels,
                rest: batch.keep(&text),
            };
            batch.events.push(Event::Metricset(event));
        }
        left_out
    }

    /// The memory of the sets, bytes, roughly.
    pub(super) fn bytes(&self) -> usize {
        self.bytes
    }
}

impl Set {
    /// A set that has no samples yet.
    fn empty(point: &Point<'_>) -> Self {
        let (mut labels, mut fields) = (String::new(), String::new());
        let (mut dataset, mut namespace) = (None, None);
        let mut attributes: Vec<_> = point.attributes.iter().collect();
        // The order of attributes means nothing. Once they are sorted, equal sets have equal texts.
        attributes.sort_by(|a, b| a.key.cmp(&b.key));
        let mut label_names = Vec::new();
        for KeyValue { key, value } in attributes {
            match (&**key, value) {
                ("data_stream.dataset", Value::Text(text)) => dataset = Some(text.to_string()),
                ("data_stream.namespace", Value::Text(text)) => namespace = Some(text.to_string()),
                (key, Value::Text(text)) if FIELDS.contains(&key) => {
                    Json::new(&mut fields).text(key, cut(text))
                }
                (key, value) if is_label(value) => {
                    label(&mut Json::new(&mut labels), key, value);
                    label_names.push(key.to_owned());
                }
                _ => {}
            }
        }
        Self {
            nanos: point.time,
            labels,
            label_names,
            fields,
            dataset,
            namespace,
            samples: String::new(),
            names: Vec::new(),
        }
    }

    /// Of its attributes.
    fn hash(&self) -> u128 {
        let streams =
            [&self.dataset, &self.namespace].map(|name| name.as_deref().unwrap_or_default());
        hash_all([&*self.labels, &*self.fields].into_iter().chain(streams))
    }

    fn write(&self, out: &mut String, time: Time, sender: &Sender, scope: &ScopeFacts) {
        let mut json = Json::new(out);
        json.open('{');
        if let Some(sent) = time.sent {
            json.int("timestamp", sent);
        }
        json.object("samples", |json| json.members(&self.samples));
        json.object("tags", |json| json.members(&self.labels));
        // An empty object marks the event as one of OpenTelemetry: documents show its labels as attributes too.
        json.key("attributes").raw("{}");
        json.object("ecs", |json| {
            scope.write_fields(json);
            json.members(&self.fields);
            let stream = (self.dataset.as_deref(), self.namespace.as_deref());
            write_data_stream(json, stream, (scope, sender), false);
        });
        json.close('}');
    }
}
