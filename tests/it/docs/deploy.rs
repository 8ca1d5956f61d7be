//! The files of deploy/: whether the programs that they are for can read them, and whether their commands are known.

use std::collections::BTreeSet;
use std::net::TcpListener;
use std::os::unix::net::UnixDatagram;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use yaml_rust2::{Yaml, YamlLoader};

use super::{root, shell};
use crate::support::{self, DEADLINE, Ended, TestApp, get};

fn text(name: &str) -> String {
    std::fs::read_to_string(root().join("deploy").join(name)).unwrap()
}

fn yaml(name: &str) -> Vec<Yaml> {
    YamlLoader::load_from_str(&text(name)).unwrap_or_else(|error| panic!("{name}: {error}"))
}

/// The texts of a list.
fn words(list: &Yaml) -> Vec<&str> {
    list.as_vec()
        .into_iter()
        .flatten()
        .filter_map(Yaml::as_str)
        .collect()
}

#[test]
fn the_compose_file_starts_the_server_and_three_services_that_send_to_it() {
    let file = &yaml("compose.yaml")[0]["services"];
    shell::is_known(&format!(
        "pocket-apm {}",
        words(&file["apm"]["command"]).join(" ")
    ))
    .unwrap();
    shell::is_known(&format!(
        "pocket-apm {}",
        words(&file["people"]["command"]).join(" ")
    ))
    .unwrap();
    for (service, variable) in [
        ("people", "ELASTIC_APM_SERVER_URL"),
        ("python", "ELASTIC_APM_SERVER_URL"),
        ("node", "ELASTIC_APM_SERVER_URL"),
    ] {
        let service = &file[service];
        assert_eq!(
            service["environment"][variable].as_str(),
            Some("http://apm:8200"),
            "{service:?}"
        );
        assert!(!service["environment"]["ELASTIC_APM_SECRET_TOKEN"].is_badvalue());
        assert_eq!(
            service["depends_on"]["apm"]["condition"].as_str(),
            Some("service_started")
        );
        // The folders that a container mounts are there.
        for volume in words(&service["volumes"]) {
            let source = volume.split(':').next().unwrap();
            let folder = source.strip_prefix("./");
            assert!(
                folder.is_none_or(|folder| root().join("deploy").join(folder).exists()),
                "{volume}"
            );
        }
    }
    // Only this machine reaches the pages.
    assert!(
        words(&file["apm"]["ports"])
            .iter()
            .all(|port| port.starts_with("127.0.0.1:"))
    );
}

fn free_port() -> String {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    listener.local_addr().unwrap().port().to_string()
}

#[actix_web::test]
async fn the_services_of_the_compose_file_are_one_trace() {
    let (Some(python), Some(node)) = (
        test_support::installed("python"),
        test_support::installed("node"),
    ) else {
        return;
    };
    let app = TestApp::start().await;
    let start = |name: &str, mut program: Command, port: &str| {
        program
            .env("ELASTIC_APM_SERVER_URL", &app.apm_url)
            .env("ELASTIC_APM_SERVICE_NAME", name)
            .envs([
                ("ELASTIC_APM_API_REQUEST_TIME", "100ms"),
                ("ELASTIC_APM_CLOUD_PROVIDER", "none"),
            ])
            .envs([("HOST", "127.0.0.1"), ("PORT", port)])
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null());
        Ended::start(&mut program)
    };
    let (python_port, node_port) = (free_port(), free_port());
    let mut program = Command::new(python.join("bin/python"));
    program
        .arg(root().join("deploy/python/app.py"))
        .env("PEOPLE_URL", format!("{}/people", app.url));
    let _python = start("python", program, &python_port);
    let mut program = Command::new("node");
    program
        .arg(root().join("deploy/node/app.js"))
        .env("NODE_PATH", node.join("node_modules"))
        .env(
            "PYTHON_URL",
            format!("http://127.0.0.1:{python_port}/country"),
        );
    let _node = start("node", program, &node_port);

    // Both need a moment to start; until then one is refused, or the other answers 502.
    let started = Instant::now();
    let url = format!("http://127.0.0.1:{node_port}/");
    loop {
        let is_there = std::net::TcpStream::connect(format!("127.0.0.1:{node_port}")).is_ok();
        if is_there && get(&url).await.status == 200 {
            break;
        }
        assert!(started.elapsed() < DEADLINE, "{url} does not answer");
        actix_web::rt::time::sleep(std::time::Duration::from_millis(50)).await;
    }

    // The request went through all three.
    let people = app
        .discover(
            "transaction.name:\"GET /people\" and processor.event:transaction",
            1,
        )
        .await;
    let trace = people[0]["trace"]["id"].as_str().unwrap();
    let requests = app
        .discover(
            &format!("trace.id:{trace} and processor.event:transaction"),
            3,
        )
        .await;
    let services: BTreeSet<_> = requests
        .iter()
        .map(|request| request["service"]["name"].as_str().unwrap())
        .collect();
    assert_eq!(services, BTreeSet::from(["my-app-01", "node", "python"]));
    // The service in Python has a database of its own.
    let path =
        "/api/v1/discover?q=service.name:python%20and%20span.db.statement:visit&from=now-15m";
    app.api_until(path, |found| found["total"].as_u64() > Some(0))
        .await;
}

