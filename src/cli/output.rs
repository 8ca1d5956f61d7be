//! The options of the output to Elasticsearch or OpenSearch.

use std::path::PathBuf;
use std::time::Duration;

use anyhow::ensure;
use apm_server::output::{Auth, Config, ConfigError, host};
use clap::Args;

use super::values::age;

/// The options of the output to Elasticsearch or OpenSearch.
#[derive(Debug, Clone, Default, Args)]
#[command(next_help_heading = "Output to Elasticsearch or OpenSearch")]
pub struct OutputOptions {
    /// Send all events to Elasticsearch 8 or 9, or OpenSearch 2 or 3, too, as Elastic's APM Server would: each exactly
    /// once. The pages of this server stay as they are. While the engine is away, events are kept up to --apm-max-size.
    /// Several addresses are nodes of one cluster. Without a port, 9200 is meant.
    #[arg(
        long,
        env = "APM_ELASTICSEARCH",
        value_name = "URL",
        value_delimiter = ',',
        value_parser = address,
        global = true
    )]
    pub elasticsearch: Vec<String>,

    /// A file with the API key that the engine is shown: id:key, or its form in base64.
    #[arg(
        long,
        env = "APM_ELASTICSEARCH_API_KEY_FILE",
        value_name = "FILE",
        conflicts_with = "elasticsearch_user",
        global = true
    )]
    pub elasticsearch_api_key_file: Option<PathBuf>,

    /// The user that the engine is shown instead of an API key.
    #[arg(
        long,
        env = "APM_ELASTICSEARCH_USER",
        value_name = "NAME",
        requires = "elasticsearch_password_file",
        global = true
    )]
    pub elasticsearch_user: Option<String>,

    /// A file with the user's password.
    #[arg(
        long,
        env = "APM_ELASTICSEARCH_PASSWORD_FILE",
        value_name = "FILE",
        requires = "elasticsearch_user",
        global = true
    )]
    pub elasticsearch_password_file: Option<PathBuf>,

    /// A file with the authorities (PEM) that vouch for the engine's certificates, instead of those of this system.
    #[arg(long, env = "APM_ELASTICSEARCH_CA", value_name = "FILE", global = true)]
    pub elasticsearch_ca: Option<PathBuf>,

    /// The last part of the names of data streams, as in traces-apm-default.
    #[arg(
        long,
        env = "APM_DATA_STREAM_NAMESPACE",
        value_name = "NAME",
        default_value = "default",
        global = true
    )]
    pub data_stream_namespace: String,

    /// The time for which events may wait for the engine before the log warns and /healthz says that the output is
    /// behind.
    #[arg(
        long,
        env = "APM_ELASTICSEARCH_LAG_WARNING",
        value_name = "AGE",
        default_value = "5m",
        value_parser = age,
        global = true
    )]
    pub elasticsearch_lag_warning: Duration,

    /// Let the engine delete documents of this age: installs a policy for the data streams of the namespace, of index
    /// lifecycle management in Elasticsearch and of Index State Management in OpenSearch. What somebody else has set
    /// for them stays.
    #[arg(
        long,
        env = "APM_ELASTICSEARCH_RETENTION",
        value_name = "AGE",
        value_parser = retention,
        global = true
    )]
    pub elasticsearch_retention: Option<Duration>,
}

impl OutputOptions {
    /// The options of the server; none where no engine is named.
    ///
    /// # Errors
    /// If a value cannot be used, or belongs to an engine that is not named.
    pub fn config(&self) -> anyhow::Result<Option<Config>> {
        if self.elasticsearch.is_empty() {
            ensure!(
                self.elasticsearch_api_key_file.is_none()
                    && self.elasticsearch_user.is_none()
                    && self.elasticsearch_ca.is_none()
                    && self.elasticsearch_retention.is_none(),
                "the other options of the output need the address of an engine: add --elasticsearch URL"
            );
            return Ok(None);
        }
        let mut config = Config::new(self.elasticsearch.iter().cloned())?;
        config.set_namespace(&self.data_stream_namespace)?;
        config.auth = match (
            &self.elasticsearch_api_key_file,
            &self.elasticsearch_user,
            &self.elasticsearch_password_file,
        ) {
            (Some(file), ..) => Auth::ApiKey(file.clone()),
            (None, Some(user), Some(password)) => Auth::Basic {
                user: user.clone(),
                password: password.clone(),
            },
            _ => Auth::None,
        };
        config.ca.clone_from(&self.elasticsearch_ca);
        config.lag_warning = self.elasticsearch_lag_warning;
        config.retention = self.elasticsearch_retention;
        Ok(Some(config))
    }
}

/// An address of an engine.
fn address(text: &str) -> Result<String, ConfigError> {
    host(text).map(|_| text.to_owned())
}

/// An age of documents in an engine, which deletes whole indices.
fn retention(text: &str) -> Result<Duration, String> {
    let age = age(text)?;
    if age < Duration::from_secs(24 * 60 * 60) {
        return Err("too short: at least 1d".to_owned());
    }
    Ok(age)
}

#[cfg(test)]
mod tests {
    use clap::Parser as _;

    use super::super::Cli;

    fn read(line: &[&str]) -> anyhow::Result<Option<apm_server::output::Config>> {
        let line = ["pocket-apm", "server"].iter().chain(line);
        Cli::try_parse_from(line)?.apm.output.config()
    }

    #[test]
    fn an_engine_is_named_with_its_credential() {
        assert!(read(&[]).unwrap().is_none());
        let config = read(&[
            "--elasticsearch",
            "https://a,https://b:443/es",
            "--elasticsearch-user",
            "apm",
            "--elasticsearch-password-file",
            "p",
            "--data-stream-namespace",
            "shop",
            "--elasticsearch-retention",
            "30d",
        ]);
        let config = config.unwrap().unwrap();
        assert_eq!(config.hosts.len(), 2);
        assert_eq!(config.namespace, "shop");
        assert_eq!(
            config.retention,
            Some(std::time::Duration::from_secs(30 * 86_400))
        );
    }

    #[test]
    fn options_that_make_no_sense_are_refused_with_the_remedy() {
        for (line, remedy) in [
            (&["--elasticsearch-ca", "f"][..], "--elasticsearch URL"),
            (&["--elasticsearch-retention", "30d"], "--elasticsearch URL"),
            (
                &[
                    "--elasticsearch",
                    "http://es",
                    "--elasticsearch-retention",
                    "1h",
                ],
                "at least 1d",
            ),
            (&["--elasticsearch", "es:9200"], "http://"),
            (
                &["--elasticsearch", "http://u:p@es"],
                "--elasticsearch-user",
            ),
            (
                &["--elasticsearch", "http://es", "--elasticsearch-user", "u"],
                "--elasticsearch-password-file",
            ),
            (
                &[
                    "--elasticsearch",
                    "http://es",
                    "--data-stream-namespace",
                    "A-b",
                ],
                "lower-case",
            ),
        ] {
            let error = read(line).unwrap_err().to_string();
            assert!(error.contains(remedy), "{line:?}: {error}");
        }
    }
}
