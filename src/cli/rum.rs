//! The options for agents in browsers.

use apm_server::{ClientAddress, Rum};
use clap::Args;

use super::values::{header_name, origin_pattern};

/// The terms on which events of browsers are taken.
#[derive(Debug, Clone, Args)]
#[command(next_help_heading = "Browsers")]
pub struct RumOptions {
    /// Take events of Elastic's agent for browsers, from anyone who can load a page. See docs/browsers.md.
    #[arg(long, env = "APM_RUM", global = true)]
    pub rum: bool,

    /// The origin of a site whose pages may send: its scheme and host, as the address bar shows them; * stands for any
    /// characters, as in https://*.shop.example. May be given several times.
    #[arg(
        long,
        env = "APM_RUM_ALLOW_ORIGINS",
        value_name = "ORIGIN",
        value_delimiter = ',',
        default_value = "*",
        value_parser = origin_pattern,
        global = true
    )]
    pub rum_allow_origins: Vec<String>,

    /// A header that pages may send besides Content-Type, Content-Encoding and Accept, where a proxy asks for one. May
    /// be given several times.
    #[arg(
        long,
        env = "APM_RUM_ALLOW_HEADERS",
        value_name = "HEADER",
        value_delimiter = ',',
        value_parser = header_name,
        global = true
    )]
    pub rum_allow_headers: Vec<String>,

    /// A service that browsers may send events of. May be given several times; without it, all services.
    #[arg(
        long,
        env = "APM_RUM_ALLOW_SERVICES",
        value_name = "SERVICE",
        value_delimiter = ',',
        global = true
    )]
    pub rum_allow_services: Vec<String>,

    /// Events a second that one address may send; three times as many at once.
    #[arg(
        long,
        env = "APM_RUM_RATE",
        value_name = "EVENTS",
        default_value_t = 300,
        value_parser = clap::value_parser!(u32).range(1..),
        global = true
    )]
    pub rum_rate: u32,

    /// The part of a browser's address that is kept: `cut` keeps the network, the first three bytes of an IPv4 address
    /// and the first six of an IPv6 address.
    #[arg(
        long,
        env = "APM_RUM_CLIENT_ADDRESS",
        default_value = "whole",
        global = true
    )]
    pub rum_client_address: AddressPart,
}

/// The part of an address that is kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub enum AddressPart {
    Whole,
    Cut,
    None,
}

impl RumOptions {
    /// The terms for browsers, if they are taken.
    pub fn rum(&self) -> Option<Rum> {
        let mut rum = Rum::default();
        rum.allow_origins.clone_from(&self.rum_allow_origins);
        rum.allow_headers.clone_from(&self.rum_allow_headers);
        rum.allow_services.clone_from(&self.rum_allow_services);
        rum.rate = self.rum_rate;
        rum.client_address = match self.rum_client_address {
            AddressPart::Whole => ClientAddress::Whole,
            AddressPart::Cut => ClientAddress::Cut,
            AddressPart::None => ClientAddress::None,
        };
        self.rum.then_some(rum)
    }
}