#[test]
fn the_manifest_for_kubernetes_has_one_pod_that_keeps_its_file() {
    let parts = yaml("kubernetes.yaml");
    let part = |kind: &str| {
        let found = parts
            .iter()
            .find(|part| part["kind"].as_str() == Some(kind));
        found.unwrap_or_else(|| panic!("no {kind}"))
    };
    let set = part("StatefulSet");
    assert_eq!(
        set["spec"]["replicas"].as_i64(),
        Some(1),
        "one process writes the file"
    );
    let container = &set["spec"]["template"]["spec"]["containers"][0];
    shell::is_known(&format!(
        "pocket-apm {}",
        words(&container["args"]).join(" ")
    ))
    .unwrap();
    let mount = container["volumeMounts"][0]["name"].as_str();
    assert_eq!(
        set["spec"]["volumeClaimTemplates"][0]["metadata"]["name"].as_str(),
        mount
    );
    // The labels by which the service and the set find the pod.
    let label = set["spec"]["template"]["metadata"]["labels"]["app"].as_str();
    assert!(label.is_some());
    assert_eq!(part("Service")["spec"]["selector"]["app"].as_str(), label);
    assert_eq!(
        set["spec"]["selector"]["matchLabels"]["app"].as_str(),
        label
    );
    let token = &container["env"].as_vec().unwrap()[0]["valueFrom"]["secretKeyRef"]["name"];
    assert_eq!(token.as_str(), part("Secret")["metadata"]["name"].as_str());
    for (probe, path) in [("livenessProbe", "/healthz"), ("readinessProbe", "/readyz")] {
        assert_eq!(container[probe]["httpGet"]["path"].as_str(), Some(path));
    }
}

/// The words of the unit's command, behind the name of the program.
fn start_of_unit(unit: &str) -> &str {
    unit.lines()
        .find_map(|line| line.strip_prefix("ExecStart=/usr/local/bin/"))
        .unwrap()
}

/// As systemd does it, without its walls: the credential in a folder of its own, and a socket for what is told.
#[actix_web::test]
async fn the_command_of_the_unit_tells_that_it_is_ready_and_ends_in_time() {
    let dir = tempfile::tempdir().unwrap();
    std::fs::write(dir.path().join("token"), "secret\n").unwrap();
    let socket = UnixDatagram::bind(dir.path().join("notify")).unwrap();
    socket.set_read_timeout(Some(DEADLINE)).unwrap();
    let unit = text("pocket-apm.service");
    let line = start_of_unit(&unit)
        .replace("/var/lib/pocket-apm/", "")
        .replace("%d", dir.path().to_str().unwrap());
    let mut server = Ended::start(
        support::command(env!("CARGO_BIN_EXE_pocket-apm"), &dir)
            .args(line.split_whitespace().skip(1))
            .args(["--apm-listen", "127.0.0.1:0"])
            .env("NOTIFY_SOCKET", dir.path().join("notify")),
    );
    let said = server.lines().next().unwrap();
    let mut told = [0; 256];
    let length = socket.recv(&mut told).unwrap();
    assert_eq!(&told[..length], b"READY=1\n");
    // Told when it answers, and only with the secret of the credential.
    let url = said.split_whitespace().last().unwrap();
    assert_eq!(get(&format!("{url}/readyz")).await.status, 200);
    assert_eq!(get(&format!("{url}/api/v1/services")).await.status, 401);

    let stop = unit
        .lines()
        .find_map(|line| line.strip_prefix("TimeoutStopSec="))
        .unwrap();
    let patience = Duration::from_secs(stop.parse().unwrap());
    support::signal(&server, "TERM");
    let started = Instant::now();
    let status = loop {
        if let Some(status) = server.try_wait().unwrap() {
            break status;
        }
        assert!(
            started.elapsed() < patience,
            "systemd would have killed it by now"
        );
        std::thread::yield_now();
    };
    assert!(status.success(), "{status}");
}

