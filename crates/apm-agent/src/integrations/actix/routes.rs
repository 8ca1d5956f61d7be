//! The route of a request that leaves no response to ask: its handler panicked, it was given up, or a middleware
//! refused it.
//!
//! actix says which resource it chose only with a response. Of the path alone one knows the first resource that fits,
//! and guards may have chosen another. So the routes of responses are noted: where all requests of a method that fit
//! the same first resource have taken one route, the next one takes it, too. Otherwise it is filed under the first.

use std::hash::BuildHasher as _;
use std::rc::Rc;
use std::sync::Arc;

use actix_web::dev::{ResourceMap, ServiceRequest};
use actix_web::http::Method;
use foldhash::HashMap;
use foldhash::fast::RandomState;

use crate::integrations::http_server::{PLACES, place};
use crate::recording::http::transaction_name;

/// Routes that are noted. A service with more of them has more than its guards choose from.
const MOST: usize = 512;

/// The routes of one worker.
#[derive(Debug, Default)]
pub(super) struct Routes {
    resources: Option<ResourceMap>,
    /// The methods and routes that responses had, by a hash.
    noted: HashMap<u64, Rc<Noted>>,
    /// Those that were met last, each in the place of its path.
    recent: [Option<Rc<Noted>>; PLACES],
    hasher: RandomState,
    /// By method and first resource that fits: the route that responses had; `None` if they had several.
    taken: HashMap<(Method, Option<String>), Option<Option<String>>>,
}

/// A method and a route that a response had.
#[derive(Debug)]
struct Noted {
    method: Method,
    route: Option<String>,
    /// The name of such transactions.
    name: Arc<str>,
}

impl Noted {
    fn is(&self, method: &Method, route: Option<&str>) -> bool {
        self.route.as_deref() == route && self.method == *method
    }
}

impl Routes {
    /// Learns the resources of the application from one of its requests.
    pub(super) fn learn(&mut self, request: &ServiceRequest) {
        if self.resources.is_none() {
            self.resources = Some(request.resource_map().clone());
        }
    }

    /// A request was answered by this route, which is `None` where there was none for it. Notes it, and returns the
    /// name of its transaction.
    pub(super) fn name(&mut self, method: &Method, path: &str, route: Option<&str>) -> Arc<str> {
        let recent = &mut self.recent[place(path)];
        if let Some(recent) = recent
            && recent.is(method, route)
        {
            return Arc::clone(&recent.name);
        }
        let hash = self.hasher.hash_one((method.as_str(), route));
        let noted = self.noted.get(&hash);
        if let Some(noted) = noted
            && noted.is(method, route)
        {
            *recent = Some(Rc::clone(noted));
            return Arc::clone(&noted.name);
        }
        let is_new = noted.is_none();
        let name: Arc<str> = transaction_name(method.as_str(), route).into();
        if is_new && self.noted.len() < MOST {
            let noted = Noted {
                method: method.clone(),
                route: route.map(str::to_owned),
                name: Arc::clone(&name),
            };
            self.noted.insert(hash, Rc::new(noted));
            self.note(method, path, route);
        }
        name
    }

    /// Notes a route that was not met before.
    fn note(&mut self, method: &Method, path: &str, route: Option<&str>) {
        let (first, route) = (self.first(path), route.map(str::to_owned));
        let taken = self.taken.entry((method.clone(), first));
        let taken = taken.or_insert_with(|| Some(route.clone()));
        if taken.as_ref().is_some_and(|taken| *taken != route) {
            *taken = None;
        }
    }

    /// The route that a request has taken, as far as one can know.
    pub(super) fn guess(&self, method: &Method, path: &str) -> Option<String> {
        let key = (method.clone(), self.first(path));
        match self.taken.get(&key) {
            Some(Some(route)) => route.clone(),
            _ => key.1,
        }
    }

    /// The first resource that fits the path, whatever guards say.
    fn first(&self, path: &str) -> Option<String> {
        self.resources.as_ref()?.match_pattern(path)
    }
}
