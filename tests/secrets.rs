//! Creel's own secrets — what it signs, judges and lets in by — come from the environment, files and commands, and go nowhere:
//! not into the store or any other file, an output, an error, or a program that is run.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod support;

use std::{
    fs,
    path::{Path, PathBuf},
    process::Stdio,
};

use support::{
    Home,
    app::{self, App},
};

/// The place of each of the planted secrets, and the secret itself: a word that stands nowhere else.
const PLANTED: [(&str, &str); 12] = [
    ("an endpoint's secret from the environment", "canary-environment"),
    ("an endpoint's secret from a file", "canary-file"),
    ("an endpoint's secret from a command", "canary-command"),
    ("a guard's token", "canary-token"),
    ("a guard's password", "canary-password"),
    ("a guard's header", "canary-header"),
    ("what a handshake is asked for", "canary-verify-token"),
    ("a secret of the command line", "canary-flag"),
    ("a header that is put in on the way", "canary-bearer"),
    ("the password of a URL", "canary-url"),
    ("a secret that stands where its place should", "canary-literal"),
    ("the environment of creel", "canary-creel-environment"),
];

/// What endpoints look like that use the first seven.
const CONFIG: &str = "
[[endpoint]]
name = 'github'
path = '/github'
provider = 'github'
secret = { env = 'CANARY_ENVIRONMENT' }
[[endpoint.forward]]
to = 'APP'
retry = 'never'
resign = true

[[endpoint]]
name = 'stripe'
path = '/stripe'
provider = 'stripe'
secret = { file = 'secret.file' }

[[endpoint]]
name = 'slack'
path = '/slack'
provider = 'slack'
strict = true
secret = { command = 'cat secret.command' }
guard = { token = { file = 'secret.token' }, basic = { user = 'u', password = { file = 'secret.password' } }, header = { name = 'X-Key', value = { file = 'secret.header' } } }

[[endpoint]]
name = 'meta'
path = '/meta'
provider = 'meta'
secret = { file = 'secret.file' }
verify_token = { file = 'secret.verify-token' }
";

/// A home whose endpoints use the planted secrets, and the app that one of them forwards to.
fn planted() -> (Home, App) {
    let app = App::start(|_, _| app::status(200));
    let home = Home::new();
    for (_, secret) in &PLANTED[1..7] {
        home.write(&secret.replace("canary-", "secret."), secret);
    }
    home.write("creel.toml", CONFIG.replace("APP", &app.url));
    (home, app)
}

/// Everything that a creel of this home prints and says.
struct Heard<'a> {
    home: &'a Home,
    outputs: Vec<(String, String)>,
}

impl Heard<'_> {
    /// Runs a command that must end with this code.
    fn run(&mut self, code: i32, args: &[&str]) {
        let mut command = self.home.command(args);
        command.env("CANARY_ENVIRONMENT", PLANTED[0].1).env("CANARY_CREEL", PLANTED[11].1).stdin(Stdio::null());
        let output = command.output().unwrap();
        let text = [output.stdout, output.stderr].concat();
        let text = String::from_utf8_lossy(&text).into_owned();
        assert_eq!(output.status.code(), Some(code), "{args:?}: {text}");
        self.outputs.push((args.join(" "), text));
    }

    fn contains(&self, words: &str) -> bool {
        self.outputs.iter().any(|(_, text)| text.contains(words))
    }
}

/// Every file below a folder but those that the test wrote.
fn files(folder: &Path) -> Vec<PathBuf> {
    let mut all = Vec::new();
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_name().unwrap().to_string_lossy().into_owned();
        match path.is_dir() {
            true => all.extend(files(&path)),
            false if name.starts_with("secret.") || name == "creel.toml" || name == "wrong.toml" => {}
            false => all.push(path),
        }
    }
    all
}

fn holds(bytes: &[u8], secret: &str) -> bool {
    bytes.windows(secret.len()).any(|window| window == secret.as_bytes())
}

