//! Clients that nobody here wrote, a real browser, and `kill -9`, against the release binary. The suites are in `interop/`;
//! each prints `ok …` or `not ok …` per check. Those that need TLS and certificates start a server of their own, and look
//! into its log themselves.

use crate::demo::{self, Demo};
use crate::lint;
use crate::provision;
use crate::shell::{End, cargo, lines, path, program, succeed};
use crate::tally::{Outcome, Tally};
use crate::undefended;
use std::process::Command;
use std::time::Duration;

/// A suite, and how many checks it makes: none may vanish.
struct Suite {
    name: &'static str,
    runs: Runs,
    checks: u64,
}

enum Runs {
    /// A module in interop/node.
    Node(&'static str),
    /// Another one, which starts its server itself.
    Served(&'static str),
    /// A module in interop/python.
    Python(&'static str),
    /// A program of interop/rust.
    Rust(&'static str),
}

const LIBRARIES: [Suite; 25] = [
    Suite { name: "openid-client", runs: Runs::Node("openid-client.mjs"), checks: 26 },
    Suite { name: "oauth4webapi", runs: Runs::Node("oauth4webapi.mjs"), checks: 24 },
    Suite { name: "caddy", runs: Runs::Served("caddy.mjs"), checks: 24 },
    Suite { name: "jose", runs: Runs::Node("jose.mjs"), checks: 8 },
    Suite { name: "authlib", runs: Runs::Python("authlib_suite.py"), checks: 17 },
    Suite { name: "joserfc", runs: Runs::Python("joserfc_suite.py"), checks: 7 },
    Suite { name: "openidconnect", runs: Runs::Rust("openidconnect"), checks: 14 },
    Suite { name: "oauth2", runs: Runs::Rust("oauth2"), checks: 13 },
    Suite { name: "huskarl", runs: Runs::Rust("huskarl"), checks: 10 },
    Suite { name: "authlib-keys", runs: Runs::Python("authlib_keys_suite.py"), checks: 12 },
    Suite { name: "openid-client-keys", runs: Runs::Served("openid-client-keys.mjs"), checks: 35 },
    Suite { name: "oauth4webapi-keys", runs: Runs::Served("oauth4webapi-keys.mjs"), checks: 19 },
    Suite { name: "federation", runs: Runs::Served("federation.mjs"), checks: 25 },
    Suite { name: "curl", runs: Runs::Served("curl.mjs"), checks: 33 },
    Suite { name: "clock", runs: Runs::Served("clock.mjs"), checks: 12 },
    Suite { name: "oidc-provider", runs: Runs::Served("oidc-provider.mjs"), checks: 8 },
    Suite { name: "examples", runs: Runs::Served("examples.mjs"), checks: 8 },
    Suite { name: "rotation", runs: Runs::Served("rotation.mjs"), checks: 6 },
    Suite { name: "mcp-sdk", runs: Runs::Served("mcp-sdk.mjs"), checks: 20 },
    Suite { name: "mcp-client", runs: Runs::Served("mcp-client.mjs"), checks: 21 },
    Suite { name: "mcp-python", runs: Runs::Served("mcp-python.mjs"), checks: 15 },
    Suite { name: "snippets", runs: Runs::Node("snippets.mjs"), checks: 22 },
    Suite { name: "desk", runs: Runs::Node("desk.mjs"), checks: 9 },
    Suite { name: "nginx", runs: Runs::Served("nginx.mjs"), checks: 24 },
    Suite { name: "envoy", runs: Runs::Served("envoy.mjs"), checks: 24 },
];
const BROWSER: Suite = Suite { name: "browser", runs: Runs::Rust("browser"), checks: 132 };
/// The examples, which a suite runs as their READMEs say.
const AXUM_API: &str = "grantor-example-axum-api";
const CLI: &str = "grantor-example-cli";
const RUST: &str = "target/debug";
const GALLERY: &str = "target/gallery";
const AXE: &str = "interop/node/node_modules/axe-core/axe.min.js";
const LIMIT: Duration = Duration::from_mins(10);

/// The suites of the libraries.
pub(crate) fn libraries() -> Tally {
    let mut tally = Tally::default();
    tally.record(build());
    tally.record(succeed(&mut cargo(&["build", "--locked", "--quiet", "-p", AXUM_API, "-p", CLI])));
    for suite in &LIBRARIES {
        tally.add(suite.run());
    }
    tally
}

/// The suite of the browser. It attacks the release, and a build that can do without its defences.
pub(crate) fn browser() -> Outcome {
    build()?;
    undefended::build()?;
    // Every page in each state, to be looked at one by one.
    succeed(
        cargo(&["run", "--locked", "--quiet", "-p", "grantor-web", "--example", "gallery", "--"]).arg(path(GALLERY)),
    )?;
    BROWSER.run()
}

/// The suite that kills the server; it starts and ends its servers itself.
pub(crate) fn kill(kills: u64) -> Outcome {
    build()?;
    println!("{kills} kills");
    let mut command = program(path(RUST).join("kill"));
    command.arg(kills.to_string()).env("GRANTOR_BINARY", path(demo::BINARY));
    // One check per kill, and one for each kind of thing that must have been acknowledged at all.
    count("kill", &mut command, kills + 3, Duration::from_secs(60 + 20 * kills))
}

/// Losses of power, each made of what one run under load wrote and synced.
pub(crate) fn power(losses: u64) -> Outcome {
    build()?;
    println!("{losses} losses of power");
    let mut command = on_a_bad_disk("power")?;
    // Two more: that a lie is found out, and that there was something to lose.
    count("power", command.arg(losses.to_string()), losses + 2, Duration::from_secs(120 + 3 * losses))
}

/// A disk that is full, read-only or broken for a while.
pub(crate) fn faults() -> Outcome {
    build()?;
    count("faults", &mut on_a_bad_disk("faults")?, 9, LIMIT)
}

/// A suite that puts a library between the server and its disk.
fn on_a_bad_disk(name: &str) -> Result<Command, String> {
    let mut shim = cargo(&["build", "--locked", "--quiet", "--manifest-path", "interop/shim/Cargo.toml"]);
    succeed(shim.args(["--target-dir", "target"]))?;
    let mut command = program(path(RUST).join(name));
    command.env("GRANTOR_BINARY", path(demo::BINARY));
    command.env("GRANTOR_SHIM", path(RUST).join("libgrantor_fault_shim.so"));
    Ok(command)
}

/// The programs of the suites, and the example that some of them try.
fn build() -> Result<(), String> {
    ["interop/rust/Cargo.toml", lint::MCP_SERVER].into_iter().try_for_each(|manifest| {
        let mut build = cargo(&["build", "--locked", "--quiet", "--manifest-path", manifest]);
        succeed(build.args(["--target-dir", "target"]))
    })
}

impl Suite {
    fn run(&self) -> Outcome {
        println!("-- {}", self.name);
        let name = self.name;
        let mut command = match self.runs {
            Runs::Node(file) | Runs::Served(file) => {
                let node = provision::node().ok_or_else(|| format!("{name}: Node.js is missing"))?;
                let mut command = program(node);
                command.arg(path("interop/node").join(file));
                command
            }
            Runs::Python(file) => {
                let mut command = program(provision::python());
                command.arg("-B").arg(path("interop/python").join(file));
                command
            }
            Runs::Rust(file) => program(path(RUST).join(file)),
        };
        command.env("GRANTOR_BINARY", path(demo::BINARY)).env("GRANTOR_FOLDER", path("target/interop").join(name));
        command.env("GRANTOR_EXAMPLES", path("target/debug"));
        command.env("GRANTOR_PYTHON", provision::python());
        command.env("GRANTOR_UNDEFENDED_BINARY", path(undefended::BINARY));
        command.env("GRANTOR_ENVOY", provision::python().with_file_name("envoy"));
        command.env("GRANTOR_MCP_SERVER", path(RUST).join("grantor-example-mcp-server"));
        command.env("GRANTOR_GALLERY", path(GALLERY)).env("GRANTOR_AXE", path(AXE));
        command.env("GRANTOR_NODE_SUITES", path("interop/node"));
        if let Some(node) = provision::node() {
            command.env("GRANTOR_NODE", node);
        }
        for (name, proxy) in [("GRANTOR_NGINX", "nginx"), ("GRANTOR_CADDY", "caddy")] {
            if let Some(program) = provision::find(proxy) {
                command.env(name, program);
            }
        }
        if let Some(library) = provision::faketime() {
            command.env("GRANTOR_FAKETIME", library);
        }
        if let Runs::Served(_) = self.runs {
            return count(name, &mut command, self.checks, LIMIT);
        }
        // The playground explains certificates where the metadata names them.
        let more: &[&str] = if name == BROWSER.name { &["--mtls-listen", "127.0.0.1:0"] } else { &[] };
        let server = Demo::start(name, more).map_err(|why| format!("{name}: {why}"))?;
        command.env("GRANTOR_DEMO", &server.line).env("GRANTOR_SCREENSHOTS", path("target/screenshots"));
        let mut tally = count(name, &mut command, self.checks, LIMIT)?;
        tally.record(server.log_is_clean().map_err(|why| format!("{name}: {why}")));
        Ok(tally)
    }
}

/// Runs a suite and counts its lines; a wrong number of them, or a bad end, is a failure more.
pub(crate) fn count(name: &str, command: &mut Command, checks: u64, limit: Duration) -> Outcome {
    let mut tally = Tally::default();
    let end = lines(command, limit, |line| {
        println!("{line}");
        if line.starts_with("ok ") {
            tally.pass();
        } else if let Some(check) = line.strip_prefix("not ok ") {
            tally.fail(format!("{name}: {check}"));
        }
    })?;
    let made = tally.passed + tally.failed;
    if made != checks {
        tally.fail(format!("{name}: made {made} checks, not {checks}"));
    }
    match end {
        End::Success => {}
        End::Failure if tally.failed > 0 => {}
        End::Failure => tally.fail(format!("{name}: ended badly")),
        End::TooLate => tally.fail(format!("{name}: took longer than {} s", limit.as_secs())),
    }
    Ok(tally)
}
