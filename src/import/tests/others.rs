//! Forms of others, each by an example of its own documentation or source, shortened where it is long.

use super::*;
use crate::record::Flag;

/// The only entry.
fn only(text: &str) -> Entry {
    let mut entries = all(text.as_bytes(), None).unwrap();
    assert_eq!(entries.len(), 1, "{text}");
    entries.remove(0)
}

fn head(entry: &Entry) -> &str {
    std::str::from_utf8(entry.head.raw()).unwrap()
}

fn body(entry: &Entry) -> &str {
    std::str::from_utf8(&entry.body).unwrap()
}

fn at(text: &str) -> Option<Timestamp> {
    let at = Timestamp::from_rfc3339(text);
    assert!(at.is_some(), "{text}");
    at
}

/// docs.github.com/en/rest/repos/webhooks, "Get a delivery for a repository webhook".
const GITHUB: &str = r#"{"id":12345678,"guid":"0b989ba4-242f-11e5-81e1-c7b6966d2516","delivered_at":"2019-06-03T00:57:16Z","redelivery":false,
 "duration":0.27,"status":"OK","status_code":200,"event":"issues","action":"opened","installation_id":123,"repository_id":456,
 "url":"https://www.example.com/hook?x=1","request":{"headers":{"X-GitHub-Delivery":"0b989ba4-242f-11e5-81e1-c7b6966d2516",
 "X-Hub-Signature-256":"sha256=6dcb09b5b57875f334f61aebed695e2e4193db5e","Accept":"*/*","X-GitHub-Event":"issues",
 "content-type":"application/json"},"payload":{"action":"opened","issue":{"number":7,"title":"caf\u00e9 \"x\"","score":1.50}}},
 "response":{"headers":{"Content-Type":"text/html;charset=utf-8"},"payload":"ok"}}"#;

#[test]
fn a_delivery_of_github_s_is_written_as_github_writes_it() {
    let entry = only(GITHUB);
    assert!(head(&entry).starts_with(
        "POST /hook?x=1 HTTP/1.1\r\nHost: www.example.com\r\nX-GitHub-Delivery: 0b989ba4-242f-11e5-81e1-c7b6966d2516\r\n"
    ));
    assert_eq!(body(&entry), r#"{"action":"opened","issue":{"number":7,"title":"café \"x\"","score":1.50}}"#);
    assert_eq!((entry.received_at, entry.reply_status), (at("2019-06-03T00:57:16Z"), Some(200)));
    assert!(entry.flags.contains(Flag::Rewritten) && !entry.truncated);
    // A hook may ask for a form.
    let form = only(&GITHUB.replace("application/json", "application/x-www-form-urlencoded"));
    assert!(body(&form).starts_with("payload=%7B%22action%22%3A%22opened%22%2C"), "{}", body(&form));
    assert!(body(&form).contains("%22caf%C3%A9+%5C%22x%5C%22%22"));
    // Several, as `gh api` prints them one after the other.
    assert_eq!(all(format!("{GITHUB}\n{GITHUB}").as_bytes(), None).unwrap().len(), 2);
    let listed = r#"[{"id":1,"guid":"g","delivered_at":"2019-06-03T00:57:16Z","event":"issues","status_code":200}]"#;
    assert!(bad(listed.as_bytes()).1.contains("gh api"));
}

/// docs.stripe.com/api/events/list.
#[test]
fn events_of_stripe_come_oldest_first_and_in_lines() {
    let event = |id: &str, created: u64| {
        format!(
            r#"{{"id":"{id}","object":"event","api_version":"2019-02-19","created":{created},"data":{{"object":{{"id":"seti_1","object":"setup_intent","metadata":{{}}}}}},
            "livemode":false,"pending_webhooks":1,"request":{{"id":null,"idempotency_key":null}},"type":"setup_intent.created"}}"#
        )
    };
    let list = format!(
        r#"{{"object":"list","url":"/v1/events","has_more":false,"data":[{},{}]}}"#,
        event("evt_2", 1_686_089_971),
        event("evt_1", 1_686_089_970)
    );
    let entries = all(list.as_bytes(), None).unwrap();
    assert_eq!(entries.len(), 2);
    assert!(
        body(&entries[0]).starts_with("{\n  \"id\": \"evt_1\",\n  \"object\": \"event\","),
        "{}",
        body(&entries[0])
    );
    assert_eq!(head(&entries[0]), "POST / HTTP/1.1\r\nContent-Type: application/json; charset=utf-8\r\n\r\n");
    assert_eq!(entries[0].received_at, at("2023-06-06T22:19:30Z"));
    assert!(entries[0].flags.contains(Flag::Rewritten));
    assert!(only(&event("evt_1", 1)).flags.contains(Flag::Rewritten));
    let thin = r#"{"id":"evt_test","object":"v2.core.event","type":"v1.billing.meter.error_report_triggered","created":"2024-09-17T06:20:52.246Z","livemode":false,
        "related_object":{"id":"mtr_1","type":"billing.meter","url":"/v1/billing/meters/mtr_1"}}"#;
    assert_eq!(only(thin).received_at, at("2024-09-17T06:20:52.246Z"));
    let charge = event("ch_1", 1).replace("\"object\":\"event\"", "\"object\":\"charge\"");
    let late = event("evt_1", 99_999_999_999_999);
    assert_eq!(bad(late.as_bytes()).1, "its `created` is no time", "it is past every calendar");
    assert!(bad(charge.as_bytes()).1.contains("its `object` is charge"));
}

