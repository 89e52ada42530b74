//! `cargo xtask bench`: builds the release binary and the bench, and runs the bench on it.

use crate::shell::{cargo, path, program, succeed};

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
        if plan.write && plan.rest.iter().any(|word| word == "--only") {
            return Err("--write writes all figures of one run: leave --only out".to_owned());
        }
        Ok(plan)
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
    succeed(&mut cargo(&["build", "--release", "--locked", "--package", "grantor", "--package", "grantor-bench"]))?;
    let bench = path("target/release/grantor-bench");
    let mut run = program(&bench);
    run.arg("run").args(&plan.rest).args(["--command", &plan.command()]);
    if plan.write {
        run.args(["--json", "bench/results.json", "--markdown", "bench/RESULTS.md"]);
    }
    let good = run.status().map_err(|why| format!("grantor-bench: {why}"))?.success();
    if plan.write && good {
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
        assert!(Plan::parse(&["--seconds"]).is_err());
        let plan = Plan::parse(&["--seconds", "5", "--write"]).unwrap();
        assert_eq!(plan.command(), "cargo xtask bench --seconds 5 --write");
    }
}
