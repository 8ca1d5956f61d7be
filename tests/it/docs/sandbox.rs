//! A directory with a service, a server, generated data and the binary, in which blocks run.

use std::os::unix::process::CommandExt as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicUsize, Ordering};

use apm_server::console::{self, Limits};
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use tempfile::TempDir;

use super::blocks::Block;
use crate::support::{addresses, get};

/// The trace that the documentation names where it needs an id.
const TRACE: &str = include_str!("trace.ndjson");

const SOURCE_MAP: &str = r#"{"version":3,"sources":["cart.js"],"names":[],"mappings":"AAAA"}"#;

/// The binary by its name. A command that would run until it is stopped is stopped as soon as it has said that it runs.
const COMMAND: &str = include_str!("pocket-apm");

/// cargo, where a block runs the binary from a checkout.
const CARGO: &str = include_str!("cargo");

/// Says where the service of a block listens, once it does.
const SERVICE: &str = "#!/bin/sh\nuntil grep -q '^service ' said; do sleep 0.05; done 2>/dev/null\n\
                       grep '^service ' said | grep -o 'http.*'\n";

/// The programs that blocks may use, beside the binary and what the shell has built in. Others, such as cargo and
/// systemctl, are not found: their blocks cannot run in a test.
const TOOLS: [&str; 14] = [
    "bash", "cat", "curl", "env", "git", "grep", "kill", "mktemp", "openssl", "rm", "seq", "sh",
    "sleep", "timeout",
];

/// The server, the service, and where both write.
pub struct Sandbox {
    dir: TempDir,
    child: Child,
    service: String,
    apm: String,
    scripts: AtomicUsize,
}

impl Sandbox {
    /// Starts both, and makes some requests and other telemetry.
    pub async fn start() -> Self {
        let dir = tempfile::tempdir().unwrap();
        let bin = dir.path().join("bin");
        // The folder in which bash looks for completions.
        std::fs::create_dir_all(dir.path().join(".local/share/bash-completion/completions"))
            .unwrap();
        std::fs::create_dir(&bin).unwrap();
        write_executable(&bin.join("pocket-apm"), COMMAND);
        let folders = std::env::var_os("PATH").unwrap();
        for tool in TOOLS {
            let mut places = std::env::split_paths(&folders).map(|folder| folder.join(tool));
            let place = places.find(|place| place.is_file());
            let place = place.unwrap_or_else(|| panic!("the test needs {tool}"));
            std::os::unix::fs::symlink(place, bin.join(tool)).unwrap();
        }
        std::fs::write(dir.path().join("token"), "hush\n").unwrap();
        // The file of options is the one that its page shows.
        let page = super::blocks::blocks(&super::root().join("docs/operating.md"));
        let options = page.iter().find(|block| block.language == "toml").unwrap();
        let options = options.text.replace("/etc/pocket-apm/", "");
        let options = options.replace("/var/lib/pocket-apm/", "");
        std::fs::write(dir.path().join("config.toml"), options).unwrap();
        std::fs::create_dir(dir.path().join("dist")).unwrap();
        std::fs::write(dir.path().join("dist/app.min.js.map"), SOURCE_MAP).unwrap();
        // In a test curl shows no progress.
        std::fs::write(dir.path().join(".curlrc"), "silent\nshow-error\n").unwrap();
        std::fs::write(
            dir.path().join("trace.ndjson"),
            TRACE.replace("NOW", &now()),
        )
        .unwrap();
        let mut child = Command::new(env!("CARGO_BIN_EXE_pocket-apm"))
            .current_dir(dir.path())
            .args(["--listen", "127.0.0.1:0", "--apm-listen", "127.0.0.1:0"])
            .env_remove("ELASTIC_APM_SERVER_URL")
            .envs([("APM_OTLP_LISTEN", "off"), ("APM_OTLP_GRPC_LISTEN", "off")])
            .env("RUST_LOG", "warn")
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let [service, apm] = addresses(child.stdout.take().unwrap(), ["service", "APM"]);
        let scripts = AtomicUsize::new(0);
        let sandbox = Self {
            dir,
            child,
            service,
            apm,
            scripts,
        };
        for path in ["sql-write", "sql-read", "sql-group"].repeat(12) {
            assert_eq!(
                get(&format!("{}/{path}", sandbox.service)).await.status,
                200
            );
        }
        let fill =
            "pocket-apm generate --traces 400 --window 10m\npocket-apm import trace.ndjson\n";
        sandbox.script(fill).unwrap();
        // The requests to the service come to the store a second later.
        let url = format!(
            "{}/api/v1/discover?q=service.name:my-app-01%20and%20span.name:*people",
            sandbox.apm
        );
        let started = std::time::Instant::now();
        while get(&url).await.json()["total"].as_u64() < Some(84) {
            assert!(
                started.elapsed() < crate::support::DEADLINE,
                "no spans of the service"
            );
            actix_web::rt::time::sleep(std::time::Duration::from_millis(20)).await;
        }
        sandbox
    }

    /// The address of the server.
    pub fn apm(&self) -> &str {
        &self.apm
    }

    /// The file of the server.
    fn database(&self) -> PathBuf {
        self.dir.path().join("apm.db")
    }

    /// Runs a block as a script.
    pub fn run(&self, block: &Block) -> Result<(), String> {
        super::shell::is_well_formed(block)?;
        self.script(&block.text)
    }

