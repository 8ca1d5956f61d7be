//! Whether a server can be reached.

use std::io;
use std::net::{TcpStream, ToSocketAddrs as _};
use std::time::Duration;

use reqwest::Url;

/// The longest time to reach a server.
const REACHED: Duration = Duration::from_secs(3);

/// Connects to a URL's server and hangs up, so that a server that does not answer is noticed soon. The libraries of
/// databases would wait for minutes.
pub(super) fn reach(url: &str, default_port: u16) -> io::Result<()> {
    let url = Url::parse(url).map_err(|_| io::Error::other("the URL cannot be read"))?;
    // Without a host it is a socket of this machine.
    let Some(host) = url
        .host_str()
        .filter(|host| !host.is_empty() && !host.contains('%'))
    else {
        return Ok(());
    };
    let host = host.trim_matches(['[', ']']);
    let mut last = io::Error::other("its name has no address");
    for address in (host, url.port().unwrap_or(default_port)).to_socket_addrs()? {
        match TcpStream::connect_timeout(&address, REACHED) {
            Ok(_) => return Ok(()),
            Err(error) => last = error,
        }
    }
    Err(last)
}