/// hookdeck.com/docs/api: "Retrieve a request", "Retrieve an event".
#[test]
fn hookdeck_s_requests_and_events_are_read() {
    let request = r#"{"id":"req_fpSzYE7G0Op42UkKvFOB","team_id":"tm_lbhzBKgFOUnB","verified":false,"rejection_cause":null,"ingested_at":"2026-01-14T13:36:06.368Z",
      "source_id":"src_qa5626p6y5o79b","events_count":1,"created_at":"2026-01-14T13:36:06.415515Z","data":{"body":{"type":"order.created","total":99.99},
      "headers":{"content-length":"43","content-type":"application/json","user-agent":"axios/1.11.0"},"parsed_query":{"a":"1"},"path":"/in","query":"a=1","is_large_payload":false}}"#;
    let entry = only(request);
    assert!(head(&entry).starts_with("POST /in?a=1 HTTP/1.1\r\ncontent-length: 43\r\n"), "{}", head(&entry));
    assert_eq!(body(&entry), r#"{"type":"order.created","total":99.99}"#);
    assert_eq!(entry.received_at, at("2026-01-14T13:36:06.368Z"));
    assert!(entry.flags.contains(Flag::Rewritten) && !entry.truncated, "other bytes, not fewer");
    // Where the sender's length is the one of lines, it was lines that came.
    let lines = "{\n  \"type\": \"order.created\",\n  \"total\": 99.99\n}";
    let long = only(&request.replace("\"43\"", &format!("\"{}\"", lines.len())));
    assert_eq!(body(&long), lines);
    let event = r#"{"webhook_id":"web_FMKlTwAoGFRu","team_id":"tm_1","source_id":"src_1","destination_id":"des_1","id":"evt_EKbUbpGzNMIdfqnXzA","response_status":200,
      "created_at":"2026-01-14T13:36:06.415Z","data":{"method":"PUT","url":"https://mock.hookdeck.com/e/example","headers":{"X-Hookdeck-EventID":"evt_1"},
      "body":"a=1","path":"/e/example","query":"","parsed_query":{}}}"#;
    let entry = only(event);
    assert_eq!(head(&entry), "PUT /e/example HTTP/1.1\r\nHost: mock.hookdeck.com\r\nX-Hookdeck-EventID: evt_1\r\n\r\n");
    assert_eq!((body(&entry), entry.reply_status, entry.flags), ("a=1", Some(200), Flags::default()));
    let listed = r#"{"pagination":{},"count":1,"models":[],"data":[{"id":"req_1","team_id":"tm_1","source_id":"src_1","ingested_at":"2026-01-14T13:36:06.368Z"}]}"#;
    assert!(bad(listed.as_bytes()).1.contains("its `data` was left out"));
}

