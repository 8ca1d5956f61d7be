use super::*;

fn code(body: &str) -> i32 {
    match read(body.as_bytes()) {
        Err(fault) => fault.code,
        Ok(Incoming::Notice) => 202,
        Ok(Incoming::Request { .. }) => 200,
    }
}

#[test]
fn messages_are_told_apart() {
    for (body, expected) in [
        (r#"{"jsonrpc":"2.0","id":1,"method":"ping"}"#, 200),
        (
            r#"{"jsonrpc":"2.0","id":"a","method":"ping","params":{}}"#,
            200,
        ),
        (
            r#"{"jsonrpc":"2.0","method":"notifications/initialized"}"#,
            202,
        ),
        (r#"{"jsonrpc":"2.0","id":1,"result":{}}"#, 202),
        (r#"{"jsonrpc":"2.0","id":1}"#, -32600),
        (r#"{"jsonrpc":"2.0","id":[],"method":"ping"}"#, -32600),
        (r#"{"id":1,"method":"ping"}"#, -32600),
        (r#"[{"jsonrpc":"2.0","id":1,"method":"ping"}]"#, -32600),
        ("{", -32700),
    ] {
        assert_eq!(code(body), expected, "{body}");
    }
}

#[test]
fn the_version_of_the_client_is_spoken_where_it_is_known() {
    let of = |version: &str| welcome(&json!({"protocolVersion": version}));
    assert_eq!(of("2025-03-26")["protocolVersion"], "2025-03-26");
    assert_eq!(of("1999-01-01")["protocolVersion"], VERSIONS[0]);
}
