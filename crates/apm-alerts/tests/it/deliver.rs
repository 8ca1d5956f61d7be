//! Delivery: webhooks, mails and commands, and what happens when a receiver does not take a message.

use std::time::Duration;

use apm_alerts::receiver::Receiver;
use apm_alerts::rule::{Kind, Rule, builtin};
use apm_alerts::{Options, Smtp};
use serde_json::json;

use crate::support::{Hook, Mail, Server, batch, error, now};

fn receiver(json: serde_json::Value) -> Receiver {
    serde_json::from_value(json).expect("a receiver")
}

/// Options with one receiver of the configuration file, that try again soon.
fn to(target: serde_json::Value) -> Options {
    let mut options = Options::default();
    options.receivers = vec![receiver(target)];
    options.retries = vec![Duration::from_millis(20); 3];
    options.url = "https://apm.example.com/apm".to_owned();
    options
}

fn raise(server: &Server, group: u64) {
    let mut events = batch("shop");
    error(&mut events, group, now(), "too <much>");
    server.store(events);
}

/// The state of the only delivery of the only message.
fn state(overview: &apm_alerts::Overview) -> Option<(&str, i32)> {
    let delivery = overview.history.first()?.deliveries.first()?;
    Some((&*delivery.state, delivery.attempts))
}

#[test]
fn a_new_error_reaches_a_webhook_without_any_rule_of_ones_own() {
    let hook = Hook::start(&[]);
    let options = to(
        json!({"name": "ops", "kind": "webhook", "url": hook.url, "authorization": "Bearer hush"}),
    );
    let server = Server::start(options);
    server.watched();
    raise(&server, 7);
    let post = hook.next();
    assert!(
        post.head.contains("authorization: bearer hush"),
        "{}",
        post.head
    );
    assert_eq!(post.body["title"], "A new error (shop)");
    assert_eq!(post.body["rule"]["id"], "builtin-error");
    let alert = &post.body["alerts"][0];
    assert_eq!(alert["text"], "shop: new error: Overflow: too <much>");
    let url = alert["url"].as_str().expect("a link");
    let page = "https://apm.example.com/apm/services/shop/errors/0000000000000007?from=20";
    assert!(url.starts_with(page), "{url}");
    let overview = server.until("delivered", |all| state(all) == Some(("sent", 1)));
    assert_eq!(overview.firing.len(), 1);
    assert!(hook.is_quiet(), "it is told once");
}

#[test]
fn slack_gets_its_own_form_with_telemetry_escaped() {
    let hook = Hook::start(&[]);
    let server = Server::start(to(
        json!({"name": "chat", "kind": "slack", "url": hook.url}),
    ));
    server.watched();
    raise(&server, 7);
    let body = hook.next().body;
    let text = body["blocks"][0]["text"]["text"].as_str().expect("a text");
    assert!(text.contains("too &lt;much&gt;"), "{text}");
    assert!(
        text.contains("<https://apm.example.com/apm/services/shop/"),
        "{text}"
    );
}

#[test]
fn a_mail_goes_to_all_of_its_addresses() {
    let mail = Mail::start();
    let mut options =
        to(json!({"name": "mail", "kind": "email", "to": ["a@example.com", "b@example.com"]}));
    options.smtp = Some(Smtp {
        url: mail.url.clone(),
        from: "APM <apm@example.com>".to_owned(),
    });
    let server = Server::start(options);
    server.watched();
    raise(&server, 7);
    let mail = mail.next();
    for part in [
        "RCPT TO:<a@example.com>",
        "RCPT TO:<b@example.com>",
        "Subject: A new error (shop)",
        "too <much>",
    ] {
        assert!(mail.contains(part), "no {part}: {mail}");
    }
}

#[cfg(unix)]
#[test]
fn a_command_of_the_file_gets_the_message_and_no_shell_reads_it() {
    let dir = tempfile::tempdir().expect("a directory");
    let file = dir.path().join("alert.json");
    let write = ["/bin/dd", "status=none", &format!("of={}", file.display())];
    let server = Server::start(to(
        json!({"name": "cmd", "kind": "command", "command": write}),
    ));
    server.watched();
    raise(&server, 7);
    server.until("run", |all| state(all) == Some(("sent", 1)));
    let text = std::fs::read_to_string(file).expect("a file");
    let message: serde_json::Value = serde_json::from_str(&text).expect("JSON");
    assert_eq!(message["change"], "fired");
}