/// `components/http/README.md` of PipedreamHQ/pipedream, and the rows of `event_summaries` around it.
#[test]
fn pipedream_s_events_are_read_alone_and_in_rows() {
    let event = r#"{"body":"{\"name\": \"Luke\"}","headers":{"accept":"*/*","host":"myendpoint.m.pipedream.net","user-agent":"curl/7.64.1","version":"HTTP/1.1",
      "x-forwarded-for":"1.1.1.1"},"method":"POST","path":"/","query":{"a b":"1&2"}}"#;
    let entry = only(event);
    assert!(
        head(&entry).starts_with("POST /?a%20b=1%262 HTTP/1.1\r\naccept: */*\r\nhost: myendpoint"),
        "{}",
        head(&entry)
    );
    assert!(!head(&entry).contains("version"));
    assert_eq!((body(&entry), entry.flags, entry.received_at), ("{\"name\": \"Luke\"}", Flags::default(), None));
    let rows = r#"{"page_info":{"count":2},"data":[
      {"id":"1589486981598-0","indexed_at_ms":1589486981598,"event":{"body":{"n":2},"client_ip":"1.1.1.1","headers":{"host":"x.m.pipedream.net"},"method":"POST","path":"/p","query":{},"url":"https://x.m.pipedream.net/p?q"}},
      {"id":"1589486981597-0","indexed_at_ms":1589486981597,"event":{"body":"1","headers":{},"method":"PUT","path":"/","query":{}}}]}"#;
    let entries = all(rows.as_bytes(), None).unwrap();
    assert_eq!(entries.iter().map(|entry| entry.head.method().into_owned()).collect::<Vec<_>>(), ["PUT", "POST"]);
    assert_eq!(head(&entries[1]), "POST /p?q HTTP/1.1\r\nhost: x.m.pipedream.net\r\n\r\n");
    assert_eq!((body(&entries[1]), entries[1].peer.as_deref()), ("{\"n\":2}", Some("1.1.1.1")));
    assert_eq!(entries[1].received_at, at("2020-05-14T20:09:41.598Z"));
}

/// `Request.to_dict` of `requestbin/models.py`.
#[test]
fn a_request_of_a_requestbin_keeps_its_raw_body() {
    let request = r#"[{"id":"1g8lx21","time":1589522469.693,"remote_addr":"192.0.2.9","method":"POST","headers":{"Content-Type":"application/x-www-form-urlencoded","Content-Length":"7","Host":"requestb.in"},
      "query_string":{"q":"1"},"raw":"a=1&b=2","form_data":[["a","1"],["b","2"]],"body":"","path":"/abc","content_length":7,"content_type":"application/x-www-form-urlencoded"}]"#;
    let entry = only(request);
    assert!(head(&entry).starts_with("POST /abc?q=1 HTTP/1.1\r\nContent-Type: "));
    assert_eq!((body(&entry), entry.peer.as_deref(), entry.truncated), ("a=1&b=2", Some("192.0.2.9"), false));
    assert_eq!((entry.received_at, entry.flags), (at("2020-05-15T06:01:09.693Z"), Flags::default()));
    assert!(
        only(&request.replace("\"content_length\":7", "\"content_length\":9000")).truncated,
        "raw is cut at a size"
    );
    let anew = only(&request.replace("\"raw\":\"a=1&b=2\"", "\"raw\":\"\""));
    assert_eq!((body(&anew), anew.flags.contains(Flag::Rewritten)), ("a=1&b=2", true));
}

