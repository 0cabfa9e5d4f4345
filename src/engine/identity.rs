//! Who creel shows itself to be by HTTPS: papers that were given, or its own, made once and kept beside the store.

use std::{
    fs,
    io::{self, Write},
    net::SocketAddr,
    os::unix::fs::OpenOptionsExt,
    path::{Path, PathBuf},
};

use crate::{
    record::Failure,
    verify,
    wire::{self, Identity, Papers},
};

/// Which papers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Tls {
    /// Its own.
    SelfMade,
    /// Given ones, in PEM.
    Given {
        /// The certificate, and those that lead to one that everybody trusts.
        cert: PathBuf,
        /// Its private key.
        key: PathBuf,
    },
}

impl Tls {
    /// The identity; its own is made where it is not there yet.
    pub(super) fn identity(&self, db: &Path, listen: SocketAddr) -> Result<Identity, Failure> {
        let (cert, key) = match self {
            Self::Given { cert, key } => (cert.clone(), key.clone()),
            Self::SelfMade => {
                let (cert, key) = (beside(db, "cert.pem"), beside(db, "key.pem"));
                if !cert.exists() || !key.exists() {
                    make(&cert, &key, listen)?;
                }
                (cert, key)
            }
        };
        by(&cert, &key)
    }

    /// Whether given ones can be used. Its own are made at a start.
    pub(super) fn check(&self) -> Result<(), Failure> {
        match self {
            Self::Given { cert, key } => by(cert, key).map(drop),
            Self::SelfMade => Ok(()),
        }
    }
}

fn by(cert: &Path, key: &Path) -> Result<Identity, Failure> {
    let papers = Papers { certificate: read(cert)?, key: read(key)? };
    Identity::new(&papers).map_err(|failure| Failure {
        doing: format!("{} ({} with {})", failure.doing, cert.display(), key.display()),
        ..failure
    })
}

/// The certificate's SHA-256, as browsers and `openssl x509 -fingerprint -sha256` write it.
pub(super) fn fingerprint(identity: &Identity) -> String {
    let digits: Vec<_> = verify::sha256(identity.certificate()).iter().map(|byte| format!("{byte:02X}")).collect();
    digits.join(":")
}

fn beside(db: &Path, end: &str) -> PathBuf {
    let mut name = db.file_name().unwrap_or_default().to_owned();
    name.push(format!(".{end}"));
    db.with_file_name(name)
}

fn read(path: &Path) -> Result<String, Failure> {
    fs::read_to_string(path).map_err(|why| Failure::new(format!("reading {}", path.display()), why))
}

/// Makes papers for this machine by its usual names. The key is written first: a certificate without one is made anew.
fn make(cert: &Path, key: &Path, listen: SocketAddr) -> Result<(), Failure> {
    let mut names: Vec<_> = ["localhost", "127.0.0.1", "::1"].map(str::to_owned).into();
    let address = listen.ip();
    if !address.is_unspecified() && !names.contains(&address.to_string()) {
        names.push(address.to_string());
    }
    let papers = wire::self_signed(names)?;
    for (path, text) in [(key, &papers.key), (cert, &papers.certificate)] {
        write(path, text).map_err(|why| Failure::new(format!("keeping {}", path.display()), why))?;
    }
    Ok(())
}

/// Writes a file that its owner alone can read, all of it or nothing.
fn write(path: &Path, text: &str) -> io::Result<()> {
    let new = path.with_extension("pem.new");
    let _ = fs::remove_file(&new);
    let mut file = fs::OpenOptions::new().write(true).create_new(true).mode(0o600).open(&new)?;
    file.write_all(text.as_bytes())?;
    file.sync_all()?;
    fs::rename(&new, path)
}
