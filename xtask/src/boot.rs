//! What of deploy/ only a whole machine shows: the unit, started by its systemd, and the image, built and run by its podman.
//! The machine is Debian under qemu, on a disk that is made anew each time; deploy/check/machine is what it does when it is up.

use crate::shell::{output, path, program};
use crate::tally::{Outcome, Tally};
use crate::{demo, interop, provision};
use std::fs::{self, File, OpenOptions, Permissions};
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

/// How many checks the machine makes: none may vanish.
const CHECKS: u64 = 24;
const LIMIT: Duration = Duration::from_mins(10);
const RELEASE: &str = "bookworm";
const PACKAGES: &str = "systemd,systemd-sysv,udev,dbus,linux-image-cloud-amd64,initramfs-tools,iptables,curl,openssl,\
                        ca-certificates,netbase,tzdata,libssl3,libstdc++6,podman,crun,containernetworking-plugins";
const DISK_BYTES: u64 = 2 << 30;
/// Everything is told on the console, by the kernel only what is wrong.
const KERNEL: &str = "root=/dev/vda rw console=ttyS0 quiet panic=-1 systemd.show_status=no \
                      systemd.mask=serial-getty@ttyS0.service";

/// What the machine gets besides Debian: from where, to where, and with which mode.
const FILES: [(&str, &str, u32); 10] = [
    (demo::BINARY, "usr/bin/grantor", 0o755),
    ("deploy/systemd/grantor.service", "etc/systemd/system/grantor.service", 0o644),
    ("deploy/check/machine/grantor.toml", "etc/grantor/grantor.toml", 0o644),
    ("deploy/check/machine/check.service", "etc/systemd/system/check.service", 0o644),
    ("deploy/check/machine/checks.sh", "check/checks.sh", 0o644),
    ("deploy/check/machine/unit.sh", "check/unit.sh", 0o644),
    ("deploy/check/machine/container.sh", "check/container.sh", 0o644),
    ("deploy/check/machine/container.toml", "check/container.toml", 0o644),
    ("deploy/check/machine/shop.toml", "check/shop.toml", 0o644),
    ("deploy/container/Containerfile", "check/Containerfile", 0o644),
];
const ENABLED: [&str; 2] = ["grantor.service", "check.service"];
const MASTER_KEY: &str = "etc/credstore/grantor.master-key";

/// The step. Where the processor has to be emulated it takes minutes, and is made when it was `asked` for.
pub(crate) fn run(asked: bool) -> Outcome {
    if !cfg!(target_arch = "x86_64") {
        println!("the machine has another processor than this one: it is not booted");
        return Ok(Tally::default());
    }
    let kvm = has_kvm();
    if !kvm && !asked {
        println!("without KVM the machine is booted with --long or --only boot");
        return Ok(Tally::default());
    }
    println!("{}", if kvm { "on KVM" } else { "without KVM: every instruction is emulated" });
    let tree = debian()?;
    furnish(&tree)?;
    let disk = disk(&tree)?;
    interop::count("boot", &mut machine(&tree, &disk, kvm)?, CHECKS, LIMIT)
}

/// Whether it is there and the processor is of the kind that it needs: elsewhere it is one that not every kernel runs on.
fn has_kvm() -> bool {
    let processor = fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
    let fit = processor.split_whitespace().any(|flag| flag == "vmx" || flag == "svm");
    fit && OpenOptions::new().read(true).write(true).open("/dev/kvm").is_ok()
}

/// Debian's files, fetched once for this list of packages.
fn debian() -> Result<PathBuf, String> {
    let tree = path("target/boot/debian");
    let stamp = path("target/boot/packages.txt");
    let wanted = format!("{RELEASE} {PACKAGES}");
    if fs::read_to_string(&stamp).is_ok_and(|fetched| fetched == wanted) {
        return Ok(tree);
    }
    if output(program("id").arg("-u"))?.trim() != "0" {
        return Err("not root: nobody else can make a tree that belongs to root".to_owned());
    }
    if tree.is_dir() {
        fs::remove_dir_all(&tree).map_err(|why| why.to_string())?;
    }
    fs::create_dir_all(path("target/boot")).map_err(|why| why.to_string())?;
    let mut fetch = program("mmdebstrap");
    fetch.args(["--quiet", "--mode=root", "--variant=apt", "--aptopt=Apt::Install-Recommends \"false\""]);
    output(fetch.arg(format!("--include={PACKAGES}")).arg(RELEASE).arg(&tree))?;
    fs::write(&stamp, wanted).map_err(|why| why.to_string())?;
    Ok(tree)
}

