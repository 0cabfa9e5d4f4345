//! What goes out by a key, and what an endpoint is told to answer.

use super::*;

#[test]
fn what_is_marked_goes_out_by_one_key_and_the_same_key_stops_it() {
    let mut model = Model::new(place(), Zone::utc(), LOOK, (80, 24));
    let press = |model: &mut Model| {
        let key = KeyEvent::new(KeyCode::Char('B'), KeyModifiers::NONE);
        update(model, Msg::Key(key))
    };
    assert!(matches!(press(&mut model)[..], [Effect::ResendMarked(_)]));
    assert!(matches!(press(&mut model)[..], [Effect::StopResending]));
    update(&mut model, Msg::ResentMarked(Ok(SentAll { right: 3, wrong: 2, ..SentAll::default() })));
    assert_eq!(model.notice.as_ref().unwrap().text, "5 sent: 3 answered 2xx, 2 not");
    assert!(matches!(press(&mut model)[..], [Effect::ResendMarked(_)]));
    let mut all = SentAll::default();
    for id in [7, 8] {
        all.count(Err((CaptureId(id), Failure::new("resending", "the endpoint `a` has no app").hint("name one"))));
    }
    update(&mut model, Msg::ResentMarked(Ok(all.clone())));
    let said = model.notice.clone().unwrap();
    assert_eq!(said.text, "#7 and 1 more could not be sent: the endpoint `a` has no app");
    assert_eq!((said.tone, said.hint.as_deref()), (Tone::Bad, Some("name one")));
    update(&mut model, Msg::ResentMarked(Ok(SentAll { right: 2, ..all })));
    let said = model.notice.clone().unwrap();
    assert!(said.text.starts_with("2 sent: 2 answered 2xx, 0 not; #7 and 1 more could not"), "{}", said.text);
    update(&mut model, Msg::News("forwarding a → b pauses: 5 tries failed".to_owned(), Tidings::Bad));
    assert_eq!(model.notice.as_ref().unwrap().tone, Tone::Bad);
}

#[test]
fn resending_asks_for_a_url_where_no_app_is_known() {
    let mut play = Play::new(3, (80, 24));
    play.keys("r");
    assert!(play.screen().contains("resend #3 to: http://localhost:"), "{}", play.screen());
    play.keys("9\n");
    assert_eq!(play.model.last_url.as_deref(), Some("http://localhost:9"));
    assert!(play.screen().contains("resending: no apps"), "{}", play.screen());
    // What came before its endpoint was configured is of that one.
    let endpoint = Endpoint { name: "shop".to_owned(), path: "/path".to_owned(), ..with_app() };
    play.model.endpoints = Endpoints::new(vec![endpoint]);
    play.keys("r");
    assert!(play.model.prompt.is_none());
    play.model.endpoints = Endpoints::new(Vec::new());
    play.keys("s");
    assert!(play.screen().contains("resend #3, signed anew, to: http://localhost:9"), "{}", play.screen());
}

#[test]
fn an_endpoint_is_told_what_to_answer_and_the_header_says_so() {
    let mut play = Play::new(3, (160, 24));
    let header = |play: &Play| play.screen().lines().next().unwrap().to_owned();
    let endpoint = play.model.list.row().unwrap().endpoint.clone();
    play.keys("A");
    assert!(play.screen().contains(&format!("{endpoint} answers: ")) && play.screen().contains("503 first 3"));
    play.keys("tea\n");
    assert!(play.screen().contains("`tea`") && play.model.prompt.is_some(), "{}", play.screen());
    play.keys("\u{1b}");
    assert!(!play.screen().contains("503 first 3"), "nobody asks any more: {}", play.screen());
    play.keys("A503 first 3\n");
    assert!(header(&play).contains(&format!("{endpoint} answers 503 to the first 3")), "{}", header(&play));
    assert!(play.screen().contains("of each event, else 200"));
    play.keys("Afile\n");
    assert!(!header(&play).contains("answers"), "{}", header(&play));
    play.keys("A\n");
    assert!(play.model.prompt.is_none() && play.model.notice.is_none());
}

#[test]
fn while_what_comes_cannot_be_kept_the_header_says_so() {
    let mut play = Play::new(3, (120, 35));
    let header = |play: &Play| play.screen().lines().next().unwrap().to_owned();
    let said =
        update(&mut play.model, Msg::News("what comes cannot be kept: the disk is full".to_owned(), Tidings::Bad));
    assert!(matches!(said[..], [Effect::Door]), "the door is looked at");
    play.send(Msg::Door(Ok(Door { is_failing: true, ..Door::default() })));
    play.keys("j");
    assert!(header(&play).contains("not kept: 503") && !header(&play).contains("live"), "{}", header(&play));
    play.send(Msg::Door(Ok(Door::default())));
    assert!(header(&play).contains("live"), "{}", header(&play));
}

#[test]
fn an_address_without_room_loses_first_what_all_addresses_begin_with() {
    let mut play = Play::new(3, (60, 15));
    let header = |play: &Play| play.screen().lines().next().unwrap().to_owned();
    play.keys("/sig:failed\n");
    assert!(header(&play).contains("creel  127.0.0.1:27335  ● live"), "{}", header(&play));
    play.send(Msg::Resize(80, 15));
    assert!(header(&play).contains("creel  http://127.0.0.1:27335  ● live"), "{}", header(&play));
}

#[test]
fn a_screen_that_watches_leaves_the_terminal_to_the_shell_and_one_that_captures_does_not() {
    let mut play = Play::new(3, (80, 24));
    play.control('z');
    assert!(play.lent.is_empty() && play.screen().contains("it would answer nobody"), "{}", play.screen());
    play.model.place = Place::Watching { store: "s.db".to_owned(), address: None };
    play.editor = |_| Ok(Returned::Nothing);
    play.control('z');
    assert_eq!(play.lent, [Outside::Shell]);
    assert!(!play.screen().contains("answer nobody"), "{}", play.screen());
}

#[test]
fn who_watches_is_told_whether_anybody_captures() {
    let mut play = Play::new(3, (120, 35));
    play.model.place = Place::Watching { store: "s.db".to_owned(), address: None };
    let header = |play: &Play| play.screen().lines().next().unwrap().to_owned();
    assert!(header(&play).contains("watching s.db  nobody captures"), "{}", header(&play));
    let told = |play: &mut Play| play.send(Msg::Told { endpoint: "a".to_owned(), answer: Ok("503".to_owned()) });
    let holder = Some("http://127.0.0.1:1".to_owned());
    play.send(Msg::Door(Ok(Door { holder, ..Door::default() })));
    assert!(header(&play).contains("● live"), "{}", header(&play));
    play.send(Msg::Door(Ok(Door::default())));
    assert!(header(&play).contains("nobody captures"), "{}", header(&play));
    told(&mut play);
    assert!(play.screen().contains("a will answer 503"), "{}", play.screen());
}

#[test]
fn a_capture_that_is_on_its_way_says_so_wherever_its_deliveries_stand() {
    let mut play = Play::new(10, (100, 30));
    play.keys("\n");
    let words = "on its way: the app has not answered yet";
    assert!(!play.screen().contains(words));
    play.model.sending.insert(CaptureId(10));
    assert!(play.screen().contains(words), "{}", play.screen());
    play.keys("5");
    assert!(play.screen().contains(words) && !play.screen().contains("Not sent on yet"), "{}", play.screen());
    play.send(Msg::Resent { id: CaptureId(10), delivery: Err(Failure::new("resending", "no apps")) });
    assert!(!play.screen().contains(words) && play.screen().contains("Not sent on yet"), "{}", play.screen());
}
