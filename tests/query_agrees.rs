//! A filter says the same as SQL and as a predicate: every field's example, and filters at random.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use creel::{
    body::{Path, Spelling, Step},
    query::{Content, FIELDS, Filter, Inside, Value, quoted},
    record::{
        CaptureId, Event, Fault, Flag, Flags, LastDelivery, Post, Repeat, Summary, Tags, Timestamp, Uid, Verdict,
    },
};
use proptest::prelude::*;
use rusqlite::{Connection, params, types::Value as Sqlite};

const NOW: i64 = 1_795_424_700_000;

/// Rows that differ in everything a filter can ask about.
fn rows() -> Vec<Summary> {
    (1..=48_i64).map(row).collect()
}

fn row(n: i64) -> Summary {
    let pick = |of: &[&str]| of[n as usize % of.len()].to_owned();
    let some = |of: &[&str]| Some(pick(of)).filter(|text| !text.is_empty());
    Summary {
        id: CaptureId(n),
        uid: Uid(n as u128),
        received_at: Timestamp::from_unix_ms(NOW - n * n * 7_000),
        endpoint: pick(&["default", "shop", "SHOP-eu"]),
        peer: pick(&["127.0.0.1:5", "[::1]:9", "10.0.0.7:1"]),
        method: pick(&["POST", "GET", "post", "PUT"]),
        path: pick(&["/", "/stripe", "/Stripe/é%", "/a_b*c", "/'\"--", "/\u{212a}elvin"]),
        query: some(&["", "x=1", "X=1&y=%25"]),
        size: (n * n * 97) as u64,
        truncated: n % 7 == 0,
        flags: if n % 3 == 0 {
            [Flag::BothLengths, Flag::Cut].into_iter().take(n as usize % 2 + 1).collect()
        } else {
            Flags::default()
        },
        provider: some(&["", "stripe", "github", "Svix"]),
        event: Event {
            id: some(&["", "evt_1", "EVT_2"]),
            kind: some(&["", "charge.succeeded", "push", "Push Hook", ""]),
            created_at: None,
        },
        verdict: Verdict::all().nth(n as usize % 4).unwrap(),
        fault: (n % 2 == 0).then(|| Fault::all().nth(n as usize % 6).unwrap()),
        covers_body: Some(true),
        age_s: None,
        duplicate_of: (n % 5 == 0).then_some(CaptureId(1)),
        repeat: (n % 5 == 0).then_some(Repeat {
            attempt: 2 + n as u32 % 3,
            gap_ms: 1_500 * n,
            is_retry: n % 10 == 0,
            is_replay: n % 15 == 0,
        }),
        late_ms: (n % 7 == 0).then_some(2_000),
        edited_from: None,
        tags: Tags::from_bits(n % 8),
        note: some(&["", "ask Anna", "", "", ""]),
        reply_status: [200, 413, 400][n as usize % 3],
        deliveries: 0,
        took_ms: None,
        last_delivery: [
            None,
            Some(LastDelivery::Failed),
            Some(LastDelivery::Replied(200)),
            Some(LastDelivery::Replied(503)),
        ][n as usize % 4],
        post: [None, Some(Post::Waiting), Some(Post::Dead)][n as usize % 3],
    }
}

/// What a row's capture holds: a head and a body.
fn content(n: i64) -> (String, String) {
    let pick = |of: &[&str]| of[n as usize % of.len()].to_owned();
    let head = format!(
        "POST /hook{} HTTP/1.1\r\n{}\r\n",
        pick(&["", "?x=1", "?X=%31"]),
        pick(&["X-Event: push\r\n", "A: b\r\n"])
    );
    let body = pick(&[
        "",
        r#"{"fish":"Trout","data":{"amount":7,"list":[{"id":"a"}]}}"#,
        r#"{"fish":"pike","data":{"amount":5.0}}"#,
        "fish=trout&data=%7B%22amount%22%3A9%7D",
        "\u{e9} trout",
    ]);
    (head, body)
}

