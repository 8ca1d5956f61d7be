//! The sockets of a server: their addresses, and who may reach them.

use std::io;
use std::net::{SocketAddr, TcpListener, ToSocketAddrs as _};

use super::StartError;
use crate::config::Config;

/// The option that names where the server listens.
const OPTION: &str = "--apm-listen";

/// Sockets that are bound.
#[derive(Debug, Default)]
pub(super) struct Bound {
    pub(super) listeners: Vec<TcpListener>,
    pub(super) addrs: Vec<SocketAddr>,
}

impl Bound {
    /// Those of the server's own port.
    pub(super) fn own(config: &Config) -> Result<Self, StartError> {
        let addresses = resolve(config, OPTION, &config.listen)?;
        bind(OPTION, &addresses)
    }

    /// Those of a port for OTLP, where there is to be one. A port that is taken is no reason to stop: a collector on
    /// this machine may have it, and all else works.
    pub(super) fn otlp(
        config: &Config,
        option: &'static str,
        listen: Option<&str>,
    ) -> Result<Self, StartError> {
        let Some(listen) = listen else {
            return Ok(Self::default());
        };
        let addresses = resolve(config, option, listen)?;
        match bind(option, &addresses) {
            Err(StartError::Listen {
                address, source, ..
            }) => {
                log::warn!(
                    "OTLP is not taken at {address} ({source}). If another program such as an OpenTelemetry Collector \
                     should have this port, set {option} to `off` or to another address"
                );
                Ok(Self::default())
            }
            bound => bound,
        }
    }

    /// Whether it is reached from beyond this machine.
    pub(super) fn is_exposed(&self) -> bool {
        self.addrs.iter().any(|addr| !is_loopback(addr))
    }

    /// The first address.
    pub(super) fn first(&self) -> Option<SocketAddr> {
        self.addrs.first().copied()
    }
}

/// The addresses that `listen` stands for, none of which is exposed without consent.
fn resolve(
    config: &Config,
    option: &'static str,
    listen: &str,
) -> Result<Vec<SocketAddr>, StartError> {
    let wrong = |source| StartError::Address {
        option,
        listen: listen.to_owned(),
        source,
    };
    let addresses: Vec<_> = listen.to_socket_addrs().map_err(wrong)?.collect();
    if addresses.is_empty() {
        let source = io::Error::new(io::ErrorKind::NotFound, "it stands for no address");
        return Err(wrong(source));
    }
    let exposed = addresses.iter().find(|address| !is_loopback(address));
    match exposed {
        Some(&address) if !config.is_guarded() && !config.insecure => {
            Err(StartError::Exposed { address })
        }
        _ => Ok(addresses),
    }
}

fn is_loopback(address: &SocketAddr) -> bool {
    address.ip().to_canonical().is_loopback()
}

/// Binds every address. With port 0 and several addresses, all get the port of the first.
fn bind(option: &'static str, addresses: &[SocketAddr]) -> Result<Bound, StartError> {
    let mut bound = Bound::default();
    for &address in addresses {
        let mut address = address;
        if address.port() == 0
            && let Some(first) = bound.first()
        {
            address.set_port(first.port());
        }
        match TcpListener::bind(address) {
            Ok(listener) => {
                let address = listener.local_addr().map_err(StartError::Threads)?;
                bound.addrs.push(address);
                bound.listeners.push(listener);
            }
            // `localhost` stands for ::1 on machines that have no IPv6.
            Err(source)
                if source.kind() == io::ErrorKind::AddrNotAvailable && addresses.len() > 1 => {}
            Err(source) => {
                return Err(StartError::Listen {
                    option,
                    address,
                    source,
                });
            }
        }
    }
    match bound.listeners.is_empty() {
        true => Err(StartError::Listen {
            option,
            address: addresses[0],
            source: io::ErrorKind::AddrNotAvailable.into(),
        }),
        false => Ok(bound),
    }
}

#[cfg(test)]
mod tests;
