//! How a sender signs whom creel does not know is found out from one capture, and creel goes by it from then on.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod support;

use std::process::Output;

use support::Home;

const BODY: &[u8] = br#"{"id":"evt_1","kind":"fish.caught"}"#;
/// HMAC-SHA256 of `1763978700.` and the body by the key `trout`.
const SIGNATURE: &str = "t=1763978700,v1=487bc2f914d0a5e8873ceb1931c3ff18e411d2e2dd3c166ca711780bb867286c";

/// The exit code, standard output and standard error.
fn told(output: Output) -> (Option<i32>, String, String) {
    let text = |bytes| String::from_utf8(bytes).unwrap();
    (output.status.code(), text(output.stdout), text(output.stderr))
}

#[test]
fn an_unknown_sender_becomes_a_provider_of_ones_own() {
    let home = Home::new();
    home.write("secret", "trout");
    let serving = home.serve(&["--quiet"]);
    let acme = [("X-Acme-Signature", SIGNATURE), ("X-Acme-Topic", "fish.caught")];
    let first = serving.post("/acme", &acme, BODY).to_string();
    let plain = serving.post("/plain", &[], BODY).to_string();
    let github = serving.post("/github", &[("X-GitHub-Event", "push")], BODY).to_string();
    let run = |args: &[&str]| told(home.run(args));
    let learn = |id: &str, more: &[&str]| run(&[&["providers", "learn", id], more].concat());

    let hint = format!("X-Acme-Signature looks like a signature; `creel providers learn {first} --secret-env NAME`");
    assert!(run(&["show", &first]).1.contains(&hint) && !run(&["show", &plain]).1.contains("looks like"));
    assert!(run(&["verify", &first]).2.starts_with(&hint));

    let (code, file, said) = learn(&first, &["--secret-file", "secret"]);
    assert_eq!(code, Some(0), "{said}");
    assert!(said.starts_with("X-Acme-Signature is hmac-sha256 of {timestamp}.{body} in hex"), "{said}");
    assert!(file.contains("content = \"{timestamp}.{body}\"\n") && !file.contains("trout"), "{file}");

    for (id, more, code, words) in [
        (&first, &["--secret", "eel"][..], 1, "nothing fits X-Acme-Signature: "),
        (&plain, &["--secret", "trout"], 1, "none of its headers looks like a signature"),
        (&first, &[], 2, "there is no secret to try"),
        (&github, &["--secret", "trout"], 2, "creel knows who sends so: GitHub"),
        (&"999".to_owned(), &["--secret", "trout"], 2, "there is none"),
    ] {
        let (found, out, said) = learn(id, more);
        assert!(found == Some(code) && out.is_empty() && said.contains(words), "{id} {more:?}: {out}{said}");
    }

    let saved = learn(&first, &["--secret-file", "secret", "--save", "--json"]).1;
    let saved: serde_json::Value = serde_json::from_str(&saved).unwrap();
    assert_eq!((&saved["provider"], saved["file"].as_str()), (&"acme".into(), Some(&*file)));
    assert_eq!(std::fs::read_to_string(saved["saved"].as_str().unwrap()).unwrap(), file);
    assert!(run(&["verify", &first, "--secret-file", "secret"]).1.starts_with("passed  (acme)"));
    // HMAC-SHA256 of the body by the key `trout`, in a header by which one would take it for Twilio's.
    let sign = "cc7d268a1ce2112fccee42ebea53433856049e7333c9d9b56db6ebb8630c8a54";
    let another = serving.post("/sms", &[("X-Twilio-Body-Sign", sign)], BODY).to_string();
    let (code, _, said) = learn(&another, &["--secret-file", "secret", "--save"]);
    assert!(code == Some(2) && said.contains("another sender by the name `twilio`"), "{said}");
    let token = serving.post("/token", &[("Authorization", "Bearer trout")], BODY).to_string();
    let (code, told, said) = learn(&token, &["--secret-file", "secret", "--save"]);
    assert!(code == Some(0) && told.contains("so name it: `provider = \"sender\"` in its endpoint"), "{told}{said}");
    let (code, _, said) = learn(&first, &["--secret-file", "secret", "--save", "--name", "acme"]);
    assert!(code == Some(2) && said.contains("give it another name with --name"), "{said}");
    let (code, _, said) = learn(&first, &["--secret-file", "secret", "--save", "--name", "../acme"]);
    assert!(code == Some(2) && said.contains("letters, digits and dashes"), "{said}");
}
