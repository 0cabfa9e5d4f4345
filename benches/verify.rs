//! What a verdict and a diagnosis cost: `cargo bench --bench verify`. The goals are ARCHITECTURE's: a verdict of a 1 KiB
//! delivery under 20 µs, a doctor's search of 10 KiB with 10 secrets under 50 ms, 10 MiB within the budget.

#![allow(clippy::unwrap_used, reason = "a bench that cannot run ends")]

use std::{hint::black_box, time::Instant};

use creel::{
    record::{Headers, Timestamp},
    verify::{Budget, Catalog, Provider, Request, Secret, Suspect},
};

const ROUNDS: u32 = 20_000;
const NOW: i64 = 1_763_978_700;

fn main() {
    let catalog = Catalog::builtin().unwrap();
    println!("{} providers; read in {:?}", catalog.iter().count(), reading());
    for name in
        ["github", "stripe", "standard-webhooks", "slack", "twilio", "discord", "sendgrid", "sns", "messagebird"]
    {
        let provider = catalog.get(name).unwrap();
        println!("verdict  {name:<20} {:>8.2} µs", verdict_us(provider));
    }
    for (bytes, words) in [(1 << 10, "1 KiB"), (10 << 10, "10 KiB"), (1 << 20, "1 MiB"), (10 << 20, "10 MiB")] {
        for secrets in [1, 10] {
            doctor(catalog, bytes, words, secrets);
        }
    }
    let undetected: Headers =
        [("Host", "h"), ("Content-Type", "application/json"), ("X-Other", "1")].into_iter().collect();
    let body = json(1 << 10);
    let request = request(&undetected, &body);
    let began = Instant::now();
    for _ in 0..ROUNDS {
        black_box(catalog.detect(black_box(&request)));
    }
    println!("detect   of nobody            {:>8.2} µs", began.elapsed().as_secs_f64() * 1e6 / f64::from(ROUNDS));
}

/// How long the built-in files take to be read, once a process.
fn reading() -> std::time::Duration {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/assets/providers");
    let texts: Vec<_> =
        std::fs::read_dir(folder).unwrap().map(|file| std::fs::read_to_string(file.unwrap().path()).unwrap()).collect();
    let began = Instant::now();
    texts.iter().for_each(|text| drop(black_box(Provider::parse("a", text).unwrap())));
    began.elapsed()
}

fn json(len: usize) -> Vec<u8> {
    let mut body = br#"{"id":"evt_1","type":"charge.succeeded","created":1763978695,"list":["#.to_vec();
    while body.len() + 40 < len {
        body.extend_from_slice(br#"{"amount":1999,"currency":"eur"},"#);
    }
    body.extend_from_slice(br"0]}");
    body
}

fn request<'a>(headers: &'a Headers, body: &'a [u8]) -> Request<'a> {
    Request {
        method: "POST",
        url: Some("https://shop.example/hook"),
        target: b"/hook",
        headers,
        body,
        truncated: false,
        rewritten: false,
        received_at: Timestamp::from_unix_s(NOW),
    }
}

/// The example's request, its body lengthened where that can be signed again.
fn verdict_us(provider: &Provider) -> f64 {
    let example = &provider.examples()[0];
    let secrets = example.secrets();
    let began = Instant::now();
    for _ in 0..ROUNDS {
        black_box(provider.judge(black_box(&example.request()), &secrets));
    }
    began.elapsed().as_secs_f64() * 1e6 / f64::from(ROUNDS)
}

/// A delivery that nothing explains: the whole search.
fn doctor(catalog: &Catalog, bytes: usize, words: &str, secrets: usize) {
    let provider = catalog.get("stripe").unwrap();
    let body = json(bytes);
    let headers: Headers = [
        ("Host", "127.0.0.1:27335".to_owned()),
        ("Content-Type", "application/json".to_owned()),
        ("Stripe-Signature", format!("t={NOW},v1={}", "0".repeat(64))),
    ]
    .into_iter()
    .collect();
    let own = [Secret::new("whsec_c2VjcmV0")];
    let others: Vec<Vec<Secret>> = (1..secrets).map(|n| vec![Secret::new(format!("whsec_other_{n}"))]).collect();
    let names: Vec<String> = (1..secrets).map(|n| format!("endpoint-{n}")).collect();
    let suspects: Vec<_> = names.iter().zip(&others).map(|(endpoint, secrets)| Suspect { endpoint, secrets }).collect();
    let began = Instant::now();
    let clock = || u64::try_from(began.elapsed().as_millis()).unwrap_or(u64::MAX);
    let found = catalog.diagnose(provider, &request(&headers, &body), &own, &suspects, Budget::default(), &clock);
    let took = began.elapsed().as_secs_f64() * 1e3;
    println!(
        "doctor   {words:>7}, {secrets:>2} secrets  {took:>8.2} ms  {:>6} candidates  {}",
        found.tried, found.text
    );
}
