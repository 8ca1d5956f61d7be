//! The files that pages load: embedded in the binary, served under a hash of them all, so that they can be cached for
//! ever.
//!
//! `/assets/<hash>/app.js`: modules import each other by relative paths and so stay within one version.

use std::io::Write as _;
use std::sync::LazyLock;

use actix_web::http::header::{self, HeaderValue};
use actix_web::{HttpRequest, HttpResponse, web};
use xxhash_rust::xxh3::Xxh3;

use flate2::{Compression, write::GzEncoder};

use crate::known_tags::KnownTags;

/// Every file, with its media type.
const FILES: &[(&str, &str, &[u8])] = &[
    ("app.js", JS, include_bytes!("assets/app.js")),
    ("base.js", JS, include_bytes!("assets/base.js")),
    ("brush.js", JS, include_bytes!("assets/brush.js")),
    ("chart.js", JS, include_bytes!("assets/chart.js")),
    (
        "components.css",
        CSS,
        include_bytes!("assets/components.css"),
    ),
    ("console.js", JS, include_bytes!("assets/console.js")),
    ("copy.js", JS, include_bytes!("assets/copy.js")),
    ("density.js", JS, include_bytes!("assets/density.js")),
    ("favicon.svg", SVG, include_bytes!("assets/favicon.svg")),
    ("docs.js", JS, include_bytes!("assets/docs.js")),
    ("fields.js", JS, include_bytes!("assets/fields.js")),
    ("figures.css", CSS, include_bytes!("assets/figures.css")),
    ("flame.js", JS, include_bytes!("assets/flame.js")),
    ("icons.svg", SVG, include_bytes!("assets/icons.svg")),
    ("keys.js", JS, include_bytes!("assets/keys.js")),
    ("legend.js", JS, include_bytes!("assets/legend.js")),
    ("live.js", JS, include_bytes!("assets/live.js")),
    ("noscript.css", CSS, include_bytes!("assets/noscript.css")),
    ("pages.css", CSS, include_bytes!("assets/pages.css")),
    ("parts.js", JS, include_bytes!("assets/parts.js")),
    ("paste.js", JS, include_bytes!("assets/paste.js")),
    ("pick.js", JS, include_bytes!("assets/pick.js")),
    ("scale.js", JS, include_bytes!("assets/scale.js")),
    ("dashboard.js", JS, include_bytes!("assets/dashboard.js")),
    ("suggest.js", JS, include_bytes!("assets/suggest.js")),
    ("swap.js", JS, include_bytes!("assets/swap.js")),
    ("theme.js", JS, include_bytes!("assets/theme.js")),
    ("tokens.css", CSS, include_bytes!("assets/tokens.css")),
    ("treegrid.js", JS, include_bytes!("assets/treegrid.js")),
    ("waterfall.js", JS, include_bytes!("assets/waterfall.js")),
    ("whole.js", JS, include_bytes!("assets/whole.js")),
    ("zoom.js", JS, include_bytes!("assets/zoom.js")),
];

/// The style sheets of every page, in the order in which they build on each other.
pub(crate) const SHEETS: [&str; 4] = ["tokens.css", "components.css", "figures.css", "pages.css"];

const CSS: &str = "text/css; charset=utf-8";
const JS: &str = "text/javascript; charset=utf-8";
const SVG: &str = "image/svg+xml";

static VERSION: LazyLock<String> = LazyLock::new(|| {
    // Golden files must not change with every line of a script.
    if cfg!(test) {
        return "v".to_owned();
    }
    let mut hash = Xxh3::new();
    for (name, _, body) in FILES {
        hash.update(name.as_bytes());
        // With the length, so that no byte can pass from one file to the next unnoticed.
        hash.update(&body.len().to_le_bytes());
        hash.update(body);
    }
    format!("{:016x}", hash.digest())
});

static COMPRESSED: LazyLock<Vec<Vec<u8>>> = LazyLock::new(|| {
    FILES
        .iter()
        .map(|(_, _, body)| gzip(body, Compression::best()))
        .collect()
});

/// The address of a file. An unknown name is a mistake in a page, which a test finds.
pub(crate) fn url(name: &str) -> String {
    debug_assert!(
        FILES.iter().any(|(file, ..)| *file == name),
        "no asset {name}"
    );
    format!("/assets/{}/{name}", *VERSION)
}

/// Compresses a body that is in memory. Writing into a vector does not fail.
pub(crate) fn gzip(body: &[u8], level: Compression) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::with_capacity(body.len() / 3), level);
    let written = encoder.write_all(body);
    debug_assert!(written.is_ok());
    encoder.finish().unwrap_or_default()
}

/// True if the client takes gzip; `gzip;q=0` is a refusal.
pub(crate) fn takes_gzip(request: &HttpRequest) -> bool {
    let accepted = request
        .headers()
        .get(header::ACCEPT_ENCODING)
        .and_then(|value| value.to_str().ok())
        .unwrap_or("");
    accepted.split(',').any(|coding| {
        let mut parts = coding.split(';').map(str::trim);
        let named = matches!(parts.next(), Some("gzip" | "*"));
        named
            && !parts.any(|part| {
                part.strip_prefix("q=")
                    .and_then(|q| q.parse::<f32>().ok())
                    .is_some_and(|q| q <= 0.0)
            })
    })
}

/// `GET /assets/{version}/{name}`. Another version's address answers with the file of today, but is not cached for
/// ever.
pub(crate) async fn serve(request: HttpRequest, path: web::Path<(String, String)>) -> HttpResponse {
    let (version, name) = path.into_inner();
    let Some(index) = FILES.iter().position(|(file, ..)| *file == name) else {
        return HttpResponse::NotFound()
            .content_type("text/plain; charset=utf-8")
            .body("no such file\n");
    };
    let (_, media_type, body) = FILES[index];
    let current = version == *VERSION;
    let etag = format!("{}-{name}", *VERSION);
    let known = KnownTags::of(request.headers()).has(&etag);
    let mut response = if known {
        HttpResponse::NotModified()
    } else {
        HttpResponse::Ok()
    };
    response
        .insert_header((
            header::CACHE_CONTROL,
            if current {
                "public, max-age=31536000, immutable"
            } else {
                "no-cache"
            },
        ))
        .insert_header((header::ETAG, format!("\"{etag}\"")))
        .insert_header((header::VARY, HeaderValue::from_static("accept-encoding")))
        .insert_header((
            header::X_CONTENT_TYPE_OPTIONS,
            HeaderValue::from_static("nosniff"),
        ))
        .content_type(media_type);
    if known {
        return response.finish();
    }
    if takes_gzip(&request) {
        return response
            .insert_header((header::CONTENT_ENCODING, HeaderValue::from_static("gzip")))
            .body(&COMPRESSED[index][..]);
    }
    response.body(body)
}

#[cfg(test)]
mod tests;
