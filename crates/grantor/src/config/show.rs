//! The effective configuration, and where each setting came from.

use super::overrides::{LEAVES, MASTER_KEY, entry};
use super::{Configuration, MasterKeyAt, Shown};
use crate::document::Node;
use grantor_fetch::Origin;
use ipnet::IpNet;
use serde_json::{Value, json};

/// Every setting that has a value.
pub(super) fn settings(configuration: &Configuration, tree: &Node) -> Vec<Shown> {
    let tls = configuration.tls.as_ref();
    let mtls = &configuration.mtls;
    let own_mtls = || mtls.listen.as_ref();
    let mut shown: Vec<Shown> = LEAVES
        .iter()
        .filter_map(|leaf| {
            let value = match leaf.name {
                "issuer" => json!(configuration.issuer),
                "listen" => json!(configuration.listen.to_string()),
                "data" => json!(configuration.data),
                "database" => json!(configuration.cluster.as_ref()?.shown()),
                "database_password_file" => json!(configuration.cluster.as_ref()?.password_file()?),
                "migrate" => json!(if configuration.cluster.as_ref()?.migrates { "auto" } else { "manual" }),
                "tls.certificate" => json!(tls?.certificate),
                "tls.key" => json!(tls?.key),
                "tls.fapi" => json!(configuration.fapi_tls),
                "mtls.listen" => json!(own_mtls()?.address.to_string()),
                "mtls.certificate" => json!(own_mtls()?.tls.certificate),
                "mtls.key" => json!(own_mtls()?.tls.key),
                "mtls.client_roots" => json!(mtls.client_roots.as_ref()?),
                "mtls.public_url" => json!(mtls.public_url.as_ref()?),
                "proxy.trusted" => networks(&configuration.trusted_proxies),
                "proxy.client_cert_header" => json!(configuration.client_cert_header),
                "proxy.forward_auth" => json!(configuration.forward_auth),
                "outgoing.extra_ca" => json!(configuration.outgoing.extra_ca.as_ref()?),
                "outgoing.allowed_networks" => networks(&configuration.outgoing.allowed_networks),
                "playground.issuers" => configuration.playground_issuers.iter().map(Origin::as_str).collect(),
                "master_key.file" => match &configuration.master_key {
                    MasterKeyAt::Data => json!(configuration.data.join("master.key")),
                    MasterKeyAt::File(path) => json!(path),
                    MasterKeyAt::Environment(_) => return None,
                },
                "log.format" => json!(configuration.log_format),
                "log.level" => json!(configuration.log_level),
                "drain_seconds" => json!(configuration.operations.drain.as_secs()),
                "metrics.listen" => json!(configuration.operations.metrics?.to_string()),
                "audit.keep_days" => json!(configuration.operations.keep_audit_days.unwrap_or(0)),
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

fn networks(networks: &[IpNet]) -> Value {
    networks.iter().map(|network| Value::from(network.to_string())).collect()
}
