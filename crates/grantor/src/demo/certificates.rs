//! A throw-away authority and what it signed: the certificate of the demo's listener for mutual TLS, and that of its client.

use crate::failure::{Context as _, Result};
use crate::scratch;
use grantor_server::TlsFiles;
use jiff::ToSpan as _;
use rcgen::{
    BasicConstraints, CertificateParams, CertifiedIssuer, DnType, ExtendedKeyUsagePurpose, IsCa, KeyPair,
    KeyUsagePurpose,
};
use std::io::Write as _;
use std::path::{Path, PathBuf};

/// Where they are, as PEM files. They are made anew with every start.
#[derive(Debug)]
pub(crate) struct Certificates {
    /// The authority's certificate: for whoever connects, and for the listener to trust clients by.
    pub(crate) authority: PathBuf,
    /// What the listener shows.
    pub(crate) server: TlsFiles,
    /// What the client shows.
    pub(crate) client: TlsFiles,
}

/// They are good for so many days: enough for anybody's demo, and no more than what clients accept.
const DAYS: i64 = 90;

impl Certificates {
    /// Makes all of them below the data directory. `subject` is the common name of the client.
    pub(crate) fn make(data: &Path, subject: &str) -> Result<Self> {
        let folder = data.join("certificates");
        scratch::create_private(&folder)?;
        let doing = || "make certificates for the demo".to_owned();
        let authority =
            CertifiedIssuer::self_signed(authority()?, KeyPair::generate().context(doing)?).context(doing)?;
        let names = ["localhost".to_owned(), "127.0.0.1".to_owned(), "::1".to_owned()];
        let server = leaf("Grantor demo", &names, ExtendedKeyUsagePurpose::ServerAuth)?;
        let client = leaf(subject, &[], ExtendedKeyUsagePurpose::ClientAuth)?;
        let certificate = folder.join("ca.pem");
        write(&certificate, &authority.pem())?;
        Ok(Self {
            server: issue(&authority, &server, &folder, "server")?,
            client: issue(&authority, &client, &folder, "client")?,
            authority: certificate,
        })
    }
}

fn authority() -> Result<CertificateParams> {
    let mut params = params("Grantor demo authority", &[])?;
    params.is_ca = IsCa::Ca(BasicConstraints::Constrained(0));
    params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
    Ok(params)
}

fn leaf(name: &str, alternatives: &[String], usage: ExtendedKeyUsagePurpose) -> Result<CertificateParams> {
    let mut params = params(name, alternatives)?;
    params.key_usages = vec![KeyUsagePurpose::DigitalSignature];
    params.extended_key_usages = vec![usage];
    params.use_authority_key_identifier_extension = true;
    Ok(params)
}

fn params(name: &str, alternatives: &[String]) -> Result<CertificateParams> {
    let mut params = CertificateParams::new(alternatives).context(|| "name a certificate".to_owned())?;
    params.distinguished_name.push(DnType::CommonName, name);
    let today = jiff::Timestamp::now().to_zoned(jiff::tz::TimeZone::UTC).date();
    let on = |day: jiff::civil::Date| {
        rcgen::date_time_ymd(day.year().into(), day.month().unsigned_abs(), day.day().unsigned_abs())
    };
    // Clocks differ, and a day is what is written.
    params.not_before = on(today.saturating_sub(1.day()));
    params.not_after = on(today.saturating_add(DAYS.days()));
    Ok(params)
}

fn issue(
    authority: &CertifiedIssuer<'_, KeyPair>,
    params: &CertificateParams,
    folder: &Path,
    name: &str,
) -> Result<TlsFiles> {
    let doing = || format!("make the certificate of the demo's {name}");
    let key = KeyPair::generate().context(doing)?;
    let made = params.signed_by(&key, authority).context(doing)?;
    let files = TlsFiles { certificate: folder.join(format!("{name}.pem")), key: folder.join(format!("{name}.key")) };
    write(&files.certificate, &made.pem())?;
    write(&files.key, &key.serialize_pem())?;
    Ok(files)
}

/// For its owner alone.
fn write(path: &Path, pem: &str) -> Result<()> {
    let mut options = std::fs::OpenOptions::new();
    options.write(true).create(true).truncate(true);
    #[cfg(unix)]
    {
        use std::os::unix::fs::OpenOptionsExt as _;
        options.mode(0o600);
    }
    let written = options.open(path).and_then(|mut file| file.write_all(pem.as_bytes()));
    written.context(|| format!("write {}", path.display()))
}
