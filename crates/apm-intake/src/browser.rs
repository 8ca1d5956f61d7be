//! Bodies that browsers send: on which terms they are taken, and what their request adds to each event.
//!
//! Anyone who can load a page can send what its agent sends. So a body is short in time and size, and a sender that has
//! shown no secret is held to agents and services that are allowed, and to a rate.

use std::fmt::Debug;
use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use apm_store::event::{Batch, Event};
use serde_json::{Map, Value};

use crate::refused::{Reason, Refused};

/// Most bytes that a body may have once it is decompressed. Agents send some ten kilobytes.
const LARGEST: usize = 8 << 20;
/// Longest text of a `User-Agent` header that is kept, bytes.
const LONGEST: usize = 1024;

const CANNOT: &str = "cannot handle stream: cannot process batch:";

/// The terms on which a sender that has shown no secret may send.
pub trait Terms: Debug + Send {
    /// Whether events of a service are taken from an agent.
    ///
    /// # Errors
    /// Why they are not.
    fn admit(&self, agent: &str, service: &str) -> Result<(), String>;

    /// Whether so many events more are taken.
    fn take(&self, events: u32) -> bool;
}

/// A request of a browser.
#[derive(Debug)]
pub struct Browser {
    /// The reader, as the request describes them.
    pub visitor: Visitor,
    /// The terms; `None`: the sender has shown a secret.
    pub terms: Option<Box<dyn Terms>>,
    /// The longest time that the body may take.
    pub longest: Duration,
}

/// The reader of a page, as a request describes them.
#[derive(Clone, Debug, Default)]
pub struct Visitor {
    /// The header `User-Agent`.
    pub user_agent: Option<String>,
    /// The address of the browser.
    pub ip: Option<IpAddr>,
    /// The port from which it sent, where no proxy is between.
    pub port: Option<u16>,
    /// The address of the proxy that named the browser's address.
    pub proxy: Option<IpAddr>,
}

impl Visitor {
    /// The member that each event gets.
    fn member(&self) -> Option<Arc<str>> {
        let mut told = Map::new();
        if let Some(agent) = &self.user_agent {
            let agent = &agent[..agent.floor_char_boundary(LONGEST)];
            told.insert("user_agent".to_owned(), agent.into());
        }
        let addresses = [("ip", self.ip), ("proxy", self.proxy)];
        for (name, address) in addresses {
            if let Some(address) = address {
                told.insert(name.to_owned(), address.to_string().into());
            }
        }
        if let Some(port) = self.port.filter(|_| self.ip.is_some()) {
            told.insert("port".to_owned(), port.into());
        }
        let is_told = !told.is_empty();
        is_told.then(|| format!("\"visitor\":{}", Value::Object(told)).into())
    }
}

/// The sender of a body that is being read.
#[derive(Debug)]
pub(crate) struct Sender {
    /// See [`Batch::visitor`].
    pub(crate) visitor: Arc<str>,
    pub(crate) longest: Duration,
    terms: Option<Box<dyn Terms>>,
    read: usize,
}

impl From<Browser> for Sender {
    fn from(browser: Browser) -> Self {
        let visitor = browser.visitor.member();
        Self {
            visitor: visitor.unwrap_or_default(),
            longest: browser.longest,
            terms: browser.terms,
            read: 0,
        }
    }
}

impl Sender {
    /// Whether so many bytes more are read.
    pub(crate) fn has_room(&mut self, bytes: usize) -> bool {
        self.read = self.read.saturating_add(bytes);
        self.read <= LARGEST
    }

    /// Whether events of a service are taken.
    pub(crate) fn admit(&self, agent: &str, service: &str) -> Result<(), Refused> {
        let Some(terms) = &self.terms else {
            return Ok(());
        };
        terms.admit(agent, service).map_err(|why| Refused {
            reason: Reason::Forbidden,
            message: format!("{CANNOT} unauthorized: {why}"),
        })
    }

    /// Whether so many events more are taken.
    pub(crate) fn take(&self, events: u32) -> Result<(), Refused> {
        match self.terms.as_ref().is_none_or(|terms| terms.take(events)) {
            true => Ok(()),
            false => Err(Refused {
                reason: Reason::Rate,
                message: format!("{CANNOT} rate limit exceeded"),
            }),
        }
    }
}

/// Takes the last event back where it names a service that is not allowed, or is of a kind that no browser sends.
pub(crate) fn is_taken(sender: &Sender, batch: &mut Batch) -> Result<(), Refused> {
    let service = match batch.events.last() {
        Some(Event::Transaction(event)) => event.service,
        Some(Event::Span(event)) => event.service,
        Some(Event::Error(event)) => event.service,
        Some(Event::Metricset(event)) => event.service,
        Some(Event::Log(_)) => {
            take_back(batch);
            return Err(Refused {
                reason: Reason::Unknown,
                message: "did not recognize object type: \"log\"".to_owned(),
            });
        }
        None => return Ok(()),
    };
    let Some(name) = batch.opt(service.name) else {
        return Ok(());
    };
    let taken = sender.admit(&batch.resource.agent_name, name);
    if taken.is_err() {
        take_back(batch);
    }
    taken
}

fn take_back(batch: &mut Batch) {
    batch.events.pop();
    let left = batch.events.len();
    // `sent` names events by their places, and the next event takes this place.
    batch.sent.retain(|(place, _)| (*place as usize) < left);
}
