//! Requests of a program to the service in its own process: what the clients of `.ci/clients` make.

use std::io;
use std::net::SocketAddr;

use axum::Router;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};

/// Serves on a free port, asks for some paths, and ends when all are answered.
///
/// # Errors
/// Those of sockets, and an answer with another status than the one that stands beside its path.
pub async fn ask_all(service: Router, paths: &[(&str, u16)]) -> io::Result<()> {
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    let address = listener.local_addr()?;
    let serving = tokio::spawn(async move { axum::serve(listener, service).await });
    for (path, wanted) in paths {
        let status = ask(address, path).await?;
        if status != *wanted {
            let message = format!("{path} was answered {status} instead of {wanted}");
            return Err(io::Error::other(message));
        }
    }
    serving.abort();
    Ok(())
}

async fn ask(address: SocketAddr, path: &str) -> io::Result<u16> {
    let mut stream = TcpStream::connect(address).await?;
    let request = format!("GET {path} HTTP/1.1\r\nHost: {address}\r\nConnection: close\r\n\r\n");
    stream.write_all(request.as_bytes()).await?;
    let mut answer = String::new();
    stream.read_to_string(&mut answer).await?;
    let status = answer
        .split(' ')
        .nth(1)
        .and_then(|status| status.parse().ok());
    status.ok_or_else(|| io::Error::other(format!("{path} was answered “{answer}”")))
}
