//! What lies in deploy/, judged by the programs that read it: systemd, helm, nginx, Prometheus, and Kubernetes' and
//! BuildKit's own code.

use crate::shell::{self, output, path, program, which};
use crate::tally::{Outcome, Tally};
use serde_json::Value;
use std::fmt::Write as _;
use std::fs;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::Stdio;

const UNIT: &str = "deploy/systemd/grantor.service";
const CHART: &str = "deploy/helm/grantor";
/// What `helm template` pretends to speak to.
const KUBERNETES: &str = "1.30.0";
const HELM: &str = "helm.sh/helm/v3/cmd/helm@v3.22.0";
const ALERTS: &str = "deploy/prometheus/alerts.yml";
const DASHBOARD: &str = "deploy/grafana/grantor.json";

/// The step.
pub(crate) fn run() -> Outcome {
    let mut tally = Tally::default();
    tally.record(exposure());
    tally.record(unit());
    for values in values()? {
        tally.record(chart(&values).map_err(|why| format!("{}: {why}", values.display())));
    }
    tally.record(nobody_reads_figures());
    for (wrong, says) in WRONG_VALUES {
        tally.record(refused(wrong, says));
    }
    tally.record(checker(&["container", "deploy/container/Containerfile"], ""));
    tally.record(nginx());
    tally.record(output(program("sh").args(["-n", "deploy/three-nodes/up.sh"])).map(drop));
    tally.record(promtool(&["check", "rules", ALERTS]));
    tally.record(promtool(&["check", "config", "deploy/prometheus/prometheus.yml"]));
    tally.record(dashboard());
    Ok(tally)
}

/// What the step needs and Debian does not install by itself, in target/tools.
pub(crate) fn provision() -> Tally {
    let mut tally = Tally::default();
    let analyze = which("systemd-analyze").map(drop);
    tally.record(
        analyze.ok_or_else(|| "missing: systemd-analyze, for the unit; Debian's package is systemd".to_owned()),
    );
    tally.record(go_is_recent_enough());
    tally.record(helm().map_err(|why| format!("missing: helm: {why}")));
    tally.record(built_checker().map_err(|why| format!("missing: the checker of deploy/: {why}")));
    tally.record(unpacked_promtool().map_err(|why| format!("missing: promtool: {why}")));
    tally
}

/// The figure of the docs against that of systemd.
fn exposure() -> Result<(), String> {
    let docs = read("docs/operations.md")?;
    let documented =
        docs.split("The exposure of the systemd unit is **").nth(1).and_then(|rest| rest.split("**").next());
    let documented = tenths(documented.unwrap_or_default()).ok_or("docs/operations.md names no exposure")?;
    let said = output(program("systemd-analyze").args(["security", "--offline=true", "--no-pager", UNIT]))?;
    let found = said.split("Overall exposure level for").nth(1).and_then(|rest| rest.split_whitespace().nth(1));
    let found = found.and_then(tenths).ok_or("systemd-analyze names no exposure")?;
    if found > documented {
        return Err(format!("the unit's exposure is {found} tenths, and documented are {documented}"));
    }
    Ok(())
}

/// The unit means something to systemd, which asks that its program exists: here, one that does everywhere.
fn unit() -> Result<(), String> {
    let unit = read(UNIT)?;
    let elsewhere = unit.replace("ExecStart=/usr/bin/grantor ", "ExecStart=/bin/true ");
    if elsewhere == unit {
        return Err(format!("{UNIT} starts no /usr/bin/grantor"));
    }
    let file = path("target/deploy/grantor.service");
    fs::create_dir_all(path("target/deploy")).map_err(|why| why.to_string())?;
    fs::write(&file, elsewhere).map_err(|why| why.to_string())?;
    output(program("systemd-analyze").args(["verify", "--man=no", "--recursive-errors=no"]).arg(file)).map(drop)
}

/// `1.2` as 12.
fn tenths(figure: &str) -> Option<u32> {
    let (whole, tenth) = figure.split_once('.')?;
    Some(whole.parse::<u32>().ok()? * 10 + tenth.parse::<u32>().ok()?)
}

/// One set of values, linted, rendered and judged.
fn chart(values: &Path) -> Result<(), String> {
    output(program(tool("helm")).args(["lint", "--strict", "--kube-version", KUBERNETES, CHART, "-f"]).arg(values))?;
    let rendered = output(template().arg("-f").arg(values))?;
    checker(&["chart"], &rendered)
}