fn store(rows: &[Summary]) -> Connection {
    let connection = Connection::open_in_memory().unwrap();
    creel::store::teach(&connection).unwrap();
    connection
        .execute_batch(
            "CREATE TABLE content (id, head, chunks, body); CREATE TABLE chunk (id INTEGER PRIMARY KEY, bytes)",
        )
        .unwrap();
    let table =
        "CREATE TABLE summary (id, received_at, endpoint, peer, method, path, query, provider, event_id, event_type,
                 verdict, fault, flags, duplicate_of, size, truncated, reply, app, attempt, gap_ms, retry, late_ms, post,
                 tags, note)";
    connection.execute_batch(table).unwrap();
    for row in rows {
        let app = row.last_delivery.map(|last| match last {
            LastDelivery::Failed => 0,
            LastDelivery::Replied(status) => status,
        });
        let values = params![
            row.id.0,
            row.received_at.unix_ms(),
            row.endpoint,
            row.peer,
            row.method,
            row.path,
            row.query,
            row.provider,
            row.event.id,
            row.event.kind,
            row.verdict as i64,
            row.fault.map(|fault| fault as i64),
            row.flags.bits(),
            row.duplicate_of.map(|id| id.0),
            row.size as i64,
            row.truncated,
            row.reply_status,
            app,
            row.repeat.map(|repeat| repeat.attempt),
            row.repeat.map(|repeat| repeat.gap_ms),
            row.repeat.map(|repeat| i64::from(repeat.is_retry) | i64::from(repeat.is_replay) << 1),
            row.late_ms,
            row.post.map(|post| if post == Post::Dead { 2 } else { 1 }),
            row.tags.bits(),
            row.note,
        ];
        let (head, body) = content(row.id.0);
        // One in three lies in chunks.
        let (head, chunks) = (head.as_bytes(), if row.id.0 % 3 == 0 { body.len().div_ceil(10) as i64 } else { 0 });
        let inline = (chunks == 0).then_some(body.as_bytes());
        connection.execute("INSERT INTO content VALUES (?,?,?,?)", params![row.id.0, head, chunks, inline]).unwrap();
        for (at, bytes) in body.as_bytes().chunks(10).take(chunks as usize).enumerate() {
            connection
                .execute("INSERT INTO chunk VALUES (?,?)", params![row.id.0 * 65_536 + at as i64, bytes])
                .unwrap();
        }
        connection
            .execute("INSERT INTO summary VALUES (?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?)", values)
            .unwrap();
    }
    connection
}

/// The rows that a filter takes, by both ways; they must be the same.
fn taken(filter: &Filter, rows: &[Summary], connection: &Connection) -> Vec<i64> {
    let now = Timestamp::from_unix_ms(NOW);
    let takes = |row: &&Summary| {
        let (head, body) = content(row.id.0);
        filter.matches(row, &Content { head: head.as_bytes(), body: body.as_bytes() }, now)
    };
    let by_predicate: Vec<i64> = rows.iter().filter(takes).map(|row| row.id.0).collect();
    let sql = filter.sql(now);
    let values = sql.values.iter().map(|value| match value {
        Value::Int(n) => Sqlite::Integer(*n),
        Value::Text(text) => Sqlite::Text(text.clone()),
    });
    let mut statement = connection.prepare(&format!("SELECT id FROM summary WHERE {} ORDER BY id", sql.text)).unwrap();
    let by_sql = statement.query_map(rusqlite::params_from_iter(values), |row| row.get(0)).unwrap();
    assert_eq!(by_sql.collect::<Result<Vec<i64>, _>>().unwrap(), by_predicate, "{} → {}", filter.text(), sql.text);
    by_predicate
}

#[test]
fn every_fields_example_says_the_same_both_ways_and_takes_a_part() {
    let rows = rows();
    let connection = store(&rows);
    for field in FIELDS {
        let filter = Filter::parse(field.example).unwrap();
        let count = taken(&filter, &rows, &connection).len();
        assert!(count > 0 && (count < rows.len() || field.name == "time"), "{} takes {count}", field.example);
    }
}

#[test]
fn what_got_no_reply_has_no_status_that_is_less() {
    let rows = rows();
    let connection = store(&rows);
    let takes = |text: &str| taken(&Filter::parse(text).unwrap(), &rows, &connection).len();
    assert_eq!((takes("reply<300"), takes("reply<=503")), (takes("reply:200"), takes("reply:200 or reply:503")));
    assert_eq!(takes("reply!=2xx"), takes("reply:failed or reply:503"));
}

