//! The container image, and whether the files that start it agree with it. `.ci/image` builds and runs it.

use std::collections::BTreeSet;

use clap::Parser as _;
use pocket_apm::cli::{Cli, Command};
use yaml_rust2::{Yaml, YamlLoader};

use super::root;

/// The Dockerfile: each instruction with its arguments, on one line.
fn dockerfile() -> Vec<(String, String)> {
    let text = std::fs::read_to_string(root().join("Dockerfile")).unwrap();
    let joined = text.replace("\\\n", " ");
    let lines = joined.lines().filter(|line| !line.starts_with('#'));
    lines
        .filter_map(|line| line.split_once(' '))
        .map(|(name, rest)| (name.to_owned(), rest.trim().to_owned()))
        .collect()
}

/// The arguments of an instruction of the last stage.
fn last(name: &str) -> String {
    let found = dockerfile().into_iter().rfind(|(found, _)| found == name);
    found.unwrap_or_else(|| panic!("no {name}")).1
}

/// The command line that a list of JSON stands for, after the binary.
fn line(list: &str) -> Vec<String> {
    serde_json::from_str(list).unwrap_or_else(|error| panic!("{list}: {error}"))
}

/// The variables that the image sets.
fn variables() -> Vec<(String, String)> {
    let env = last("ENV");
    let pairs = env.split_whitespace().map(|pair| pair.split_once('='));
    pairs
        .map(|pair| pair.unwrap())
        .map(|(name, value)| (name.to_owned(), value.to_owned()))
        .collect()
}

/// The option that a variable stands for.
fn option_of(variable: &str) -> Option<String> {
    let command = Cli::listed();
    let mut all = command.get_arguments();
    let found = all.find(|option| option.get_env().is_some_and(|name| name == variable))?;
    found.get_long().map(str::to_owned)
}

/// The command line of the image, with the options for which its variables stand.
fn started() -> Cli {
    let mut words = vec!["pocket-apm".to_owned()];
    for (name, value) in variables() {
        let option = option_of(&name).unwrap_or_else(|| panic!("no option reads {name}"));
        words.push(format!("--{option}={value}"));
    }
    words.extend(line(&last("CMD")));
    Cli::try_parse_from(&words).unwrap_or_else(|error| panic!("{words:?}: {error}"))
}

fn exposed() -> BTreeSet<i64> {
    let ports = last("EXPOSE");
    ports.split(' ').map(|port| port.parse().unwrap()).collect()
}

#[test]
fn the_image_starts_the_server_on_the_ports_and_the_volume_that_it_names() {
    assert_eq!(last("ENTRYPOINT"), "[\"/pocket-apm\"]");
    let cli = started();
    assert!(matches!(cli.command, Some(Command::Server)));
    let otlp = [&cli.apm.apm_otlp_listen, &cli.apm.apm_otlp_grpc_listen];
    let addresses = otlp.map(|listen| listen.address().unwrap().to_owned());
    let addresses = [&cli.apm.apm_listen, &cli.service.listen]
        .into_iter()
        .chain(&addresses);
    let ports = addresses.map(|address| {
        let address: std::net::SocketAddr = address.parse().unwrap();
        assert!(address.ip().is_unspecified(), "{address}");
        i64::from(address.port())
    });
    assert_eq!(ports.collect::<BTreeSet<_>>(), exposed());
    let volume = last("VOLUME");
    assert!(cli.apm.apm_database.starts_with(&volume));
    assert!(cli.service.database.starts_with(&volume));
    assert_eq!(last("WORKDIR"), volume);
}

#[test]
fn the_check_of_the_image_is_a_command_of_the_binary() {
    let check = last("HEALTHCHECK");
    let (options, command) = check.split_once("CMD ").unwrap();
    let words = line(command);
    assert_eq!(words[0], "/pocket-apm");
    let cli = Cli::try_parse_from(&words).unwrap();
    assert!(matches!(cli.command, Some(Command::Health(_))));
    // The daemon has to wait for longer than the command does.
    assert!(options.contains("--timeout=10s"), "{options}");
}

#[test]
fn the_image_copies_what_the_build_makes() {
    let copies: Vec<_> = dockerfile()
        .into_iter()
        .filter(|(name, _)| name == "COPY")
        .map(|(_, rest)| rest)
        .collect();
    assert!(copies.contains(&"--from=build /build/target/dist/pocket-apm /".to_owned()));
    assert!(copies.contains(&"--from=binary /pocket-apm /".to_owned()));
    let manifest = std::fs::read_to_string(root().join("Cargo.toml")).unwrap();
    let manifest: toml::Table = manifest.parse().unwrap();
    assert!(manifest["profile"].get("dist").is_some());
    // Of the folders that the build does not get, none holds a part of a package.
    let ignored = std::fs::read_to_string(root().join(".dockerignore")).unwrap();
    for folder in [
        "src",
        "crates",
        "benches",
        "tests",
        "migrations",
        "build.rs",
        ".cargo",
    ] {
        assert!(root().join(folder).exists(), "{folder}");
        assert!(
            !ignored.lines().any(|line| line.starts_with(folder)),
            "{folder}"
        );
    }
}

