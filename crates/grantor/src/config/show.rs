//! The effective configuration, and where each setting came from.

use super::overrides::{LEAVES, MASTER_KEY, entry};
use super::{Configuration, MasterKeyAt, Shown};
use crate::document::Node;
use serde_json::{Value, json};

/// Every setting that has a value.
pub(super) fn settings(configuration: &Configuration, tree: &Node) -> Vec<Shown> {
    let tls = configuration.tls.as_ref();
    let mut shown: Vec<Shown> = LEAVES
        .iter()
        .filter_map(|leaf| {
            let value = match leaf.name {
                "issuer" => json!(configuration.issuer),
                "listen" => json!(configuration.listen.to_string()),
                "data" => json!(configuration.data),
                "tls.certificate" => json!(tls?.certificate),
                "tls.key" => json!(tls?.key),
                "proxy.trusted" => {
                    json!(configuration.trusted_proxies.iter().map(ToString::to_string).collect::<Vec<_>>())
                }
                "master_key.file" => match &configuration.master_key {
                    MasterKeyAt::Data => json!(configuration.data.join("master.key")),
                    MasterKeyAt::File(path) => json!(path),
                    MasterKeyAt::Environment(_) => return None,
                },
                "log.format" => json!(configuration.log_format),
                "log.level" => json!(configuration.log_level),
                _ => return None,
            };
            let from = entry(tree, leaf.name).map_or_else(
                || "default".to_owned(),
                |entry| {
                    let (line, _) = entry.place.source.line_and_column(entry.place.span.start);
                    let name = &entry.place.source.name;
                    if name.starts_with("--") || name.starts_with("GRANTOR_") {
                        name.clone()
                    } else {
                        format!("{name}:{line}")
                    }
                },
            );
            Some(Shown { name: leaf.name, value, from })
        })
        .collect();
    if matches!(configuration.master_key, MasterKeyAt::Environment(_)) {
        shown.push(Shown { name: "master_key", value: Value::from("(not shown)"), from: MASTER_KEY.to_owned() });
    }
    shown
}
