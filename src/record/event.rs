//! What a provider says its delivery is about.

use super::Timestamp;

/// The event of a delivery, as far as its provider's file says where to find it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Event {
    /// The provider's id of the event or of the delivery: what stays the same when it is sent again.
    pub id: Option<String>,
    /// The event's type: `charge.succeeded`, `push`.
    pub kind: Option<String>,
    /// When it happened, by the provider's clock.
    pub created_at: Option<Timestamp>,
}

/// Whose a capture is told to be, and what its event is.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Origin {
    /// The provider; none: nobody creel knows.
    pub provider: Option<String>,
    /// The provider's event.
    pub event: Event,
}
