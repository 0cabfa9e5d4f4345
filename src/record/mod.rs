//! **Floor 0 — plain data.** What creel knows about a request, named once for every room.
//!
//! Nothing here reads a socket, a file, the clock or the environment; nothing here knows SQLite, HTTP libraries or the
//! screen. A value of these types is a fact that somebody else observed. Bytes that came from outside stay bytes:
//! they become text only through [`text::lossless`] (for JSON) or through the escaper in `body` (for eyes).

mod body;
mod capture;
mod cause;
pub mod cloudevent;
mod counted;
mod delivery;
mod errand;
mod event;
mod failure;
mod flag;
pub mod grammar;
mod head;
mod headers;
pub mod json;
mod judgement;
pub mod mask;
pub mod multipart;
pub mod pairs;
mod peer;
mod refusal;
mod summary;
mod tags;
pub mod text;
mod timestamp;
pub mod token;

pub use body::Body;
pub use capture::{Capture, CaptureId, Uid};
pub use cause::Cause;
pub use counted::{counted, rate, thousands};
pub use delivery::{Change, Delivery, DeliveryId, Outcome, Reply, Turn};
pub use errand::{Batch, BatchId, Circuit, Errand, ErrandId, Next, Post, Settlement};
pub use event::{Event, Origin};
pub use failure::Failure;
pub use flag::{Flag, Flags, Mark};
pub use head::{Head, Version};
pub use headers::{Header, Headers};
pub use judgement::{Evidence, Explanation, Fault, Handshake, Judgement, Verdict};
pub use peer::Peer;
pub use refusal::Refusal;
pub use summary::{Counters, LastDelivery, Repeat, Summary, gap, marks, span};
pub use tags::{NOTE_CHARS, Tagging, Tags};
pub use timestamp::{Timestamp, Zone, whole_ms};
