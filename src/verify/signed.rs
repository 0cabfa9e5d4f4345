//! Which bytes a signature is over.

use super::{Provider, Request, content::Filling, form, mac::Algorithm, place::View, shape::Sent};

impl Provider {
    /// The bytes that the signature of a request is made over, as the request came; of several URLs that the sender may
    /// have meant, with the first. None where nothing is signed (a token), where the signed bytes are the signature's own
    /// (a JWT), where a secret is among them, and where a part of them is not there.
    pub fn signed_bytes(&self, request: &Request<'_>) -> Option<Vec<u8>> {
        let scheme = self.scheme(request);
        let content = &scheme.content;
        if matches!(scheme.algorithm, Algorithm::Token | Algorithm::Jwt) || content.has_secret() {
            return None;
        }
        let received = scheme.received(request);
        let sent = received.first().map(|(_, text)| Sent { shape: &scheme.shape, text })?;
        let url = scheme.urls(request).into_iter().next().flatten();
        let sorted_form = content.has_form().then(|| form::sorted(request.body));
        let view = View { request, url: url.as_deref(), sent: Some(sent), sorted_form: sorted_form.as_deref() };
        let timestamp = scheme.clock.as_ref().and_then(|clock| clock.place.find(view)).unwrap_or_default();
        let filling = Filling { timestamp: &timestamp, ..Filling::default() };
        content.pieces(view, filling).ok().map(|pieces| pieces.concat())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        record::{Headers, Timestamp},
        verify::Catalog,
    };

    #[test]
    fn the_signed_bytes_are_shown_where_no_secret_is_among_them() {
        let catalog = Catalog::builtin().unwrap();
        for (provider, headers, signed) in [
            ("github", &[("X-Hub-Signature-256", "sha256=00")][..], Some(&b"{\"a\":1}"[..])),
            ("stripe", &[("Stripe-Signature", "t=17,v1=00")][..], Some(b"17.{\"a\":1}")),
            ("stripe", &[][..], None),
            ("gitlab", &[("X-Gitlab-Token", "hush")][..], None),
        ] {
            let headers: Headers = headers.iter().copied().collect();
            let request = Request {
                method: "POST",
                url: None,
                target: b"/",
                headers: &headers,
                body: b"{\"a\":1}",
                truncated: false,
                rewritten: false,
                received_at: Timestamp::default(),
            };
            let found = catalog.get(provider).unwrap().signed_bytes(&request);
            assert_eq!(found.as_deref(), signed, "{provider}");
        }
    }
}
