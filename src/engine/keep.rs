//! What a person makes out of a capture and does not send: it is judged and stored as a capture of its own.

use super::{Aim, Engine, catalog, import::Judge, rewrite};
use crate::{
    import::Entry,
    record::{Capture, CaptureId, Failure, Flags, Tags},
    store::Brought,
    wire::PathRule,
};

impl Engine {
    /// Stores a capture as it would be sent, as a new one that is marked as edited. Blocks until it is stored; sends nothing.
    pub fn keep(&self, capture: &Capture, aim: &Aim) -> Result<CaptureId, Failure> {
        let doing = || format!("saving an edited #{}", capture.id);
        let endpoints = self.endpoints();
        let endpoint = endpoints.of_capture(capture);
        let to = match &aim.to {
            Some(to) => self.targets().named(to)?.url,
            None => endpoint.app.as_ref().map(|app| app.url.clone()).unwrap_or_default(),
        };
        let edited = aim.edit.apply(capture, endpoint, &*catalog()?, (&to, PathRule::default()))?;
        if edited.head == capture.head && edited.body == capture.body.bytes {
            return Err(Failure::new(doing(), "nothing of it was changed"));
        }
        let whole = aim.edit.whole.iter().map(|whole| whole.body.len());
        let lengths: Vec<_> = whole.chain([capture.body.bytes.len()]).collect();
        let entry = Entry {
            head: rewrite::with_length(edited.head, &lengths, edited.body.len()),
            body: edited.body,
            trailers: capture.trailers.clone(),
            received_at: None,
            peer: None,
            endpoint: Some(capture.endpoint.clone()),
            uid: None,
            flags: Flags::default(),
            truncated: capture.body.truncated,
            // Nobody sent it, so nobody was answered.
            reply_status: Some(0),
            tags: Tags::EDITED,
            note: None,
            sha256: None,
        };
        let judged = Judge::new(endpoints.clone())?.judged(entry).map_err(|why| Failure::new(doing(), why))?;
        let made = Capture { edited_from: Some(capture.id), ..judged };
        let mut made = Some(Brought { capture: made, may_be_known: false });
        let source = Box::new(move || Ok(made.take()));
        let pending = self.writer()?.import(source).map_err(|full| Failure::new(doing(), full))?;
        let stored = pending.blocking_recv().map_err(|_| Failure::new(doing(), "the store is closed"))??;
        Ok(stored.first)
    }
}
