//! The steps of two changes at once.

use serde_json::Value;

use super::{
    super::{Request, Secret, check::Attempt, style::Style},
    Case, Found, Meter, Step, Suspect, other_bodies, other_readings, other_styles, other_urls,
    rows::{BODIES, LIKELY, MEND_BODY},
};

/// Two changes at once: somebody else's secret and another body.
pub(super) fn other_secrets_and_bodies(case: &Case<'_>, meter: &mut Meter<'_>) -> Step {
    for other in case.others {
        let case = Case { secrets: other.secrets, ..*case };
        for step in [other_readings, other_bodies, other_urls] {
            if let Some(found) = step(&case, meter)? {
                return Ok(Some(of_endpoint(other, found)));
            }
        }
    }
    Ok(None)
}

/// Two changes at once: a body that was changed without anybody noticing, and the secret read in another way or another URL.
pub(super) fn other_readings_and_bodies(case: &Case<'_>, meter: &mut Meter<'_>) -> Step {
    if !case.scheme.covers_body() || case.request.body.len() > MAX_WITH_ANOTHER {
        return Ok(None);
    }
    for (is, body) in likely_bodies(case.request.body) {
        let request = Request { body: &body, ..*case.request };
        let case = Case { request: &request, ..*case };
        for step in [other_readings, other_urls] {
            if let Some(found) = step(&case, meter)? {
                let (is, mend) = (format!("{}, and {is}", found.is), format!("{} {MEND_BODY}", found.mend));
                return Ok(Some(Found { is, mend, body: Some(body.clone()), ..found }));
            }
        }
    }
    Ok(None)
}

/// The largest body of which two changes are tried at once, in bytes: each candidate is hashed as a whole.
const MAX_WITH_ANOTHER: usize = 64 << 10;

/// The bodies of the likely changes: those rows, and the plainest styles of JSON.
fn likely_bodies(body: &[u8]) -> Vec<(String, Vec<u8>)> {
    let rows = BODIES.iter().filter(|change| LIKELY.contains(&change.class));
    let changed = rows.filter_map(|change| Some((change.is.to_owned(), (change.make)(body)?)));
    let json = serde_json::from_slice::<Value>(body).ok();
    let styles = json
        .iter()
        .flat_map(|json| Style::all(json).take(Style::PLAINEST).map(|style| (style.described(), style.write(json))));
    let mut all: Vec<_> = changed.chain(styles).filter(|(_, changed)| changed != body).collect();
    all.sort_by(|a, b| a.1.cmp(&b.1));
    all.dedup_by(|a, b| a.1 == b.1);
    all
}

/// The same with JSON written anew: each style once for all of them, since writing it costs more than to try it.
pub(super) fn other_secrets_and_styles(case: &Case<'_>, meter: &mut Meter<'_>) -> Step {
    let secrets: Vec<Secret> = case.others.iter().flat_map(|other| other.secrets.iter().cloned()).collect();
    let Some(found) = other_styles(&Case { secrets: &secrets, ..*case }, meter)? else { return Ok(None) };
    for other in case.others {
        let request = Request { body: found.body.as_deref().unwrap_or(case.request.body), ..*case.request };
        if meter.is(&Attempt { request, secrets: other.secrets, ..case.attempt() })? {
            return Ok(Some(of_endpoint(other, found)));
        }
    }
    Ok(None)
}

fn of_endpoint(other: &Suspect<'_>, found: Found) -> Found {
    let is = format!("the secret of endpoint `{}` and {}", other.endpoint, found.is);
    Found { class: "secret-of-other-endpoint", is, ..found }
}
