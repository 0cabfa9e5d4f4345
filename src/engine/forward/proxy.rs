//! An app's reply on its way back to the sender.

use crate::{
    record::{CaptureId, Cause, Header, Outcome, Reply},
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

/// The answer to the sender.
pub(in crate::engine) fn answered(id: CaptureId, outcome: Outcome) -> Answer {
    let status = status(&outcome);
    let number = ("Creel-Id".to_owned(), id.to_string());
    match outcome {
        Outcome::Replied(reply) if status == reply.status => {
            let headers = reply.headers.iter().filter(is_for_the_sender);
            let headers = headers.map(|header| (header.name_text().into_owned(), header.value_text().into_owned()));
            Answer::whole(status, headers.chain([number]).collect(), reply.body)
        }
        _ => {
            let kind = ("Content-Type".to_owned(), "application/json".to_owned());
            let body = format!("{{\"caught\":{id},\"app\":\"no reply\"}}");
            Answer::whole(status, vec![kind, number], body)
        }
    }
}

/// What is of the connection to the app alone stays there, and so does what cannot stand in a header.
fn is_for_the_sender(header: &Header<'_>) -> bool {
    let of_the_connection = header.is_hop_by_hop() || header.is("content-length") || header.is("creel-id");
    !of_the_connection && std::str::from_utf8(header.value).is_ok()
}
