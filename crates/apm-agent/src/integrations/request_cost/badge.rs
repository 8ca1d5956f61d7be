//! The badge: a piece of HTML at the end of a page.

use std::fmt::Write as _;
use std::net::IpAddr;

use super::{Facts, RequestCost, millis};

/// Characters of a statement that are shown.
const STATEMENT: usize = 2000;

/// Largest page that gets a badge, bytes.
pub(crate) const LARGEST: usize = 4 << 20;

/// Headers that say that a request came through a proxy.
const PROXIES: [&str; 3] = ["forwarded", "x-forwarded-for", "x-real-ip"];

/// The options of the middleware.
#[derive(Clone, Debug)]
pub(crate) struct Options {
    /// The address of the server's pages, for the link.
    pages: Option<String>,
    /// Whether builds without debug assertions show it, too.
    pub(crate) also_released: bool,
}

/// A request whose page may get a badge.
#[derive(Debug)]
pub(crate) struct Wanted {
    cost: RequestCost,
    pages: Option<String>,
}

/// The facts about a response by which it is a page that can be changed.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Page<'a> {
    pub(crate) status: u16,
    pub(crate) content_type: &'a [u8],
    pub(crate) is_encoded: bool,
    /// Bytes of the body; `None` where it is streamed.
    pub(crate) size: Option<u64>,
}

impl Options {
    pub(crate) fn new(pages: &str) -> Self {
        Self {
            pages: self::pages(pages),
            also_released: false,
        }
    }

    /// Begins to count the queries of the current request, if its page may get a badge: one that a browser on this
    /// machine asks for. A proxy on this machine brings requests of others.
    pub(crate) fn begin(
        &self,
        method: &str,
        peer: Option<IpAddr>,
        has_header: impl Fn(&str) -> bool,
    ) -> Option<Wanted> {
        let is_wanted = method == "GET"
            && is_allowed(peer, self.also_released)
            && !PROXIES.iter().any(|name| has_header(name));
        if !is_wanted {
            return None;
        }
        Some(Wanted {
            cost: RequestCost::begin(true)?,
            pages: self.pages.clone(),
        })
    }
}

impl Wanted {
    /// The badge, of what is known by now.
    pub(crate) fn html(&self) -> String {
        html(&self.cost.facts(), self.pages.as_deref())
    }
}

impl Page<'_> {
    /// Whether it is HTML in memory, as it is.
    pub(crate) fn takes_badge(self) -> bool {
        let essence = self.content_type.split(|byte| *byte == b';').next();
        let size = self.size.and_then(|size| usize::try_from(size).ok());
        essence.is_some_and(|kind| kind.trim_ascii().eq_ignore_ascii_case(b"text/html"))
            && self.status != 206
            && !self.is_encoded
            && size.is_some_and(|size| (1..=LARGEST).contains(&size))
    }
}

/// The address of the server's pages, if it is one that a link may lead to.
fn pages(url: &str) -> Option<String> {
    let known = url.starts_with("http://") || url.starts_with("https://");
    let plain = url.chars().all(|c| c.is_ascii_graphic());
    (known && plain).then(|| url.trim_end_matches('/').to_owned())
}

/// Whether the badge may be shown: to this machine alone, in a build for developers or where that was asked for.
fn is_allowed(peer: Option<IpAddr>, also_released: bool) -> bool {
    let local = peer.is_some_and(|peer| peer.to_canonical().is_loopback());
    local && (cfg!(debug_assertions) || also_released)
}

/// Puts the badge into a page: before the end of its body, or after everything.
pub(crate) fn insert(page: &[u8], badge: &str) -> Vec<u8> {
    const END: &[u8] = b"</body";
    let at = page
        .windows(END.len())
        .rposition(|window| window.eq_ignore_ascii_case(END))
        .unwrap_or(page.len());
    let mut out = Vec::with_capacity(page.len() + badge.len());
    out.extend_from_slice(&page[..at]);
    out.extend_from_slice(badge.as_bytes());
    out.extend_from_slice(&page[at..]);
    out
}

