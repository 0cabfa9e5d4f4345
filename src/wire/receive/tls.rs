//! TLS at the door: an identity of one's own or a given one.

use std::{fmt, io, sync::Arc};

use bytes::Bytes;
use rustls::{
    ServerConfig, crypto,
    pki_types::{CertificateDer, PrivateKeyDer, pem::PemObject},
};
use tokio::net::TcpStream;
use tokio_rustls::{TlsAcceptor, server::TlsStream};

use crate::record::Failure;

/// What is offered by ALPN, the best first (RFC 7301; the names are IANA's).
const PROTOCOLS: [&[u8]; 2] = [b"h2", b"http/1.1"];
/// What the first byte of a TLS connection is: a handshake record (RFC 8446, section 5.1).
const HANDSHAKE: u8 = 0x16;
/// How much of a plain request to a TLS port is looked at, in bytes.
const GLIMPSE: usize = 4096;

/// A certificate and its key, both in PEM.
#[derive(Clone)]
pub struct Papers {
    /// The certificate, and those that lead to one that everybody trusts.
    pub certificate: String,
    /// Its private key.
    pub key: String,
}

impl fmt::Debug for Papers {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Papers")
    }
}

/// Makes a certificate that nobody but its maker vouches for.
pub fn self_signed(names: Vec<String>) -> Result<Papers, Failure> {
    let made = rcgen::generate_simple_self_signed(names).map_err(|why| Failure::new("making a certificate", why))?;
    Ok(Papers { certificate: made.cert.pem(), key: made.signing_key.serialize_pem() })
}

/// Who a server shows itself to be.
#[derive(Clone)]
pub struct Identity {
    acceptor: TlsAcceptor,
    first: Bytes,
}

impl fmt::Debug for Identity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Identity")
    }
}

impl Identity {
    /// Reads papers, and says what is wrong with them. Never a part of the key.
    pub fn new(papers: &Papers) -> Result<Self, Failure> {
        let certificates: Vec<_> =
            CertificateDer::pem_slice_iter(papers.certificate.as_bytes()).collect::<Result<_, _>>().map_err(|_| {
                Failure::new("reading the certificate", "what stands in the file is no whole PEM")
                    .hint("it goes from -----BEGIN CERTIFICATE----- to -----END CERTIFICATE-----: was the file cut?")
            })?;
        let Some(first) = certificates.first() else {
            return Err(Failure::new("reading the certificate", "there is none in the file")
                .hint("it is PEM: -----BEGIN CERTIFICATE-----"));
        };
        let first = Bytes::copy_from_slice(first);
        let key = PrivateKeyDer::from_pem_slice(papers.key.as_bytes()).map_err(|_| {
            let (why, hint) = if papers.key.contains("ENCRYPTED") {
                ("it is encrypted, and creel asks nobody for its passphrase", "`openssl pkey` writes it without one")
            } else {
                ("there is none in the file", "it is PEM: -----BEGIN PRIVATE KEY-----")
            };
            Failure::new("reading the certificate's key", why).hint(hint)
        })?;
        let wrong = |why: rustls::Error| {
            let why = match why {
                rustls::Error::InconsistentKeys(_) => "the key is not that of the certificate".to_owned(),
                why => why.to_string(),
            };
            Failure::new("taking the certificate and its key", why)
        };
        let mut config = ServerConfig::builder_with_provider(Arc::new(crypto::ring::default_provider()))
            .with_safe_default_protocol_versions()
            .map_err(wrong)?
            .with_no_client_auth()
            .with_single_cert(certificates, key)
            .map_err(wrong)?;
        config.alpn_protocols = PROTOCOLS.map(<[u8]>::to_vec).into();
        Ok(Self { acceptor: TlsAcceptor::from(Arc::new(config)), first })
    }

    /// The certificate itself, in DER: what a fingerprint is taken of.
    pub fn certificate(&self) -> &[u8] {
        &self.first
    }

    /// Looks at the first bytes without taking them.
    pub(super) async fn accept(self, stream: &mut TcpStream) -> Welcome {
        let mut glimpse = [0; GLIMPSE];
        match stream.peek(&mut glimpse).await {
            Ok(0) | Err(_) => Welcome::Silence,
            Ok(_) if glimpse[0] == HANDSHAKE => Welcome::Secure(self),
            Ok(read) => {
                // What is looked at is taken, so that the answer is not followed by a reset.
                let _ = stream.try_read(&mut [0; GLIMPSE][..read]);
                Welcome::Plain(glimpse[..read].to_vec())
            }
        }
    }

    /// Agrees on TLS.
    pub(super) async fn stream(self, stream: TcpStream) -> io::Result<TlsStream<TcpStream>> {
        self.acceptor.accept(stream).await
    }
}

/// Why TLS was not agreed on, in one line. An alert is the sender's own word.
pub(super) fn not_agreed(why: &io::Error) -> String {
    let inner = why.get_ref().and_then(|inner| inner.downcast_ref::<rustls::Error>());
    match inner {
        Some(rustls::Error::AlertReceived(alert)) => format!(
            "TLS was not agreed on: the sender says {alert:?}; one that checks certificates refuses a self-made one"
        ),
        Some(why) => format!("TLS was not agreed on: {why}"),
        None => format!("TLS was not agreed on: {why}"),
    }
}

/// How a connection to a TLS port begins.
pub(super) enum Welcome {
    Secure(Identity),
    Plain(Vec<u8>),
    Silence,
}