/// hooksense.com/docs/export.
#[test]
fn an_export_of_hooksense_tells_base64_by_its_size() {
    let export = |body: &str, size: u32| {
        format!(
            r#"{{"endpoint":"my-stripe-hook","exported_at":"2026-05-05T12:00:00Z","requests":[{{"id":"req_01H","method":"POST","headers":{{"stripe-signature":"t=1,v1=2"}},
            "body":"{body}","query":{{}},"source_ip":"54.187.174.169","size_bytes":{size},"received_at":"2026-05-05T11:42:18.123Z","verified":true}}]}}"#
        )
    };
    let entry = only(&export("Zml4", 4));
    assert_eq!(head(&entry), "POST / HTTP/1.1\r\nstripe-signature: t=1,v1=2\r\n\r\n");
    assert_eq!((body(&entry), entry.received_at), ("Zml4", at("2026-05-05T11:42:18.123Z")));
    assert_eq!(body(&only(&export("Zml4", 3))), "fix");
}

/// `lib/server.js` of smee.io writes the stream, and `gosmee/server.go` its own.
#[test]
fn a_stream_of_smee_s_is_read_event_by_event() {
    let stream = "id: 0\nevent: ready\ndata: {}\n\nid: 1\ndata: {\"host\":\"smee.io\",\"x-github-event\":\"ping\",\"content-length\":\"9\",\"content-type\":\"application/json\",\
                  \"body\":{\"zen\":1},\"query\":{\"q\":\"1\"},\"timestamp\":1589522469693}\n\nid: 2\nevent: ping\ndata: {}\n\n\
                  data: ready\n\ndata: {\"x-gitlab-event\":\"Push Hook\",\"timestamp\":\"1589522469694\",\"bodyB\":\"eyJhIjogMX0K\"}\n\n";
    let entries = all(stream.as_bytes(), None).unwrap();
    assert_eq!(entries.len(), 2);
    assert!(head(&entries[0]).starts_with("POST /?q=1 HTTP/1.1\r\nhost: smee.io\r\nx-github-event: ping\r\n"));
    assert_eq!((body(&entries[0]), entries[0].flags.contains(Flag::Rewritten)), ("{\"zen\":1}", true));
    assert_eq!((body(&entries[1]), entries[1].flags), ("{\"a\": 1}\n", Flags::default()));
    assert_eq!(entries[1].received_at, at("2020-05-15T06:01:09.694Z"));
    assert!(bad(b"data: {\"timestamp\":1,\n\n").1.contains("it is no JSON"));
    assert!(bad(b"data: {\"timestamp\":1,").1.contains("the file ends in the middle of it"));
}