#[test]
fn words_and_their_joints_say_the_same_both_ways() {
    let rows = rows();
    let connection = store(&rows);
    for (text, some) in [
        ("stripe", true),
        ("STRIPE", true),
        ("%", true),
        ("_b*", true),
        ("'", true),
        ("\"/'\"", true),
        ("é", true),
        ("É", false),
        ("kelvin", false),
        ("not stripe", true),
        ("stripe or push", true),
        ("stripe and not sig:failed", true),
        ("(method=post or method=get) size>10k", true),
        ("id:5..9", true),
        ("id:..3", true),
        ("reply:none", true),
        ("reply:2xx", true),
        ("not reply:2XX", true),
        ("reply:failed", true),
        ("reply:waiting", true),
        ("reply:dead", true),
        ("reply!=dead", true),
        ("reply!=failed", true),
        ("reply!=2xx", true),
        ("reply:400..599", true),
        ("reply<300", true),
        ("status:4xx", true),
        ("status!=4xx", true),
        ("fault!=mismatch", true),
        ("not reply:200", true),
        ("not fault:stale", true),
        ("age>1h", true),
        ("mark:marked", true),
        ("mark:pinned not mark:edited", true),
        ("note:anna", true),
        ("dup:no cut:no", true),
        ("flag!=cut", true),
        ("provider!=stripe", true),
        ("event=\"Push Hook\"", true),
        ("event~^push$", true),
        ("path~^/[Ss]tripe", true),
        ("trout not stripe", true),
        ("body.fish:t or header.x-event~^p", true),
        ("body.data.amount>=7", true),
        ("body.data.list[0].id=a query.x=1", true),
        ("whale", false),
        ("", true),
    ] {
        assert_eq!(!taken(&Filter::parse(text).unwrap(), &rows, &connection).is_empty(), some, "{text}");
    }
}

#[test]
fn captures_are_taken_by_their_numbers_and_left_out() {
    let rows = rows();
    let connection = store(&rows);
    let ids: Vec<_> = rows.iter().map(|row| row.id).collect();
    let (some, none) = (Filter::of(&[ids[3], ids[1], CaptureId(999)]), Filter::of(&[]));
    assert_eq!(taken(&some, &rows, &connection), [ids[1].0, ids[3].0]);
    assert!(taken(&none, &rows, &connection).is_empty());
    let posts = Filter::parse("method:post").unwrap();
    let all = taken(&posts, &rows, &connection);
    let left = posts.without(some.clone());
    assert_eq!(left.text(), "method:post", "what nobody typed is not shown");
    let expected: Vec<_> = all.iter().copied().filter(|id| ![ids[1].0, ids[3].0].contains(id)).collect();
    assert_eq!((taken(&left, &rows, &connection), all.len() > expected.len()), (expected, true));
    let others = Filter::everything().without(some);
    assert_eq!(taken(&others, &rows, &connection).len(), rows.len() - 2);
    let printed = Filter::parse(&others.to_string()).unwrap();
    assert_eq!(taken(&printed, &rows, &connection), taken(&others, &rows, &connection));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(500))]

    /// What the screen copies as a dot path stands behind `body` in a filter.
    #[test]
    fn a_dot_path_of_any_names_is_one_of_a_filter(names in prop::collection::vec("[a-z0-9 .:=~()\\[\\]\"\\\\@$é/]{1,4}|[0-2]", 1..4), is_list in any::<[bool; 4]>()) {
        let steps = names.iter().zip(is_list).map(|(name, is_list)| match name.parse() {
            Ok(place) if is_list => Step::Place(place),
            _ => Step::Name(name.clone()),
        });
        let path = Path(steps.collect());
        let body = path.0.iter().rev().fold("7".to_owned(), |value, step| match step {
            Step::Name(name) => format!("{{{}:{value}}}", serde_json::Value::from(&name[..])),
            Step::Place(place) => format!("[{}{value}]", "0,".repeat(*place)),
        });
        let dots = path.spelled(Spelling::Dots);
        let dot = if dots.starts_with('[') { "" } else { "." };
        let filter = format!("body{dot}{dots}={}", quoted("7"));
        let inside = Inside::parse(&filter);
        prop_assert!(inside.is_some_and(|it| it.takes(&Content { head: b"", body: body.as_bytes() })), "{filter} of {body}");
    }

    #[test]
    fn filters_at_random_say_the_same_both_ways(parts in prop::collection::vec((0_usize..64, 0..4, "|:|=|!=|>=?|<=?"), 1..6), word in "[ -~é]{0,6}") {
        let rows = rows();
        let connection = store(&rows);
        let words = parts.iter().map(|(field, joint, sign)| {
            let example = FIELDS[field % FIELDS.len()].example;
            let (name, value) = example.split_once([':', '=', '>', '<']).unwrap();
            let other = format!("{name}{sign}{}", value.trim_start_matches('='));
            let is_read = !sign.is_empty() && Filter::parse(&other).is_ok();
            ["", "not ", "or ", "and "][*joint as usize].to_owned() + if is_read { &other } else { example }
        });
        let text = words.collect::<Vec<_>>().join(" ");
        let text = text.trim_start_matches("or ").trim_start_matches("and ");
        taken(&Filter::parse(text).unwrap(), &rows, &connection);
        if let Ok(filter) = Filter::parse(&word) {
            taken(&filter, &rows, &connection);
        }
    }
}