/// What would only show in production, and how the chart refuses it.
const WRONG_VALUES: [(&str, &str); 8] = [
    ("issuer=http://id.example.com", "/issuer"),
    ("database.url=", "several replicas need one database"),
    ("database.url=postgres://grantor:hush@db.example.com/grantor", "/database/url"),
    ("database.url=postgres://db.example.com/grantor?user=grantor&password=hush", "/database/url"),
    ("database.url=postgres://grantor@db.example.com/grantor?pass%77ord=hush", "/database/url"),
    ("database.url=postgres://:hush@db.example.com/grantor", "/database/url"),
    ("trustedProxies=null", "trustedProxies"),
    ("drainSecond=5", "drainSecond"),
];

fn refused(wrong: &str, says: &str) -> Result<(), String> {
    let plain = format!("{CHART}/tests/plain.yaml");
    let rendered = template().args(["-f", &plain, "--set", wrong]).output().map_err(|why| why.to_string())?;
    let said = String::from_utf8_lossy(&rendered.stderr).into_owned();
    if rendered.status.success() || !said.contains(says) {
        return Err(format!("the chart takes {wrong}, or does not say {says}: {said}"));
    }
    Ok(())
}

/// Where nobody is named who may read figures, the policy lets nobody.
fn nobody_reads_figures() -> Result<(), String> {
    let policy = |values: &str| {
        output(template().args(["-s", "templates/networkpolicy.yaml", "-f"]).arg(format!("{CHART}/tests/{values}")))
    };
    if policy("plain.yaml")?.contains("port: metrics") {
        return Err("without networkPolicy.metricsFrom the port for figures is open".to_owned());
    }
    if policy("cluster.yaml")?.contains("port: metrics") { Ok(()) } else { Err("nobody may read figures".to_owned()) }
}

fn template() -> std::process::Command {
    let mut command = program(tool("helm"));
    command.args(["template", "id", CHART, "--kube-version", KUBERNETES]);
    command
}

fn values() -> Result<Vec<PathBuf>, String> {
    let folder = path(CHART).join("tests");
    let found = fs::read_dir(&folder).map_err(|why| format!("{}: {why}", folder.display()))?;
    let mut files: Vec<_> = found.flatten().map(|entry| entry.path()).collect();
    files.sort();
    Ok(files)
}

/// nginx reads the configuration of the three nodes.
fn nginx() -> Result<(), String> {
    let nginx = which("nginx").or_else(|| Some(PathBuf::from("/usr/sbin/nginx")).filter(|path| path.is_file()));
    let nginx = nginx.ok_or("missing: nginx")?;
    let prefix = path("target/deploy/nginx");
    fs::create_dir_all(prefix.join("tmp")).map_err(|why| why.to_string())?;
    let configuration = path("deploy/three-nodes/nginx.conf");
    output(program(nginx).arg("-t").arg("-p").arg(prefix).arg("-c").arg(configuration)).map(drop)
}

/// Every query of the dashboard is one, as Prometheus reads it. That what it asks for exists is a test of the binary.
fn dashboard() -> Result<(), String> {
    let dashboard: Value = serde_json::from_str(&read(DASHBOARD)?).map_err(|why| why.to_string())?;
    let panels = dashboard.get("panels").and_then(Value::as_array).ok_or("the dashboard has no panels")?;
    let targets = panels.iter().filter_map(|panel| panel.get("targets")?.as_array()).flatten();
    let mut rules = "groups:\n  - name: dashboard\n    rules:\n".to_owned();
    for (number, target) in targets.enumerate() {
        let query = target.get("expr").and_then(Value::as_str).ok_or("a target has no query")?;
        let query = Value::from(query.replace("$__rate_interval", "1m"));
        writeln!(rules, "      - record: panel:{number}\n        expr: {query}").map_err(|why| why.to_string())?;
    }
    let file = path("target/deploy/dashboard.yml");
    fs::create_dir_all(path("target/deploy")).map_err(|why| why.to_string())?;
    fs::write(&file, rules).map_err(|why| why.to_string())?;
    promtool(&["check", "rules", &file.to_string_lossy()])
}

