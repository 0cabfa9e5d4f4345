//! What is answered at the door, and how the tunnel stands.

use crate::{
    engine::respond::Words,
    record::Failure,
    tui::{
        effect::Effect,
        model::{Model, Notice, Tone},
        prompt::{Prompt, Purpose},
        stage::{Door, Place},
    },
};

pub(super) fn looked(model: &mut Model, door: Result<Door, Failure>) -> Vec<Effect> {
    // What cannot be read now is asked for again at the next ring; the counters say why.
    if let Ok(door) = door {
        if let Place::Watching { address, .. } = &mut model.place {
            address.clone_from(&door.holder);
        }
        model.door = door;
    }
    Vec::new()
}

/// Asks what the endpoint of the selected capture answers from now on.
pub(super) fn ask(model: &mut Model) -> Vec<Effect> {
    let endpoint = model.list.row().map_or_else(|| "default".to_owned(), |row| row.endpoint.clone());
    model.prompt = Some(Prompt::new(Purpose::Answer(endpoint), ""));
    model.notice = Some(Notice {
        tone: Tone::Plain,
        text: "503 · 503 first 3 · close every 2 · half 20% · slow 10 · silence 30".to_owned(),
        hint: Some("or delay 500; `file`: as configured. All is stored first, all the same".to_owned()),
    });
    Vec::new()
}

/// What was typed, which can be read.
pub(super) fn typed(model: &mut Model, endpoint: &str, text: &str) -> Vec<Effect> {
    model.notice = None;
    let words = Words::typed(text).ok().filter(|_| !text.trim().is_empty());
    words.into_iter().map(|words| Effect::Tell { endpoint: endpoint.to_owned(), words: words.map(Box::new) }).collect()
}

pub(super) fn told(model: &mut Model, endpoint: &str, answer: Result<String, Failure>) -> Vec<Effect> {
    let nobody = matches!(model.place, Place::Watching { address: None, .. });
    model.notice = Some(match answer {
        Ok(answer) if nobody => {
            let hint = Some("nobody captures now; whoever does next answers so".to_owned());
            Notice { tone: Tone::Plain, text: format!("{endpoint} will answer {answer}"), hint }
        }
        Ok(answer) => Notice { tone: Tone::Good, text: format!("{endpoint} answers {answer}"), hint: None },
        Err(failure) => Notice::of(&failure),
    });
    vec![Effect::Door]
}
