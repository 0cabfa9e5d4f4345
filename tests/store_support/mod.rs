//! What the tests of the store share: a place for a store, and captures to put into it.
#![allow(dead_code, clippy::unwrap_used, reason = "each test binary uses its part of this, and a test may unwrap")]

use std::path::PathBuf;

use bytes::Bytes;
use creel::{
    record::{Body, Capture, CaptureId, Delivery, DeliveryId, Failure, Head, Outcome, Refusal, Timestamp, Uid},
    store::{Bell, Role, Stored, Writer},
};
use sha2::{Digest, Sha256};
use tempfile::TempDir;

/// A folder that goes away, and a path in it.
pub(crate) struct Place {
    pub(crate) folder: TempDir,
    pub(crate) path: PathBuf,
}

pub(crate) fn place() -> Place {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("creel.db");
    Place { folder, path }
}

impl Place {
    /// A capturing writer that answers by itself, without a runtime.
    pub(crate) fn capturing(&self) -> Writer {
        Writer::open(&self.path, Role::Capturing, Bell::new()).unwrap().0
    }
}

pub(crate) fn body(bytes: impl Into<Bytes>) -> Body {
    let bytes = bytes.into();
    let sha256 = Sha256::digest(&bytes).into();
    Body::whole(bytes, sha256)
}

/// A plain capture; `n` tells it from others.
pub(crate) fn capture(n: u64) -> Capture {
    let head = format!("POST /shop/{n}?n={n} HTTP/1.1\r\nHost: 127.0.0.1\r\nX-N: {n}\r\n\r\n");
    let uid = Uid::new(Timestamp::from_unix_ms(n as i64), u128::from(n));
    let received_at = Timestamp::from_unix_ms(1_795_424_700_000 + n as i64);
    Capture {
        endpoint: "shop".into(),
        peer: format!("127.0.0.1:{}", n % 60_000),
        reply_status: 200,
        ..Capture::new(uid, received_at, Head::parse(head.into()), body(format!("{{\"n\":{n}}}")))
    }
}

pub(crate) fn delivery(capture: i64, outcome: Outcome) -> Delivery {
    Delivery {
        id: DeliveryId(0),
        capture: CaptureId(capture),
        to: "http://localhost:3000/hooks".into(),
        started_at: Timestamp::from_unix_ms(1_795_424_700_500),
        took_ms: 12,
        attempt: 0,
        receipt: Vec::new(),
        outcome,
        errand: None,
    }
}

pub(crate) fn refusal(reason: &str) -> Refusal {
    Refusal {
        at: Timestamp::from_unix_ms(1_795_424_700_000),
        peer: "10.0.0.1:4".into(),
        status: Some(400),
        reason: reason.into(),
        head: b"\x16\x03\x01".to_vec(),
    }
}

pub(crate) fn store(writer: &Writer, capture: Capture) -> Result<Stored, Failure> {
    writer.capture(capture).unwrap().blocking_recv().unwrap()
}

/// Stores so many plain captures, numbered like their ids in a new store.
pub(crate) fn fill(writer: &Writer, count: u64) {
    let pending: Vec<_> = (1..=count).map(|n| writer.capture(capture(n)).unwrap()).collect();
    for pending in pending {
        pending.blocking_recv().unwrap().unwrap();
    }
}