fn promtool(arguments: &[&str]) -> Result<(), String> {
    output(program(tool("promtool")).args(arguments)).map(drop)
}

fn checker(arguments: &[&str], input: &str) -> Result<(), String> {
    let mut command = program(tool("deploy-check"));
    command.args(arguments).stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn().map_err(|why| format!("deploy-check: {why}"))?;
    if let Some(mut stdin) = child.stdin.take() {
        stdin.write_all(input.as_bytes()).map_err(|why| why.to_string())?;
    }
    let ended = child.wait_with_output().map_err(|why| why.to_string())?;
    if ended.status.success() { Ok(()) } else { Err(String::from_utf8_lossy(&ended.stderr).trim().replace('\n', "; ")) }
}

fn tool(name: &str) -> PathBuf {
    path("target/tools/bin").join(name)
}

/// From this one on, Go fetches by itself the newer one that deploy/check and helm ask for.
const GO_AT_LEAST: u32 = 21;

fn go_is_recent_enough() -> Result<(), String> {
    // Outside of deploy/check: the machine's own.
    let said = output(program("go").arg("version").env("GOTOOLCHAIN", "local"))?;
    if go_minor(&said).is_some_and(|minor| minor >= GO_AT_LEAST) {
        return Ok(());
    }
    Err(format!(
        "missing: Go 1.{GO_AT_LEAST} or later, for helm and the checker of deploy/; this is {}; Debian 12 has it in \
         bookworm-backports: apt-get install -t bookworm-backports golang-go",
        said.trim()
    ))
}

/// The 21 of `go version go1.21.6 linux/amd64`.
fn go_minor(said: &str) -> Option<u32> {
    let minor = said.split_once("go1.")?.1;
    minor.split(|next: char| !next.is_ascii_digit()).next()?.parse().ok()
}

/// Go that may fetch the version that is asked for, whatever the machine's settings say.
fn go() -> std::process::Command {
    let mut command = program("go");
    command.env("GOTOOLCHAIN", "auto");
    command
}

fn helm() -> Result<(), String> {
    if tool("helm").is_file() {
        return Ok(());
    }
    output(go().args(["install", HELM]).env("GOBIN", path("target/tools/bin"))).map(drop)
}

/// Go sees by itself whether there is anything to build.
fn built_checker() -> Result<(), String> {
    let to = tool("deploy-check");
    output(go().args(["build", "-o"]).arg(to).arg(".").current_dir(path("deploy/check"))).map(drop)
}

/// Out of Debian's package of Prometheus, of which nothing else is wanted.
fn unpacked_promtool() -> Result<(), String> {
    if tool("promtool").is_file() {
        return Ok(());
    }
    if let Some(installed) = which("promtool") {
        return fs::copy(installed, tool("promtool")).map(drop).map_err(|why| why.to_string());
    }
    let folder = path("target/tools/prometheus");
    fs::create_dir_all(&folder).map_err(|why| why.to_string())?;
    output(program("apt-get").args(["-qq", "download", "prometheus"]).current_dir(&folder))?;
    let package = fs::read_dir(&folder).map_err(|why| why.to_string())?.flatten().map(|entry| entry.path());
    let package = package.into_iter().find(|file| file.extension().is_some_and(|kind| kind == "deb"));
    let package = package.ok_or("apt-get downloaded no package")?;
    output(program("dpkg-deb").arg("-x").arg(package).arg(&folder))?;
    fs::create_dir_all(path("target/tools/bin")).map_err(|why| why.to_string())?;
    fs::rename(folder.join("usr/bin/promtool"), tool("promtool")).map_err(|why| why.to_string())?;
    fs::remove_dir_all(&folder).map_err(|why| why.to_string())
}

fn read(file: &str) -> Result<String, String> {
    fs::read_to_string(shell::path(file)).map_err(|why| format!("{file}: {why}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_minor_version_of_go_is_read() {
        let of = |version: &str| go_minor(&format!("go version {version} linux/amd64"));
        assert_eq!(
            (of("go1.19.8"), of("go1.21rc2"), of("go1.26.8"), of("devel")),
            (Some(19), Some(21), Some(26), None)
        );
    }

    #[test]
    fn an_exposure_is_read_in_tenths() {
        assert_eq!((tenths("1.2"), tenths("10.0"), tenths("1"), tenths("")), (Some(12), Some(100), None, None));
    }
}
