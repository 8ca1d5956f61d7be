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

# A fuzzer, for a minute: intake, statement, query or traceparent.
fuzz target:
    cargo +nightly fuzz run {{target}} -- -max_total_time=60 -max_len=4096

# The pages in Chromium; arguments go to Playwright.
browser *arguments:
    .ci/browser {{arguments}}

# Takes the pictures of docs/tour.md.
tour:
    .ci/browser --tour

# Elastic's agents for the tests that run them.
agents:
    .ci/agents

# Long runs that no change may break: kills, damage, changed input, outages. `just torture 10` runs ten times as much.
torture times="1":
    .ci/torture {{times}}

# The agent with none of its features, with each alone, and with all.
features:
    .ci/features

# The documentation of all crates.
doc:
    RUSTDOCFLAGS='-D warnings' cargo doc --workspace --no-deps

# The documentation as a site, in target/book/html.
book:
    .ci/book

# All benches.
bench:
    cargo bench
