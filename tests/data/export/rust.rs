use std::{
    io::{Read, Write},
    net::TcpStream,
};

fn app() -> String {
    std::env::var("APP").unwrap_or_else(|_| "127.0.0.1:3000".to_owned())
}

/// Sends a request to the app and gives its reply.
fn send(head: &[&[u8]], body: &[u8]) -> String {
    let mut stream = TcpStream::connect(app()).expect("the app listens");
    stream.write_all(&[&head.concat(), body].concat()).expect("the app reads");
    let mut reply = Vec::new();
    stream.read_to_end(&mut reply).expect("the app answers");
    String::from_utf8_lossy(&reply).into_owned()
}

#[test]
fn capture_42() {
    // caught 2026-11-23T09:05:00.123Z, 34 bytes
    let app = app();
    let head: &[&[u8]] = &[
        b"POST /stripe?x=1&y='a' HTTP/1.1\r\n",
        b"Host: ",
        app.as_bytes(),
        b"\r\n",
        b"Stripe-Signature: t=1,v1=5257\r\n",
        b"x-dup: 1\r\n",
        b"X-Dup: caf\xe9\r\n",
        b"X-Empty: \r\n",
        b"Content-Type: application/json\r\n",
        b"Content-Length: 34\r\n",
        b"Connection: close\r\n",
        b"\r\n",
    ];
    let reply = send(head, "{\"id\": \"evt_1\", \"name\": \"O'Neil\"}\n".as_bytes());
    assert!(reply.starts_with("HTTP/1.1 2"), "{reply}");
}