/// `events/testdata` of aws/aws-lambda-go.
#[test]
fn what_lambda_gets_is_read_of_each_of_its_sources() {
    let gateway = r#"{"resource":"/{proxy+}","path":"/hello/world","httpMethod":"POST","headers":{"Host":"gy415nuibc.execute-api.us-east-1.amazonaws.com"},
      "multiValueHeaders":{"Accept":["*/*","a/b"],"Host":["gy415nuibc.execute-api.us-east-1.amazonaws.com"]},"queryStringParameters":{"name":"me"},
      "multiValueQueryStringParameters":{"name":["me","a b"]},"pathParameters":{"proxy":"hello/world"},"requestContext":{"stage":"testStage","path":"/testStage/hello/world",
      "identity":{"sourceIp":"192.168.196.186"},"httpMethod":"POST","requestTime":"15/May/2020:06:01:09 +0000","requestTimeEpoch":1589522469693,"apiId":"gy415nuibc"},"body":"{\r\n\t\"a\": 1\r\n}"}"#;
    let entry = only(gateway);
    assert!(
        head(&entry).starts_with(
            "POST /testStage/hello/world?name=me&name=a%20b HTTP/1.1\r\nAccept: */*\r\nAccept: a/b\r\nHost: gy415"
        ),
        "{}",
        head(&entry)
    );
    assert_eq!((body(&entry), entry.peer.as_deref()), ("{\r\n\t\"a\": 1\r\n}", Some("192.168.196.186")));
    assert_eq!((entry.received_at, entry.flags), (at("2020-05-15T06:01:09.693Z"), Flags::default()));

    let balancer = r#"{"requestContext":{"elb":{"targetGroupArn":"arn:aws:elasticloadbalancing:us-east-1:123456789012:targetgroup/lambda-target/abcdefgh"}},"httpMethod":"GET","path":"/",
      "multiValueQueryStringParameters":{"key":["hel%20lo"]},"multiValueHeaders":{"host":["lambda-test-alb"],"x-myheader":["123"]},"body":"","isBase64Encoded":false}"#;
    assert_eq!(
        head(&only(balancer)),
        "GET /?key=hel%20lo HTTP/1.1\r\nhost: lambda-test-alb\r\nx-myheader: 123\r\n\r\n"
    );

    let url = r#"{"version":"2.0","routeKey":"$default","rawPath":"/my/path","rawQueryString":"parameter1=value1&parameter1=value2","cookies":["cookie1","cookie2"],
      "headers":{"header1":"value1","header2":"value1,value2"},"queryStringParameters":{"parameter1":"value1,value2"},"requestContext":{"http":{"method":"POST","path":"/my/path",
      "protocol":"HTTP/1.1","sourceIp":"123.123.123.123","userAgent":"agent"},"time":"12/Mar/2020:19:03:58 +0000","timeEpoch":1583348638390},"body":"SGVsbG8=","isBase64Encoded":true}"#;
    let entry = only(url);
    assert_eq!(
        head(&entry),
        "POST /my/path?parameter1=value1&parameter1=value2 HTTP/1.1\r\nheader1: value1\r\nheader2: value1,value2\r\ncookie: cookie1; cookie2\r\n\r\n"
    );
    assert_eq!((body(&entry), entry.peer.as_deref()), ("Hello", Some("123.123.123.123")));
    // A line an event, as a log has them.
    let log = [url, balancer].map(|event| event.replace('\n', " ")).join("\n");
    assert_eq!(all(log.as_bytes(), None).unwrap().len(), 2);
}

#[test]
fn one_of_a_list_alone_is_read_as_the_list() {
    let raw = STANDARD.encode(b"GET /favicon.ico HTTP/1.1\r\nAccept: */*\r\n\r\n");
    // ngrok.com/docs/agent/api, "Captured Request Detail".
    let detail = format!(
        r#"{{"uri":"/api/requests/http/548fb5c700000002","id":"548fb5c700000002","tunnel_name":"command_line (http)","remote_addr":"192.168.100.25",
        "start":"2014-12-15T20:32:07-08:00","duration":3893202,"request":{{"method":"GET","proto":"HTTP/1.1","headers":{{"Accept":["*/*"]}},"uri":"/favicon.ico","raw":"{raw}"}},
        "response":{{"status":"502 Bad Gateway","status_code":502,"proto":"HTTP/1.1","headers":{{}},"raw":""}}}}"#
    );
    let entry = only(&detail);
    assert_eq!((head(&entry), entry.reply_status), ("GET /favicon.ico HTTP/1.1\r\nAccept: */*\r\n\r\n", Some(502)));
    let site = r#"{"uuid":"1","token_id":"t","type":"web","ip":"192.0.2.1","method":"GET","url":"https://webhook.site/t","headers":{},"content":"","created_at":"2026-11-23 09:05:00.125"}"#;
    assert_eq!(only(site).received_at, at("2026-11-23T09:05:00.125Z"));
    // All pages in one, as `gh api --paginate --slurp` and `jq -s` write them.
    assert_eq!(all(format!("[[{site}],[{site}]]").as_bytes(), None).unwrap().len(), 2);
}
