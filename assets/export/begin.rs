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
