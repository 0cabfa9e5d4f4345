//! Where captures are sent: an app's URL, and how it is to be sent to.

use std::sync::Arc;

use crate::{
    record::Failure,
    wire::{self, PathRule},
};

/// One place to send to.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Target {
    /// Its name in `creel.toml`; none where only the URL is given.
    pub name: Option<String>,
    /// The app's URL.
    pub url: String,
    /// Whether a certificate that nobody vouches for is good enough.
    pub insecure: bool,
    /// Whether what goes there is signed anew, by the secret of the capture's endpoint.
    pub resign: bool,
    /// Whether headers go with it that make it a `CloudEvent`.
    pub cloudevents: bool,
    /// What becomes of the captured path where the URL has one.
    pub path: PathRule,
}

impl Target {
    /// A URL of no name.
    pub fn url(url: &str) -> Self {
        Self { url: url.to_owned(), ..Self::default() }
    }

    /// How it is called: by its name, else by its URL.
    pub fn title(&self) -> &str {
        self.name.as_deref().unwrap_or(&self.url)
    }
}

/// The targets that have a name.
#[derive(Clone, Debug, Default)]
pub struct Targets(Arc<[Target]>);

impl Targets {
    /// Those targets.
    pub fn new(targets: Vec<Target>) -> Self {
        Self(targets.into())
    }

    /// All of them.
    pub fn iter(&self) -> impl Iterator<Item = &Target> {
        self.0.iter()
    }

    /// What somebody wrote: a target's name, or a URL. What is neither is told with the names there are.
    pub fn named(&self, text: &str) -> Result<Target, Failure> {
        let named = self.iter().find(|target| target.name.as_deref() == Some(text));
        if let Some(target) = named {
            return Ok(target.clone());
        }
        sendable(text).map_err(|failure| {
            let names: Vec<_> = self.iter().filter_map(|target| target.name.as_deref()).collect();
            if text.contains([':', '/', '.']) {
                return failure;
            }
            let hint = if names.is_empty() {
                "name a place to send to by [[target]] there, or give its URL: http://HOST".to_owned()
            } else {
                format!("the targets are {}", names.join(", "))
            };
            let text = wire::without_login(text);
            Failure::new(format!("sending to `{text}`"), "it is neither a URL nor a target of creel.toml").hint(hint)
        })?;
        Ok(Target::url(text))
    }
}

/// Whether a URL can be sent to; else what is wrong with it. A name and a password in it are not repeated.
pub fn sendable(url: &str) -> Result<(), Failure> {
    if wire::can_send_to(url) {
        return Ok(());
    }
    let shown = wire::without_login(url);
    let doing = format!("sending to `{shown}`");
    if shown != url && url.contains("://") {
        let why = "a URL with a name and a password is not taken: it would be stored with each delivery";
        return Err(Failure::new(doing, why).hint(
            "leave them out; `creel resend` and `creel send` send what --header 'Authorization: …' says, and a \
             `transform` of a forward may set it",
        ));
    }
    let with_scheme = format!("http://{url}");
    let is_bare = !url.contains("://") && wire::can_send_to(&with_scheme);
    let hint =
        if is_bare { format!("did you mean {with_scheme}?") } else { "it is http://HOST or https://HOST".to_owned() };
    Err(Failure::new(doing, "it is no URL that creel can send to").hint(hint))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_target_is_named_or_a_url() {
        let staging = Target { name: Some("staging".into()), insecure: true, ..Target::url("https://h") };
        let targets = Targets::new(vec![staging.clone()]);
        assert_eq!(targets.named("staging"), Ok(staging));
        assert_eq!(targets.named("http://h").unwrap().title(), "http://h");
        assert!(targets.named("stagin").unwrap_err().to_string().contains("staging"));
        assert!(Targets::default().named("stagin").unwrap_err().to_string().contains("[[target]]"));
        assert!(
            targets.named("localhost:3000").unwrap_err().to_string().contains("did you mean http://localhost:3000?")
        );
        for login in ["http://user:trout@127.0.0.1:1", "http://user:tr/out@h/x", "trout@h", "user:trout@h"] {
            let said = targets.named(login).unwrap_err().to_string();
            assert!(said.contains("******@") && !said.contains("out@") && !said.contains("user"), "{said}");
            assert_eq!(said.contains("a name and a password is not taken"), login.starts_with("http"), "{said}");
        }
        assert!(targets.named("ftp://h").unwrap_err().to_string().contains("it is http://HOST or https://HOST"));
    }
}
