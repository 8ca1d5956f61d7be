use super::*;

fn hosts(allowed: &[&str], is_exposed: bool) -> Hosts {
    let config = Config {
        allowed_hosts: allowed.iter().map(|&name| name.to_owned()).collect(),
        ..Config::default()
    };
    Hosts::new(&config, &config.listen, is_exposed)
}

#[test]
fn a_server_on_loopback_answers_to_names_of_this_machine_and_to_those_it_is_told() {
    let plain = hosts(&[], false);
    for (host, allowed) in [
        ("localhost:8200", true),
        ("LOCALHOST.", true),
        ("app.localhost", true),
        ("127.0.0.1", true),
        ("[::1]:8200", true),
        ("192.168.1.7:80", true),
        ("localhost.evil.example", false),
        ("evil.example", false),
        (".localhost", false),
        ("[::1].evil.example", false),
        ("[::1", false),
        ("localhost:port", false),
        ("localhost:99999", false),
        ("", false),
    ] {
        assert_eq!(plain.allow(host), allowed, "{host}");
    }
    let told = hosts(
        &["APM.example.com:443", "*.internal", ".corp.example"],
        false,
    );
    for (host, allowed) in [
        ("apm.example.com", true),
        ("apm.example.com:8200", true),
        ("x.apm.example.com", false),
        ("a.internal", true),
        ("a.b.internal", true),
        ("internal", false),
        ("notinternal", false),
        ("a.corp.example", true),
        ("corp.example", false),
        ("localhost", true),
        ("evil.example", false),
    ] {
        assert_eq!(told.allow(host), allowed, "{host}");
    }
    assert!(hosts(&["*"], false).allow("evil.example"));
}

#[test]
fn a_server_beyond_loopback_answers_to_any_name_unless_it_is_told_some() {
    assert!(hosts(&[], true).allow("apm.example.com"));
    let told = hosts(&["apm.example.com"], true);
    assert!(told.allow("apm.example.com") && !told.allow("evil.example"));
}
