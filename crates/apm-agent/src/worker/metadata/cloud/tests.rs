//! Documents as the providers publish them, Elastic's App Service scenarios, and metadata services that misbehave.

use std::collections::HashMap;
use std::io::{Read, Write};
use std::net::TcpListener;
use std::time::Instant;

use serde_json::json;

use super::*;
use crate::fixtures;

fn wire(cloud: Option<Cloud>) -> Value {
    serde_json::to_value(cloud).unwrap()
}

#[test]
fn the_documents_of_aws_gcp_and_azure_are_understood() {
    let aws = json!({"accountId": "123456789012", "architecture": "x86_64", "availabilityZone": "us-east-2a",
        "instanceId": "i-0ae894a7c1c4f2a75", "instanceType": "t2.medium", "region": "us-east-2", "ramdiskId": null});
    assert_eq!(
        wire(from_aws(&aws)),
        json!({"provider": "aws", "region": "us-east-2", "availability_zone": "us-east-2a",
            "account": {"id": "123456789012"},
            "instance": {"id": "i-0ae894a7c1c4f2a75"}, "machine": {"type": "t2.medium"}})
    );
    let gcp = json!({"instance": {"id": 4_306_570_268_266_786_072_u64, "name": "basepi-test",
        "machineType": "projects/513326162531/machineTypes/n1-standard-1",
        "zone": "projects/513326162531/zones/us-west3-a"},
        "project": {"projectId": "elastic-apm", "numericProjectId": 513_326_162_531_u64}});
    assert_eq!(
        wire(from_gcp(&gcp)),
        json!({"provider": "gcp", "region": "us-west3", "availability_zone": "us-west3-a",
            "project": {"id": "elastic-apm"},
            "instance": {"id": "4306570268266786072", "name": "basepi-test"}, "machine": {"type": "n1-standard-1"}})
    );
    let azure = json!({"location": "westus2", "name": "basepi-test", "resourceGroupName": "basepi-testing", "zone": "",
        "subscriptionId": "7657426d-c4c3-44ac-88a2-3b2cd59e6dba", "vmId": "e11ebedc-019d-427f-84dd-56cd4388d3a8",
        "vmSize": "Standard_D2s_v3"});
    assert_eq!(
        wire(from_azure(&azure)),
        json!({"provider": "azure", "region": "westus2", "account": {"id": "7657426d-c4c3-44ac-88a2-3b2cd59e6dba"},
            "instance": {"id": "e11ebedc-019d-427f-84dd-56cd4388d3a8", "name": "basepi-test"},
            "project": {"name": "basepi-testing"},
            "machine": {"type": "Standard_D2s_v3"}})
    );
    for foreign in [
        json!({}),
        json!([]),
        json!("<html>"),
        json!({"instance": 1, "instanceId": null}),
    ] {
        assert_eq!(
            (from_aws(&foreign), from_gcp(&foreign), from_azure(&foreign)),
            (None, None, None)
        );
    }
}

/// The cells of a Gherkin table row.
fn cells(line: &str) -> Vec<String> {
    line.trim()
        .trim_matches('|')
        .split('|')
        .map(|cell| cell.trim().to_owned())
        .collect()
}

