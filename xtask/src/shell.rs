//! Running other programs.

use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::mpsc::{self, RecvTimeoutError};
use std::thread;
use std::time::{Duration, Instant};

/// The root of the working tree.
pub(crate) fn root() -> PathBuf {
    let here = Path::new(env!("CARGO_MANIFEST_DIR"));
    here.parent().unwrap_or(here).to_path_buf()
}

/// A path below the root.
pub(crate) fn path(relative: &str) -> PathBuf {
    root().join(relative)
}

/// A program that is run in the root.
pub(crate) fn program(name: impl AsRef<std::ffi::OsStr>) -> Command {
    let mut command = Command::new(name);
    command.current_dir(root()).stdin(Stdio::null());
    command
}

/// The same cargo as the one that runs this, without what it told this process about itself.
pub(crate) fn cargo(arguments: &[&str]) -> Command {
    let mut command = program(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    for (name, _) in std::env::vars_os() {
        let package =
            name.to_str().is_some_and(|name| name.starts_with("CARGO_PKG_") || name.starts_with("CARGO_BIN_"));
        if package || name == "CARGO_MANIFEST_DIR" || name == "CARGO_MANIFEST_PATH" {
            command.env_remove(name);
        }
    }
    command.args(arguments);
    command
}

/// Runs it with its output shown; an error when it fails.
pub(crate) fn succeed(command: &mut Command) -> Result<(), String> {
    let shown = show(command);
    match command.status() {
        Ok(status) if status.success() => Ok(()),
        Ok(status) => Err(format!("{shown}: {status}")),
        Err(why) => Err(format!("{shown}: {why}")),
    }
}

/// Runs it silently; its standard output, or an error with the end of its standard error.
pub(crate) fn output(command: &mut Command) -> Result<String, String> {
    let shown = show(command);
    let output = command.output().map_err(|why| format!("{shown}: {why}"))?;
    if output.status.success() {
        return Ok(String::from_utf8_lossy(&output.stdout).into_owned());
    }
    let error = String::from_utf8_lossy(&output.stderr);
    Err(format!("{shown}: {}: {}", output.status, error.trim().lines().last().unwrap_or_default()))
}

/// How a program ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum End {
    /// With exit code 0.
    Success,
    /// With another one, or by a signal.
    Failure,
    /// It was killed because it took too long.
    TooLate,
}

/// Runs it, hands each line of its standard output to `each` as it comes, and kills it after `limit`.
pub(crate) fn lines(command: &mut Command, limit: Duration, mut each: impl FnMut(&str)) -> Result<End, String> {
    let shown = show(command);
    let mut child = command.stdout(Stdio::piped()).spawn().map_err(|why| format!("{shown}: {why}"))?;
    let stdout = child.stdout.take().ok_or_else(|| format!("{shown}: no standard output"))?;
    let (sender, receiver) = mpsc::channel();
    let reader = thread::spawn(move || {
        for line in BufReader::new(stdout).split(b'\n').map_while(Result::ok) {
            if sender.send(String::from_utf8_lossy(&line).into_owned()).is_err() {
                break;
            }
        }
    });
    let deadline = Instant::now() + limit;
    let mut end = None;
    loop {
        match receiver.recv_timeout(deadline.saturating_duration_since(Instant::now())) {
            Ok(line) => each(&line),
            Err(RecvTimeoutError::Disconnected) => break,
            Err(RecvTimeoutError::Timeout) => {
                let _ = child.kill();
                end = Some(End::TooLate);
                break;
            }
        }
    }
    let status = child.wait().map_err(|why| format!("{shown}: {why}"))?;
    if end.is_none() {
        let _ = reader.join();
    }
    Ok(end.unwrap_or(if status.success() { End::Success } else { End::Failure }))
}

/// Where a program of this name lies, looking through PATH.
pub(crate) fn which(name: &str) -> Option<PathBuf> {
    let path = std::env::var_os("PATH")?;
    std::env::split_paths(&path).map(|directory| directory.join(name)).find(|file| file.is_file())
}

fn show(command: &Command) -> String {
    let name = Path::new(command.get_program()).file_name().unwrap_or(command.get_program());
    let mut shown = name.to_string_lossy().into_owned();
    for argument in command.get_args() {
        shown.push(' ');
        shown.push_str(&argument.to_string_lossy());
    }
    shown
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_takes_too_long_is_killed() {
        let started = Instant::now();
        let mut seen = Vec::new();
        let end = lines(program("sh").args(["-c", "echo a; exec sleep 60"]), Duration::from_millis(300), |line| {
            seen.push(line.to_owned());
        });
        assert_eq!(end, Ok(End::TooLate));
        assert_eq!(seen, ["a"]);
        assert!(started.elapsed() < Duration::from_secs(30));
    }

    #[test]
    fn how_it_ended_is_said() {
        assert_eq!(lines(&mut program("true"), Duration::from_secs(9), |_| ()), Ok(End::Success));
        assert_eq!(lines(&mut program("false"), Duration::from_secs(9), |_| ()), Ok(End::Failure));
        assert!(lines(&mut program("no-such-program"), Duration::from_secs(9), |_| ()).is_err());
    }
}
