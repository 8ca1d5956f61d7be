//! The addresses of all pages that tests go over, and whether any page of the route table is missing.

use actix_web::dev::ResourceDef;
use actix_web::http::Method;

use crate::route::Access;

/// Addresses of all pages; `{service}` and the like are filled in.
pub(super) const PAGES: [&str; 59] = [
    "/services",
    "/services/{service}",
    "/services/{service}/transactions",
    "/services/{service}/errors",
    "/services/{service}/dependencies",
    "/services/{service}/transactions/view?type=request&name={service}",
    "/services/{service}/transactions/view?name={service}&min_us=1&max_us=9000000&scale=linear&tab=metadata",
    "/services/{service}/errors/{error}",
    "/services/{service}/errors/{error}?tab=metadata",
    "/services/{service}/errors/{error}?tab=json",
    "/services/{service}/metrics",
    "/services/{service}/metrics?metric={service}",
    "/errors",
    "/live",
    "/live?q=a:",
    "/services?q=service.name:{service}",
    "/settings",
    "/setup",
    "/traces",
    "/kept",
    "/kept?reason=pinned",
    "/discover",
    "/discover?q=trace.id:{trace}&open=1&field=service.name",
    "/discover?filter=service.name:*&group=service.name",
    "/discover?cols=service.name,{service}&as=json&open=1",
    "/discover?q=a:",
    "/traces/{trace}?tab=logs",
    "/traces/{trace}",
    "/traces/{trace}?item={item}",
    "/traces/{trace}?tab=statistics",
    "/traces/{trace}?tab=sql",
    "/traces/{trace}?tab=metadata",
    "/traces/{trace}?tab=errors",
    "/traces/{trace}?tab=json",
    "/services/{service}/instances",
    "/services/{service}/versions",
    "/services/{service}?line=p50&axis=log",
    "/traces?sort=-duration&group=service.name&compare={trace}&min_us=0&max_us=900000000",
    "/traces?q=service.name:*&match=any&sort=duration",
    "/traces/{trace}/compare/{trace}",
    "/errors?state=all",
    "/slos?service={service}",
    "/dashboard",
    "/sql",
    "/sql?sql=SELECT+name+FROM+v_transactions",
    "/queries",
    "/queries/{fingerprint}?service={service}",
    "/insights",
    "/compare",
    "/dependencies",
    "/dependencies/{service}",
    "/map",
    "/services/{service}/map",
    "/logs",
    "/services/{service}/logs",
    "/vitals",
    "/alerts",
    "/alerts?new=failure_rate",
    "/services/{service}/transactions/correlations?type=request&name={service}",
];

/// Addresses that are read and are no pages: they answer with a part of a page, a stream or a file, or lead elsewhere.
const NO_PAGES: [&str; 4] = [
    "/theme/{name}",
    "/suggest",
    "/live/stream",
    "/traces/{trace}/export",
];

/// The pages of the route table that none of the addresses leads to.
fn not_opened(addresses: &[String]) -> Vec<&'static str> {
    let routes = crate::ui::routes();
    let is_page = |rules: &crate::route::Rules| {
        rules.methods.contains(&(Some(Method::GET), Access::Read))
            && !NO_PAGES.contains(&rules.path)
    };
    let pages = routes.iter().map(|route| &route.rules);
    let pages: Vec<&str> = pages
        .filter(|rules| is_page(rules))
        .map(|rules| rules.path)
        .collect();
    assert!(pages.len() > 30, "{pages:?}");
    let opened = |path: &&str| {
        let pattern = ResourceDef::new(*path);
        addresses.iter().any(|address| pattern.is_match(address))
    };
    pages.into_iter().filter(|path| !opened(path)).collect()
}

/// The path of an address, with something for each of its braces, as those of Rust and of JavaScript have them.
fn filled(address: &str) -> String {
    let mut rest = address.split('?').next().unwrap_or_default();
    let mut out = String::new();
    while let Some((before, after)) = rest.split_once('{') {
        out.push_str(before.trim_end_matches('$'));
        out.push('x');
        rest = after.split_once('}').map_or("", |(_, rest)| rest);
    }
    out.push_str(rest);
    out
}

#[test]
fn every_page_is_in_the_list_that_is_checked_for_markup() {
    let addresses: Vec<String> = PAGES.into_iter().map(filled).collect();
    assert_eq!(not_opened(&addresses), [""; 0]);
}

#[test]
fn every_page_is_in_the_list_that_browsers_open() {
    let list = include_str!("../../../../../tests/browser/support/pages.js");
    let list = list
        .replace("${at}", "/services/x")
        .replace("${trace}", "/traces/x");
    // Addresses stand in quotes, those with variables in backticks.
    let texts = list.split(['"', '`']).filter(|text| text.starts_with('/'));
    let addresses: Vec<String> = texts.map(filled).collect();
    assert_eq!(not_opened(&addresses), [""; 0]);
}