/// Puts Grantor in, as the unit's comment says, and what checks it.
fn furnish(tree: &Path) -> Result<(), String> {
    for (from, to, mode) in FILES {
        install(&path(from), &tree.join(to), mode).map_err(|why| format!("{from}: {why}"))?;
    }
    // For the image, what its first stage would have built.
    let built = tree.join("check/build/src/target/release/grantor");
    install(&path(demo::BINARY), &built, 0o755).map_err(|why| why.to_string())?;
    let key = path("target/boot/master.key");
    let made = output(program("sh").args(["-c", "head -c 32 /dev/urandom | basenc --base64url | tr -d '='"]))?;
    fs::write(&key, made).map_err(|why| why.to_string())?;
    install(&key, &tree.join(MASTER_KEY), 0o600).map_err(|why| why.to_string())?;
    let enabled = tree.join("etc/systemd/system/multi-user.target.wants");
    fs::create_dir_all(&enabled).map_err(|why| why.to_string())?;
    for unit in ENABLED {
        let link = enabled.join(unit);
        if !link.is_symlink() {
            symlink(Path::new("/etc/systemd/system").join(unit), link).map_err(|why| why.to_string())?;
        }
    }
    Ok(())
}

fn install(from: &Path, to: &Path, mode: u32) -> std::io::Result<()> {
    if let Some(folder) = to.parent() {
        fs::create_dir_all(folder)?;
    }
    fs::copy(from, to)?;
    fs::set_permissions(to, Permissions::from_mode(mode))
}

fn disk(tree: &Path) -> Result<PathBuf, String> {
    let disk = path("target/boot/disk.ext4");
    File::create(&disk).and_then(|file| file.set_len(DISK_BYTES)).map_err(|why| why.to_string())?;
    let mkfs = provision::find("mkfs.ext4").ok_or("mkfs.ext4 is missing")?;
    output(program(mkfs).args(["-q", "-F", "-d"]).arg(tree).arg(&disk))?;
    Ok(disk)
}

/// It ends when the machine switches itself off. It has no network but its own.
fn machine(tree: &Path, disk: &Path, kvm: bool) -> Result<Command, String> {
    let mut machine = program("qemu-system-x86_64");
    machine.args(["-accel", if kvm { "kvm" } else { "tcg,thread=multi" }, "-cpu", "max", "-smp", "2", "-m", "1536"]);
    machine.args(["-display", "none", "-monitor", "none", "-serial", "stdio", "-no-reboot", "-nic", "none"]);
    machine.arg("-kernel").arg(in_boot(tree, "vmlinuz-")?).arg("-initrd").arg(in_boot(tree, "initrd.img-")?);
    machine.args(["-append", KERNEL, "-drive"]).arg(format!("file={},format=raw,if=virtio", disk.display()));
    Ok(machine)
}

/// The one file in the tree's /boot whose name begins so.
fn in_boot(tree: &Path, beginning: &str) -> Result<PathBuf, String> {
    let files = fs::read_dir(tree.join("boot")).map_err(|why| why.to_string())?.flatten().map(|entry| entry.path());
    let begins = |file: &PathBuf| file.file_name().is_some_and(|name| name.to_string_lossy().starts_with(beginning));
    files.into_iter().find(begins).ok_or_else(|| format!("Debian's tree has no {beginning}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn as_many_checks_are_expected_as_are_made() {
        let script = fs::read_to_string(path("deploy/check/machine/checks.sh")).unwrap();
        assert_eq!(script.lines().filter(|line| line.starts_with("check \"")).count() as u64, CHECKS);
    }
}
