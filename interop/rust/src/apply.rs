//! Clients of a suite's own in the running demo.

use crate::demo::Demo;
use crate::http::client;
use anyhow::{Context, Result, bail};
use serde_json::Value;
use std::process::Stdio;
use std::time::Duration;
use tokio::io::AsyncWriteExt;
use tokio::process::Command;

/// Applies a manifest to the demo's data, and waits until the demo announces this scope of it.
pub async fn apply(demo: &Demo, manifest: &Value, scope: &str) -> Result<()> {
    apply_text(demo, &manifest.to_string()).await?;
    let url = format!("{}/.well-known/oauth-authorization-server", demo.issuer);
    for _ in 0..100 {
        let metadata: Value = client().get(&url).send().await?.json().await?;
        let scopes = metadata.get("scopes_supported").and_then(Value::as_array).context("no scopes_supported")?;
        if scopes.iter().any(|known| known == scope) {
            return Ok(());
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    bail!("the demo does not see what was applied")
}

/// Applies a manifest to the demo's data.
pub async fn apply_text(demo: &Demo, manifest: &str) -> Result<()> {
    let binary = std::env::var_os("GRANTOR_BINARY").context("GRANTOR_BINARY is the path of the server")?;
    let mut command = Command::new(binary);
    command.args(["apply", "-", "--data"]).arg(&demo.data);
    let mut child = command.stdin(Stdio::piped()).stdout(Stdio::null()).stderr(Stdio::piped()).spawn()?;
    child.stdin.take().context("no standard input")?.write_all(manifest.as_bytes()).await?;
    let output = child.wait_with_output().await?;
    if !output.status.success() {
        bail!("grantor apply: {}", String::from_utf8_lossy(&output.stderr));
    }
    Ok(())
}
