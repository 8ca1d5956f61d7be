//! The sources of values, one above the other.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::atomic::{AtomicU64, Ordering};

use super::guarded;
use super::option::OptionSpec;
use super::options::{LEGACY_STACK_TRACES, OLD_NAMES, OPTIONS};
use super::shown::{Secret, printable, without_password};
use super::{Settings, Snapshot};

/// The beginning of every warning about central configuration, as the specification words it.
pub(super) const CENTRAL_FAILURE: &str = "Central config failure.";

/// The beginning of every warning about a central setting that would record too much.
pub(super) const REFUSED: &str = "Central config failure. Not applied:";

const ENV_PREFIX: &str = "ELASTIC_APM_";

/// The source of a value, strongest first.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Source {
    Central,
    Environment,
    Code,
    File,
    Default,
}

impl fmt::Display for Source {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Central => "central",
            Self::Environment => "environment",
            Self::Code => "code",
            Self::File => "file",
            Self::Default => "default",
        })
    }
}

/// The sources that are read when the agent starts.
#[derive(Debug, Default)]
pub(crate) struct LocalSources {
    /// Environment variables; those of other programs are ignored.
    pub(crate) environment: Vec<(String, String)>,
    /// Keys and values set in code; the last one counts.
    pub(crate) code: Vec<(String, String)>,
    /// Facts that were found out about the program, such as its name: weaker than everything that somebody said.
    pub(crate) detected: Vec<(String, String)>,
}

impl LocalSources {
    /// The process's environment, and the executable's name as the service's.
    pub(crate) fn from_process() -> Self {
        let environment = std::env::vars_os()
            .filter_map(|(key, value)| Some((key.into_string().ok()?, value.into_string().ok()?)))
            .collect();
        let executable = std::env::current_exe()
            .ok()
            .and_then(|path| Some(path.file_stem()?.to_str()?.to_owned()));
        let detected = executable
            .map(|name| ("service_name".to_owned(), name))
            .into_iter()
            .collect();
        Self {
            environment,
            code: Vec::new(),
            detected,
        }
    }
}

/// The source of an option's value, and its text there.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Origin {
    pub(super) source: Source,
    pub(super) text: String,
}

type Texts = BTreeMap<String, String>;

/// All texts that the sources gave, by option.
#[derive(Debug, Default)]
pub(super) struct Layers {
    central: Texts,
    environment: Texts,
    code: Texts,
    file: Texts,
    detected: Texts,
    /// The settings without central configuration, once they are known.
    local: Option<Settings>,
}

fn is_option(key: &str) -> bool {
    OPTIONS.iter().any(|option| option.key == key)
}

impl Layers {
    pub(super) fn new(sources: LocalSources) -> (Self, Vec<String>) {
        let mut warnings = Vec::new();
        let mut environment: Texts = sources
            .environment
            .into_iter()
            .filter_map(|(name, value)| {
                Some((name.strip_prefix(ENV_PREFIX)?.to_ascii_lowercase(), value))
            })
            .collect();
        // Old names are no options any more: they are taken before unknown names are dropped.
        take_old_names(&mut environment, Source::Environment, &mut warnings);
        environment.retain(|key, _| is_option(key));
        let mut said: Texts = sources.code.into_iter().collect();
        take_old_names(&mut said, Source::Code, &mut warnings);
        let mut code = Texts::new();
        for (key, value) in said {
            if is_option(&key) {
                code.insert(key, value);
            } else {
                warnings.push(format!(
                    "there is no option {key}, which was set in code (see docs/configuration.md)"
                ));
            }
        }
        let detected = sources.detected.into_iter().collect();
        let mut layers = Self {
            environment,
            code,
            detected,
            ..Self::default()
        };
        // The other sources say which file is to be read.
        layers.read_file(&mut warnings);
        (layers, warnings)
    }

    fn read_file(&mut self, warnings: &mut Vec<String>) {
        let named = [&self.environment, &self.code]
            .into_iter()
            .find_map(|texts| texts.get("config_file"))
            .map(|path| path.trim());
        let Some(path) = named.filter(|path| !path.is_empty()) else {
            return;
        };
        match std::fs::read_to_string(path) {
            Ok(text) => {
                self.file = parse_file(&text, path, warnings);
                take_old_names(&mut self.file, Source::File, warnings);
            }
            Err(error) => warnings.push(format!("cannot read config_file {path}: {error}")),
        }
    }

    /// Remembers the settings of the service's own sources, by which central configuration is judged.
    pub(super) fn set_local(&mut self, settings: Settings) {
        self.local = Some(settings);
    }

    /// Takes the central values of dynamic options, and reports the other keys.
    pub(super) fn set_central(&mut self, central: &Texts, warnings: &mut Vec<String>) {
        let (legacy, current) = LEGACY_STACK_TRACES;
        self.central.clear();
        let mut unsupported = Vec::new();
        for (key, value) in central {
            if key == legacy {
                // Of both names the current one counts.
                if !central.contains_key(current) {
                    self.central
                        .insert(current.to_owned(), from_legacy_threshold(value));
                }
            } else if OPTIONS
                .iter()
                .any(|option| option.key == key && option.dynamic)
            {
                self.central.insert(key.clone(), value.clone());
            } else {
                unsupported.push(key.as_str());
            }
        }
        if !unsupported.is_empty() {
            warnings.push(format!(
                "{CENTRAL_FAILURE} Unsupported config names: {}",
                printable(&unsupported.join(", "))
            ));
        }
    }

