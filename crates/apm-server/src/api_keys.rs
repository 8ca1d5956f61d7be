//! API keys: credentials with a name and privileges, one a line of a file that has only their hashes.
//!
//! ```text
//! # name     privileges      hash of the secret
//! shop       intake,config   sha256:9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08
//! ```
//!
//! A secret is 256 bits of chance, so its hash needs no salt and no slow function. A client sends
//! `Authorization: ApiKey …` with the name and the secret, as Elastic's agents do with `ELASTIC_APM_API_KEY`.

use std::collections::HashMap;
use std::fmt;
use std::str::FromStr;

use base64::Engine as _;
use base64::engine::DecodePaddingMode;
use base64::engine::general_purpose::{GeneralPurpose, GeneralPurposeConfig, STANDARD};
use ring::digest::{SHA256, digest};
use subtle::ConstantTimeEq as _;

use crate::random;

/// The hash of a secret.
pub(crate) type Hash = [u8; 32];

/// Longest name.
const LONGEST_NAME: usize = 64;

/// As agents have it in their settings; the padding is often lost on the way there.
const BASE64: GeneralPurpose = {
    let config =
        GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent);
    GeneralPurpose::new(&base64::alphabet::STANDARD, config)
};

/// A right of the holder of a key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Privilege {
    /// Send events.
    Intake,
    /// Ask for the settings of agents.
    Config,
    /// Read pages and the API.
    Read,
    /// Change and delete; includes reading.
    Admin,
}

impl Privilege {
    /// Each of them.
    pub const ALL: [Self; 4] = [Self::Intake, Self::Config, Self::Read, Self::Admin];

    const fn name(self) -> &'static str {
        match self {
            Self::Intake => "intake",
            Self::Config => "config",
            Self::Read => "read",
            Self::Admin => "admin",
        }
    }
}

impl fmt::Display for Privilege {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl FromStr for Privilege {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let known = Self::ALL.into_iter().find(|one| one.name() == text);
        known.ok_or_else(|| {
            format!("`{text}` is no privilege: there are intake, config, read and admin")
        })
    }
}

/// A key of the file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ApiKey {
    /// Its name.
    pub name: String,
    /// The rights of its holder.
    pub privileges: Vec<Privilege>,
    hash: Hash,
}

impl ApiKey {
    pub(crate) fn hash(&self) -> &Hash {
        &self.hash
    }
}

/// The keys of a file.
#[derive(Debug, Default)]
pub struct ApiKeys(HashMap<String, ApiKey>);

impl ApiKeys {
    /// Bytes of a file of keys, at most: some thousands of them.
    pub const LARGEST_FILE: u64 = 1 << 20;

    /// Reads the text of a file.
    ///
    /// # Errors
    /// The line that is wrong, and why.
    pub fn parse(text: &str) -> Result<Self, String> {
        let mut keys = HashMap::new();
        for (at, line) in text.lines().enumerate() {
            // Editors of Windows may begin a file with this mark.
            let line = line.trim_start_matches('\u{feff}').trim();
            if line.is_empty() || line.starts_with('#') {
                continue;
            }
            let wrong = |why: String| format!("line {}: {why}", at + 1);
            let key = ApiKey::parse(line).map_err(wrong)?;
            let name = key.name.clone();
            if keys.insert(name.clone(), key).is_some() {
                return Err(wrong(format!(
                    "there is another key with the name `{name}`"
                )));
            }
        }
        Ok(Self(keys))
    }

    /// The keys, by their names.
    pub fn list(&self) -> Vec<&ApiKey> {
        let mut all: Vec<_> = self.0.values().collect();
        all.sort_unstable_by(|a, b| a.name.cmp(&b.name));
        all
    }

    /// Whether there is a key with this hash.
    pub(crate) fn with_hash(&self, hash: &Hash) -> Option<&ApiKey> {
        self.0.values().find(|key| bool::from(key.hash.ct_eq(hash)))
    }

    /// The key that a client presents: base64 of its name, a colon and its secret. The time that this takes does not
    /// depend on the secret.
    pub(crate) fn presented(&self, encoded: &[u8]) -> Option<&ApiKey> {
        let plain = BASE64.decode(encoded.trim_ascii()).ok()?;
        let at = plain.iter().position(|byte| *byte == b':')?;
        let hash = hash(&plain[at + 1..]);
        let key = self.0.get(std::str::from_utf8(&plain[..at]).ok()?)?;
        bool::from(key.hash.ct_eq(&hash)).then_some(key)
    }
}

impl ApiKey {
    fn parse(line: &str) -> Result<Self, String> {
        let mut fields = line.split_whitespace();
        let (Some(name), Some(privileges), Some(secret), None) =
            (fields.next(), fields.next(), fields.next(), fields.next())
        else {
            return Err(
                "write a name, privileges and `sha256:…`, with blanks between them".to_owned(),
            );
        };
        check_name(name)?;
        let digits = secret.strip_prefix("sha256:").and_then(unhex);
        Ok(Self {
            name: name.to_owned(),
            privileges: privileges
                .split(',')
                .map(str::parse)
                .collect::<Result<_, _>>()?,
            hash: digits.ok_or("the hash has to be `sha256:` and 64 hexadecimal digits")?,
        })
    }
}

/// A key that was just made. Its secret is in `encoded` and nowhere else.
#[derive(Clone)]
pub struct NewKey {
    /// The line for the file.
    pub line: String,
    /// The text that a client presents.
    pub encoded: String,
}

impl fmt::Debug for NewKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("NewKey")
            .field("line", &self.line)
            .finish_non_exhaustive()
    }
}

impl NewKey {
    /// Makes a key.
    ///
    /// # Errors
    /// A name that would not be read again, or no privileges.
    pub fn make(name: &str, privileges: &[Privilege]) -> Result<Self, String> {
        check_name(name)?;
        if privileges.is_empty() {
            return Err("a key needs a privilege: intake, config, read or admin".to_owned());
        }
        let secret = hex(&random::bytes::<32>());
        let mut names: Vec<_> = Vec::new();
        for privilege in privileges {
            if !names.contains(&privilege.name()) {
                names.push(privilege.name());
            }
        }
        Ok(Self {
            line: format!(
                "{name} {} sha256:{}",
                names.join(","),
                hex(&hash(secret.as_bytes()))
            ),
            encoded: STANDARD.encode(format!("{name}:{secret}")),
        })
    }
}

/// The hash of a secret.
pub(crate) fn hash(secret: &[u8]) -> Hash {
    let mut hash = Hash::default();
    hash.copy_from_slice(digest(&SHA256, secret).as_ref());
    hash
}

fn check_name(name: &str) -> Result<(), String> {
    let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-._".contains(&byte);
    match !name.is_empty() && name.len() <= LONGEST_NAME && name.bytes().all(is_plain) {
        true => Ok(()),
        false => Err(format!(
            "`{}` is no name of a key: take up to {LONGEST_NAME} letters, digits and -._",
            name.chars().take(LONGEST_NAME).collect::<String>()
        )),
    }
}

pub(crate) fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

fn unhex(digits: &str) -> Option<Hash> {
    let mut hash = Hash::default();
    if digits.len() != 2 * hash.len() || !digits.bytes().all(|byte| byte.is_ascii_hexdigit()) {
        return None;
    }
    for (at, byte) in hash.iter_mut().enumerate() {
        *byte = u8::from_str_radix(&digits[2 * at..2 * at + 2], 16).ok()?;
    }
    Some(hash)
}

#[cfg(test)]
mod tests;
