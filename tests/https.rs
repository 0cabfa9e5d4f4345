//! HTTPS at the door: with a certificate of creel's own or a given one.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod support;

use std::{
    io::{Read as _, Write as _},
    os::unix::fs::PermissionsExt,
    sync::Arc,
    time::{Duration, Instant},
};

use support::{Home, Serving, port::Port};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio_rustls::{
    TlsConnector,
    client::TlsStream,
    rustls::{
        ClientConfig, RootCertStore,
        crypto::ring::default_provider,
        pki_types::{CertificateDer, ServerName, pem::PemObject},
    },
};

/// A connection of somebody who trusts the certificate in the home, and checks it.
async fn connect(home: &Home, serving: &Serving, protocol: &str) -> TlsStream<tokio::net::TcpStream> {
    let mut roots = RootCertStore::empty();
    roots.add(CertificateDer::from_pem_file(home.path().join("creel.db.cert.pem")).unwrap()).unwrap();
    let mut config = ClientConfig::builder_with_provider(Arc::new(default_provider()))
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_root_certificates(roots)
        .with_no_client_auth();
    config.alpn_protocols = vec![protocol.as_bytes().to_vec()];
    let stream = tokio::net::TcpStream::connect(serving.address).await.unwrap();
    let name = ServerName::try_from("localhost").unwrap();
    TlsConnector::from(Arc::new(config)).connect(name, stream).await.unwrap()
}

fn block_on<T>(work: impl Future<Output = T>) -> T {
    tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(work)
}

fn show(home: &Home, id: &str) -> serde_json::Value {
    serde_json::from_str(&home.yes(&["show", id, "--json"])).unwrap()
}

#[test]
fn both_protocols_are_caught_as_they_came() {
    let home = Home::new();
    let serving = home.serve(&["--quiet", "--tls"]);
    block_on(async {
        let mut stream = connect(&home, &serving, "http/1.1").await;
        let raw =
            b"PoST /a HTTP/1.1\r\nhOsT: h\r\nX-Dup: a\r\nx-dup: b\r\nConnection: close\r\nContent-Length: 2\r\n\r\n{}";
        stream.write_all(raw).await.unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).await.unwrap();
        assert!(answer.starts_with("HTTP/1.1 200"), "{answer}");
        assert_eq!(home.run(&["show", "1", "--as", "http"]).stdout, raw);
        let stream = connect(&home, &serving, "h2").await;
        assert_eq!(stream.get_ref().1.alpn_protocol(), Some(&b"h2"[..]));
        let io = hyper_util::rt::TokioIo::new(stream);
        let executor = hyper_util::rt::TokioExecutor::new();
        let (mut sender, connection) = hyper::client::conn::http2::handshake(executor, io).await.unwrap();
        tokio::spawn(connection);
        let body = http_body_util::Full::new(bytes::Bytes::from_static(b"two"));
        let request = hyper::Request::post("https://localhost/two").body(body).unwrap();
        assert_eq!(sender.send_request(request).await.unwrap().status(), 200);
    });
    let two = show(&home, "2");
    assert_eq!((&two["version"], &two["body"]["text"]), (&"HTTP/2.0".into(), &"two".into()));
}

#[test]
fn its_own_certificate_is_made_once_and_kept_to_its_owner() {
    let home = Home::new();
    let fingerprint = || {
        let mut serving = home.serve(&["--tls"]);
        serving.says("SHA-256")
    };
    let first = fingerprint();
    assert_eq!(first.split(' ').next_back().unwrap().split(':').count(), 32, "{first}");
    assert_eq!(fingerprint(), first);
    for name in ["creel.db.cert.pem", "creel.db.key.pem"] {
        let mode = std::fs::metadata(home.path().join(name)).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600, "{name}");
    }
}

#[test]
fn https_is_spoken_where_no_store_was_ever_made() {
    let home = Home::new();
    let mut command =
        home.command(&["serve", "--quiet", "--tls", "--listen", "127.0.0.1:0", "--db", "none/yet/creel.db"]);
    command.env_remove("CREEL_DB");
    drop(Serving::start(command));
    assert!(home.path().join("none/yet/creel.db.key.pem").exists());
}

#[test]
fn a_given_certificate_is_shown_and_a_wrong_one_named() {
    let home = Home::new();
    drop(home.serve(&["--quiet", "--tls"]));
    let at = |name: &str| home.path().join(name).display().to_string();
    let read = |home: &Home, name: &str| std::fs::read_to_string(home.path().join(name)).unwrap();
    let other = Home::new();
    drop(other.serve(&["--quiet", "--tls"]));
    home.write("other.pem", read(&other, "creel.db.key.pem"));
    home.write("cut.pem", &read(&home, "creel.db.cert.pem")[..200]);
    home.write("locked.pem", read(&home, "creel.db.key.pem").replace("PRIVATE", "ENCRYPTED PRIVATE"));
    for (table, word) in [
        (format!("cert = '{}'\nkey = '/no/such/key'", at("creel.db.cert.pem")), "/no/such/key"),
        (format!("cert = '{0}'\nkey = '{0}'", at("creel.db.cert.pem")), "-----BEGIN PRIVATE KEY-----"),
        (format!("cert = '{0}'\nkey = '{0}'", at("creel.db.key.pem")), "-----BEGIN CERTIFICATE-----"),
        (format!("cert = '{}'\nkey = '{}'", at("cut.pem"), at("creel.db.key.pem")), "was the file cut?"),
        (format!("cert = '{}'\nkey = '{}'", at("creel.db.cert.pem"), at("locked.pem")), "it is encrypted"),
        (
            format!("cert = '{}'\nkey = '{}'", at("creel.db.cert.pem"), at("other.pem")),
            "the key is not that of the certificate",
        ),
        (format!("cert = '{}'", at("creel.db.cert.pem")), "go together"),
    ] {
        home.write("creel.toml", format!("[tls]\n{table}\n"));
        let said = home.fails(2, &["serve", "--listen", "127.0.0.1:0"]);
        assert!(said.contains(word) && !said.contains("MII"), "{table}: {said}");
    }
    home.write(
        "creel.toml",
        format!("[tls]\ncert = '{}'\nkey = '{}'\n", at("creel.db.cert.pem"), at("creel.db.key.pem")),
    );
    let serving = home.serve(&["--quiet"]);
    block_on(async { drop(connect(&home, &serving, "h2").await) });
}