fn yaml(path: &str) -> Vec<Yaml> {
    let text = std::fs::read_to_string(root().join(path)).unwrap();
    YamlLoader::load_from_str(&text).unwrap_or_else(|error| panic!("{path}: {error}"))
}

/// Every value in a tree by its key, with those of merged anchors.
fn each<'a>(tree: &'a Yaml, seen: &mut impl FnMut(&'a str, &'a Yaml)) {
    for (key, value) in tree.as_hash().into_iter().flatten() {
        seen(key.as_str().unwrap_or_default(), value);
        each(value, seen);
    }
    for value in tree.as_vec().into_iter().flatten() {
        each(value, seen);
    }
}

#[test]
fn the_variables_of_the_files_are_those_of_options() {
    for path in [
        "deploy/compose.yaml",
        "docs/scale-out/compose.yaml",
        "deploy/kubernetes.yaml",
    ] {
        let mut count = 0;
        let mut check = |name: &str| {
            if name.starts_with("APM_") {
                assert!(option_of(name).is_some(), "{path}: no option reads {name}");
                count += 1;
            }
        };
        for part in &yaml(path) {
            each(part, &mut |key, value| match (key, value.as_str()) {
                // Kubernetes has lists of names and values.
                ("name", Some(name)) => check(name),
                _ => check(key),
            });
        }
        assert!(count > 0, "{path}");
    }
}

#[test]
fn compose_maps_the_ports_and_the_volume_of_the_image() {
    let file = &yaml("deploy/compose.yaml")[0];
    let hardened = &file["x-hardened"];
    assert_eq!(hardened["image"].as_str(), Some("pocket-apm"));
    assert_eq!(hardened["read_only"].as_bool(), Some(true));
    for name in ["apm", "people"] {
        let service = &file["services"][name];
        assert_eq!(&service["<<"], hardened, "{name}");
        for port in service["ports"].as_vec().unwrap() {
            let inner = port.as_str().unwrap().rsplit(':').next().unwrap();
            assert!(exposed().contains(&inner.parse().unwrap()), "{port:?}");
        }
        let volume = service["volumes"][0].as_str().unwrap();
        let (volume, place) = volume.split_once(':').unwrap();
        assert_eq!(place, last("VOLUME"));
        assert!(!file["volumes"][volume].is_badvalue(), "{volume}");
    }
    // The service sends elsewhere: there is no APM server in its container that could be asked.
    let people = &file["services"]["people"];
    assert_eq!(people["healthcheck"]["disable"].as_bool(), Some(true));
    // Programs that do not listen for the signal to stop would be killed after ten seconds.
    for name in ["python", "node"] {
        assert_eq!(
            file["services"][name]["init"].as_bool(),
            Some(true),
            "{name}"
        );
    }
}

#[test]
fn kubernetes_runs_the_user_and_mounts_the_volume_of_the_image() {
    let parts = yaml("deploy/kubernetes.yaml");
    let set = parts
        .iter()
        .find(|part| part["kind"].as_str() == Some("StatefulSet"))
        .unwrap();
    let pod = &set["spec"]["template"]["spec"];
    let ids = ["runAsUser", "runAsGroup"].map(|id| pod["securityContext"][id].as_i64().unwrap());
    assert_eq!(format!("{}:{}", ids[0], ids[1]), last("USER"));
    assert_eq!(pod["securityContext"]["fsGroup"].as_i64(), Some(ids[1]));
    assert_eq!(pod["enableServiceLinks"].as_bool(), Some(false));
    let container = &pod["containers"][0];
    let mount = container["volumeMounts"][0]["mountPath"].as_str();
    assert_eq!(mount, Some(last("VOLUME").as_str()));
    for port in container["ports"].as_vec().unwrap() {
        assert!(exposed().contains(&port["containerPort"].as_i64().unwrap()));
    }
    // A server that rewrites a large file does not answer yet, and may not be ended for that.
    let startup = &container["startupProbe"];
    let seconds = startup["periodSeconds"].as_i64().unwrap();
    assert!(seconds * startup["failureThreshold"].as_i64().unwrap() >= 1800);
}

#[test]
fn the_servers_of_the_large_example_trust_the_load_balancer_before_them() {
    let file = &yaml("docs/scale-out/compose.yaml")[0];
    let environment = &file["x-server"]["environment"];
    let balancer = &file["services"]["balancer"];
    let address = balancer["networks"]["default"]["ipv4_address"].as_str();
    assert!(address.is_some());
    assert_eq!(environment["APM_TRUSTED_PROXIES"].as_str(), address);
    // Its address is one of the network, and no other container gets it before.
    let network = &file["networks"]["default"]["ipam"]["config"][0];
    let [subnet, others] = ["subnet", "ip_range"].map(|range| {
        let range: ipnet::IpNet = network[range].as_str().unwrap().parse().unwrap();
        range
    });
    let address: std::net::IpAddr = address.unwrap().parse().unwrap();
    assert!(subnet.contains(&address) && !others.contains(&address));
}
