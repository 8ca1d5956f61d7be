//! The credential, from its file to its header.

use std::path::Path;

use apm_store::text_file;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use reqwest::header::HeaderValue;

use crate::config::Auth;

/// Bytes of a file with a credential, at most.
const LONGEST_SECRET: u64 = 4096;

/// The header of a credential.
///
/// # Errors
/// The file that cannot be used, and why.
pub(super) fn read(auth: &Auth) -> Result<Option<HeaderValue>, String> {
    let shown = match auth {
        Auth::None => return Ok(None),
        Auth::ApiKey(file) => {
            let key = secret(file)?;
            match key.contains(':') {
                true => format!("ApiKey {}", STANDARD.encode(key)),
                false => format!("ApiKey {key}"),
            }
        }
        Auth::Basic { user, password } => {
            let pair = format!("{user}:{}", secret(password)?);
            format!("Basic {}", STANDARD.encode(pair))
        }
    };
    let mut shown = HeaderValue::try_from(shown)
        .map_err(|_| "the API key has characters that cannot be sent".to_owned())?;
    shown.set_sensitive(true);
    Ok(Some(shown))
}

/// The text of a file, without blanks around it.
fn secret(file: &Path) -> Result<String, String> {
    let text = text_file::read(file, LONGEST_SECRET)
        .map_err(|error| format!("cannot read {}: {error}", file.display()))?;
    match text.trim() {
        "" => Err(format!("{} is empty", file.display())),
        text => Ok(text.to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_credential_is_read_from_its_file_and_does_not_show() {
        let dir = tempfile::tempdir().unwrap();
        let file = dir.path().join("secret");
        std::fs::write(&file, " id:key \n").unwrap();
        let key = read(&Auth::ApiKey(file.clone())).unwrap().unwrap();
        assert_eq!(key.to_str().unwrap(), "ApiKey aWQ6a2V5");
        assert!(!format!("{key:?}").contains("aWQ6a2V5"));
        let basic = Auth::Basic {
            user: "elastic".to_owned(),
            password: file.clone(),
        };
        let basic = read(&basic).unwrap().unwrap();
        assert_eq!(basic.to_str().unwrap(), "Basic ZWxhc3RpYzppZDprZXk=");
        std::fs::write(&file, "aWQ6a2V5").unwrap();
        let key = read(&Auth::ApiKey(file.clone())).unwrap().unwrap();
        assert_eq!(key.to_str().unwrap(), "ApiKey aWQ6a2V5");
        std::fs::write(&file, "\n").unwrap();
        let empty = read(&Auth::ApiKey(file)).unwrap_err();
        assert!(empty.contains("secret is empty"), "{empty}");
    }

    #[cfg(unix)]
    #[test]
    fn a_file_without_end_is_refused() {
        let refused = read(&Auth::ApiKey("/dev/zero".into())).unwrap_err();
        assert!(refused.contains("more than 4096 bytes"), "{refused}");
    }
}
