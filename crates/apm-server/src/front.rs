//! The front of the server as the client sees it: scheme, host, path before the routes, and where the client is. Behind a proxy these
//! differ from what arrives here.

use std::net::IpAddr;
use std::rc::Rc;

use actix_web::{HttpMessage as _, HttpRequest};

use crate::config::BasePath;

/// How a request was sent by the client.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Front {
    pub(crate) is_https: bool,
    /// Host and, where it was given, port. Empty where no host was given.
    pub(crate) host: String,
    /// What stands before the path of every route.
    pub(crate) base: BasePath,
    pub(crate) client: Option<IpAddr>,
}

impl Front {
    /// That of a request. Without the middleware that finds it, as in tests of pages, it is the default.
    pub(crate) fn of(request: &HttpRequest) -> Rc<Self> {
        let known = request.extensions().get::<Rc<Self>>().map(Rc::clone);
        known.unwrap_or_default()
    }

    /// The address that stands before the path of a route.
    pub(crate) fn url(&self) -> String {
        let scheme = if self.is_https { "https" } else { "http" };
        format!("{scheme}://{}{}", self.host, self.base)
    }

    /// A page as this client needs it: its addresses begin with the base path.
    ///
    /// Pages are written as if there were none. Markup has a quotation mark only around values, as all text is escaped, so what is
    /// replaced here is an attribute and never telemetry.
    pub(crate) fn page(&self, page: String) -> String {
        const ATTRIBUTES: [&str; 5] = [
            " href=\"/",
            " src=\"/",
            " action=\"/",
            " data-live=\"/",
            " data-rows=\"/",
        ];
        if self.base.is_root() {
            return page;
        }
        ATTRIBUTES.iter().fold(page, |page, attribute| {
            let start = attribute.trim_end_matches('/');
            page.replace(attribute, &format!("{start}{}/", self.base))
        })
    }
}

#[cfg(test)]
mod tests {
    use maud::html;

    use super::*;

    fn under(base: &str) -> Front {
        Front {
            host: "apm.example".to_owned(),
            base: base.parse().unwrap(),
            ..Front::default()
        }
    }

    #[test]
    fn addresses_of_a_page_get_the_base_path_and_telemetry_stays_as_it_is() {
        let hostile = "<a href=\"/x\"> src=\"/y\" href=\"/";
        let page = html! {
            a.b href="/services" title=(hostile) { (hostile) }
            form method="post" action="/settings/clear" { input name="next" value="/services"; }
            script type="module" src="/assets/v/app.js" {}
            table data-live="/live/stream?q=" {}
            table data-rows="/traces/1?tab=x" {}
            a href="#top" { "top" } a href="https://elsewhere.example/" { "away" }
        }
        .into_string();
        assert_eq!(under("").page(page.clone()), page);
        let moved = under("/apm").page(page.clone());
        for address in [
            " href=\"/apm/services\"",
            " action=\"/apm/settings/clear\"",
            " src=\"/apm/assets/v/app.js\"",
            " data-live=\"/apm/live/stream?q=\"",
            " data-rows=\"/apm/traces/1?tab=x\"",
        ] {
            assert!(moved.contains(address), "{address} in {moved}");
        }
        assert_eq!(moved.len(), page.len() + 5 * "/apm".len(), "{moved}");
    }

    #[test]
    fn the_url_is_the_one_that_the_client_uses() {
        let mut front = under("/apm");
        assert_eq!(front.url(), "http://apm.example/apm");
        front.is_https = true;
        assert_eq!(front.url(), "https://apm.example/apm");
    }
}