#[test]
fn who_speaks_the_other_language_is_told_so() {
    let home = Home::new();
    let secure = home.serve(&["--quiet", "--tls"]);
    let answer = secure.raw(b"GET / HTTP/1.1\r\nHost: h\r\n\r\n");
    assert!(answer.starts_with("HTTP/1.1 400") && answer.ends_with("write https:// in place of http\n"), "{answer}");
    // Version 1.0 of TLS: a hello that nobody can agree to.
    let hello =
        [b"\x16\x03\x01\x00\x2d\x01\x00\x00\x29\x03\x01", &[7; 32][..], b"\x00\x00\x02\x00\x2f\x01\x00"].concat();
    secure.raw(&hello);
    drop(secure.stop());
    let list = home.yes(&["refused"]);
    assert!(list.contains("TLS was not agreed on: peer is incompatible"), "{list}");
    assert!(list.contains("plain HTTP to the HTTPS port") && list.contains("GET / HTTP/1.1"), "{list}");
    let plain = home.serve(&["--quiet"]);
    plain.raw(b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03");
    drop(plain.stop());
    let list = home.yes(&["refused"]);
    assert!(list.contains("looks like TLS") && list.contains("--tls"), "{list}");
}

#[test]
fn a_connection_that_asks_for_nothing_does_not_hold_up_the_end() {
    let home = Home::new();
    home.write("creel.toml", "[limits]\nhead_s = 60\ndrain_s = 60\n");
    let serving = home.serve(&["--quiet", "--tls"]);
    let mut silent = serving.connect();
    let mut begun = serving.connect();
    begun.write_all(b"\x16\x03\x01").unwrap();
    // Connections are taken in their order: once this one is through, both are waited for.
    block_on(async { drop(connect(&home, &serving, "h2").await) });
    let began = Instant::now();
    assert_eq!(serving.stop().0, Some(0));
    assert!(began.elapsed() < Duration::from_secs(30), "it took {:?}", began.elapsed());
    for stream in [&mut silent, &mut begun] {
        assert_eq!(stream.read_to_end(&mut Vec::new()).unwrap_or(0), 0);
    }
}

#[test]
fn a_sample_finds_its_way_to_a_creel_that_speaks_https() {
    let home = Home::new();
    let serving = home.serve(&["--quiet", "--tls"]);
    let sent = home.run(&["send", "github/push", "--secret", "s", "--json"]);
    let value: serde_json::Value = serde_json::from_slice(&sent.stdout).unwrap();
    assert_eq!(value["status"], 200, "{value}");
    assert!(value["to"].as_str().unwrap().starts_with(&format!("https://{}", serving.address)));
}

#[test]
fn nothing_is_forwarded_to_itself_by_https_or_by_its_tunnel() {
    let home = Home::new();
    let own = Port::reserved();
    let port = own.address.port();
    let _held = own.lent();
    home.write("mine.sh", "echo http://127.0.0.9:4242; exec sleep 600");
    home.write(
        "creel.toml",
        format!(
            "[[endpoint]]\nname = 'bin'\npath = '/'\nforward = [{{ to = 'https://localhost:{port}/x' }}, \
             {{ to = 'http://127.0.0.9:4242/y', retry = 'never' }}]\n"
        ),
    );
    let mut serving = home.serve_on(&format!("127.0.0.1:{port}"), &["--tls", "--tunnel", "sh mine.sh"]);
    serving.says("http://127.0.0.9:4242");
    block_on(async {
        let mut stream = connect(&home, &serving, "http/1.1").await;
        stream
            .write_all(b"POST /a HTTP/1.1\r\nHost: h\r\nConnection: close\r\nContent-Length: 0\r\n\r\n")
            .await
            .unwrap();
        stream.read_to_string(&mut String::new()).await.unwrap();
    });
    let dead = home.until(&["dead"], |dead| dead.lines().count() == 2);
    let own = format!("127.0.0.1:{port} is creel's own address");
    assert!(dead.contains(&own) && dead.contains("http://127.0.0.9:4242 is creel's own address"), "{dead}");
    // Nor when a person sends it once more, by a process that does not listen.
    let sent = home.run(&["resend", "--dead"]);
    let said = String::from_utf8(sent.stdout).unwrap();
    assert!(said.contains(&own), "{said}");
    assert_eq!(home.captures().len(), 1, "it never came back");
}
