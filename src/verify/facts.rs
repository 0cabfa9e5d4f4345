//! What a provider's file says, for eyes and for JSON: `creel providers NAME`.

use serde_json::{Value, json};

use super::{
    Provider,
    detect::Rule,
    event::Choice,
    place::Place,
    scheme::{Clock, Condition, Scheme},
    time::Window,
};

impl Provider {
    /// The file in words, a line each: what it is about, and what it says.
    pub fn facts(&self) -> Vec<(&'static str, String)> {
        let rules: Vec<_> = self.rules.iter().map(Rule::described).collect();
        let detected =
            if rules.is_empty() { "nothing; name it in the endpoint".to_owned() } else { rules.join(" or ") };
        let about = [
            ("provider", self.name.clone()),
            ("title", self.title.clone()),
            ("docs", self.docs.clone()),
            ("confidence", self.confidence.name().to_owned()),
            ("detected by", detected),
        ];
        let event = [
            ("event id", places(&self.event.id)),
            ("event type", places(&self.event.kind)),
            ("event time", places(&self.event.created)),
            ("handshake", self.handshakes().collect::<Vec<_>>().join("; ")),
        ];
        about
            .into_iter()
            .chain(self.schemes().flat_map(Scheme::facts))
            .chain(event)
            .chain(self.habits.facts())
            .filter(|f| !f.1.is_empty())
            .collect()
    }

    /// The same for JSON.
    pub fn json(&self) -> Value {
        json!({
            "name": self.name,
            "title": self.title,
            "docs": self.docs,
            "confidence": self.confidence.name(),
            "detect": self.rules.iter().map(Rule::described).collect::<Vec<_>>(),
            "schemes": self.schemes().map(Scheme::json).collect::<Vec<_>>(),
            "event": {
                "id": list(&self.event.id),
                "type": list(&self.event.kind),
                "created_at": list(&self.event.created),
            },
            "handshakes": self.handshakes().collect::<Vec<_>>(),
            "delivery": {
                "timeout_s": self.habits.timeout_ms.map(|ms| f64::from(ms) / 1_000.0),
                "success": self.habits.success,
                "retries_s": self.habits.retries,
                "about": self.habits.about,
                "docs": self.habits.docs,
            },
        })
    }
}

impl Scheme {
    fn facts(&self) -> [(&'static str, String); 9] {
        let encoding = format!("{}, {} in {}", self.shape.described(), self.algorithm.name(), self.encoding.name());
        [
            ("used when", self.when.as_ref().map_or(String::new(), Condition::described)),
            ("signature in", self.place_titles()),
            ("written as", encoding),
            ("signed", self.content_described()),
            ("secret", self.secret.described(self.algorithm)),
            ("timestamp", self.clock.as_ref().map_or("none".to_owned(), Clock::described)),
            ("tolerance", self.clock.as_ref().map_or(String::new(), Clock::tolerance_described)),
            ("covers the body", if self.covers_body() { "yes" } else { "no" }.to_owned()),
            ("not covered", self.uncovered()),
        ]
    }

    /// What anybody could change without the signature becoming wrong.
    fn uncovered(&self) -> String {
        let body = (!self.covers_body()).then(|| "the body".to_owned());
        let url = (!self.signs_url()).then(|| "the URL".to_owned());
        let clock = self.clock.iter().filter(|_| self.content.has_timestamp()).map(|clock| &clock.place);
        let signed: Vec<_> = self.content.places().into_iter().chain(clock).filter_map(Place::header).collect();
        let headers = match &signed[..] {
            [] => "the headers".to_owned(),
            signed => format!("the headers but {}", signed.join(", ")),
        };
        let all: Vec<_> = body.into_iter().chain(url).chain([headers]).collect();
        all.join("; ")
    }

    fn json(&self) -> Value {
        let tolerance = self.clock.as_ref().and_then(|clock| clock.tolerance);
        json!({
            "when": self.when.as_ref().map(Condition::described),
            "signature": self.places.iter().map(ToString::to_string).collect::<Vec<_>>(),
            "form": self.shape.described(),
            "algorithm": self.algorithm.name(),
            "encoding": self.encoding.name(),
            "secret": self.secret.described(self.algorithm),
            "content": self.content_described(),
            "timestamp": self.clock.as_ref().map(|clock| clock.place.to_string()),
            "tolerance_s": tolerance.map(|tolerance| tolerance.seconds),
            "window": tolerance.map(|tolerance| window(tolerance.window)),
            "claims": self.claims.iter().map(|(name, content)| json!([name, content.text()])).collect::<Vec<_>>(),
            "needs": self.needs,
            "covers_body": self.covers_body(),
            "not_covered": self.uncovered(),
        })
    }
}

impl Clock {
    fn described(&self) -> String {
        format!("{} in {}", self.place, self.unit.name())
    }

    fn tolerance_described(&self) -> String {
        self.tolerance.map_or("none set".to_owned(), |t| format!("{} s, {}", t.seconds, window(t.window)))
    }
}

fn window(window: Window) -> &'static str {
    match window {
        Window::Both => "both ways",
        Window::Past => "past only",
    }
}

fn list(choices: &[Choice]) -> Vec<String> {
    choices.iter().map(ToString::to_string).collect()
}

fn places(choices: &[Choice]) -> String {
    list(choices).join(", else ")
}
