//! TLS to an app.

use std::{
    io,
    sync::{Arc, OnceLock},
};

use rustls::{
    CertificateError, ClientConfig, DigitallySignedStruct, RootCertStore, SignatureScheme,
    client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier},
    crypto::{self, CryptoProvider, verify_tls12_signature, verify_tls13_signature},
    pki_types::{CertificateDer, ServerName, UnixTime},
};
use tokio::net::TcpStream;
use tokio_rustls::{TlsConnector, client::TlsStream};

use super::Why;
use crate::record::Cause;

/// Makes a connection secure, or says in words why it is not.
pub(super) async fn connect(stream: TcpStream, host: &str, insecure: bool) -> Result<TlsStream<TcpStream>, Why> {
    let nameless = || Why(Cause::Unsendable, format!("`{host}` is no name that a certificate could have"));
    let name = ServerName::try_from(host.to_owned()).map_err(|_| nameless())?;
    let connector = TlsConnector::from(config(insecure)?);
    connector.connect(name, stream).await.map_err(|why| {
        let Why(cause, told) = of_tls(&why).map_or_else(|| Why(super::cause(&why), why.to_string()), self::why);
        Why(cause, format!("TLS with {host}: {told}"))
    })
}

/// Whether an error is one of TLS, and not of the connection below it.
pub(super) fn is_of_tls(why: &io::Error) -> bool {
    of_tls(why).is_some()
}

fn of_tls(why: &io::Error) -> Option<&rustls::Error> {
    why.get_ref().and_then(|why| why.downcast_ref())
}

/// What is wrong with the other side.
fn why(error: &rustls::Error) -> Why {
    match error {
        rustls::Error::InvalidCertificate(why) => Why(
            Cause::Certificate,
            format!("{}; `insecure = true` of a target takes it, and so does --insecure", certificate(why)),
        ),
        rustls::Error::InvalidMessage(_) => Why(Cause::NotTls, "it answers, and not in TLS".to_owned()),
        other => Why(Cause::Tls, other.to_string()),
    }
}

/// What is wrong with a certificate.
fn certificate(why: &CertificateError) -> String {
    match why {
        CertificateError::UnknownIssuer => "nobody vouches for its certificate (unknown issuer)".to_owned(),
        CertificateError::Expired | CertificateError::ExpiredContext { .. } => "its certificate has expired".to_owned(),
        CertificateError::NotValidYet | CertificateError::NotValidYetContext { .. } => {
            "its certificate is not valid yet".to_owned()
        }
        CertificateError::NotValidForName => "its certificate is for another name".to_owned(),
        CertificateError::NotValidForNameContext { presented, .. } if presented.is_empty() => {
            "its certificate is for no name".to_owned()
        }
        CertificateError::NotValidForNameContext { presented, .. } => {
            // They come as `DnsName("app.example")`.
            let plain = |name: &String| name.rsplit('(').next().map(|name| name.trim_matches(['"', ')']).to_owned());
            let names: Vec<_> = presented.iter().filter_map(plain).collect();
            format!("its certificate is for another name: {}", names.join(", "))
        }
        CertificateError::Revoked => "its certificate was revoked".to_owned(),
        // What many tools make for a machine of one's own: an authority that shows its own certificate.
        CertificateError::Other(why) if why.to_string().contains("CaUsedAsEndEntity") => {
            "nobody vouches for its certificate (it was made by itself)".to_owned()
        }
        other => format!("nobody vouches for its certificate ({other})"),
    }
}

fn config(insecure: bool) -> Result<Arc<ClientConfig>, Why> {
    static CONFIGS: [OnceLock<Arc<ClientConfig>>; 2] = [OnceLock::new(), OnceLock::new()];
    let slot = &CONFIGS[usize::from(insecure)];
    if let Some(config) = slot.get() {
        return Ok(Arc::clone(config));
    }
    let provider = Arc::new(crypto::ring::default_provider());
    let builder = ClientConfig::builder_with_provider(Arc::clone(&provider))
        .with_safe_default_protocol_versions()
        .map_err(|why| Why(Cause::Other, format!("TLS cannot be set up: {why}")))?;
    let config = if insecure {
        let anybody = Arc::new(Anybody(provider));
        builder.dangerous().with_custom_certificate_verifier(anybody).with_no_client_auth()
    } else {
        let roots = RootCertStore { roots: webpki_roots::TLS_SERVER_ROOTS.to_vec() };
        builder.with_root_certificates(roots).with_no_client_auth()
    };
    Ok(Arc::clone(slot.get_or_init(|| Arc::new(config))))
}

/// Takes any certificate: for apps on the user's own machines, when the user says so.
#[derive(Debug)]
struct Anybody(Arc<CryptoProvider>);

impl ServerCertVerifier for Anybody {
    fn verify_server_cert(
        &self,
        _: &CertificateDer<'_>,
        _: &[CertificateDer<'_>],
        _: &ServerName<'_>,
        _: &[u8],
        _: UnixTime,
    ) -> Result<ServerCertVerified, rustls::Error> {
        Ok(ServerCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        verify_tls12_signature(message, certificate, signature, &self.0.signature_verification_algorithms)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        verify_tls13_signature(message, certificate, signature, &self.0.signature_verification_algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.0.signature_verification_algorithms.supported_schemes()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_fault_of_a_certificate_is_named() {
        let name = |presented: &[&str]| CertificateError::NotValidForNameContext {
            expected: ServerName::try_from("app.example").unwrap(),
            presented: presented.iter().map(|name| (*name).to_owned()).collect(),
        };
        for (why, named) in [
            (CertificateError::UnknownIssuer, "nobody vouches for its certificate (unknown issuer)"),
            (CertificateError::Expired, "its certificate has expired"),
            (CertificateError::NotValidYet, "its certificate is not valid yet"),
            (name(&["DnsName(\"other.example\")"]), "is for another name: other.example"),
            (name(&[]), "its certificate is for no name"),
            (CertificateError::BadEncoding, "nobody vouches for its certificate ("),
        ] {
            let Why(cause, said) = super::why(&rustls::Error::InvalidCertificate(why));
            assert_eq!(cause, Cause::Certificate);
            assert!(said.contains(named) && said.contains("--insecure"), "{said}");
        }
    }
}
