//! `cargo xtask bench`: builds the release binary and the bench, and runs the bench on it.

use crate::provision;
use crate::shell::{cargo, path, program, succeed};

/// The part that compares libraries and not servers. Nothing else is made of its figures, so it may be written alone.
const ALONE: &str = "resource";

/// What is run, and what is written.
pub(crate) struct Plan {
    /// Whether bench/RESULTS.md, bench/results.json and the tables of docs/scale.md are made anew.
    write: bool,
    /// What goes on to the bench as it is.
    rest: Vec<String>,
}

impl Plan {
    /// From what stands after `bench`.
    pub(crate) fn parse(words: &[&str]) -> Result<Self, String> {
        let mut plan = Self { write: false, rest: Vec::new() };
        let mut words = words.iter();
        while let Some(word) = words.next() {
            match *word {
                "--write" => plan.write = true,
                "--long" => plan.rest.push("--long".to_owned()),
                "--only" | "--seconds" | "--rounds" | "--minutes" => {
                    let value = words.next().ok_or_else(|| format!("{word} needs a value"))?;
                    plan.rest.extend([(*word).to_owned(), (*value).to_owned()]);
                }
                other => return Err(format!("bench does not know {other}")),
            }
        }
        if plan.write && plan.only().is_some_and(|only| only != ALONE) {
            return Err(format!("--write writes all figures of one run: leave --only out, or ask for {ALONE}"));
        }
        Ok(plan)
    }

    fn only(&self) -> Option<&str> {
        let mut words = self.rest.iter().skip_while(|word| *word != "--only");
        words.nth(1).map(String::as_str)
    }

    /// Whether this part is run.
    fn has(&self, part: &str) -> bool {
        self.only().is_none_or(|only| only.split(',').any(|word| word == part))
    }

    /// As it was typed, for the page with the results.
    fn command(&self) -> String {
        let words = ["cargo", "xtask", "bench"].into_iter().map(str::to_owned);
        words
            .chain(self.rest.iter().cloned())
            .chain(self.write.then(|| "--write".to_owned()))
            .collect::<Vec<_>>()
            .join(" ")
    }
}

/// Gives whether nothing was broken. How fast anything is decides nothing.
pub(crate) fn run(plan: &Plan) -> Result<bool, String> {
    let mut build = cargo(&["build", "--release", "--locked", "--package", "grantor-bench"]);
    if plan.only() != Some(ALONE) {
        build.args(["--package", "grantor"]);
    }
    succeed(&mut build)?;
    if plan.has(ALONE) {
        let compared = ["build", "--release", "--locked", "--manifest-path", "bench/resource/Cargo.toml"];
        succeed(cargo(&compared).args(["--target-dir", "target/bench/resource"]))?;
        provision::python_libraries()?;
    }
    let bench = path("target/release/grantor-bench");
    let mut run = program(&bench);
    run.arg("run").args(&plan.rest).args(["--command", &plan.command()]);
    if plan.write {
        run.args(["--json", "bench/results.json", "--markdown", "bench/RESULTS.md"]);
    }
    let good = run.status().map_err(|why| format!("grantor-bench: {why}"))?.success();
    if plan.write && good && plan.only().is_none() {
        succeed(program(&bench).args(["simulate", "--page", "docs/scale.md"]))?;
    }
    Ok(good)
}

#[cfg(test)]
mod tests {
    use super::Plan;

    #[test]
    fn what_is_written_comes_of_a_whole_run() {
        assert!(Plan::parse(&["--write", "--only", "jwks"]).is_err());
        assert!(Plan::parse(&["--only", "resource,jwks", "--write"]).is_err());
        assert!(Plan::parse(&["--write", "--only", "resource"]).is_ok_and(|plan| plan.has("resource")));
        assert!(Plan::parse(&["--only", "jwks"]).is_ok_and(|plan| !plan.has("resource")));
        assert!(Plan::parse(&[]).is_ok_and(|plan| plan.has("resource")));
        assert!(Plan::parse(&["--seconds"]).is_err());
        let plan = Plan::parse(&["--seconds", "5", "--write"]).unwrap();
        assert_eq!(plan.command(), "cargo xtask bench --seconds 5 --write");
    }
}