#[test]
fn a_planted_secret_is_found_nowhere() {
    let (home, app) = planted();
    let mut creel = home.command(&["serve", "--listen", "127.0.0.1:0"]);
    creel.env("CANARY_ENVIRONMENT", PLANTED[0].1).env("CANARY_CREEL", PLANTED[11].1);
    let serving = support::Serving::start(creel);
    let mut heard = Heard { home: &home, outputs: Vec::new() };

    // What comes right and is forwarded, signed anew; what comes wrong; and what is turned away.
    heard.run(0, &["send", "github/push"]);
    assert!(app.next().contains("X-Hub-Signature-256"));
    heard.run(0, &["send", "github/push", "--as", "tampered"]);
    heard.run(0, &["send", "stripe/invoice.paid", "--as", "wrong-secret"]);
    serving.raw(b"GET /meta?hub.mode=subscribe&hub.challenge=1&hub.verify_token=wrong HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n");
    for key in ["Authorization: Bearer wrong", "Authorization: Basic dTp3cm9uZw==", "X-Key: wrong", "X-None: 1"] {
        let head = format!(
            "POST /slack?token=no HTTP/1.1\r\nHost: h\r\n{key}\r\nConnection: close\r\nContent-Length: 0\r\n\r\n"
        );
        let answer = serving.raw(head.as_bytes());
        assert!(answer.starts_with("HTTP/1.1 401"), "{answer}");
        heard.outputs.push((key.to_owned(), answer));
    }

    // Everything that reads, judges, shows and shares.
    for id in ["1", "2", "3", "4"] {
        heard.run(0, &["show", id]);
        heard.run(0, &["show", id, "--json"]);
        heard.run(i32::from(id != "1"), &["verify", id, "--json"]);
    }
    heard.run(1, &["verify", "3", "--secret", PLANTED[7].1]);
    for args in [
        &["ls", "-n", "0", "--json"][..],
        &["refused", "--heads"],
        &["refused", "--heads", "--json"],
        &["export", "--reveal"],
        &["rehearse", "sig:passed", "--out", "played"],
    ] {
        heard.run(0, args);
    }
    heard.run(0, &["play", "played", "--to", &app.url, "--resign", "--secret", PLANTED[7].1]);

    // What is sent again, with secrets of the command line, and what is left of a batch.
    let bearer = format!("Authorization: Bearer {}", PLANTED[8].1);
    heard.run(0, &["resend", "1", "--to", &app.url, "--resign", "--header", &bearer]);
    heard.run(0, &["resend", "3", "--to", &app.url, "--resign", "--secret", PLANTED[7].1]);
    heard.run(0, &["resend", "--filter", "path:/github", "--to", &app.url, "--jobs", "2", "--header", &bearer]);
    heard.run(0, &["resend", "1", "--to", &app.url, "--transform", ".environment = env"]);
    let sent: Vec<String> = (0..7).map(|_| app.next()).collect();
    assert!(app.is_idle() && sent.iter().any(|request| request.contains(PLANTED[8].1)), "{sent:?}");
    heard.run(2, &["resend", "1", "--to", &app.url.replace("http://", &format!("http://u:{}@", PLANTED[9].1))]);

    // A mistake in the file is told without it.
    home.write("wrong.toml", format!("[[endpoint]]\nname = 'a'\npath = '/a'\nsecret = '{}'\n", PLANTED[10].1));
    heard.run(2, &["serve", "--listen", "127.0.0.1:0", "--db", "other.db", "--config", "wrong.toml"]);

    let address = serving.address.to_string();
    let (_, printed, said) = serving.stop();
    assert!(printed.contains("/github") && !printed.contains(&address), "{printed}");
    heard.outputs.push(("serve".to_owned(), printed + &said));
    // What was asked for happened, so that there was something to tell.
    assert!(
        heard.contains("wrong.toml:4")
            && heard.contains("mismatch")
            && heard.contains("not the configured verify-token")
    );

    for (place, secret) in PLANTED {
        let leaves = secret == PLANTED[8].1;
        assert!(leaves || !sent.iter().any(|request| request.contains(secret)), "{place} is sent to the app: {sent:?}");
        for (what, text) in &heard.outputs {
            assert!(!text.contains(secret), "{place} in what `{what}` says: {text}");
        }
        for path in files(home.path()) {
            assert!(!holds(&fs::read(&path).unwrap(), secret), "{place} in {}", path.display());
        }
    }
    assert!(files(home.path()).iter().any(|path| path.ends_with("creel.db")));
}

