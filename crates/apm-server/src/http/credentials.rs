//! The secrets that a server knows: the secret token, API keys, and what its own agent sends.

use std::path::Path;
use std::sync::Arc;

use subtle::ConstantTimeEq as _;

use crate::api_keys::{self, ApiKey, ApiKeys, Hash, Privilege};
use crate::config::{Config, SecretToken};
use crate::random;
use crate::route::Access;
use crate::watched::{self, Watched};

/// The holder of a secret, and its rights.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Holder {
    /// The name of the API key, for messages.
    pub(super) key: Option<String>,
    privileges: Vec<Privilege>,
    /// Tells secrets apart without showing them.
    pub(super) secret: Hash,
}

impl Holder {
    /// The holder of the token, or anyone if no secret is needed.
    fn of_all(secret: Hash) -> Self {
        Self {
            key: None,
            privileges: Privilege::ALL.to_vec(),
            secret,
        }
    }

    fn of_key(key: &ApiKey) -> Self {
        Self {
            key: Some(key.name.clone()),
            privileges: key.privileges.clone(),
            secret: *key.hash(),
        }
    }

    pub(super) fn may(&self, access: Access) -> bool {
        let has = |privilege| self.privileges.contains(&privilege);
        match access {
            Access::Open => true,
            Access::Intake => has(Privilege::Intake),
            Access::Config => has(Privilege::Config),
            Access::Read => has(Privilege::Read) || has(Privilege::Admin),
            Access::Admin => has(Privilege::Admin),
        }
    }
}

/// A token and its hash.
#[derive(Debug)]
struct Token {
    text: SecretToken,
    hash: Hash,
}

impl Token {
    fn new(text: SecretToken) -> Self {
        let hash = api_keys::hash(text.expose().as_bytes());
        Self { text, hash }
    }

    fn is(&self, given: &[u8]) -> bool {
        given.ct_eq(self.text.expose().as_bytes()).into()
    }
}

/// All secrets. Without a token and without keys none is needed.
#[derive(Debug)]
pub(crate) struct Credentials {
    token: Option<Arc<Token>>,
    token_file: Option<Watched<Token>>,
    keys: Option<Watched<ApiKeys>>,
    own: Token,
}

impl Credentials {
    /// Reads the files that the configuration names.
    ///
    /// # Errors
    /// The option, the file, and what is wrong with it.
    pub(crate) fn open(config: &Config) -> Result<Self, String> {
        let token_file = config.secret_token_file.clone().map(|file| {
            let own = file.clone();
            Watched::open(vec![file], move || token(&own))
                .map_err(|why| format!("--apm-secret-token-file: {why}"))
        });
        let keys = config.api_key_file.clone().map(|file| {
            let own = file.clone();
            Watched::open(vec![file], move || keys(&own))
                .map_err(|why| format!("--apm-api-key-file: {why}"))
        });
        Ok(Self {
            token: config
                .secret_token
                .clone()
                .map(|text| Arc::new(Token::new(text))),
            token_file: token_file.transpose()?,
            keys: keys.transpose()?,
            own: Token::new(chance()),
        })
    }

    /// The token that the agent in the server's own process sends, if a secret is needed.
    pub(crate) fn own(&self) -> Option<&SecretToken> {
        self.are_needed().then_some(&self.own.text)
    }

    /// Whether a secret is needed at all.
    pub(super) fn are_needed(&self) -> bool {
        self.token.is_some() || self.token_file.is_some() || self.keys.is_some()
    }

    /// The holder that anyone is, if no secret is needed.
    pub(super) fn anyone(&self) -> Option<Holder> {
        (!self.are_needed()).then(|| Holder::of_all(Hash::default()))
    }

    fn token(&self) -> Option<Arc<Token>> {
        // The file stands before the option: it may have changed since the start.
        let file = self.token_file.as_ref().map(Watched::get);
        file.or_else(|| self.token.clone())
    }

    /// The holder of the secret in an `Authorization` header.
    pub(super) fn in_header(&self, value: &[u8]) -> Option<Holder> {
        let at = value.iter().position(|byte| *byte == b' ')?;
        let (scheme, secret) = (&value[..at], value[at..].trim_ascii());
        if scheme.eq_ignore_ascii_case(b"ApiKey") {
            return self.presented(secret);
        }
        if !scheme.eq_ignore_ascii_case(b"Bearer") {
            return None;
        }
        self.with_token(secret).or_else(|| {
            // The agent in this process sends and asks for settings. It reads no pages.
            self.own.is(secret).then(|| Holder {
                key: None,
                privileges: vec![Privilege::Intake, Privilege::Config],
                secret: self.own.hash,
            })
        })
    }

    /// The holder of what a reader typed: the token, or an API key as agents have it.
    pub(super) fn typed(&self, text: &str) -> Option<Holder> {
        let text = text.trim();
        self.with_token(text.as_bytes()).or_else(|| {
            let key = text.strip_prefix("ApiKey ").unwrap_or(text);
            self.presented(key.as_bytes())
        })
    }

    /// The holder of a secret that was right before, if it still is: what a session began with.
    pub(super) fn still(&self, secret: &Hash) -> Option<Holder> {
        let token = self.token().filter(|token| token.hash == *secret);
        token.map(|token| Holder::of_all(token.hash)).or_else(|| {
            let keys = self.keys.as_ref()?.get();
            keys.with_hash(secret).map(Holder::of_key)
        })
    }

    fn with_token(&self, secret: &[u8]) -> Option<Holder> {
        let token = self.token().filter(|token| token.is(secret))?;
        Some(Holder::of_all(token.hash))
    }

    fn presented(&self, encoded: &[u8]) -> Option<Holder> {
        let keys = self.keys.as_ref()?.get();
        keys.presented(encoded).map(Holder::of_key)
    }
}

/// A token that nobody knows.
fn chance() -> SecretToken {
    let bytes: [u8; 32] = random::bytes();
    SecretToken::new(api_keys::hex(&bytes)).expect("it is not empty")
}

fn token(file: &Path) -> Result<Token, String> {
    let text = watched::text(file, SecretToken::LARGEST_FILE)?;
    let text = SecretToken::new(text.trim_start_matches('\u{feff}'));
    let text = text.ok_or_else(|| {
        format!(
            "{} is empty: write the secret token into it",
            file.display()
        )
    })?;
    Ok(Token::new(text))
}

fn keys(file: &Path) -> Result<ApiKeys, String> {
    let text = watched::text(file, ApiKeys::LARGEST_FILE)?;
    ApiKeys::parse(&text).map_err(|why| format!("{}: {why}", file.display()))
}

#[cfg(test)]
mod tests;
