//! `pocket-apm`: the service and the embedded APM server in one process, or the server alone.

use std::process::ExitCode;
use std::time::Duration;

use apm_agent::{Agent, AgentGuard};
use apm_server::TlsFiles;
use apm_server::import::Summary;
use apm_server::insight::check::Verdict;
use pocket_apm::cli::{
    ApmOptions, Cli, Command, ConfigCommand, Durability, SERVICE_NAME, ServiceOptions,
};
use pocket_apm::process::{raise_file_limit, stop_signal, survive_file_size_limit};
use pocket_apm::service::{Service, reachable, reachable_name, workers};
use pocket_apm::terminal::{self, announce};
use pocket_apm::{
    advise, apikey, backup, check, complete, config_file, db, health, logging, mcp, send, show,
    sourcemap, sql,
};

/// The longest time that the agent may take to hand over what it has recorded when the service stops.
const FLUSH_TIMEOUT: Duration = Duration::from_secs(2);

fn main() -> ExitCode {
    let cli = Cli::from_args();
    logging::init(cli.log_format);
    // Before SQLite is first used. A server says where it cannot be done.
    let _ = sqlite_meter::bound_memory();
    let done = match &cli.command {
        None => in_system(workers(&cli.service), |files| {
            run_service(&cli.service, &cli.apm, (&cli.alerts, files))
        }),
        Some(Command::Server) => in_system(0, |files| run_server(&cli.apm, &cli.alerts, files)),
        Some(Command::Generate(options)) => send::generate(options, &cli.apm)
            .and_then(report)
            .map(|()| ExitCode::SUCCESS),
        Some(Command::Import { file, to }) => send::import(file, to, &cli.apm)
            .and_then(report)
            .map(|()| ExitCode::SUCCESS),
        Some(Command::ApiKey(command)) => {
            apikey::run(command, &cli.apm).map(|()| ExitCode::SUCCESS)
        }
        Some(Command::SourceMap(command)) => {
            sourcemap::run(command, &cli.apm).map(|()| ExitCode::SUCCESS)
        }
        Some(Command::Sql(options)) => sql::run(options, &cli.apm).map(|()| ExitCode::SUCCESS),
        Some(Command::Check(options)) => {
            check::run(options, &cli.service, &cli.apm).map(check_code)
        }
        Some(Command::Advise(options)) => {
            advise::advise(options, &cli.service, &cli.apm).map(|()| ExitCode::SUCCESS)
        }
        Some(Command::MigrateCheck(options)) => {
            advise::migrate_check(options, &cli.service, &cli.apm).map(check_code)
        }
        Some(Command::Show(command)) => show::run(command, &cli.apm).map(|()| ExitCode::SUCCESS),
        Some(Command::Mcp(options)) => mcp::run(options, &cli.apm).map(|()| ExitCode::SUCCESS),
        Some(Command::Health(options)) => {
            health::run(options, &cli.apm).map(|()| ExitCode::SUCCESS)
        }
        Some(Command::Backup(options)) => {
            backup::run(options, &cli.apm).map(|()| ExitCode::SUCCESS)
        }
        Some(Command::Config(ConfigCommand::Check { file })) => {
            config_file::check(file.as_ref().or(cli.config.as_ref()), &Cli::listed())
                .map(|()| ExitCode::SUCCESS)
        }
        Some(Command::Completions { shell }) => {
            complete::completions(*shell).map(|()| ExitCode::SUCCESS)
        }
        Some(Command::Man) => complete::man().map(|()| ExitCode::SUCCESS),
    };
    match done {
        Ok(code) => code,
        Err(error) => {
            terminal::error(format_args!("{error:#}"));
            // Of the commands that check, 1 means that a bound is broken.
            match cli.command {
                Some(Command::Check(_) | Command::MigrateCheck(_)) => ExitCode::from(2),
                _ => ExitCode::FAILURE,
            }
        }
    }
}

