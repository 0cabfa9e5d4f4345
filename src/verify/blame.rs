//! Whose bug is it: what the check of a signature says and what the app replied, seen together.

use super::{Habits, Provider, scheme::Scheme};
use crate::record::{Cause, Change, Delivery, Fault, Judgement, Outcome, Verdict, text};

/// What the check came to, as far as it tells who is to blame.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Check {
    Passed,
    /// It is right and too old.
    Stale,
    /// It is wrong, or not there.
    Failed,
    /// Nobody knows.
    Unknown,
}

/// What the app did with it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum App {
    /// A status in that range, of those that are no success.
    Said(u16, u16),
    /// A success.
    Took,
    /// No reply came, for that cause.
    Silent(Cause),
}

/// A row: check, app, and what that says. The first that fits counts; `None` fits every check.
struct Row(Option<Check>, App, &'static str);

const ELSE: &str = "something else listens there: is it the right port, and http or https as it should be?";

/// Of a cause without a row (no such host, a certificate that nobody vouches for, a program that failed) its own words say
/// all: the app was not asked.
const ROWS: &[Row] = &[
    Row(None, App::Silent(Cause::Refused), "nothing listens there: is the app running, and on that port?"),
    Row(
        None,
        App::Silent(Cause::TimedOut),
        "the app does not answer: it works before it answers, or waits for something itself",
    ),
    Row(None, App::Silent(Cause::NotHttp), ELSE),
    Row(None, App::Silent(Cause::NotTls), ELSE),
    Row(None, App::Silent(Cause::NoTls), "something listens there and speaks no TLS: is it http, or another port?"),
    Row(
        None,
        App::Silent(Cause::BrokenHttp),
        "the app answers in HTTP that its rules forbid, and a provider would not read it either: the app's own bug",
    ),
    Row(None, App::Silent(Cause::BrokenOff), "the app broke off while it answered: look for a crash in its log"),
    Row(None, App::Said(508, 508), "it came back to the creel that sent it: the app's URL leads in a ring"),
    Row(
        Some(Check::Passed),
        App::Said(400, 401),
        "the signature is right and the app refuses it: it probably parses the body before it verifies, has another \
         secret, or is behind a proxy that changes something",
    ),
    Row(
        Some(Check::Passed),
        App::Said(403, 403),
        "the signature is right and the app refuses it: another secret, or a guard such as CSRF before the handler",
    ),
    Row(
        Some(Check::Stale),
        App::Said(400, 403),
        "the signature is right and too old, and the app says so: resend it signed anew (`s`, or --resign)",
    ),
    Row(Some(Check::Stale), App::Took, "the signature is too old and the app takes it: it does not look at the time"),
    Row(Some(Check::Failed), App::Took, "the signature is wrong and the app takes it: it does not verify"),
    Row(
        Some(Check::Failed),
        App::Said(400, 403),
        "the signature is wrong and the app refuses it: the sender's bug, or a wrong secret here",
    ),
    Row(None, App::Said(404, 404), "the app has no such path: compare the target it got with its routes"),
    Row(None, App::Said(405, 405), "the path is there and does not take this method"),
    Row(None, App::Said(413, 413), "the app's limit on bodies is smaller than this one"),
    Row(None, App::Said(415, 415), "the app does not take this content type"),
    Row(None, App::Said(422, 422), "the app reads the body and does not like what it says"),
    Row(None, App::Said(429, 429), "the app says that it is too much at once"),
    Row(
        None,
        App::Said(300, 399),
        "the app sends elsewhere, and providers do not follow: give them the URL it points to",
    ),
    Row(None, App::Said(502, 502), "a proxy answered for the app, which did not"),
    Row(None, App::Said(504, 504), "a proxy answered for the app, which did not"),
    Row(None, App::Said(503, 503), "the app, or a proxy before it, says that it cannot answer now"),
    Row(Some(Check::Passed), App::Said(500, 599), "the signature is right and the app fails: its own bug"),
    Row(
        Some(Check::Failed),
        App::Said(500, 599),
        "the signature is wrong and the app fails instead of refusing it: it does not verify first",
    ),
    Row(None, App::Said(500, 599), "the app fails: its own bug"),
];

/// What a delivery says together with the check of the capture, a sentence each; of no delivery, nothing.
pub fn blame(judgement: &Judgement, delivery: &Delivery, provider: Option<&Provider>) -> Vec<String> {
    let habits = provider.map(Provider::habits).cloned().unwrap_or_default();
    let title = provider.map_or("the provider", Provider::title);
    let (check, app) = (check(judgement), app(delivery, &habits));
    let row = ROWS.iter().find(|row| row.0.is_none_or(|it| it == check) && fits(row.1, app));
    let whose = row.map(|row| row.2.to_owned());
    whose
        .into_iter()
        .chain(other_url(judgement, delivery, provider).filter(|_| check == Check::Passed))
        .chain(leads_to(delivery))
        .chain(too_slow(delivery, &habits, title))
        .chain(odd_success(delivery, &habits, title))
        .collect()
}

/// The app may look at the URL that it was asked by, which is not the one that was signed.
fn other_url(judgement: &Judgement, delivery: &Delivery, provider: Option<&Provider>) -> Option<String> {
    provider.filter(|provider| provider.schemes().any(Scheme::signs_url))?;
    delivery.status().filter(|status| (400..=403).contains(status))?;
    let place = &judgement.evidence.as_ref()?.place;
    let is_it = |change: &Change| matches!(change, Change::Replaced { name, .. } if name.eq_ignore_ascii_case(place));
    let words = "it covers the URL: for an app that checks the one it was asked by, sign it anew (`s`, or --resign)";
    (!delivery.receipt.iter().any(is_it)).then(|| words.to_owned())
}

/// Where a redirect leads.
fn leads_to(delivery: &Delivery) -> Option<String> {
    let Outcome::Replied(reply) = &delivery.outcome else { return None };
    let place = reply.headers.get("location").filter(|_| (300..400).contains(&reply.status))?;
    Some(format!("it points to {}", text::lossless(place)))
}

/// The app took longer than its provider would have waited.
fn too_slow(delivery: &Delivery, habits: &Habits, title: &str) -> Option<String> {
    let limit = habits.timeout_ms.filter(|&limit| delivery.took_ms > u64::from(limit))?;
    let (took, limit) = (delivery.took_ms as f64 / 1_000.0, f64::from(limit) / 1_000.0);
    Some(format!("{took:.1} s is over {title}'s limit of {limit} s: answer first, work later"))
}

/// The app's reply looks like success and is none to its provider, or the other way round.
fn odd_success(delivery: &Delivery, habits: &Habits, title: &str) -> Option<String> {
    let status = delivery.status()?;
    let looks = (200..300).contains(&status);
    match (looks, habits.is_success(status)) {
        (true, false) => Some(format!("{title} does not take {status} for success, and would send it again")),
        (false, true) => Some(format!("{title} takes {status} for success all the same")),
        _ => None,
    }
}

fn check(judgement: &Judgement) -> Check {
    match (judgement.verdict, judgement.fault) {
        (Verdict::Passed, _) => Check::Passed,
        (Verdict::Failed, Some(Fault::Stale)) => Check::Stale,
        (Verdict::Failed, _) => Check::Failed,
        (Verdict::Unsigned | Verdict::Unchecked, _) => Check::Unknown,
    }
}

fn app(delivery: &Delivery, habits: &Habits) -> App {
    match &delivery.outcome {
        Outcome::Replied(reply) if habits.is_success(reply.status) || (200..300).contains(&reply.status) => App::Took,
        Outcome::Replied(reply) => App::Said(reply.status, reply.status),
        Outcome::Failed(cause, _) => App::Silent(*cause),
    }
}

fn fits(row: App, app: App) -> bool {
    match (row, app) {
        (App::Said(from, to), App::Said(status, _)) => (from..=to).contains(&status),
        (row, app) => row == app,
    }
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;

    use super::*;
    use crate::record::{CaptureId, DeliveryId, Evidence, Headers, Reply, Timestamp};

    const GITHUB: &str = include_str!("../../assets/providers/github.toml");

    fn delivery(outcome: Result<u16, Cause>, took_ms: u64) -> Delivery {
        let outcome = match outcome {
            Ok(status) => {
                Outcome::Replied(Reply { status, headers: Headers::default(), body: Bytes::new(), truncated: false })
            }
            Err(cause) => Outcome::Failed(cause, String::new()),
        };
        let started_at = Timestamp::from_unix_ms(0);
        let (id, capture) = (DeliveryId(1), CaptureId(1));
        Delivery {
            id,
            capture,
            to: String::new(),
            started_at,
            took_ms,
            attempt: 1,
            receipt: Vec::new(),
            outcome,
            errand: None,
        }
    }

    fn said(verdict: Verdict, fault: Option<Fault>, outcome: Result<u16, Cause>, took_ms: u64) -> String {
        let judgement = Judgement { verdict, fault, ..Judgement::default() };
        let github = Provider::parse("github", GITHUB).unwrap();
        blame(&judgement, &delivery(outcome, took_ms), Some(&github)).join("; ")
    }

    #[test]
    fn check_and_reply_together_say_whose_bug_it_is() {
        use Verdict::{Failed, Passed, Unchecked};
        for (verdict, fault, outcome, words) in [
            (Passed, None, Ok(401), "parses the body before it verifies"),
            (Failed, Some(Fault::Mismatch), Ok(200), "it does not verify"),
            (Failed, Some(Fault::Stale), Ok(400), "signed anew"),
            (Failed, Some(Fault::Stale), Ok(200), "does not look at the time"),
            (Failed, Some(Fault::Mismatch), Ok(401), "the sender's bug"),
            (Passed, None, Ok(500), "its own bug"),
            (Failed, Some(Fault::Mismatch), Ok(500), "does not verify first"),
            (Unchecked, None, Ok(404), "no such path"),
            (Unchecked, None, Ok(302), "do not follow"),
            (Passed, None, Err(Cause::Refused), "is the app running"),
            (Passed, None, Err(Cause::TimedOut), "does not answer"),
            (Passed, None, Err(Cause::BrokenOff), "a crash"),
            (Passed, None, Err(Cause::NotHttp), "something else"),
            (Passed, None, Err(Cause::NotTls), "something else"),
            (Passed, None, Err(Cause::NoTls), "speaks no TLS: is it http"),
            (Passed, None, Err(Cause::BrokenHttp), "its rules forbid"),
        ] {
            let said = said(verdict, fault, outcome, 1);
            assert!(said.contains(words), "{verdict:?} {outcome:?}: {said}");
        }
        assert_eq!(said(Passed, None, Ok(200), 1), "", "nothing is wrong");
        for unasked in [Cause::Certificate, Cause::NoHost, Cause::Unsendable, Cause::Other] {
            assert_eq!(said(Passed, None, Err(unasked), 1), "", "the app was not asked");
        }
    }

    #[test]
    fn a_signature_over_the_url_may_be_right_for_another_one() {
        const TWILIO: &str = include_str!("../../assets/providers/twilio.toml");
        let evidence = Evidence {
            place: "X-Twilio-Signature".to_owned(),
            received: None,
            expected: None,
            content: String::new(),
            difference: None,
        };
        let judgement = Judgement { verdict: Verdict::Passed, evidence: Some(evidence), ..Judgement::default() };
        let said = |name: &str, file: &str, delivery: &Delivery| {
            blame(&judgement, delivery, Some(&Provider::parse(name, file).unwrap())).join("; ").contains("the URL")
        };
        let refused = delivery(Ok(403), 1);
        assert!(said("twilio", TWILIO, &refused) && !said("github", GITHUB, &refused));
        assert!(!said("twilio", TWILIO, &delivery(Ok(500), 1)) && !said("twilio", TWILIO, &delivery(Ok(200), 1)));
        let (name, from, to) = ("x-twilio-signature".to_owned(), String::new(), String::new());
        let anew = Delivery { receipt: vec![Change::Replaced { name, from, to }], ..refused };
        assert!(!said("twilio", TWILIO, &anew), "it is signed anew");
    }

    #[test]
    fn a_slow_app_is_measured_by_its_provider_s_patience() {
        let slow = said(Verdict::Passed, None, Ok(200), 11_000);
        assert_eq!(slow, "11.0 s is over GitHub's limit of 10 s: answer first, work later");
        assert_eq!(said(Verdict::Passed, None, Ok(200), 10_000), "");
    }

    #[test]
    fn every_row_can_be_said() {
        let checks = [Check::Passed, Check::Stale, Check::Failed, Check::Unknown];
        for (at, row) in ROWS.iter().enumerate() {
            let mut fitting = checks.into_iter().filter(|check| row.0.is_none_or(|it| it == *check));
            let app = match row.1 {
                App::Said(from, _) => App::Said(from, from),
                app => app,
            };
            let first = |check| ROWS.iter().position(|row| row.0.is_none_or(|it| it == check) && fits(row.1, app));
            let reached = match row.1 {
                App::Said(_, to) => {
                    let last = App::Said(to, to);
                    fitting.any(|check| {
                        ROWS.iter().position(|row| row.0.is_none_or(|it| it == check) && fits(row.1, last)) == Some(at)
                            || first(check) == Some(at)
                    })
                }
                _ => fitting.any(|check| first(check) == Some(at)),
            };
            assert!(reached, "row {at} is never reached: {}", row.2);
        }
    }
}
