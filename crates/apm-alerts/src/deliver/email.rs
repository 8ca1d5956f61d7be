//! Emails, by the mail server of the configuration file.

use lettre::message::header::ContentType;
use lettre::{AsyncSmtpTransport, AsyncTransport as _, Tokio1Executor};

use super::Failure;
use crate::message::Message;
use crate::options::Options;

/// Sends a message to some addresses. `url`: of the pages.
pub(super) async fn send(
    options: &Options,
    message: &Message,
    to: &[String],
    url: &str,
) -> Result<(), Failure> {
    let Some(smtp) = &options.smtp else {
        return Err(Failure::for_good(
            "no mail server is set: write smtp_url and smtp_from to [alerts] of the configuration file",
        ));
    };
    let from = smtp
        .from
        .parse()
        .map_err(|error| Failure::for_good(format!("smtp_from is no address: {error}")))?;
    let mut email = lettre::Message::builder()
        .from(from)
        .subject(&*message.title)
        .header(ContentType::TEXT_PLAIN);
    for one in to {
        let one = one
            .parse()
            .map_err(|error| Failure::for_good(format!("`{one}` is no address: {error}")))?;
        email = email.to(one);
    }
    let email = email
        .body(message.text(url))
        .map_err(|error| Failure::for_good(error.to_string()))?;
    let mailer = AsyncSmtpTransport::<Tokio1Executor>::from_url(&smtp.url)
        // The address has a password in it.
        .map_err(|_| Failure::for_good("smtp_url is no address of a mail server"))?
        .timeout(Some(options.timeout))
        .build();
    match mailer.send(email).await {
        Ok(_) => Ok(()),
        Err(error) if error.is_permanent() || error.is_client() => {
            Err(Failure::for_good(error.to_string()))
        }
        Err(error) => Err(Failure::again(error.to_string())),
    }
}