/// What senders put into bodies of several kinds; and the secret in each, a word that stands nowhere else.
const SENT: [(&str, &str, &str); 6] = [
    ("application/json", "{\"a\":{\"access_token\":\"canary-json\"},\"z\":1}", "canary-json"),
    ("application/x-www-form-urlencoded", "a=1&client_secret=canary-form&z=1", "canary-form"),
    (
        "multipart/form-data; boundary=x",
        "--x\r\nContent-Disposition: form-data; name=\"token\"\r\n\r\ncanary-field\r\n--x--\r\n",
        "canary-field",
    ),
    (
        "multipart/form-data; boundary=x",
        "--x\r\nContent-Disposition: form-data; name=\"f\"; filename=\"f.json\"\r\nContent-Type: application/json\r\n\r\n\
         {\"api_key\":\"canary-part\"}\r\n--x--\r\n",
        "canary-part",
    ),
    ("text/xml", "<a><w:Password Type='x'>canary-element</w:Password><z/></a>", "canary-element"),
    ("application/soap+xml", "<a><b authToken='canary-attribute' z='1'/></a>", "canary-attribute"),
];

#[test]
fn what_senders_put_into_bodies_is_shared_only_where_that_is_asked_for() {
    let home = Home::new();
    let serving = home.serve(&["--quiet"]);
    for (kind, body, _) in SENT {
        serving.post("/sent", &[("Content-Type", kind)], body.as_bytes());
    }
    home.yes(&["rehearse", "path:/sent", "--reveal", "--out", "whole"]);
    home.shares(&["rehearse", "path:/sent", "--out", "masked"]);
    home.shares(&["export", "--out", "masked/all.jsonl"]);
    for (at, (kind, body, secret)) in SENT.iter().enumerate() {
        let file = format!("{:03}.http", at + 1);
        let read = |folder: &str| fs::read(home.path().join(folder).join(&file)).unwrap();
        let (whole, masked) = (read("whole"), read("masked"));
        assert!(holds(&whole, secret) && whole.ends_with(body.as_bytes()), "{kind}: nothing was there to be masked");
        // Byte for byte the same but for the secret.
        let hidden = body.replace(secret, &"*".repeat(secret.len()));
        assert!(masked.ends_with(hidden.as_bytes()), "{kind}: {}", String::from_utf8_lossy(&masked));
        for path in files(&home.path().join("masked")) {
            assert!(!holds(&fs::read(&path).unwrap(), secret), "{kind}: {secret} in {}", path.display());
        }
    }
}

#[test]
fn a_secret_that_cannot_be_masked_is_told_and_not_passed_over() {
    let home = Home::new();
    let serving = home.serve(&["--quiet"]);
    // `{"token":"x"}`, by gzip.
    let zipped = b"\x1f\x8b\x08\x00\x00\x00\x00\x00\x02\x03\xab\x56\x2a\xc9\xcf\x4e\xcd\x53\xb2\x52\xaa\x50\xaa\x05\x00\xb6\x29\xca\x2d\x0d\x00\x00\x00";
    serving.post("/", &[("Content-Type", "application/json"), ("Content-Encoding", "gzip")], zipped);
    let output = home.run(&["export"]);
    let said = String::from_utf8(output.stderr).unwrap();
    assert_eq!(said, "not masked: secrets in 1 body under a Content-Encoding, which stay as they came\n");
    assert!(home.yes(&["export", "--reveal"]).contains("gzip"));
}
