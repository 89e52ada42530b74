//! `grantor-resource` beside what else verifies access tokens. The others stay out of this program: bench/resource is one of
//! its own, with its own lockfile.

use super::{Scale, Section, peer};
use crate::affinity;
use crate::failure::{Result, broken};
use serde::Deserialize;
use std::collections::BTreeMap;
use std::process::{Command, Stdio};

/// Built by `cargo xtask bench`.
const PROGRAM: &str = "target/bench/resource/release/grantor-bench-resource";
/// Provided by the same.
const PYTHON: &str = "target/interop-venv/bin/python";

/// What it prints.
#[derive(Deserialize)]
struct Report {
    figures: Vec<Figure>,
    probes: Vec<Probed>,
    about: BTreeMap<String, String>,
}

#[derive(Deserialize)]
struct Figure {
    algorithm: String,
    name: String,
    kind: String,
    seconds: f64,
}

#[derive(Deserialize)]
struct Probed {
    wrong: String,
    refused_by: Vec<String>,
}

pub(crate) fn run(scale: Scale) -> Result<Section> {
    let folder = peer::installed()?;
    let mut program = Command::new(PROGRAM);
    // There are many, and each takes short turns: what disturbs the machine should fall on all of them.
    program.args(["--millis", &(scale.pace.slice.as_millis() / 10).max(20).to_string()]);
    program.args(["--rounds", &(3 * scale.pace.rounds).to_string(), "--python", PYTHON]);
    program.args(["--tokens", "target/bench/resource-tokens.json", "--pyjwt", "bench/peers/pyjwt.py", "--jose"]);
    program.arg(folder.join("jose.mjs")).stdin(Stdio::null()).stdout(Stdio::piped());
    let child = affinity::on_server_core(|| program.spawn()).map_err(|error| format!("{PROGRAM}: {error}"))?;
    let output = child.wait_with_output()?;
    if !output.status.success() {
        return broken(format!("{PROGRAM}: {}", output.status));
    }
    let mut section = section(&serde_json::from_slice(&output.stdout)?)?;
    for (name, program, version) in [
        ("Node.js", "node", "process.stdout.write(process.version)"),
        ("Python", PYTHON, "import jwt, platform; print(platform.python_version(), 'with PyJWT', jwt.__version__)"),
    ] {
        let said = peer::said(Command::new(program).args([if name == "Python" { "-c" } else { "-e" }, version]));
        section.notes.push(format!("{name} {said}"));
    }
    Ok(section)
}

fn section(report: &Report) -> Result<Section> {
    let mut section = Section::new(
        "APIs: one access token verified",
        "The same tokens of 14 claims, the same keys, one core, one thread; all take turns, and of each the best turn counts. \
         Cold: none of the tokens was seen since the last pass over 256 of them. Warm: each was. Issuer, audience, `exp`, `typ` and a scope \
         are checked by all of them, some of it by hand. Wanted of grantor-resource: cold at most 1.15 of the bare signature check and no slower than anyone \
         else, warm above a million a second.",
        &["who", "alg", "cold us", "of bare", "warm/s"],
    );
    let mut algorithms: Vec<&str> = report.figures.iter().map(|figure| figure.algorithm.as_str()).collect();
    algorithms.dedup();
    for algorithm in algorithms {
        let of = |name: &str, kind: &str| {
            let figures = report.figures.iter().filter(|figure| figure.algorithm == algorithm);
            figures.filter(|figure| figure.name == name && figure.kind == kind).map(|figure| figure.seconds).next()
        };
        let mut names: Vec<&str> = report.figures.iter().map(|figure| figure.name.as_str()).collect();
        names.sort_unstable();
        names.dedup();
        let mut rows: Vec<_> = names
            .into_iter()
            .filter_map(|name| Some((name, of(name, "bare").or_else(|| of(name, "cold"))?, of(name, "warm"))))
            .collect();
        rows.sort_by(|(_, one, _), (_, other, _)| one.total_cmp(other));
        let Some(bare) = report.figures.iter().find(|one| one.algorithm == algorithm && one.kind == "bare") else {
            return broken("there is no bare signature check");
        };
        for (name, cold, warm) in rows {
            section.row([
                name.to_owned(),
                algorithm.to_owned(),
                format!("{:.2}", cold * 1e6),
                format!("{:.3}", cold / bare.seconds),
                warm.map(|warm| format!("{:.0}", 1.0 / warm)).unwrap_or_default(),
            ]);
        }
    }
    section.notes.extend(report.about.iter().map(|(name, about)| format!("{name}: {about}")));
    let judges: Vec<&String> = report
        .about
        .keys()
        .filter(|name| report.figures.iter().any(|one| one.name == **name && one.kind == "cold"))
        .collect();
    for Probed { wrong, refused_by } in &report.probes {
        let accepting: Vec<&str> =
            judges.iter().filter(|name| !refused_by.contains(name)).map(|name| name.as_str()).collect();
        let accepting = if accepting.is_empty() { "nobody".to_owned() } else { accepting.join(", ") };
        section.notes.push(format!("a good token, but {wrong}: accepted by {accepting}"));
        if judges.iter().any(|name| name.starts_with("grantor-resource") && !refused_by.contains(name)) {
            section.broken.push(format!("grantor-resource accepts a token of which {wrong}"));
        }
    }
    Ok(section)
}