    /// Runs a block that begins a service, or asks its files, in a checkout of its own.
    pub fn run_in_checkout(&self, block: &Block) -> Result<(), String> {
        super::shell::is_well_formed(block)?;
        let checkout = self.dir.path().join("checkout");
        if !checkout.exists() {
            let bin = checkout.join("bin");
            std::fs::create_dir_all(&bin).unwrap();
            write_executable(&bin.join("cargo"), CARGO);
            write_executable(&bin.join("service"), SERVICE);
            self.shell("sh -e", "git init --quiet .", &checkout)?;
        }
        // The one of the block before is not the one of this block.
        let _ = std::fs::remove_file(checkout.join("said"));
        let text = block.text.replace("localhost:8080", "$(service)");
        // `kill %1` needs the control of jobs that a terminal has, and dash has it on a terminal only.
        self.shell("bash -m -e", &text, &checkout)
    }

    fn script(&self, text: &str) -> Result<(), String> {
        let mut text = text.to_owned();
        for (usual, here) in [
            ("http://127.0.0.1:8200", self.apm.as_str()),
            // OTLP over HTTP is taken on the port of the server, too.
            ("http://127.0.0.1:4318", &self.apm),
            ("http://127.0.0.1:8080", &self.service),
            ("localhost:8080", &self.service),
            // The article's loop of a hundred rounds.
            ("$count -lt 100", "$count -lt 1"),
        ] {
            text = text.replace(usual, here);
        }
        self.shell("sh -e", &text, self.dir.path())
    }

    /// Runs a script in a folder, by a shell with its options.
    fn shell(&self, shell: &str, text: &str, folder: &Path) -> Result<(), String> {
        let (_, apm_address) = self.apm.split_once("//").unwrap();
        let bin = self.dir.path().join("bin");
        let path = std::env::join_paths([folder.join("bin"), bin]).unwrap();
        let number = self.scripts.fetch_add(1, Ordering::Relaxed);
        let script = self.dir.path().join(format!("script-{number}.sh"));
        std::fs::write(&script, text).unwrap();
        let said = self.dir.path().join(format!("script-{number}.said"));
        let file = std::fs::File::create(&said).unwrap();
        // A group of its own: whatever a script leaves running ends with it.
        let mut script = Command::new("timeout")
            .args(["--foreground", "60"])
            .args(shell.split(' '))
            .arg(&script)
            .process_group(0)
            .current_dir(folder)
            .env("PATH", path)
            .env("HOME", self.dir.path())
            .env("BINARY", env!("CARGO_BIN_EXE_pocket-apm"))
            .env("APM_LISTEN", apm_address)
            .envs([("APM_OTLP_LISTEN", "off"), ("APM_OTLP_GRPC_LISTEN", "off")])
            .env_remove("ELASTIC_APM_SERVER_URL")
            .stdin(Stdio::null())
            .stdout(file.try_clone().unwrap())
            .stderr(file)
            .spawn()
            .unwrap();
        let status = script.wait().unwrap();
        // It fails where nothing was left running.
        let group = format!("-{}", script.id());
        Command::new("kill")
            .args(["-KILL", "--", &group])
            .stderr(Stdio::null())
            .status()
            .unwrap();
        let said = std::fs::read(&said).unwrap();
        let said = String::from_utf8_lossy(&said);
        let last: Vec<String> = said
            .lines()
            .rev()
            .take(15)
            .map(|line| line.chars().take(300).collect())
            .collect();
        match status.success() {
            true => Ok(()),
            false => Err(format!(
                "{status}, and said\n{}\nWrite ```sh no-run above it if it cannot run in a test",
                last.into_iter().rev().collect::<Vec<_>>().join("\n")
            )),
        }
    }

    /// Has the binary read a file of options.
    pub fn options(&self, block: &Block) -> Result<(), String> {
        let file = self.dir.path().join("options.toml");
        std::fs::write(&file, &block.text).map_err(|error| error.to_string())?;
        self.script("pocket-apm config check options.toml")
    }

    /// Asks a question in SQL, which has to find something.
    pub fn sql(&self, block: &Block) -> Result<(), String> {
        let table = console::run(&self.database(), &block.text, Limits::default())
            .map_err(|error| error.to_string())?;
        match table.rows.is_empty() {
            true => Err("it found no rows".to_owned()),
            false => Ok(()),
        }
    }

    /// Asks each line in KQL.
    pub async fn kql(&self, block: &Block) -> Result<(), String> {
        for query in block.text.lines() {
            let query_escaped = utf8_percent_encode(query, NON_ALPHANUMERIC);
            let url = format!(
                "{}/api/v1/discover?from=now-1h&size=1&q={query_escaped}",
                self.apm
            );
            let answer = get(&url).await;
            if answer.status != 200 {
                return Err(format!("{query}: {}", answer.body));
            }
            if !block.has("no-match") && answer.json()["total"].as_u64() == Some(0) {
                return Err(format!("{query}: it found nothing"));
            }
        }
        Ok(())
    }
}

impl Drop for Sandbox {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn now() -> String {
    let now = std::time::SystemTime::UNIX_EPOCH.elapsed().unwrap();
    now.as_micros().to_string()
}

fn write_executable(path: &Path, text: &str) {
    use std::os::unix::fs::PermissionsExt as _;
    std::fs::write(path, text).unwrap();
    std::fs::set_permissions(path, std::fs::Permissions::from_mode(0o755)).unwrap();
}
