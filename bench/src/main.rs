//! The benchmarks of Grantor, each against a ceiling that is measured in the same run.

fn main() {}