#[test]
fn a_receiver_that_is_busy_is_asked_again_and_one_that_refuses_is_not() {
    for (statuses, expected) in [
        (&["503 Busy", "429 Slow"][..], ("sent", 3)),
        (&["404 Gone"][..], ("failed", 1)),
        (&["302 There"][..], ("failed", 1)),
        (&["500 A", "500 B", "500 C", "500 D"][..], ("failed", 4)),
    ] {
        let hook = Hook::start(statuses);
        let server = Server::start(to(
            json!({"name": "ops", "kind": "webhook", "url": hook.url}),
        ));
        server.watched();
        raise(&server, 7);
        let overview = server.until("settled", |all| state(all) == Some(expected));
        let text = format!("{:?}", overview.history);
        assert!(!text.contains("hush"), "the address is a secret: {text}");
    }
}

#[test]
fn a_receiver_that_never_answers_delays_no_other_one() {
    let silent = std::net::TcpListener::bind("127.0.0.1:0").expect("a port");
    let url = format!("http://{}/", silent.local_addr().expect("bound"));
    let hook = Hook::start(&[]);
    let mut options = to(json!({"name": "silent", "kind": "webhook", "url": url}));
    options.receivers.push(receiver(
        json!({"name": "ops", "kind": "webhook", "url": hook.url}),
    ));
    options.timeout = Duration::from_millis(200);
    let server = Server::start(options);
    server.watched();
    raise(&server, 7);
    hook.next();
    let overview = server.until("given up", |all| {
        let deliveries = all.history.first().map(|sent| &sent.deliveries[..]);
        deliveries
            .unwrap_or_default()
            .iter()
            .any(|one| one.state == "failed")
    });
    let failed = &overview.history[0].deliveries;
    let failed = failed
        .iter()
        .find(|one| one.receiver == "silent")
        .expect("listed");
    assert_eq!(failed.error.as_deref(), Some("it took longer than 0 s"));
    assert_eq!(
        server.alerts.deliveries(),
        [("sent", 1), ("failed", 1), ("dropped", 0)]
    );
}

#[tokio::test]
async fn a_receiver_of_the_page_may_not_lead_into_the_network_of_the_server() {
    for (url, networks, expected) in [
        ("http://127.0.0.1:PORT/", vec![], ("failed", 1)),
        ("http://localhost:PORT/", vec![], ("failed", 1)),
        ("http://[::ffff:127.0.0.1]:PORT/", vec![], ("failed", 1)),
        ("http://localhost:PORT/", vec!["127.0.0.0/8"], ("sent", 1)),
    ] {
        let hook = Hook::start(&[]);
        let port = hook.url.split([':', '/']).nth(4).expect("a port");
        let mut options = Options::default();
        options.networks = networks.iter().map(|text| text.parse().unwrap()).collect();
        let server = Server::start(options);
        let target = json!({"name": "page", "kind": "webhook", "url": url.replace("PORT", port)});
        server
            .alerts
            .save_receiver(receiver(target))
            .await
            .expect("saved");
        server.alerts.test_receiver("page").await.expect("asked");
        let overview = server.until("settled", |all| state(all) == Some(expected));
        let delivery = &overview.history[0].deliveries[0];
        let is_refused = delivery
            .error
            .as_deref()
            .is_some_and(|why| why.contains("not public"));
        assert_eq!(is_refused, expected.0 == "failed", "{url}: {delivery:?}");
    }
}

#[tokio::test]
async fn a_command_cannot_be_named_on_the_page() {
    let server = Server::start(Options::default());
    let command = receiver(json!({"name": "a", "kind": "command", "command": ["/bin/true"]}));
    let error = server
        .alerts
        .save_receiver(command)
        .await
        .expect_err("refused");
    assert!(error.to_string().contains("configuration file"), "{error}");
}

/// A server with a message that its receiver did not take, and that waits for the next attempt.
async fn with_a_waiting_message() -> (Server, Options, Hook) {
    let hook = Hook::start(&["503 Busy"]);
    let mut options = to(json!({"name": "ops", "kind": "webhook", "url": hook.url}));
    options.retries = vec![Duration::from_secs(600)];
    let server = Server::start(options.clone());
    server
        .alerts
        .test_rule("builtin-disk")
        .await
        .expect("asked");
    hook.next();
    server.until("tried", |all| state(all) == Some(("waiting", 1)));
    (server, options, hook)
}

