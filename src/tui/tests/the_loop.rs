//! The real loop on a terminal of the test's own.

use super::{script::options, *};
use crate::tui::workers::Workers;

/// The real loop: keys in, frames out, a bell that rings while it draws.
#[test]
fn the_loop_runs_on_any_terminal() {
    let scene = Arc::new(Scene::default());
    scene.basket.put(30);
    let stage: Arc<dyn Stage> = scene.clone();
    let (messages, inbox): (Sender<Msg>, Receiver<Msg>) = channel();
    let mut terminal = Terminal::new(TestBackend::new(80, 24)).unwrap();
    let to = messages.clone();
    let ringing = scene.clone();
    let typist = std::thread::spawn(move || {
        while ringing.ring.lock().unwrap().is_none() {
            std::thread::yield_now();
        }
        for _ in 0..2_000 {
            ringing.basket.put(1);
            ringing.ring.lock().unwrap().as_ref().unwrap()();
        }
        // Until the first rows have come there is nothing to resend.
        while ringing.resent.lock().unwrap().is_empty() {
            for code in [KeyCode::Char('R'), KeyCode::Char('5'), KeyCode::Enter] {
                to.send(Msg::Key(KeyEvent::new(code, KeyModifiers::NONE))).unwrap();
            }
            std::thread::yield_now();
        }
        to.send(Msg::Stop).unwrap();
    });
    run::run(&mut terminal, &stage, options(crate::engine::now), &Answers::new(messages), &inbox).unwrap();
    typist.join().unwrap();
    let resent = scene.resent.lock().unwrap().clone();
    // The typist goes on until one is out, and a later one may be out before the first.
    assert!(resent.iter().any(|(_, to)| to.as_deref() == Some("http://localhost:5")), "{resent:?}");
    assert!(terminal.backend().to_string().contains("creel"));
}

/// A panic on another thread is told, its wish is answered, and the screen goes on.
#[test]
fn of_the_filters_that_somebody_typed_through_only_the_last_is_searched() {
    let scene = Arc::new(Scene::default());
    let stage: Arc<dyn Stage> = scene.clone();
    let (messages, heard) = channel();
    let workers = Workers::start(&stage, &Answers::new(messages), options(crate::engine::now).hands).unwrap();
    let busy = scene.basket.0.lock().unwrap();
    for generation in 1..=5 {
        workers.take(Effect::Page { generation, ask: Ask::Newest, start: Start::Newest, limit: 9, filter: None });
    }
    drop(busy);
    let generation = |msg| if let Msg::Page { generation, .. } = msg { generation } else { panic!("{msg:?}") };
    let answered: Vec<u64> =
        std::iter::repeat_with(|| generation(heard.recv().unwrap())).take_while(|it| *it < 5).collect();
    assert!(answered.is_empty() || answered == [1], "the first may have been begun: {answered:?}");
}

#[test]
fn what_breaks_elsewhere_does_not_end_the_screen() {
    let scene = Arc::new(Scene { breaks: true, ..Scene::default() });
    scene.basket.put(3);
    let stage: Arc<dyn Stage> = scene.clone();
    let (messages, inbox): (Sender<Msg>, Receiver<Msg>) = channel();
    let (seen, heard) = channel();
    let to = messages.clone();
    let watched = scene.clone();
    let typist = std::thread::spawn(move || {
        while watched.resent.lock().unwrap().len() < 2 {
            for code in [KeyCode::Char('R'), KeyCode::Char('5'), KeyCode::Enter] {
                to.send(Msg::Key(KeyEvent::new(code, KeyModifiers::NONE))).unwrap();
            }
            std::thread::yield_now();
        }
        // A second one can only be sent once the first is answered.
        seen.send(watched.resent.lock().unwrap().len()).unwrap();
        to.send(Msg::Stop).unwrap();
    });
    let mut terminal = Terminal::new(TestBackend::new(80, 24)).unwrap();
    run::run(&mut terminal, &stage, options(crate::engine::now), &Answers::new(messages), &inbox).unwrap();
    typist.join().unwrap();
    assert!(heard.recv().unwrap() >= 2);
}
