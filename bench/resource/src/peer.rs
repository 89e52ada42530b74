//! One in another language: a process on the same core, told on its standard input what to do, a line at a time.
//!
//! `round ALGORITHM MILLISECONDS` is answered with seconds for one verification, `probe TOKEN` with `accepted` or
//! `refused`.

use crate::contender::{Contender, Kind};
use anyhow::{Context as _, Result, bail};
use grantor_resource::SigningAlgorithm;
use std::io::{BufRead as _, BufReader, Write as _};
use std::path::Path;
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};
use std::time::Duration;

/// It ends when its standard input does.
pub(crate) struct Peer {
    name: &'static str,
    child: Child,
    input: Option<ChildStdin>,
    output: BufReader<ChildStdout>,
}

/// It, with tokens of one algorithm.
pub(crate) struct Turn<'a> {
    peer: &'a mut Peer,
    algorithm: SigningAlgorithm,
}

impl Peer {
    pub(crate) fn start(name: &'static str, program: &Path, script: &Path, tokens: &Path) -> Result<Self> {
        let mut command = Command::new(program);
        command.arg(script).arg(tokens).stdin(Stdio::piped()).stdout(Stdio::piped());
        let mut child = command.spawn().with_context(|| program.display().to_string())?;
        let input = child.stdin.take();
        let output = BufReader::new(child.stdout.take().context("no standard output")?);
        Ok(Self { name, child, input, output })
    }

    pub(crate) fn of(&mut self, algorithm: SigningAlgorithm) -> Turn<'_> {
        Turn { peer: self, algorithm }
    }

    fn told(&mut self, line: &str) -> Result<String> {
        let input = self.input.as_mut().context("no standard input")?;
        writeln!(input, "{line}").and_then(|()| input.flush()).context(self.name)?;
        let mut answer = String::new();
        if self.output.read_line(&mut answer)? == 0 {
            bail!("{} has ended", self.name);
        }
        Ok(answer.trim().to_owned())
    }
}

impl Drop for Peer {
    fn drop(&mut self) {
        drop(self.input.take());
        let _ = self.child.wait();
    }
}

impl Contender for Turn<'_> {
    fn name(&self) -> &'static str {
        self.peer.name
    }

    fn kind(&self) -> Kind {
        Kind::Cold
    }

    fn about(&self) -> &'static str {
        match self.peer.name {
            "npm jose" => "jwtVerify with createLocalJWKSet, typ given; scope compared by hand",
            _ => "jwt.decode with the one key as a PyJWK, required claims given; typ and scope compared by hand",
        }
    }

    fn round(&mut self, time: Duration) -> Result<f64> {
        let answer = self.peer.told(&format!("round {} {}", self.algorithm, time.as_millis()))?;
        answer.parse().with_context(|| format!("{}: {answer}", self.peer.name))
    }

    fn accepts(&mut self, token: &str) -> Result<bool> {
        match self.peer.told(&format!("probe {token}"))?.as_str() {
            "accepted" => Ok(true),
            "refused" => Ok(false),
            other => bail!("{}: {other}", self.peer.name),
        }
    }
}
