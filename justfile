# The steps of the gate, one each. `just --list` shows them; `.ci/run` runs them all.

# Everything that a change must pass.
gate:
    .ci/run

# Formatting.
fmt:
    cargo fmt --all --check

# Lints.
lint:
    cargo clippy --workspace --all-targets -- -D warnings

# All tests that need no other program.
test:
    cargo test --workspace

# The crate with `unsafe` code, under valgrind.
meter:
    .ci/meter

# Licences, sources and advisories of dependencies.
deny:
    .ci/deny

# Dependencies that nothing uses.
unused:
    .ci/unused

# Misspelt words.
spelling:
    .ci/spelling

# Lines and files that are too long.
sizes:
    .ci/sizes

# Each crate as a registry would take it.
package:
    .ci/package

# Whether the fuzzers compile.
fuzzers:
    .ci/fuzzers

# A fuzzer, for a minute: intake, otlp, statement, query or traceparent.
fuzz target:
    cargo +nightly fuzz run {{target}} -- -max_total_time=60 -max_len=4096

# The pages in Chromium; arguments go to Playwright.
browser *arguments:
    .ci/browser {{arguments}}

# Takes the pictures of docs/tour.md.
tour:
    .ci/browser --tour

# The container image, built and tried where a daemon answers.
image *arguments:
    .ci/image {{arguments}}

# Elastic's agents for the tests that run them.
agents:
    .ci/agents

# Long runs that no change may break: kills, damage, changed input, outages. `just torture 10` runs ten times as much.
torture times="1":
    .ci/torture {{times}}

# The agent with none of its features, with each alone, and with all.
features:
    .ci/features

# Each two of the agent's features.
feature-pairs:
    .ci/features --pairs

# Whether the agent's public API is the one that is written down; `just api --update` writes it down.
api *arguments:
    .ci/api {{arguments}}

# The agent on PostgreSQL and MariaDB, which are installed and started.
databases:
    trap '.ci/databases stop' EXIT; eval "$(.ci/databases)"; \
        cargo test --workspace --features apm-agent/mysql,apm-agent/postgres --test databases

# The agent in services of other libraries.
services:
    cargo test --manifest-path crates/apm-agent/services/Cargo.toml --target-dir "${CARGO_TARGET_DIR:-target}"

# The comparison with OpenTelemetry.
peers:
    cargo test --manifest-path benches/peers/Cargo.toml --target-dir "${CARGO_TARGET_DIR:-target}"

# The documentation of all crates.
doc:
    RUSTDOCFLAGS='-D warnings' cargo doc --workspace --no-deps

# The documentation as a site, in target/book/html.
book:
    .ci/book

# All benches.
bench:
    cargo bench
