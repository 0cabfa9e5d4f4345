//! What is sent on, and what comes of it.

use super::{act, plain, say};
use crate::{
    engine::Tidings,
    record::{CaptureId, Delivery, Failure, Outcome, Post, counted},
    tui::{
        effect::Effect,
        hint,
        keys::Command,
        model::{Model, Notice, Tone},
        prompt::{Prompt, Purpose},
        sheet::Content,
        stage::SentAll,
    },
};

pub(super) fn resent(model: &mut Model, id: CaptureId, delivery: Result<Delivery, Failure>) -> Vec<Effect> {
    model.sending.remove(&id);
    model.rung = true;
    match delivery {
        Ok(delivery) => {
            let notice = outcome(&delivery);
            model.notice = Some(notice);
            vec![Effect::Deliveries(id)]
        }
        Err(failure) => say(model, Notice::of(&failure)),
    }
}

fn outcome(delivery: &Delivery) -> Notice {
    let id = delivery.capture;
    match &delivery.outcome {
        Outcome::Replied(reply) => {
            let tone = if (200..300).contains(&reply.status) { Tone::Good } else { Tone::Bad };
            Notice {
                tone,
                text: format!("#{id}: {} answered {} in {} ms", delivery.to, reply.status, delivery.took_ms),
                hint: None,
            }
        }
        Outcome::Failed(_, why) => Notice { tone: Tone::Bad, text: format!("#{id}: {why}"), hint: None },
    }
}

/// Resends the selected capture, as it came or signed anew: to its endpoint's app, or to a URL that is asked for.
pub(super) fn resend(model: &mut Model, ask: bool, resign: bool) -> Vec<Effect> {
    let Some(row) = model.list.row() else {
        return say(model, Notice { tone: Tone::Plain, text: "there is nothing to resend yet".to_owned(), hint: None });
    };
    let app = model.endpoints.of_row(row).app.as_ref();
    let (id, app) = (row.id, app.map(|app| app.url.clone()));
    if model.sending.contains(&id) {
        return say(model, Notice { tone: Tone::Plain, text: format!("#{id} is on its way"), hint: None });
    }
    match (ask, app) {
        (false, Some(_)) => {
            model.sending.insert(id);
            vec![Effect::Resend { id, to: None, resign }]
        }
        (_, app) => {
            let text = model.last_url.clone().or(app).unwrap_or_else(|| "http://localhost:".to_owned());
            model.prompt = Some(Prompt::new(Purpose::Url(id, resign), &text));
            Vec::new()
        }
    }
}

/// Something goes on: an app is down or up again, a capture was given up, what comes cannot be kept or can again, an alert.
pub(super) fn news(model: &mut Model, text: String, tidings: Tidings) -> Vec<Effect> {
    let tone = if tidings == Tidings::Good { Tone::Good } else { Tone::Bad };
    model.news.add(model.now, tone, text.clone());
    if model.sheet.as_ref().is_some_and(|sheet| matches!(sheet.content, Content::News)) {
        model.news.unread = 0;
    }
    model.notice = Some(Notice { tone, text, hint: None });
    // Whether what comes is kept stands in the header as long as it is so.
    vec![Effect::Door]
}

/// Shows all that creel said.
pub(super) fn show_news(model: &mut Model) -> Vec<Effect> {
    model.news.unread = 0;
    act::show(model, "What creel said".to_owned(), Content::News)
}

/// Sends all that is marked; while that is under way, ends it.
pub(super) fn resend_marked(model: &mut Model) -> Vec<Effect> {
    let (text, effect) = if model.sending_marked {
        ("stopping; what is under way is finished".to_owned(), Effect::StopResending)
    } else {
        let key = model.keys.of(Command::ResendMarked);
        (format!("all that is marked is on its way; {key} stops that"), Effect::ResendMarked(model.deleted.ids()))
    };
    model.sending_marked = true;
    model.notice = Some(Notice { tone: Tone::Plain, text, hint: None });
    vec![effect]
}

pub(super) fn resent_marked(model: &mut Model, sent: Result<SentAll, Failure>) -> Vec<Effect> {
    (model.sending_marked, model.rung) = (false, true);
    match sent {
        Ok(SentAll { right, wrong, unsent, why }) => {
            let tone = if wrong + unsent == 0 { Tone::Good } else { Tone::Bad };
            let sent = format!("{} sent: {right} answered 2xx, {wrong} not", right + wrong);
            let Some((id, why)) = why else { return say(model, Notice { tone, text: sent, hint: None }) };
            let others = if unsent > 1 { format!(" and {} more", unsent - 1) } else { String::new() };
            let text = format!("#{id}{others} could not be sent: {}", why.why);
            let text = if right + wrong == 0 { text } else { format!("{sent}; {text}") };
            say(model, Notice { tone, text, hint: why.hint.and_then(hint::here) })
        }
        Err(failure) => say(model, Notice::of(&failure)),
    }
}

/// Sends once more what was given up of the selected capture.
pub(super) fn resend_dead(model: &mut Model) -> Vec<Effect> {
    let Some(row) = model.list.row() else { return Vec::new() };
    let id = row.id;
    if row.post != Some(Post::Dead) {
        let text = format!("nothing of #{id} was given up; `reply:dead` finds what was");
        return plain(model, text, None);
    }
    if !model.sending.insert(id) {
        return Vec::new();
    }
    vec![Effect::ResendDead(id)]
}

/// Ends what of the selected capture waits to be forwarded or was given up.
pub(super) fn drop_errands(model: &mut Model) -> Vec<Effect> {
    let Some(row) = model.list.row() else { return Vec::new() };
    let id = row.id;
    if row.post.is_none() {
        let text = format!("nothing of #{id} waits to be forwarded, and nothing was given up");
        return plain(model, text, None);
    }
    vec![Effect::Drop(id)]
}

pub(super) fn dropped(model: &mut Model, id: CaptureId, dropped: Result<u64, Failure>) -> Vec<Effect> {
    model.rung = true;
    match dropped {
        Ok(count) => {
            let text = format!("{} of #{id} dropped: nothing forwards it any more", counted(count, "delivery"));
            plain(model, text, Some("{resend} resends it all the same"))
        }
        Err(failure) => say(model, Notice::of(&failure)),
    }
}
