//! An app's reply on its way back to the sender.

use crate::{
    engine::respond::is_creels_own,
    record::{CaptureId, Cause, Header, Headers, Outcome, Reply},
    wire::Answer,
};

/// The status that the sender gets for an outcome: the app's own; 504 where it took too long, 502 for all else.
pub(super) fn status(outcome: &Outcome) -> u16 {
    match outcome {
        Outcome::Replied(Reply { truncated: true, .. }) => 502,
        Outcome::Replied(reply) if (200..600).contains(&reply.status) => reply.status,
        Outcome::Failed(Cause::TimedOut | Cause::NoTls, _) => 504,
        _ => 502,
    }
}

/// The answer to the sender, who may have asked for the head alone.
pub(in crate::engine) fn answered(id: CaptureId, outcome: Outcome, asks_for_the_head: bool) -> Answer {
    let status = status(&outcome);
    let number = ("Creel-Id".to_owned(), id.to_string().into_bytes());
    match outcome {
        Outcome::Replied(reply) if status == reply.status => {
            // Where there is no body, only the app knows how long it would be.
            let says_length = asks_for_the_head && reply.body.is_empty() && has_one_length(&reply.headers);
            let passes = |header: &Header<'_>| !is_creels_own(*header) || (says_length && header.is("content-length"));
            let headers = reply.headers.iter().filter(passes);
            let headers = headers.map(|header| (header.name_text().into_owned(), header.value.to_vec()));
            Answer::whole(status, headers.chain([number]).collect(), reply.body)
        }
        _ => {
            let kind = ("Content-Type".to_owned(), b"application/json".to_vec());
            let body = format!("{{\"caught\":{id},\"app\":\"no reply\"}}");
            Answer::whole(status, vec![kind, number], body)
        }
    }
}

/// Whether a length is said once and is one. Nobody has checked it where no body followed.
fn has_one_length(headers: &Headers) -> bool {
    let mut lengths = headers.get_all("content-length");
    let is_length = |value: &[u8]| !value.is_empty() && value.iter().all(u8::is_ascii_digit);
    lengths.next().is_some_and(is_length) && lengths.next().is_none()
}