    /// Why a value of central configuration is not taken, though it is valid: it would record more than the service
    /// allows.
    fn refused(&self, option: &OptionSpec, text: &str) -> Option<String> {
        let local = self.local.as_ref()?;
        if local.remote_capture {
            return None;
        }
        let mut wanted = local.clone();
        // A value that is invalid is reported where it is set.
        wanted.set(option.key, text).ok()?;
        guarded::records_more(option.key, local, &wanted).then(|| {
            format!(
                "{REFUSED} {}: {}. It would record more than this service's own configuration; \
                 remote_capture=true there allows it",
                option.key,
                printable(text)
            )
        })
    }

    /// Finds the first valid value of each option.
    pub(super) fn resolve(&self, warnings: &mut Vec<String>) -> Snapshot {
        static GENERATIONS: AtomicU64 = AtomicU64::new(1);
        let mut settings = Settings::defaults();
        let origins = OPTIONS
            .iter()
            .map(|option| {
                let candidates = [
                    (Source::Central, &self.central),
                    (Source::Environment, &self.environment),
                    (Source::Code, &self.code),
                    (Source::File, &self.file),
                    (Source::Default, &self.detected),
                ];
                for (source, texts) in candidates {
                    let Some(text) = texts.get(option.key) else {
                        continue;
                    };
                    if source == Source::Central
                        && let Some(why) = self.refused(option, text)
                    {
                        warnings.push(why);
                        continue;
                    }
                    match settings.set(option.key, text) {
                        Ok(understood) => {
                            if let Some(why) = understood.why {
                                warnings.push(tolerated(source, option, text, &why));
                            }
                            let text = understood.text;
                            return Origin { source, text };
                        }
                        Err(reason) => warnings.push(invalid(source, option, text, &reason)),
                    }
                }
                Origin {
                    source: Source::Default,
                    text: option.default.to_owned(),
                }
            })
            .collect();
        Snapshot {
            settings,
            origins,
            generation: GENERATIONS.fetch_add(1, Ordering::Relaxed),
        }
    }
}

fn invalid(source: Source, option: &OptionSpec, text: &str, reason: &str) -> String {
    let (key, text) = (option.key, shown(option, text));
    match source {
        Source::Central => format!(
            "{CENTRAL_FAILURE} Invalid value for {key}: {} ({reason})",
            printable(&text)
        ),
        _ => format!("invalid value for {key} from {source}: {text:?} ({reason}); it is ignored"),
    }
}

fn tolerated(source: Source, option: &OptionSpec, text: &str, why: &str) -> String {
    let (key, text) = (option.key, shown(option, text));
    format!("the value of {key} from {source} is not valid: {text:?}; {why}")
}

/// The part of a value that may stand in a log.
fn shown(option: &OptionSpec, text: &str) -> String {
    if option.secret {
        Secret::MASK.to_owned()
    } else {
        without_password(text)
    }
}

/// Moves the values of options that were renamed to their new names. Where both are given, the new one counts.
fn take_old_names(texts: &mut Texts, source: Source, warnings: &mut Vec<String>) {
    for &(old, new) in OLD_NAMES {
        let Some(value) = texts.remove(old) else {
            continue;
        };
        if texts.contains_key(new) {
            continue;
        }
        warnings.push(format!(
            "{old} from {source} is taken as {new}, its new name"
        ));
        let value = if old == LEGACY_STACK_TRACES.0 {
            from_legacy_threshold(&value)
        } else {
            value
        };
        texts.insert(new.to_owned(), value);
    }
}

/// In the old option 0 meant never and a negative value always; in the new one it is the other way round.
fn from_legacy_threshold(value: &str) -> String {
    let number = value.trim_end_matches(|letter: char| letter.is_ascii_alphabetic());
    if value.starts_with('-') {
        "0ms".to_owned()
    } else if !number.is_empty() && number.bytes().all(|byte| byte == b'0') {
        "-1ms".to_owned()
    } else {
        value.to_owned()
    }
}

/// Lines of `key = value`. Options of other agents may share the file, so unknown keys are no mistake.
fn parse_file(text: &str, path: &str, warnings: &mut Vec<String>) -> Texts {
    let mut texts = Texts::new();
    // Editors of Windows begin a file with a byte order mark.
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    for (index, line) in text.lines().enumerate() {
        let line = line.trim();
        if line.is_empty() || line.starts_with('#') {
            continue;
        }
        let Some((key, value)) = line.split_once('=') else {
            warnings.push(format!(
                "{path}:{}: expected `option = value`; the line is ignored",
                index + 1
            ));
            continue;
        };
        texts.insert(key.trim().to_ascii_lowercase(), value.trim().to_owned());
    }
    texts
}
