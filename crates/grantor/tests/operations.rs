//! What a running server tells of itself is what the docs, the dashboard and the alerts ask for.

#![allow(clippy::unwrap_used, clippy::indexing_slicing, clippy::panic, reason = "a test that cannot go on fails")]

mod common;

use common::{Folder, http};
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};

/// A scrape, read strictly (OpenMetrics 1.0).
#[derive(Default)]
struct Scrape {
    /// By name of the family: its type.
    types: BTreeMap<String, String>,
    /// By name of the sample: the labels of each series.
    samples: BTreeMap<String, Vec<(Labels, f64)>>,
}

type Labels = BTreeMap<String, String>;

impl Scrape {
    fn parse(text: &str) -> Self {
        let mut scrape = Self::default();
        let mut helps = BTreeSet::new();
        let mut family = String::new();
        let body = text.strip_suffix("# EOF\n").unwrap();
        for line in body.lines() {
            if let Some(rest) = line.strip_prefix("# HELP ") {
                let (name, help) = rest.split_once(' ').unwrap();
                assert!(helps.insert(name.to_owned()) && help.len() > 1, "{line}");
                name.clone_into(&mut family);
            } else if let Some(rest) = line.strip_prefix("# TYPE ") {
                let (name, kind) = rest.split_once(' ').unwrap();
                assert!(name == family && ["counter", "gauge", "histogram", "info"].contains(&kind), "{line}");
                assert!(scrape.types.insert(name.to_owned(), kind.to_owned()).is_none(), "{line}: twice");
            } else {
                let (series, value) = line.rsplit_once(' ').unwrap();
                let (name, labels) = match series.split_once('{') {
                    Some((name, labels)) => (name, labels_of(labels.strip_suffix('}').unwrap())),
                    None => (series, BTreeMap::new()),
                };
                let suffixes: &[&str] = match scrape.types[&family].as_str() {
                    "counter" => &["_total"],
                    "histogram" => &["_sum", "_count", "_bucket"],
                    "info" => &["_info"],
                    _ => &[""],
                };
                assert!(suffixes.iter().any(|suffix| name == format!("{family}{suffix}")), "{line} in {family}");
                let all = scrape.samples.entry(name.to_owned()).or_default();
                assert!(all.iter().all(|(known, _)| *known != labels), "{line}: twice");
                all.push((labels, value.parse().unwrap()));
            }
        }
        assert_eq!(helps, scrape.types.keys().cloned().collect());
        scrape
    }

    /// The names by which figures are asked for, with their labels.
    fn figures(&self) -> BTreeMap<String, BTreeSet<String>> {
        let families = self.types.iter().map(|(name, kind)| match kind.as_str() {
            "counter" => (format!("{name}_total"), format!("{name}_total")),
            "info" => (format!("{name}_info"), format!("{name}_info")),
            "histogram" => (name.clone(), format!("{name}_count")),
            _ => (name.clone(), name.clone()),
        });
        families.map(|(shown, sample)| (shown, self.labels(&sample))).collect()
    }

    fn labels(&self, sample: &str) -> BTreeSet<String> {
        let series = self.samples.get(sample).unwrap_or_else(|| panic!("{sample} is not in the scrape"));
        series.iter().flat_map(|(labels, _)| labels.keys().cloned()).collect()
    }

    fn value(&self, sample: &str, label: (&str, &str)) -> f64 {
        let with = |labels: &BTreeMap<String, String>| labels.get(label.0).is_some_and(|value| value == label.1);
        self.samples[sample].iter().filter(|(labels, _)| with(labels)).map(|(_, value)| value).sum()
    }
}

fn labels_of(text: &str) -> BTreeMap<String, String> {
    // No value of ours holds a quote, a comma or a backslash: that is what a bounded list of labels is.
    let pairs = text.split(',').map(|pair| pair.split_once('=').unwrap());
    let mut labels = BTreeMap::new();
    for (name, quoted) in pairs {
        let value = quoted.strip_prefix('"').and_then(|rest| rest.strip_suffix('"')).unwrap();
        assert!(name.bytes().all(|byte| byte.is_ascii_lowercase() || byte == b'_'), "{text}");
        assert!(!value.contains(['"', '\\']) && labels.insert(name.to_owned(), value.to_owned()).is_none(), "{text}");
    }
    labels
}