/// 1: a bound is broken. 2: none is, but one could not be judged.
fn check_code(verdict: Verdict) -> ExitCode {
    match verdict {
        Verdict::Passed => ExitCode::SUCCESS,
        Verdict::Failed => ExitCode::FAILURE,
        Verdict::NotJudged => ExitCode::from(2),
    }
}

/// Runs a service or server. `workers`: threads that serve requests, besides those of the APM server. The work gets the
/// number of files that the process may open.
fn in_system<W>(workers: usize, work: impl FnOnce(u64) -> W) -> anyhow::Result<ExitCode>
where
    W: Future<Output = anyhow::Result<()>>,
{
    let files = raise_file_limit(workers as u64)?;
    actix_web::rt::System::new().block_on(async {
        survive_file_size_limit()?;
        work(files).await?;
        Ok(ExitCode::SUCCESS)
    })
}

/// Says what was sent; events that the server refused make the command fail.
fn report(sent: Summary) -> anyhow::Result<()> {
    let events = |count: u64| match count {
        1 => "1 event".to_owned(),
        count => format!("{count} events"),
    };
    announce(&format!(
        "{} stored, {} refused",
        events(sent.accepted),
        sent.rejected
    ));
    anyhow::ensure!(
        sent.rejected == 0,
        "the server refused {}",
        events(sent.rejected)
    );
    Ok(())
}

/// The service, its agent and, unless the agent sends elsewhere, the APM server.
async fn run_service(
    options: &ServiceOptions,
    apm: &ApmOptions,
    (alerts, files): (&apm_alerts::Options, u64),
) -> anyhow::Result<()> {
    let elsewhere = ["ELASTIC_APM_SERVER_URL", "ELASTIC_APM_SERVER_URLS"]
        .iter()
        .any(|name| std::env::var_os(name).is_some());
    let server = if elsewhere {
        None
    } else {
        let mut apm = apm.clone();
        if let Some(file) = db::path(&options.database) {
            apm.explain.push((SERVICE_NAME.to_owned(), file.into()));
        }
        let address = reachable_name(&options.listen);
        apm.call_first = Some(format!("http://{address}/sql-write"));
        Some(start_server(&apm, alerts, files / 4)?)
    };
    let agent = start_agent(server.as_ref())?;
    let service = Service::start(options, &agent)?;
    announce(&format!("service  http://{}", reachable(service.addr)));
    if let Some(server) = &server {
        announce_server(server);
    }
    tell_ready();
    stop_signal().await?;
    service.stop().await;
    // In this order: the agent's last events still find the server.
    if !agent.shutdown(FLUSH_TIMEOUT) {
        log::warn!(
            "the agent could not hand over all events within {} s",
            FLUSH_TIMEOUT.as_secs()
        );
    }
    if let Some(server) = server {
        server.stop(true).await;
    }
    Ok(())
}

/// The APM server alone, until a signal to stop.
async fn run_server(
    apm: &ApmOptions,
    alerts: &apm_alerts::Options,
    files: u64,
) -> anyhow::Result<()> {
    let server = start_server(apm, alerts, files / 2)?;
    announce_server(&server);
    tell_ready();
    stop_signal().await?;
    server.stop(true).await;
    Ok(())
}

/// Tells systemd that the process answers, where systemd started it and waits for that.
fn tell_ready() {
    if let Err(error) = sd_notify::notify(&[sd_notify::NotifyState::Ready]) {
        log::warn!("systemd was not told that this process is ready: {error}");
    }
}

/// Says at which address a server shows its pages, and at which it takes OTLP.
fn announce_server(server: &apm_server::Running) {
    announce(&format!("APM      {}", address(server)));
    let receivers = server.receivers();
    let addresses = [("HTTP", receivers.http), ("gRPC", receivers.grpc)];
    let addresses: Vec<_> = addresses
        .iter()
        .filter_map(|(wire, address)| Some(format!("{} ({wire})", reachable((*address)?))))
        .collect();
    if !addresses.is_empty() {
        announce(&format!("OTLP     {}", addresses.join(", ")));
    }
}