#[test]
fn elastics_app_service_scenarios_hold() {
    let Some(feature) = fixtures::text("gherkin-specs/azure_app_service_metadata.feature") else {
        return;
    };
    let mut checked = 0;
    for scenario in feature.split("Scenario").skip(1) {
        let (given, examples) = scenario.split_once("Examples:").unwrap_or((scenario, ""));
        let rows: Vec<String> = examples
            .lines()
            .filter(|line| line.contains('|'))
            .skip(1)
            .map(|line| cells(line).remove(0))
            .collect();
        let owners = if rows.is_empty() {
            vec![String::new()]
        } else {
            rows
        };
        for owner in owners {
            let variables: HashMap<String, String> = given
                .lines()
                .filter(|line| line.contains("| WEBSITE_"))
                .map(cells)
                .map(|row| {
                    (
                        row[0].clone(),
                        row[1].replace("<WEBSITE_OWNER_NAME>", &owner),
                    )
                })
                .collect();
            let cloud = wire(from_app_service(|name| variables.get(name).cloned()));
            assert_eq!(
                cloud.is_null(),
                given.contains("cloud metadata is null"),
                "{scenario}"
            );
            for line in given
                .lines()
                .filter(|line| line.contains("And cloud metadata '"))
            {
                let quoted: Vec<&str> = line.split('\'').collect();
                let pointer = format!("/{}", quoted[1].replace('.', "/"));
                assert_eq!(
                    cloud.pointer(&pointer).and_then(Value::as_str),
                    Some(quoted[3]),
                    "{line}"
                );
            }
            checked += 1;
        }
    }
    assert_eq!(checked, 7);
}

fn client() -> reqwest::Client {
    let roots = rustls::RootCertStore::empty();
    let tls = rustls::ClientConfig::builder_with_provider(
        rustls::crypto::ring::default_provider().into(),
    )
    .with_safe_default_protocol_versions()
    .unwrap()
    .with_root_certificates(roots)
    .with_no_client_auth();
    reqwest::Client::builder()
        .no_proxy()
        .tls_backend_preconfigured(tls)
        .build()
        .unwrap()
}

fn run<T>(future: impl Future<Output = T>) -> T {
    tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap()
        .block_on(future)
}

/// Serves each connection what `answer` makes of its request's head, until the test's process ends.
fn serve(answer: fn(&str) -> Option<String>) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            let mut stream = stream.unwrap();
            std::thread::spawn(move || {
                let mut head = [0; 4096];
                let read = stream.read(&mut head).unwrap_or(0);
                match answer(&String::from_utf8_lossy(&head[..read])) {
                    Some(body) => {
                        let length = body.len();
                        let _ = write!(
                            stream,
                            "HTTP/1.1 200 OK\r\ncontent-length: {length}\r\nconnection: close\r\n\r\n{body}"
                        );
                    }
                    // Silence, until the other side gives up.
                    None => drop(stream.read(&mut head)),
                }
            });
        }
    });
    format!("http://{address}")
}

#[test]
fn the_provider_that_answers_is_found_among_all() {
    let link_local = serve(|head| {
        if head.starts_with("PUT /latest/api/token")
            && head.to_lowercase().contains("token-ttl-seconds: 300")
        {
            Some("the-token\n".to_owned())
        } else if head.starts_with("GET /latest/dynamic")
            && head
                .to_lowercase()
                .contains("x-aws-ec2-metadata-token: the-token")
        {
            Some(r#"{"instanceId": "i-1", "region": "eu-west-1"}"#.to_owned())
        } else {
            Some("not here".to_owned())
        }
    });
    let services = Services {
        link_local,
        gcp: "http://127.0.0.1:1".to_owned(),
    };
    let found = run(look_up(CloudProvider::Auto, &client(), &services));
    assert_eq!(
        wire(found),
        json!({"provider": "aws", "region": "eu-west-1", "instance": {"id": "i-1"}})
    );
    assert_eq!(
        run(look_up(CloudProvider::None, &client(), &services)),
        None
    );
}

#[test]
fn silence_garbage_and_floods_are_no_cloud_and_end_soon() {
    let answers: [fn(&str) -> Option<String>; 3] = [
        |_| None,
        |_| Some("<html>".to_owned()),
        |_| Some("x".repeat(MAX_BODY + 1)),
    ];
    for answer in answers {
        let base = serve(answer);
        let services = Services {
            link_local: base.clone(),
            gcp: base,
        };
        let started = Instant::now();
        assert_eq!(
            run(look_up(CloudProvider::Auto, &client(), &services)),
            None
        );
        assert!(started.elapsed() < FIRST_TIMEOUT + TIMEOUT + Duration::from_secs(2));
    }
}
