//! deploy/nginx.conf, by running nginx with it before a server.

use std::net::{TcpListener, TcpStream};
use std::process::{Child, Command, Stdio};
use std::time::Instant;

use super::root;
use crate::support::{DEADLINE, request};

/// A program that ends with the test.
struct Ended(Child);

impl Drop for Ended {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

#[actix_web::test]
async fn nginx_brings_the_pages_below_a_path() {
    if Command::new("nginx").arg("-v").output().is_err() {
        eprintln!("skipped: there is no nginx; run .ci/deploy");
        return;
    }
    let dir = tempfile::tempdir().unwrap();
    let mut config = apm_server::Config::default();
    config.listen = "127.0.0.1:0".to_owned();
    config.database = dir.path().join("apm.db");
    config.base_path = "/apm".parse().unwrap();
    config.trusted_proxies = vec!["127.0.0.1".parse().unwrap()];
    config.secret_token = apm_server::SecretToken::new("long and secret".to_owned());
    // The name that the example of the proxy is asked by.
    config.allowed_hosts = vec!["example.com".to_owned()];
    let server = apm_server::Server::start(config).unwrap();
    let behind = server.url();
    let behind = behind
        .trim_start_matches("http://")
        .split('/')
        .next()
        .unwrap();

    // The example without certificates, on a free port.
    let free = TcpListener::bind("127.0.0.1:0")
        .unwrap()
        .local_addr()
        .unwrap();
    let example = std::fs::read_to_string(root().join("deploy/nginx.conf")).unwrap();
    let example = example
        .replace("listen 443 ssl;", &format!("listen {free};"))
        .replace("127.0.0.1:8200", behind);
    let lines = example
        .lines()
        .filter(|line| !line.trim_start().starts_with("ssl_"));
    let example = lines.collect::<Vec<_>>().join("\n");
    let folder = dir.path().display();
    let temporary: String = ["client_body", "proxy", "fastcgi", "uwsgi", "scgi"]
        .map(|kind| format!("{kind}_temp_path {folder}/{kind};\n"))
        .concat();
    let whole = format!(
        "daemon off;\nmaster_process off;\nerror_log stderr;\npid {folder}/pid;\nevents {{}}\n\
         http {{\naccess_log off;\n{temporary}{example}\n}}\n"
    );
    let file = dir.path().join("nginx.conf");
    std::fs::write(&file, whole).unwrap();
    let mut nginx = Command::new("nginx");
    nginx
        .arg("-c")
        .arg(&file)
        .arg("-e")
        .arg("stderr")
        .stdin(Stdio::null());
    let _nginx = Ended(nginx.spawn().unwrap());
    let started = Instant::now();
    while TcpStream::connect(free).is_err() {
        assert!(started.elapsed() < DEADLINE, "nginx does not listen");
        std::thread::yield_now();
    }

    let url = |path: &str| format!("http://{free}{path}");
    let host = ("Host", "example.com");
    let token = ("Authorization", "Bearer long and secret");
    // The client of the other tests would follow it to example.com.
    let client = awc::Client::builder().disable_redirects().finish();
    let moved = client
        .get(url("/apm"))
        .insert_header(host)
        .send()
        .await
        .unwrap();
    assert_eq!(moved.status(), 308);
    let to = moved.headers().get("location").unwrap().to_str().unwrap();
    assert!(to.ends_with("/apm/"), "{to}");
    let refused = request("GET", &url("/apm/api/v1/services"), &[host]).await;
    assert_eq!(refused.status, 401, "{}", refused.body);
    let services = request("GET", &url("/apm/api/v1/services"), &[host, token]).await;
    assert_eq!(services.status, 200, "{}", services.body);
    let page = request(
        "GET",
        &url("/apm/services"),
        &[host, token, ("Accept", "text/html")],
    )
    .await;
    assert_eq!(page.status, 200, "{}", page.body);
    assert!(page.body.contains("=\"/apm/assets/"), "{}", page.body);
    assert!(!page.body.contains("href=\"/services"), "{}", page.body);
    let elsewhere = request("GET", &url("/services"), &[host, token]).await;
    assert_eq!(elsewhere.status, 404);
}