/// The badge. It stands in a shadow tree of its own: the page's styles do not reach it, nor its own the page.
fn html(facts: &Facts, pages: Option<&str>) -> String {
    let mut out = String::with_capacity(2048);
    out.push_str("<div data-pocket-apm><template shadowrootmode=\"open\"><style>");
    out.push_str(STYLE);
    let word = if facts.count == 1 { "query" } else { "queries" };
    let _ = write!(
        out,
        "</style><details><summary>{:.1} ms · {} {word}, {:.1} ms</summary>",
        millis(facts.total),
        facts.count,
        millis(facts.time)
    );
    out.push_str("<div><p>");
    match pages {
        Some(pages) => {
            let _ = write!(
                out,
                "<a href=\"{}/traces/{}\" target=\"_blank\" rel=\"noopener\">Trace {}</a>",
                Escaped(pages),
                Escaped(&facts.trace),
                Escaped(&facts.trace)
            );
        }
        None => {
            let _ = write!(out, "Trace {}", Escaped(&facts.trace));
        }
    }
    out.push_str("</p><table>");
    for query in &facts.first {
        let text = query.text();
        let cut = text
            .char_indices()
            .nth(STATEMENT)
            .map_or(&*text, |(at, _)| &text[..at]);
        let _ = write!(
            out,
            "<tr><td>{:.1}&nbsp;ms</td><td><code>{}</code></td></tr>",
            millis(query.duration),
            Escaped(cut)
        );
    }
    out.push_str("</table>");
    let more = facts.count.saturating_sub(facts.first.len() as u64);
    if more > 0 {
        let _ = write!(out, "<p>and {more} more</p>");
    }
    out.push_str("</div></details></template></div>");
    out
}

const STYLE: &str = ":host{all:initial;position:fixed;right:0;bottom:0;z-index:2147483647;max-width:90vw}\
    details{font:13px/1.4 system-ui,sans-serif;background:#1d1e24;color:#f5f7fa;border-radius:6px 0 0 0}\
    summary{padding:6px 12px;cursor:pointer}\
    details>div{max-height:60vh;overflow:auto;padding:0 12px 8px}\
    p{margin:6px 0}a{color:#61a2ff}td{padding:2px 8px 2px 0;vertical-align:top}\
    code{font:12px ui-monospace,monospace;white-space:pre-wrap;overflow-wrap:anywhere}";

/// Text whose characters mean nothing to HTML.
struct Escaped<'a>(&'a str);

impl std::fmt::Display for Escaped<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        for c in self.0.chars() {
            match c {
                '<' => f.write_str("&lt;")?,
                '>' => f.write_str("&gt;")?,
                '&' => f.write_str("&amp;")?,
                '"' => f.write_str("&quot;")?,
                '\'' => f.write_str("&#39;")?,
                c => f.write_char(c)?,
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_badge_stands_before_the_end_of_the_body() {
        for (page, whole) in [
            (
                "<html><body>a</BODY></html>",
                "<html><body>a[]</BODY></html>",
            ),
            ("<p>a", "<p>a[]"),
            ("", "[]"),
            ("<pre></body></pre></body >", "<pre></body></pre>[]</body >"),
        ] {
            assert_eq!(insert(page.as_bytes(), "[]"), whole.as_bytes());
        }
    }

    #[test]
    fn a_badge_is_for_this_machine_alone() {
        let address = |text: &str| Some(text.parse().unwrap());
        assert!(is_allowed(address("127.0.0.1"), true));
        assert!(is_allowed(address("::1"), true));
        assert!(is_allowed(address("::ffff:127.0.0.1"), true));
        assert!(!is_allowed(address("10.0.0.1"), true));
        assert!(!is_allowed(None, true));
        assert_eq!(is_allowed(address("::1"), false), cfg!(debug_assertions));
    }

    #[test]
    fn a_link_leads_to_pages_over_http_only() {
        assert_eq!(
            pages("http://localhost:8200/").as_deref(),
            Some("http://localhost:8200")
        );
        for url in ["", "javascript:alert(1)", "//evil", "http://a b"] {
            assert_eq!(pages(url), None, "{url}");
        }
    }

    #[test]
    fn a_page_is_html_of_a_known_size_that_is_not_packed() {
        let page = Page {
            status: 200,
            content_type: b"text/html",
            is_encoded: false,
            size: Some(1),
        };
        let largest = LARGEST as u64;
        for (page, takes_badge) in [
            (page, true),
            (
                Page {
                    content_type: b"Text/HTML ; charset=utf-8",
                    ..page
                },
                true,
            ),
            (
                Page {
                    status: 500,
                    size: Some(largest),
                    ..page
                },
                true,
            ),
            (
                Page {
                    content_type: b"text/htmlx",
                    ..page
                },
                false,
            ),
            (
                Page {
                    content_type: b"",
                    ..page
                },
                false,
            ),
            (
                Page {
                    status: 206,
                    ..page
                },
                false,
            ),
            (
                Page {
                    is_encoded: true,
                    ..page
                },
                false,
            ),
            (Page { size: None, ..page }, false),
            (
                Page {
                    size: Some(0),
                    ..page
                },
                false,
            ),
            (
                Page {
                    size: Some(largest + 1),
                    ..page
                },
                false,
            ),
        ] {
            assert_eq!(page.takes_badge(), takes_badge, "{page:?}");
        }
    }
}
