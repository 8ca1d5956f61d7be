//! A route: an address, the handlers of its methods, and who may ask for them.
//!
//! The guard reads this and never an address: what a request may do is decided by the route that answers it, however
//! the address is spelled. A route is guarded unless it says [`Access::Open`].

use std::fmt;

use actix_web::http::Method;
use actix_web::{FromRequest, Handler, Resource, Responder, web};

/// The right that a caller needs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Access {
    /// Nothing: anyone may ask.
    Open,
    /// Send events.
    Intake,
    /// Ask for the settings of an agent.
    Config,
    /// Read telemetry.
    Read,
    /// Change or delete what the server keeps.
    Admin,
}

impl fmt::Display for Access {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Open => "open",
            Self::Intake => "intake",
            Self::Config => "config",
            Self::Read => "read",
            Self::Admin => "admin",
        })
    }
}

/// The sender of a request that changes something.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Caller {
    /// Forms of this server's pages. A browser says where a form comes from; a request that does not say it is refused.
    Page,
    /// Agents and scripts, which do not say it. A browser does, and another site's page is refused here too.
    Program,
}

/// Pages of other sites that may send to a route.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Sites {
    /// None.
    None,
    /// Those that are listed for telemetry.
    Telemetry,
    /// Those that are listed for browsers' agents, where these are taken at all.
    Browsers,
}

/// The way in which the body of a request is read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Body {
    /// As a whole before the handler runs, within the limits of small bodies.
    Whole,
    /// By the handler, as it arrives.
    Streamed,
}

/// The facts about a route that the guard has to know.
#[derive(Clone, Debug)]
pub(crate) struct Rules {
    pub(crate) path: &'static str,
    /// The methods that are answered, each with its access; `None` stands for any method.
    pub(crate) methods: Vec<(Option<Method>, Access)>,
    pub(crate) caller: Caller,
    pub(crate) body: Body,
    /// Pages of other sites that may send to it.
    pub(crate) sites: Sites,
    /// Whether the answer is small and needs no query, so that it is made at once however many others are being made.
    pub(crate) light: bool,
}

impl Rules {
    /// The access that a method needs. One that is not answered needs what the first one does: it is refused in any
    /// case.
    pub(crate) fn access(&self, method: &Method) -> Access {
        let answered = |known: &Option<Method>| known.as_ref().is_none_or(|known| known == method);
        let found = self.methods.iter().find(|(known, _)| answered(known));
        found
            .or(self.methods.first())
            .map_or(Access::Admin, |(_, access)| *access)
    }
}

/// A route of the table.
pub(crate) struct Route {
    pub(crate) rules: Rules,
    pub(crate) resource: Resource,
}

impl Route {
    /// An address without methods yet; its callers are pages.
    pub(crate) fn at(path: &'static str) -> Self {
        Self {
            rules: Rules {
                path,
                methods: Vec::new(),
                caller: Caller::Page,
                body: Body::Whole,
                sites: Sites::None,
                light: false,
            },
            resource: web::resource(path),
        }
    }

    /// Answers GET, and HEAD alike.
    pub(crate) fn get<F, Args>(mut self, access: Access, handler: F) -> Self
    where
        F: Handler<Args> + Clone,
        Args: FromRequest + 'static,
        F::Output: Responder + 'static,
    {
        self.rules.methods.push((Some(Method::GET), access));
        self.rules.methods.push((Some(Method::HEAD), access));
        let resource = self.resource.route(web::get().to(handler.clone()));
        self.resource = resource.route(web::head().to(handler));
        self
    }

    /// Answers POST.
    pub(crate) fn post<F, Args>(mut self, access: Access, handler: F) -> Self
    where
        F: Handler<Args>,
        Args: FromRequest + 'static,
        F::Output: Responder + 'static,
    {
        self.rules.methods.push((Some(Method::POST), access));
        self.resource = self.resource.route(web::post().to(handler));
        self
    }

    /// Answers DELETE.
    pub(crate) fn delete<F, Args>(mut self, access: Access, handler: F) -> Self
    where
        F: Handler<Args>,
        Args: FromRequest + 'static,
        F::Output: Responder + 'static,
    {
        self.rules.methods.push((Some(Method::DELETE), access));
        self.resource = self.resource.route(web::delete().to(handler));
        self
    }

    /// Answers every method: the handler refuses those that it does not know, in words that agents expect.
    pub(crate) fn any<F, Args>(mut self, access: Access, handler: F) -> Self
    where
        F: Handler<Args>,
        Args: FromRequest + 'static,
        F::Output: Responder + 'static,
    {
        self.rules.methods.push((None, access));
        self.resource = self.resource.to(handler);
        self
    }

    /// Takes forms of up to so many bytes, instead of 16 KiB.
    pub(crate) fn forms_of(mut self, bytes: usize) -> Self {
        let limit = web::FormConfig::default().limit(bytes);
        self.resource = self.resource.app_data(limit);
        self
    }

    /// Is for agents and scripts.
    pub(crate) fn for_programs(mut self) -> Self {
        self.rules.caller = Caller::Program;
        self
    }

    /// Takes what pages of other sites send, if these are listed.
    pub(crate) fn for_sites(mut self, sites: Sites) -> Self {
        self.rules.sites = sites;
        self
    }

    /// Has a small answer that needs no query.
    pub(crate) fn light(mut self) -> Self {
        self.rules.light = true;
        self
    }

    /// Has a handler that reads the body as it arrives.
    pub(crate) fn streamed(mut self) -> Self {
        self.rules.body = Body::Streamed;
        self
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_method_without_a_handler_needs_no_less_than_the_first_one() {
        async fn handler() -> &'static str {
            ""
        }
        let both = Route::at("/x")
            .get(Access::Read, handler)
            .post(Access::Admin, handler);
        for (method, access) in [
            (Method::GET, Access::Read),
            (Method::HEAD, Access::Read),
            (Method::POST, Access::Admin),
            (Method::OPTIONS, Access::Read),
            (Method::DELETE, Access::Read),
        ] {
            assert_eq!(both.rules.access(&method), access, "{method}");
        }
        let none = Route::at("/x");
        assert_eq!(none.rules.access(&Method::GET), Access::Admin);
        let any = Route::at("/x").any(Access::Open, handler);
        assert_eq!(any.rules.access(&Method::PUT), Access::Open);
    }
}
