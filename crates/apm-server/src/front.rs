//! The front of the server as the client sees it: scheme, host, path before the routes, and where the client is. Behind
//! a proxy these differ from what arrives here.

use std::net::IpAddr;
use std::rc::Rc;

use actix_web::{HttpMessage as _, HttpRequest};

use crate::config::BasePath;

/// The way in which a client sent a request.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Front {
    pub(crate) is_https: bool,
    /// Host and, where it was given, port. Empty where no host was given.
    pub(crate) host: String,
    /// The path before that of every route.
    pub(crate) base: BasePath,
    pub(crate) client: Option<IpAddr>,
}

impl Front {
    /// The front of a request. Without the middleware that finds it, as in tests of pages, it is the default.
    pub(crate) fn from_request(request: &HttpRequest) -> Rc<Self> {
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
    /// Pages are written as if there were none. Markup has a quotation mark only around values, as all text is escaped,
    /// so what is changed here is an attribute and never telemetry.
    pub(crate) fn page(&self, page: String) -> String {
        if self.base.is_root() {
            return page;
        }
        let base = self.base.to_string();
        let mut moved = String::with_capacity(page.len() + page.len() / 8);
        let mut done = 0;
        for at in memchr::memmem::find_iter(page.as_bytes(), "=\"/") {
            let name = page[..at].rfind(char::is_whitespace);
            let name = name.map_or("", |before| &page[before + 1..at]);
            if is_address(name) {
                let value = at + "=\"".len();
                moved.push_str(&page[done..value]);
                moved.push_str(&base);
                done = value;
            }
        }
        moved.push_str(&page[done..]);
        moved
    }
}

/// Whether an attribute holds an address: those of HTML, and those that the scripts of these pages read.
fn is_address(attribute: &str) -> bool {
    matches!(
        attribute,
        "action"
            | "cite"
            | "data"
            | "formaction"
            | "href"
            | "poster"
            | "src"
            | "data-live"
            | "data-rows"
    )
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
            button formaction="/settings/import" title="/not/an/address" { "/text" }
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
            " formaction=\"/apm/settings/import\"",
            " title=\"/not/an/address\"",
        ] {
            assert!(moved.contains(address), "{address} in {moved}");
        }
        assert_eq!(moved.len(), page.len() + 6 * "/apm".len(), "{moved}");
    }

    #[test]
    fn the_url_is_the_one_that_the_client_uses() {
        let mut front = under("/apm");
        assert_eq!(front.url(), "http://apm.example/apm");
        front.is_https = true;
        assert_eq!(front.url(), "https://apm.example/apm");
    }
}
