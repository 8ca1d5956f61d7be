use actix_web::test::TestRequest;

use super::*;

fn path(name: &str) -> web::Path<(String, String)> {
    web::Path::from((VERSION.clone(), name.to_owned()))
}

#[actix_web::test]
async fn a_file_is_cached_for_ever_under_its_version() {
    let answer = serve(TestRequest::default().to_http_request(), path("app.js")).await;
    assert!(
        answer
            .headers()
            .get(header::CACHE_CONTROL)
            .unwrap()
            .to_str()
            .unwrap()
            .contains("immutable")
    );
    let tag = answer.headers().get(header::ETAG).unwrap().clone();
    let again = TestRequest::default()
        .insert_header((header::IF_NONE_MATCH, tag))
        .to_http_request();
    assert_eq!(serve(again, path("app.js")).await.status(), 304);
    let old = web::Path::from(("0".repeat(16), "app.js".to_owned()));
    let answer = serve(TestRequest::default().to_http_request(), old).await;
    assert_eq!(
        answer.headers().get(header::CACHE_CONTROL).unwrap(),
        "no-cache"
    );
    assert_eq!(
        serve(TestRequest::default().to_http_request(), path("../ui.rs"))
            .await
            .status(),
        404
    );
}

#[test]
fn gzip_is_sent_only_to_those_who_take_it() {
    for (value, want) in [
        ("gzip, br", true),
        ("br;q=1.0, gzip;q=0.8", true),
        ("*", true),
        ("gzip;q=0", false),
        ("identity", false),
        ("", false),
    ] {
        let request = TestRequest::default()
            .insert_header((header::ACCEPT_ENCODING, value))
            .to_http_request();
        assert_eq!(takes_gzip(&request), want, "{value}");
    }
}

/// Modules that are fetched where they are needed, after the page is shown.
const ON_DEMAND: [&str; 8] = [
    "console.js",
    "dashboard.js",
    "density.js",
    "docs.js",
    "flame.js",
    "pick.js",
    "waterfall.js",
    "scale.js",
];
/// Modules that the waterfall imports, and nothing else.
const OF_WATERFALL: [&str; 4] = ["parts.js", "treegrid.js", "whole.js", "zoom.js"];

#[test]
fn all_files_of_a_first_load_together_are_small() {
    let files = FILES.iter().zip(COMPRESSED.iter());
    let first =
        files.filter(|((name, ..), _)| !ON_DEMAND.contains(name) && !OF_WATERFALL.contains(name));
    let bytes: usize = first.map(|(_, file)| file.len()).sum();
    assert!(
        bytes < 44_000,
        "{bytes} bytes compressed leave too little of the 80 kB of a first load"
    );
}

#[test]
fn modules_are_fetched_later_only_where_the_test_of_the_first_load_says_so() {
    let texts = FILES.iter().filter(|(name, ..)| name.ends_with(".js"));
    let texts: Vec<&str> = texts
        .map(|(.., body)| std::str::from_utf8(body).unwrap())
        .collect();
    for name in ON_DEMAND {
        let of = |before: &str| format!("{before}\"./{name}\"");
        assert!(
            texts.iter().any(|text| text.contains(&of("import("))),
            "{name}"
        );
        assert!(
            !texts.iter().any(|text| text.contains(&of("from "))),
            "{name}"
        );
    }
}

#[test]
fn modules_of_the_waterfall_are_imported_by_no_others() {
    let is_of_waterfall = |name: &str| name == "waterfall.js" || OF_WATERFALL.contains(&name);
    for (file, _, body) in FILES.iter().filter(|(name, ..)| name.ends_with(".js")) {
        let text = std::str::from_utf8(body).unwrap();
        for name in OF_WATERFALL {
            let imports = text.contains(&format!("from \"./{name}\""));
            assert!(!imports || is_of_waterfall(file), "{file} imports {name}");
        }
    }
}

#[test]
fn modules_import_only_files_that_are_served() {
    for (name, _, body) in FILES.iter().filter(|(name, ..)| name.ends_with(".js")) {
        let text = std::str::from_utf8(body).unwrap();
        for import in text
            .lines()
            .filter_map(|line| line.strip_prefix("import "))
            .filter_map(|line| line.split('"').nth(1))
        {
            assert!(
                FILES
                    .iter()
                    .any(|(file, ..)| Some(*file) == import.strip_prefix("./")),
                "{name} imports {import}"
            );
        }
    }
}
