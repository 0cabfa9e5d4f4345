//! What a person changes of what is kept: deletions, tags, and what endpoints answer.

use std::thread;

use super::{
    Engine,
    respond::{self, Words},
};
use crate::{
    query::Sql,
    record::{CaptureId, ErrandId, Failure, Tagging},
    store::{self, Posted, Posting, Reader},
};

impl Engine {
    /// Deletes every capture that a condition takes, with its deliveries; gives how many. Blocks until then. It goes on in
    /// steps, so that a creel that captures into the store is not held up.
    pub fn forget(&self, condition: &Sql) -> Result<u64, Failure> {
        let writer = self.writer()?;
        let mut all = 0;
        loop {
            let pending = writer.forget(condition.clone()).map_err(|full| Failure::new("deleting captures", full))?;
            match pending.blocking_recv() {
                Ok(Ok(0)) => return Ok(all),
                Ok(count) => all += count?,
                Err(_) => return Err(Failure::new("deleting captures", "the store is closed")),
            }
        }
    }

    /// Strikes out what was still to be forwarded, or had been given up; gives how much of it there was. Blocks until then.
    pub fn drop_errands(&self, ids: &[ErrandId]) -> Result<u64, Failure> {
        const DOING: &str = "dropping deliveries";
        let writer = self.writer()?;
        ids.chunks(store::FORGET_AT_ONCE).try_fold(0, |all, ids| {
            let pending = writer.post(Posting::Drop(ids.to_vec())).map_err(|full| Failure::new(DOING, full))?;
            match pending.blocking_recv().map_err(|_| Failure::new(DOING, "the store is closed"))?? {
                Posted::Changed(count) => Ok(all + count),
                Posted::Batch(..) => Ok(all),
            }
        })
    }

    /// Changes what a person said of captures; gives how many of them there are. Blocks until it is stored.
    pub fn tag(&self, ids: &[CaptureId], tagging: &Tagging) -> Result<u64, Failure> {
        const DOING: &str = "tagging captures";
        let writer = self.writer()?;
        ids.chunks(store::FORGET_AT_ONCE).try_fold(0, |all, ids| {
            let pending = writer.tag(ids.to_vec(), tagging.clone()).map_err(|full| Failure::new(DOING, full))?;
            let closed = |_| Failure::new(DOING, "the store is closed");
            Ok(all + pending.blocking_recv().map_err(closed)??)
        })
    }

    /// Lays words over what an endpoint answers, or takes them away; whoever captures into the store hears of it. Blocks
    /// until every request that comes from now on is answered so.
    pub fn tell(&self, endpoint: &str, words: Option<&Words>) -> Result<String, Failure> {
        let doing = || format!("telling the endpoint `{endpoint}` what to answer");
        let endpoints = self.endpoints();
        let Some(known) = endpoints.named(endpoint) else {
            let names: Vec<_> = endpoints.iter().map(|endpoint| &endpoint.name[..]).collect();
            return Err(
                Failure::new(doing(), "there is none of that name").hint(format!("there are: {}", names.join(", ")))
            );
        };
        let file = known.respond.file();
        let answer = words.map_or_else(|| Ok(file.clone()), |words| words.over(file));
        let answer = answer.map_err(|wrong| wrong.failure(&doing()))?;
        let text = words.map(serde_json::to_string).transpose().map_err(|why| Failure::new(doing(), why))?;
        let pending = self.writer()?.tell(endpoint.to_owned(), text).map_err(|full| Failure::new(doing(), full))?;
        pending.blocking_recv().map_err(|_| Failure::new(doing(), "the store is closed"))??;
        thread::sleep(respond::HEARD_AFTER);
        Ok(answer.to_string())
    }

    /// The endpoints that answer something else than their configuration says, and what, in a few words.
    pub fn told(&self, reader: &Reader) -> Result<Vec<(String, String)>, Failure> {
        let (told, endpoints) = (respond::told(reader)?, self.endpoints());
        let answers = told.into_iter().filter_map(|(name, words)| {
            let answer = words.over(endpoints.named(&name)?.respond.file()).ok()?;
            Some((name, answer.to_string()))
        });
        Ok(answers.collect())
    }
}