/// The samples that a query of PromQL names, each with the labels that it is asked for by.
fn asked(query: &str) -> Vec<(String, BTreeSet<String>)> {
    let word = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'_';
    let (mut found, mut grouped): (Vec<(String, BTreeSet<String>)>, BTreeSet<String>) = Default::default();
    let mut rest = query;
    while !rest.is_empty() {
        let length = rest.bytes().take_while(|byte| word(*byte)).count();
        let (name, after) = rest.split_at(length);
        if name.is_empty() {
            // A text is no name.
            rest = match rest.strip_prefix('"') {
                Some(text) => text.split_once('"').unwrap().1,
                None => &rest[1..],
            };
            continue;
        }
        rest = after;
        if name == "by" {
            let (labels, after) = rest.trim_start().strip_prefix('(').unwrap().split_once(')').unwrap();
            grouped.extend(labels.split(',').map(|label| label.trim().to_owned()));
            rest = after;
        } else if name.starts_with("grantor_") || name.starts_with("process_") {
            let mut labels = BTreeSet::new();
            if let Some((matchers, after)) = rest.strip_prefix('{').and_then(|rest| rest.split_once('}')) {
                labels.extend(matchers.split(',').map(|one| one[..one.find(['=', '!']).unwrap()].trim().to_owned()));
                rest = after;
            }
            found.push((name.to_owned(), labels));
        }
    }
    for (_, labels) in &mut found {
        labels.extend(grouped.iter().cloned());
    }
    found
}

/// Every query of the dashboard: in panels, and in the lists to choose from.
fn queries_of_dashboard() -> Vec<String> {
    let dashboard: Value = serde_json::from_str(&repository("deploy/grafana/grantor.json")).unwrap();
    let panels = dashboard["panels"].as_array().unwrap();
    assert!(panels.iter().all(|panel| panel["type"] == "row" || !panel["targets"].as_array().unwrap().is_empty()));
    let targets = panels.iter().filter_map(|panel| panel["targets"].as_array()).flatten();
    let queries = targets.map(|target| target["expr"].as_str().unwrap().to_owned());
    let lists = dashboard["templating"]["list"].as_array().unwrap().iter();
    queries.chain(lists.filter_map(|list| Some(list["definition"].as_str()?.to_owned()))).collect()
}

/// Every query of an alert: what follows `expr:`, on its line or below it.
fn queries_of_alerts() -> Vec<String> {
    let text = repository("deploy/prometheus/alerts.yml");
    let alerts = text.split("- alert: ").skip(1);
    alerts.map(|alert| alert.split_once("expr:").unwrap().1.split_once("for:").unwrap().0.to_owned()).collect()
}

fn repository(path: &str) -> String {
    std::fs::read_to_string(format!("{}/../../{path}", env!("CARGO_MANIFEST_DIR"))).unwrap()
}