#[tokio::test]
async fn a_message_that_waits_when_the_server_ends_is_sent_after_its_next_start() {
    let (server, options, hook) = with_a_waiting_message().await;
    let server = Server::at(server.stop(), options);
    let post = hook.next();
    assert_eq!(post.body["title"], "Test: The disk is almost full");
    server.until("sent", |all| state(all) == Some(("sent", 1)));
}

#[tokio::test]
async fn a_message_that_waits_for_a_receiver_that_is_gone_after_a_start_has_failed() {
    let (server, mut options, _hook) = with_a_waiting_message().await;
    options.receivers.clear();
    let server = Server::at(server.stop(), options);
    let overview = server.until("noted", |all| state(all) == Some(("failed", 0)));
    assert_eq!(
        overview.history[0].deliveries[0].error.as_deref(),
        Some("there is no receiver of this name")
    );
}

#[tokio::test]
async fn a_message_for_a_receiver_that_is_gone_says_so() {
    let server = Server::start(Options::default());
    let rule = builtin()
        .into_iter()
        .find(|rule| rule.kind == Kind::Disk)
        .expect("one");
    let named = Rule {
        receivers: vec!["nobody".to_owned()],
        ..rule
    };
    server.alerts.save_rule(named).await.expect("saved");
    server
        .alerts
        .test_rule("builtin-disk")
        .await
        .expect("asked");
    let overview = server.until("noted", |all| state(all) == Some(("failed", 0)));
    let delivery = &overview.history[0].deliveries[0];
    assert_eq!(
        delivery.error.as_deref(),
        Some("there is no receiver of this name")
    );
}

/// A server whose receiver of the page is busy again and again, and a message that waits for it.
async fn with_a_busy_receiver_of_the_page() -> (Server, Hook) {
    let busy = Hook::start(&["503 Busy"; 1000]);
    let mut options = Options::default();
    options.networks = vec!["127.0.0.0/8".parse().expect("a network")];
    options.retries = vec![Duration::from_millis(50); 1000];
    let server = Server::start(options);
    let page = json!({"name": "page", "kind": "webhook", "url": busy.url});
    let saved = server.alerts.save_receiver(receiver(page)).await;
    saved.expect("saved");
    server.alerts.test_receiver("page").await.expect("asked");
    server.until("tried", |all| {
        state(all).is_some_and(|(state, tried)| state == "waiting" && tried > 0)
    });
    (server, busy)
}

#[tokio::test]
async fn a_message_that_waits_goes_to_the_address_that_its_receiver_has_by_then() {
    let (server, _busy) = with_a_busy_receiver_of_the_page().await;
    let hook = Hook::start(&[]);
    let moved = json!({"name": "page", "kind": "webhook", "url": hook.url});
    let saved = server.alerts.save_receiver(receiver(moved)).await;
    saved.expect("saved");
    assert_eq!(hook.next().body["change"], "test");
    server.until("sent", |all| {
        state(all).is_some_and(|(state, _)| state == "sent")
    });
}

#[tokio::test]
async fn a_message_that_waits_for_a_receiver_that_is_deleted_has_failed() {
    let (server, _busy) = with_a_busy_receiver_of_the_page().await;
    server
        .alerts
        .delete_receiver("page")
        .await
        .expect("deleted");
    let overview = server.until("failed", |all| {
        state(all).is_some_and(|(state, _)| state == "failed")
    });
    assert_eq!(
        overview.history[0].deliveries[0].error.as_deref(),
        Some("there is no receiver of this name")
    );
}

#[cfg(unix)]
#[test]
fn a_command_that_takes_too_long_is_ended_with_what_it_has_started() {
    use std::io::Read as _;

    let dir = tempfile::tempdir().expect("a directory");
    let pipe = dir.path().join("pipe");
    let made = std::process::Command::new("mkfifo").arg(&pipe).status();
    assert!(made.expect("a pipe").success());
    // A pipe ends when the last process that may write to it has ended.
    let (ended, end) = std::sync::mpsc::channel();
    let read = pipe.clone();
    std::thread::spawn(move || {
        let mut pipe = std::fs::File::open(read).expect("a pipe");
        ended.send(pipe.read_to_end(&mut Vec::new()).is_ok())
    });
    let script = [
        "/bin/sh",
        "-c",
        "sleep 600 > \"$0\" & wait",
        &pipe.display().to_string(),
    ];
    let mut options = to(json!({"name": "cmd", "kind": "command", "command": script}));
    options.timeout = Duration::from_secs(1);
    let server = Server::start(options);
    server.watched();
    raise(&server, 7);
    assert_eq!(end.recv_timeout(Duration::from_secs(20)), Ok(true));
}