#[test]
fn systemd_can_read_the_unit_and_the_binary_its_options() {
    let unit = text("pocket-apm.service");
    shell::is_known(start_of_unit(&unit)).unwrap();
    // Without it systemd ends a server after 90 s that rewrites a large file for a new version.
    assert!(unit.contains("\nTimeoutStartSec=30min\n"));
    // The page that shows a unit shows this one.
    assert!(super::page("operating.md").contains("deploy/pocket-apm.service"));

    let dir = tempfile::tempdir().unwrap();
    let copy = dir.path().join("pocket-apm.service");
    // systemd looks whether the program is there.
    std::fs::write(
        &copy,
        unit.replace(
            "/usr/local/bin/pocket-apm",
            env!("CARGO_BIN_EXE_pocket-apm"),
        ),
    )
    .unwrap();
    let verified = Command::new("systemd-analyze")
        .arg("verify")
        .arg(&copy)
        .stdin(Stdio::null())
        .output();
    let Ok(verified) = verified else {
        eprintln!("skipped: there is no systemd-analyze");
        return;
    };
    let said = String::from_utf8_lossy(&verified.stderr);
    // It also reads units of the machine, which are not ours.
    let ours: Vec<_> = said
        .lines()
        .filter(|line| line.contains("pocket-apm.service"))
        .collect();
    assert!(ours.is_empty(), "{ours:#?}");
}

#[test]
fn the_examples_of_proxies_pass_the_prefix_and_the_names_on() {
    for name in ["nginx.conf", "Caddyfile"] {
        let example = text(name);
        assert_eq!(
            example.matches('{').count(),
            example.matches('}').count(),
            "{name}"
        );
        assert!(
            example.contains("/apm/") && example.contains("127.0.0.1:8200"),
            "{name}"
        );
        // Each begins with the command of the server behind it.
        let command = example
            .lines()
            .find_map(|line| line.strip_prefix("#     pocket-apm "));
        shell::is_known(&format!("pocket-apm {}", command.unwrap())).unwrap();
    }
    let nginx = text("nginx.conf");
    for header in ["X-Forwarded-Host", "X-Forwarded-Proto", "X-Forwarded-For"] {
        assert!(nginx.contains(header), "{header}");
    }
}

/// Reads a file with a validator that `.ci/deploy` installs: a schema of what the program takes.
fn is_valid(validator: &str, options: &[&str], path: &str) {
    let Some(validator) = test_support::tool(validator) else {
        return;
    };
    let read = Command::new(validator)
        .args(options)
        .arg(root().join(path))
        .stdin(Stdio::null())
        .output()
        .unwrap();
    let said = [read.stdout, read.stderr].concat();
    assert!(read.status.success(), "{}", String::from_utf8_lossy(&said));
}

#[test]
fn kubernetes_and_compose_know_all_fields_of_their_files() {
    is_valid(
        "kubernetes-validate",
        &["--strict"],
        "deploy/kubernetes.yaml",
    );
    let schema = ["--builtin-schema", "vendor.compose-spec"];
    for path in ["deploy/compose.yaml", "docs/scale-out/compose.yaml"] {
        is_valid("check-jsonschema", &schema, path);
    }
}
