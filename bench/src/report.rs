//! What is said of a path, and how tables are written.

/// One path against its ceiling.
#[derive(Clone, Debug, Default)]
pub(crate) struct Row {
    pub(crate) path: String,
    pub(crate) title: String,
    /// Good answers a second, the median of the rounds.
    pub(crate) rate: f64,
    /// In microseconds, over all rounds.
    pub(crate) p50: u64,
    pub(crate) p99: u64,
    /// Processor time of the server for each answer, in microseconds.
    pub(crate) cpu: f64,
    /// Resident, in bytes.
    pub(crate) memory: u64,
    pub(crate) ceiling: String,
    pub(crate) ceiling_rate: f64,
    pub(crate) ceiling_cpu: f64,
    /// Of the rates.
    pub(crate) ratio: f64,
    /// The ceiling's processor time over ours: neighbours on the machine disturb it less.
    pub(crate) cpu_ratio: f64,
    pub(crate) wanted: f64,
    /// Answers that were not granted.
    pub(crate) bad: u64,
    pub(crate) first_bad: Option<String>,
    pub(crate) note: String,
}

/// The columns of a path.
pub(crate) const HEAD: [&str; 13] = [
    "path",
    "req/s",
    "p50 us",
    "p99 us",
    "CPU us",
    "RSS MiB",
    "ceiling",
    "its req/s",
    "its CPU us",
    "ratio",
    "CPU ratio",
    "wanted",
    "verdict",
];

impl Row {
    pub(crate) fn new(path: &str, title: &str) -> Self {
        Self { path: path.to_owned(), title: title.to_owned(), ..Self::default() }
    }

    /// Under [`HEAD`].
    pub(crate) fn cells(&self) -> Vec<String> {
        vec![
            self.title.clone(),
            format!("{:.0}", self.rate),
            self.p50.to_string(),
            self.p99.to_string(),
            format!("{:.1}", self.cpu),
            mib(self.memory),
            self.ceiling.clone(),
            format!("{:.0}", self.ceiling_rate),
            format!("{:.1}", self.ceiling_cpu),
            format!("{:.2}", self.ratio),
            format!("{:.2}", self.cpu_ratio),
            format!("{:.2}", self.wanted),
            self.verdict().to_owned(),
        ]
    }

    fn verdict(&self) -> &'static str {
        match (self.ratio >= self.wanted, self.cpu_ratio >= self.wanted) {
            _ if self.bad > 0 => "broken",
            (true, _) => "met",
            (false, true) => "met by processor time alone",
            (false, false) => "missed",
        }
    }
}

/// A Markdown table that is readable as it stands.
pub(crate) fn table(head: &[&str], rows: &[Vec<String>]) -> String {
    let width = |column: usize| {
        let cells = rows.iter().filter_map(|row| row.get(column)).map(|cell| cell.chars().count());
        cells.chain(head.get(column).map(|cell| cell.chars().count())).max().unwrap_or(0)
    };
    let widths: Vec<usize> = (0..head.len()).map(width).collect();
    let line = |cells: Vec<&str>| {
        let cells = cells.iter().zip(&widths).map(|(cell, width)| format!(" {cell:<width$} "));
        format!("|{}|\n", cells.collect::<Vec<_>>().join("|"))
    };
    let mut text = line(head.to_vec());
    let dashes: Vec<String> = widths.iter().map(|width| "-".repeat(*width)).collect();
    text.push_str(&line(dashes.iter().map(String::as_str).collect()));
    for row in rows {
        text.push_str(&line(row.iter().map(String::as_str).collect()));
    }
    text
}

/// Bytes in MiB, with a decimal.
pub(crate) fn mib(bytes: u64) -> String {
    format!("{:.1}", bytes as f64 / 1_048_576.0)
}
