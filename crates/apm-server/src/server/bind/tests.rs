use super::*;
use crate::config::SecretToken;

fn config(listen: &str) -> Config {
    Config {
        listen: listen.to_owned(),
        ..Config::default()
    }
}

fn resolved(config: &Config) -> Result<Vec<SocketAddr>, StartError> {
    resolve(config, OPTION, &config.listen)
}

#[test]
fn beyond_loopback_a_token_or_consent_is_needed() {
    let open = config("0.0.0.0:0");
    let error = resolved(&open).expect_err("refused").to_string();
    assert!(
        error.contains("--apm-secret-token") && error.contains("--insecure"),
        "{error}"
    );
    assert!(
        resolved(&Config {
            insecure: true,
            ..open.clone()
        })
        .is_ok()
    );
    assert!(
        resolved(&Config {
            secret_token: SecretToken::new("t"),
            ..open
        })
        .is_ok()
    );
    assert!(resolved(&config("[::1]:0")).is_ok());
    assert!(resolved(&config("[::ffff:127.0.0.1]:0")).is_ok());
}

#[test]
fn a_port_for_otlp_beyond_loopback_needs_a_token_too() {
    let open = config("127.0.0.1:0");
    let otlp = |config: &Config| Bound::otlp(config, "--apm-otlp-listen", Some("0.0.0.0:0"));
    let error = otlp(&open).expect_err("refused").to_string();
    assert!(error.contains("--apm-secret-token"), "{error}");
    let guarded = Config {
        secret_token: SecretToken::new("t"),
        ..open
    };
    assert!(otlp(&guarded).unwrap().is_exposed());
}

#[test]
fn an_address_that_is_none_names_the_option() {
    for bad in ["8200", "", "host:port", "127.0.0.1:99999"] {
        let error = resolved(&config(bad)).expect_err(bad).to_string();
        assert!(error.contains("--apm-listen"), "{error}");
        let otlp = Bound::otlp(&Config::default(), "--apm-otlp-grpc-listen", Some(bad));
        let error = otlp.expect_err(bad).to_string();
        assert!(error.contains("--apm-otlp-grpc-listen"), "{error}");
    }
}

#[test]
fn a_port_in_use_is_an_error_for_the_pages_and_none_for_otlp() {
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = taken.local_addr().unwrap().to_string();
    let error = Bound::own(&config(&address))
        .expect_err("taken")
        .to_string();
    assert!(error.contains("--apm-listen"), "{error}");
    let otlp = Bound::otlp(&Config::default(), "--apm-otlp-listen", Some(&address));
    assert_eq!(otlp.unwrap().first(), None);
}