/// The address at which this process reaches a server of its own.
fn address(server: &apm_server::Running) -> String {
    let scheme = server.url().split("://").next().map(str::to_owned);
    format!(
        "{}://{}",
        scheme.unwrap_or_default(),
        reachable(server.addr())
    )
}

/// `files`: how many its connections may take.
fn start_server(
    options: &ApmOptions,
    alerts: &apm_alerts::Options,
    files: u64,
) -> anyhow::Result<apm_server::Running> {
    let mut config = apm_server::Config::default();
    config.listen.clone_from(&options.apm_listen);
    config.otlp_listen = options.apm_otlp_listen.address().map(str::to_owned);
    config.otlp_grpc_listen = options.apm_otlp_grpc_listen.address().map(str::to_owned);
    config
        .otlp_origins
        .clone_from(&options.apm_otlp_allowed_origins);
    config.rum = options.rum.rum();
    config.max_export_size = options.apm_otlp_max_size;
    config.database.clone_from(&options.apm_database);
    config
        .secret_token_file
        .clone_from(&options.apm_secret_token_file);
    config.api_key_file.clone_from(&options.apm_api_key_file);
    let (certificate, key) = (&options.apm_tls_cert, &options.apm_tls_key);
    // Of which one is in the file of options, and the other nowhere.
    anyhow::ensure!(
        certificate.is_some() == key.is_some(),
        "--apm-tls-cert and --apm-tls-key belong together: give both or none"
    );
    let tls = certificate.clone().zip(key.clone());
    config.tls = tls.map(|(certificate, key)| TlsFiles { certificate, key });
    config.secret_token = options
        .apm_secret_token
        .clone()
        .and_then(apm_server::SecretToken::new);
    config.max_size = options.apm_max_size;
    config.max_names = options.apm_max_names;
    config.max_age = options.apm_max_age;
    config.keep = options.apm_keep;
    config.search_time = options.apm_search_time;
    config.tail = options.tail_sampling();
    config.durability = match options.durability {
        Durability::Normal => apm_server::Durability::Normal,
        Durability::Full => apm_server::Durability::Full,
    };
    config.insecure = options.insecure;
    // Each takes two.
    let connections = usize::try_from(files / 2).unwrap_or(usize::MAX);
    config.max_connections = config.max_connections.min(connections);
    config.max_streams = config.max_streams.min(connections / 2);
    config.allowed_hosts.clone_from(&options.apm_allowed_hosts);
    config
        .trusted_proxies
        .clone_from(&options.apm_trusted_proxies);
    config.base_path.clone_from(&options.apm_base_path);
    config.explain.clone_from(&options.explain);
    config.call_first.clone_from(&options.call_first);
    config.output = options.output.config()?;
    config.alerts.clone_from(alerts);
    if let Some(url) = &options.apm_public_url {
        config.alerts.url = url.trim_end_matches('/').to_owned();
    }
    Ok(apm_server::Server::start(config)?)
}

/// The demo's own defaults, below the environment: fresh pages, and a bar for each statement.
fn start_agent(server: Option<&apm_server::Running>) -> anyhow::Result<AgentGuard> {
    let mut agent = Agent::builder()
        .service_name(SERVICE_NAME)
        .service_version(env!("CARGO_PKG_VERSION"))
        .api_request_time(Duration::from_secs(1))
        .span_compression_enabled(false)
        .metrics_interval(Duration::from_secs(10));
    if let Some(server) = server {
        agent = agent.server_url(address(server));
        if let Some(token) = server.own_token() {
            agent = agent.secret_token(token);
        }
        // This server is in the same process. Its certificate is for the name by which others reach it.
        agent = agent.verify_server_cert(false);
    }
    Ok(agent.from_env()?.start())
}
