//! `[outgoing]`: what is allowed of requests that the server makes to URLs that others chose.

use super::check::Read;
use super::file;
use crate::document::{Problem, Problems};
use ipnet::IpNet;
use rustls_pki_types::CertificateDer;
use rustls_pki_types::pem::PemObject as _;
use std::path::{Path, PathBuf};

/// What is allowed beyond what is public.
#[derive(Clone, Debug, Default)]
pub(crate) struct Outgoing {
    /// The file with authorities that are trusted besides those of the platform.
    pub(crate) extra_ca: Option<PathBuf>,
    /// What it holds.
    pub(crate) extra_roots: Vec<CertificateDer<'static>>,
    /// Networks that may be asked although they are not public.
    pub(crate) allowed_networks: Vec<IpNet>,
}

impl Read<'_> {
    /// The section as it is meant. Both settings are for tests and for closed networks, and said aloud.
    pub(super) fn outgoing(&self, section: file::Outgoing, problems: &mut Problems) -> Outgoing {
        let extra_ca = section.extra_ca.map(|path| self.file("outgoing.extra_ca", path, problems));
        let extra_roots = match extra_ca.as_deref().filter(|path| path.is_file()).map(certificates) {
            None => Vec::new(),
            Some(Ok(roots)) => {
                let problem = Problem::warning(
                    "whoever has a key of these authorities can answer for any server that this one asks for keys",
                );
                self.push("outgoing.extra_ca", problem.help("for tests and closed networks only".to_owned()), problems);
                roots
            }
            Some(Err(why)) => {
                self.push("outgoing.extra_ca", Problem::error(why), problems);
                Vec::new()
            }
        };
        let allowed_networks: Vec<IpNet> = section.allowed_networks.into_iter().map(|network| network.0).collect();
        if !allowed_networks.is_empty() {
            let problem = Problem::warning(
                "whoever registers a client or sends a request can make this server ask any host in these networks",
            );
            let help = "for tests and closed networks only".to_owned();
            self.push("outgoing.allowed_networks", problem.help(help), problems);
        }
        Outgoing { extra_ca, extra_roots, allowed_networks }
    }
}

fn certificates(path: &Path) -> Result<Vec<CertificateDer<'static>>, String> {
    let read = CertificateDer::pem_file_iter(path).and_then(Iterator::collect::<Result<Vec<_>, _>>);
    match read {
        Ok(all) if all.is_empty() => Err(format!("{} holds no certificate in PEM form", path.display())),
        Ok(all) => Ok(all),
        Err(error) => Err(format!("cannot read the certificates in {}: {error}", path.display())),
    }
}
