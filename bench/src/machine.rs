//! What the machine is, as far as figures depend on it. No names of hosts.

use std::process::Command;

/// A line for each.
pub(crate) fn description() -> Vec<String> {
    let cpu = std::fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
    let model = field(&cpu, "model name").unwrap_or("an unknown processor");
    let cores = cpu.lines().filter(|line| line.starts_with("processor")).count();
    let hypervisor = if cpu.contains(" hypervisor ") { ", virtual" } else { "" };
    let memory = std::fs::read_to_string("/proc/meminfo").unwrap_or_default();
    let kib: u64 = field(&memory, "MemTotal").and_then(|line| line.split(' ').next()?.parse().ok()).unwrap_or_default();
    let kernel = std::fs::read_to_string("/proc/sys/kernel/osrelease").unwrap_or_default();
    vec![
        format!("{model}, {cores} cores{hypervisor}, {} GiB of memory", kib >> 20),
        format!("Linux {}, target on {}", kernel.trim(), file_system()),
        format!("{}, SQLite {}", said(Command::new("rustc").arg("--version")), rusqlite::version()),
        format!("Grantor {} at {}", env!("CARGO_PKG_VERSION"), revision()),
    ]
}

fn field<'a>(text: &'a str, name: &str) -> Option<&'a str> {
    let line = text.lines().find(|line| line.starts_with(name))?;
    line.split_once(':').map(|(_, value)| value.trim())
}

/// The type of the file system that the databases are on.
fn file_system() -> String {
    let told = said(Command::new("stat").args(["--file-system", "--format=%T", "target"]));
    if told.is_empty() { "an unknown file system".to_owned() } else { told }
}

fn revision() -> String {
    let hash = said(Command::new("git").args(["rev-parse", "--short=12", "HEAD"]));
    let changed =
        !said(Command::new("git").args(["status", "--porcelain", "--untracked-files=no", "crates"])).is_empty();
    if changed { format!("{hash}, with changes") } else { hash }
}

fn said(command: &mut Command) -> String {
    let said = command.output().map(|output| String::from_utf8_lossy(&output.stdout).trim().to_owned());
    said.unwrap_or_default()
}
