//! The weight of pages: what a browser has to fetch before it shows one, compressed, and from this server alone.

use std::collections::{BTreeMap, BTreeSet};
use std::io::Read as _;

use apm_server::generate::{Options, generate};
use apm_server::import::Target;
use flate2::read::GzDecoder;

use crate::support::events::now;
use crate::support::server::TestServer;

/// The bound of a first load, bytes.
const MOST: usize = 80_000;

const PAGES: [&str; 45] = [
    "/services",
    "/services/demo-app",
    "/services/demo-app/transactions",
    "/services/demo-app/errors",
    "/services/demo-app/dependencies",
    "/services/demo-app/map",
    "/map",
    "/logs",
    "/services/demo-app/logs",
    "/traces/{trace}?tab=flame",
    "/services/demo-app/metrics",
    "{transaction}",
    "{transaction}&tab=metadata",
    "{error}",
    "/errors",
    "/traces",
    "/traces/{trace}",
    "/traces/{trace}?tab=statistics",
    "/traces/{trace}?tab=sql",
    "/queries",
    "/insights",
    "/alerts",
    "/alerts?new=p95",
    "/compare",
    "/sql",
    "/discover",
    "/discover?group=service.name",
    "/live",
    "/settings",
    "/setup",
    "/nowhere",
    "/dashboard",
    "/slos",
    "/kept",
    "/vitals",
    "/dependencies",
    "/dependencies/sqlite",
    "/errors?state=all",
    "/services/demo-app/instances",
    "/services/demo-app/versions",
    "/services/demo-app/metrics?metric=system.memory.total",
    "/traces?sort=-duration&group=service.name",
    "/traces/{trace}/compare/{trace}",
    "{correlations}",
    "/discover?metrics=on&cols=service.name",
];

/// Fetches with gzip; answers the bytes on the wire and the text.
async fn fetch(server: &TestServer, path: &str) -> (usize, String) {
    let request = server.client.get(server.url(path)).no_decompress();
    let request = request
        .insert_header(("Accept", "text/html"))
        .insert_header(("Accept-Encoding", "gzip, deflate, br, zstd"));
    let mut answer = request.send().await.expect("an answer");
    let head: usize = answer
        .headers()
        .iter()
        .map(|(name, value)| name.as_str().len() + value.len() + 4)
        .sum();
    let body = answer.body().limit(64 << 20).await.expect("its body");
    let mut text = String::new();
    if answer.headers().get("content-encoding").is_some() {
        GzDecoder::new(&body[..])
            .read_to_string(&mut text)
            .expect("gzip");
    } else {
        text = String::from_utf8(body.to_vec()).expect("UTF-8");
    }
    (head + body.len(), text)
}

/// The values of attributes that make a browser fetch or go somewhere.
fn addresses(text: &str) -> impl Iterator<Item = &str> {
    ["href=\"", "src=\"", "action=\""]
        .into_iter()
        .flat_map(|name| text.split(name).skip(1))
        .filter_map(|rest| rest.split('"').next())
}

/// The files that a page needs: its own, and those that its modules import.
async fn files(
    server: &TestServer,
    page: &str,
    known: &mut BTreeMap<String, (usize, String)>,
) -> BTreeSet<String> {
    let asset = |address: &str| {
        address
            .starts_with("/assets/")
            .then(|| address.split('#').next().unwrap_or(address).to_owned())
    };
    let mut open: Vec<String> = addresses(page)
        .filter_map(asset)
        .filter(|file| !file.ends_with("noscript.css"))
        .collect();
    let mut needed = BTreeSet::new();
    while let Some(file) = open.pop() {
        if !needed.insert(file.clone()) {
            continue;
        }
        if !known.contains_key(&file) {
            let fetched = fetch(server, &file).await;
            known.insert(file.clone(), fetched);
        }
        let (directory, _) = file.rsplit_once('/').expect("a path");
        let imports = known[&file].1.lines().filter_map(|line| {
            line.strip_prefix("import ")?
                .split('"')
                .nth(1)?
                .strip_prefix("./")
        });
        open.extend(imports.map(|name| format!("{directory}/{name}")));
    }
    needed
}

#[actix_web::test]
async fn the_first_load_of_any_page_is_light_and_from_this_server() {
    let server = TestServer::start();
    let bodies = std::rc::Rc::new(std::cell::RefCell::new(Vec::new()));
    let kept = std::rc::Rc::clone(&bodies);
    let mut target = Target::function(move |body| kept.borrow_mut().push(body.to_vec()));
    let mut options = Options::new(3000, now());
    options.window = std::time::Duration::from_secs(900);
    generate(&options, &mut target, |_| ()).expect("made");
    for body in bodies.take() {
        assert_eq!(server.intake(body).await.status, 202);
    }
    let json = async |path: &str| server.get(path).await.json();
    let groups = json("/api/v1/services/demo-app/transactions").await;
    let name = groups["transactions"][0]["name"]
        .as_str()
        .expect("a group")
        .replace(' ', "%20");
    let transaction = format!("/services/demo-app/transactions/view?type=request&name={name}");
    let hits = json("/api/v1/discover?q=processor.event:transaction&size=1").await;
    let text = hits.to_string();
    let trace = text
        .split("\"trace\":{\"id\":\"")
        .nth(1)
        .and_then(|rest| rest.split('"').next())
        .expect("a trace")
        .to_owned();
    let errors = json("/api/v1/services/demo-app/errors").await;
    let error = format!(
        "/services/demo-app/errors/{}",
        errors["errors"][0]["key"].as_str().expect("an error")
    );
    let mut known = BTreeMap::new();
    let mut heaviest = (0, String::new());
    for page in PAGES {
        let path = page
            .replace("{transaction}", &transaction)
            .replace("{trace}", &trace)
            .replace(
                "{correlations}",
                &transaction.replace("/view?", "/correlations?"),
            )
            .replace("{error}", &error);
        let (own, text) = fetch(&server, &path).await;
        for address in addresses(&text) {
            let stays = address.starts_with(['#', '?'])
                || (address.starts_with('/') && !address.starts_with("//"));
            assert!(stays, "{path} leads to {address}");
        }
        let needed = files(&server, &text, &mut known).await;
        let bytes = own + needed.iter().map(|file| known[file].0).sum::<usize>();
        eprintln!(
            "{bytes:>6} bytes, {own:>6} of them the page, {:>2} files: {path}",
            needed.len()
        );
        assert!(bytes < MOST, "{path}: {bytes} bytes");
        heaviest = heaviest.max((bytes, path));
    }
    assert!(heaviest.0 > 20_000, "files were found: {heaviest:?}");
    server.stop().await;
}