#[test]
fn a_scrape_is_what_docs_dashboard_and_alerts_say() {
    let folder = Folder::new();
    let arguments = ["serve", "--listen", "127.0.0.1:0", "--issuer", "http://localhost:8123", "--metrics-listen"];
    let server = folder.start(&[&arguments[..], &["127.0.0.1:0"]].concat());
    let said = server.said.clone();
    let (listen, figures) = (said["listen"].as_str().unwrap(), said["metrics_listen"].as_str().unwrap());
    assert_eq!(http("GET", &format!("http://{listen}/jwks"), &[], "").0, 200);
    let wrong = "grant_type=client_credentials&client_id=nobody&client_secret=wrong";
    assert_eq!(http("POST", &format!("http://{listen}/token"), &[], wrong).0, 401);
    let (status, head, text) = http("GET", &format!("http://{figures}/metrics"), &[], "");
    assert_eq!(status, 200);
    assert!(head.contains("application/openmetrics-text; version=1.0.0"), "{head}");
    let scrape = Scrape::parse(&text);

    assert!(scrape.value("grantor_http_requests_total", ("endpoint", "jwks")) >= 1.0);
    assert!(scrape.value("grantor_refusals_total", ("error", "invalid_client")) >= 1.0);
    assert!(scrape.value("grantor_store_verb_duration_seconds_count", ("verb", "directory_version")) >= 1.0);
    assert!(scrape.samples["grantor_store_commits_total"][0].1 >= 1.0, "the first start has made keys");
    assert!(scrape.samples["process_resident_memory_bytes"][0].1 > 1e6);
    for histogram in scrape.types.iter().filter(|(_, kind)| *kind == "histogram").map(|(name, _)| name) {
        for (labels, count) in &scrape.samples[&format!("{histogram}_count")] {
            let of_it = |known: &BTreeMap<String, String>| labels.iter().all(|(name, value)| known[name] == *value);
            let buckets: Vec<f64> = scrape.samples[&format!("{histogram}_bucket")]
                .iter()
                .filter(|(known, _)| of_it(known))
                .map(|(_, value)| *value)
                .collect();
            assert!(buckets.is_sorted() && buckets.last() == Some(count), "{histogram} {labels:?}");
        }
    }

    // The table in the docs is all of it, with the labels.
    let table = repository("docs/operations.md");
    let rows = table.lines().filter(|line| line.starts_with("| `grantor_") || line.starts_with("| `process_"));
    let named = |cell: &str| cell.split('`').skip(1).step_by(2).map(str::to_owned).collect::<BTreeSet<_>>();
    let documented: BTreeMap<String, BTreeSet<String>> = rows
        .map(|row| {
            let cells: Vec<&str> = row.split('|').collect();
            (named(cells[1]).pop_first().unwrap(), named(cells[2]))
        })
        .collect();
    assert_eq!(documented, scrape.figures());

    // Every figure that is asked for is told, with every label that it is asked for by.
    let queries: Vec<String> = queries_of_dashboard().into_iter().chain(queries_of_alerts()).collect();
    assert!(queries.len() > 40, "{}", queries.len());
    for query in &queries {
        let of_query = asked(query);
        assert!(!of_query.is_empty(), "{query} asks for nothing");
        for (sample, labels) in of_query {
            let told = scrape.labels(&sample);
            // What Prometheus adds.
            let missing = labels.iter().find(|label| !told.contains(*label) && *label != "job" && *label != "instance");
            assert_eq!(missing, None, "{sample} in {query}");
        }
    }
    // And every alert is explained.
    for alert in repository("deploy/prometheus/alerts.yml").split("- alert: ").skip(1) {
        let name = alert.lines().next().unwrap();
        assert!(table.contains(&format!("`{name}`")), "docs/operations.md says nothing of {name}");
    }
    assert_eq!(server.stop(), 0);
}

#[test]
fn a_supervisor_without_a_client_asks_by_the_binary() {
    let folder = Folder::new();
    let port = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    folder
        .write("grantor.toml", &format!("listen = \"127.0.0.1:{port}\"\ndrain_seconds = 0\n[audit]\nkeep_days = 0\n"));
    let ask = || folder.run(&["health", "--config", "grantor.toml"]);
    let refused = ask();
    assert_eq!(refused.code, 1);
    assert!(refused.err.contains("cannot ask the server"), "{}", refused.err);
    let server = folder.start(&["serve", "--config", "grantor.toml"]);
    assert!(ask().ok().contains("ready"));
    assert!(folder.run(&["health", "--live", "--config", "grantor.toml"]).ok().contains("ok"));
    assert_eq!(server.stop(), 0);
    let wrong = folder.write("long.toml", "drain_seconds = 601\n");
    let checked = folder.run(&["config", "check", "--config", wrong.to_str().unwrap()]);
    assert!(checked.err.contains("a drain is not longer than 600 seconds"), "{}", checked.err);
}
