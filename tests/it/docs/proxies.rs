//! The examples of proxies in deploy/ and docs/scale-out, by running each before a server.

use std::net::{SocketAddr, TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Instant;

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpSocket;

use super::root;
use crate::support::{DEADLINE, Ended, request};

/// A server as the examples have it, with a folder for the proxy.
struct Behind {
    dir: tempfile::TempDir,
    _server: apm_server::Running,
    /// Host and port of the server.
    address: String,
    /// The proxy's.
    free: SocketAddr,
}

impl Behind {
    /// Below a path.
    fn start() -> Self {
        Self::start_at("/apm")
    }

    fn start_at(base_path: &str) -> Self {
        let dir = tempfile::tempdir().unwrap();
        let mut config = apm_server::Config::default();
        config.listen = "127.0.0.1:0".to_owned();
        config.database = dir.path().join("apm.db");
        config.base_path = base_path.parse().unwrap();
        config.trusted_proxies = vec!["127.0.0.1".parse().unwrap()];
        config.secret_token = apm_server::SecretToken::new("long and secret".to_owned());
        // The name that the examples are asked by.
        config.allowed_hosts = vec!["example.com".to_owned()];
        let server = apm_server::Server::start(config).unwrap();
        let url = server.url();
        let address = url.trim_start_matches("http://").split('/').next().unwrap();
        let address = address.to_owned();
        let free = TcpListener::bind("127.0.0.1:0").unwrap();
        Self {
            dir,
            _server: server,
            address,
            free: free.local_addr().unwrap(),
        }
    }

    fn folder(&self) -> &Path {
        self.dir.path()
    }

    /// Writes the configuration of a proxy; the example in it asks this server.
    fn write(&self, name: &str, text: &str) -> PathBuf {
        let file = self.folder().join(name);
        std::fs::write(&file, text.replace("127.0.0.1:8200", &self.address)).unwrap();
        file
    }

    /// nginx before this server.
    fn nginx(&self, program: PathBuf, http: &str) -> Command {
        let http = http.replace("127.0.0.1:8200", &self.address);
        nginx(program, self.folder(), &http)
    }

    /// Starts a proxy, and asks it for pages and data as a browser and a script do.
    async fn check(&self, mut proxy: Command) {
        let proxy = proxy.stdin(Stdio::null()).env("HOME", self.folder());
        let mut proxy = Ended::start(proxy);
        until_it_listens(&mut proxy, self.free);
        let url = |path: &str| format!("http://{}{path}", self.free);
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
        let headers = [host, token, ("Accept", "text/html")];
        let page = request("GET", &url("/apm/services"), &headers).await;
        assert_eq!(page.status, 200, "{}", page.body);
        assert!(page.body.contains("=\"/apm/assets/"), "{}", page.body);
        assert!(!page.body.contains("href=\"/services"), "{}", page.body);
        let elsewhere = request("GET", &url("/services"), &[host, token]).await;
        // nginx has no such page; Caddy has nothing to say.
        assert!(
            elsewhere.status == 404 || elsewhere.body.is_empty(),
            "{}",
            elsewhere.body
        );
        assert!(!elsewhere.body.contains("/assets/"), "{}", elsewhere.body);
    }
}

/// nginx with what stands in its `http`, and all that it writes in a folder.
pub(super) fn nginx(program: PathBuf, folder: &Path, http: &str) -> Command {
    let shown = folder.display();
    let temporary: String = ["client_body", "proxy", "fastcgi", "uwsgi", "scgi"]
        .map(|kind| format!("{kind}_temp_path {shown}/{kind};\n"))
        .concat();
    let whole = format!(
        "daemon off;\nmaster_process off;\nerror_log stderr;\npid {shown}/pid;\nevents {{}}\n\
         http {{\naccess_log off;\n{temporary}{http}\n}}\n"
    );
    let file = folder.join("nginx.conf");
    std::fs::write(&file, whole).unwrap();
    let mut proxy = Command::new(program);
    proxy.arg("-c").arg(&file).args(["-e", "stderr"]);
    proxy
}

pub(super) fn until_it_listens(proxy: &mut Ended, at: SocketAddr) {
    let started = Instant::now();
    while TcpStream::connect(at).is_err() {
        assert!(proxy.try_wait().unwrap().is_none(), "the proxy ended");
        assert!(started.elapsed() < DEADLINE, "the proxy does not listen");
        std::thread::yield_now();
    }
}

/// The part within `http { }` of the load balancer of the large example.
pub(super) fn balancer() -> String {
    let example = example("docs/scale-out/nginx.conf");
    let http = example.split_once("http {").unwrap().1;
    http.rsplit_once('}').unwrap().0.to_owned()
}

fn example(path: &str) -> String {
    std::fs::read_to_string(root().join(path)).unwrap()
}

#[actix_web::test]
async fn nginx_brings_the_pages_below_a_path() {
    let Some(nginx) = test_support::tool("nginx") else {
        return;
    };
    let behind = Behind::start();
    // The example without certificates, on a free port.
    let example = example("deploy/nginx.conf");
    let example = example.replace("listen 443 ssl;", &format!("listen {};", behind.free));
    let lines = example
        .lines()
        .filter(|line| !line.trim_start().starts_with("ssl_"));
    let example = lines.collect::<Vec<_>>().join("\n");
    let proxy = behind.nginx(nginx, &example);
    behind.check(proxy).await;
}

#[actix_web::test]
async fn caddy_brings_the_pages_below_a_path() {
    let Some(caddy) = test_support::tool("caddy") else {
        return;
    };
    let behind = Behind::start();
    // The example without certificates, on a free port, and without the port by which Caddy is governed.
    let site = format!("http://example.com:{} {{", behind.free.port());
    let example = example("deploy/Caddyfile").replace("example.com {", &site);
    let file = behind.write(
        "Caddyfile",
        &format!("{{\n\tadmin off\n\tauto_https off\n}}\n{example}"),
    );
    let mut proxy = Command::new(caddy);
    proxy.args(["run", "--adapter", "caddyfile", "--config"]);
    proxy.arg(&file).stderr(Stdio::null());
    behind.check(proxy).await;
}

#[actix_web::test]
async fn the_load_balancer_of_the_large_example_tells_whose_request_it_is() {
    let Some(nginx) = test_support::tool("nginx") else {
        return;
    };
    let behind = Behind::start_at("");
    // One server stands for both.
    let http = balancer()
        .replace("listen 8200;", &format!("listen {};", behind.free))
        .replace("apm1:8200", &behind.address)
        .replace("apm2:8200", &behind.address);
    let mut proxy = behind.nginx(nginx, &http);
    let proxy = proxy.stdin(Stdio::null()).env("HOME", behind.folder());
    let mut proxy = Ended::start(proxy);
    until_it_listens(&mut proxy, behind.free);

    // From another address of this machine, with what a client could make up.
    let socket = TcpSocket::new_v4().unwrap();
    socket.bind("127.0.0.2:0".parse().unwrap()).unwrap();
    let mut stream = socket.connect(behind.free).await.unwrap();
    let events = "{\"metadata\":{\"service\":{\"name\":\"s\",\"agent\":{\"name\":\"a\",\"version\":\"1\"}}}}\n\
                  {\"log\":{\"message\":\"through\"}}\n";
    let sent = format!(
        "POST /intake/v2/events HTTP/1.1\r\nHost: example.com\r\nAuthorization: Bearer long and secret\r\n\
         X-Forwarded-For: 203.0.113.9\r\nForwarded: for=203.0.113.9\r\nX-Real-IP: 203.0.113.9\r\n\
         X-Forwarded-Prefix: /made-up\r\nConnection: close\r\nContent-Type: application/x-ndjson\r\n\
         Content-Length: {}\r\n\r\n{events}",
        events.len()
    );
    stream.write_all(sent.as_bytes()).await.unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).await.unwrap();
    assert!(answer.starts_with("HTTP/1.1 202"), "{answer}");
    let headers = [
        ("Host", "example.com"),
        ("Authorization", "Bearer long and secret"),
    ];
    let url = |path: &str| format!("http://{}{path}", behind.free);
    let path = "/api/v1/discover?q=message:through&from=now-15m";
    let found = request("GET", &url(path), &headers).await.json();
    assert_eq!(found["hits"][0]["host"]["ip"][0], "127.0.0.2", "{found}");
    let page = request(
        "GET",
        &url("/services"),
        &[&headers[..], &[("Accept", "text/html")]].concat(),
    )
    .await;
    assert_eq!(page.status, 200, "{}", page.body);
    assert!(!page.body.contains("/made-up"), "{}", page.body);
}
