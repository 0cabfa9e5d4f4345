//! Where this very creel is reached: nothing is forwarded there.

use std::{net::SocketAddr, path::Path};

use super::tunnel::Outlook;
use crate::{store, wire::SendLimits};

/// creel's own ways in.
#[derive(Clone, Debug, Default)]
pub(super) struct Own {
    listeners: Vec<SocketAddr>,
    /// What leads to one of them from elsewhere; it is asked each time, since it may lead from another place tomorrow.
    tunnel: Option<Outlook>,
}

impl Own {
    /// Those of this process.
    pub(super) fn new(address: Option<SocketAddr>, tunnel: Option<Outlook>) -> Self {
        Self { listeners: address.into_iter().collect(), tunnel }
    }

    /// With that of whoever captures into the store.
    pub(super) fn and_of_the_holder(mut self, db: &Path) -> Self {
        self.listeners.extend(store::holder(db).and_then(|holder| listener(&holder.address?)));
        self
    }

    /// Lets no delivery end here.
    pub(super) fn keep_out(&self, limits: &mut SendLimits) {
        limits.own.clone_from(&self.listeners);
        limits.own_urls = self.tunnel.as_ref().and_then(Outlook::url).into_iter().collect();
    }
}

/// A listener as its process announced it: with its scheme.
fn listener(announced: &str) -> Option<SocketAddr> {
    announced.split_once("://").map_or(announced, |(_, address)| address).parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_listener_is_known_by_what_its_process_announced() {
        let address = "127.0.0.1:27335".parse().ok();
        for announced in ["http://127.0.0.1:27335", "https://127.0.0.1:27335", "127.0.0.1:27335"] {
            assert_eq!(listener(announced), address, "{announced}");
        }
        assert_eq!(listener("somewhere"), None);
    }
}
