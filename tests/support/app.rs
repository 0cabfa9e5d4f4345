//! An app of the test's own, which tells what it got and answers as the test says.

use std::{
    io::{Read, Write},
    net::{TcpListener, TcpStream},
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
        mpsc::{Receiver, Sender, channel},
    },
    thread,
};

/// What it does with the request of that number, from 0: an answer, or the connection closed.
pub type Reply = dyn Fn(usize, &str) -> Option<Vec<u8>> + Send + Sync;

pub struct App {
    pub url: String,
    heard: Receiver<Vec<u8>>,
}

impl App {
    /// At a port that the system picks.
    pub fn start<B: Into<Vec<u8>>>(reply: impl Fn(usize, &str) -> Option<B> + Send + Sync + 'static) -> Self {
        Self::on(TcpListener::bind("127.0.0.1:0").unwrap(), reply)
    }

    /// At that port.
    pub fn on<B: Into<Vec<u8>>>(
        listener: TcpListener,
        reply: impl Fn(usize, &str) -> Option<B> + Send + Sync + 'static,
    ) -> Self {
        let reply = move |turn, text: &str| reply(turn, text).map(Into::into);
        let url = format!("http://{}", listener.local_addr().unwrap());
        let (told, heard) = channel();
        let (count, reply): (_, Arc<Reply>) = (Arc::new(AtomicUsize::new(0)), Arc::new(reply));
        thread::spawn(move || {
            for stream in listener.incoming() {
                let (told, count, reply) = (told.clone(), Arc::clone(&count), Arc::clone(&reply));
                let stream = stream.unwrap();
                thread::spawn(move || talk(stream, &told, &count, &*reply));
            }
        });
        Self { url, heard }
    }

    /// The next request it got, head and body. It is told before it is answered.
    pub fn next(&self) -> String {
        String::from_utf8_lossy(&self.bytes()).into_owned()
    }

    /// The next request it got, byte for byte.
    pub fn bytes(&self) -> Vec<u8> {
        self.heard.recv().unwrap()
    }

    /// Whether nothing came that nobody asked for yet.
    pub fn is_idle(&self) -> bool {
        self.heard.try_recv().is_err()
    }

    /// The path of the next request.
    pub fn path(&self) -> String {
        path(&self.next())
    }

    /// The paths of those that came and that nobody asked for yet.
    pub fn paths(&self) -> Vec<String> {
        self.heard.try_iter().map(|request| path(&String::from_utf8_lossy(&request))).collect()
    }
}

/// The path in a request line.
pub fn path(request: &str) -> String {
    request.split(' ').nth(1).unwrap().to_owned()
}

/// A small answer of that status.
#[expect(clippy::unnecessary_wraps, reason = "an app may also say nothing")]
pub fn status(code: u16) -> Option<String> {
    Some(format!("HTTP/1.1 {code} X\r\nContent-Length: 2\r\nX-App: yes\r\n\r\nok"))
}

fn talk(mut stream: TcpStream, told: &Sender<Vec<u8>>, count: &AtomicUsize, reply: &Reply) {
    while let Some(request) = request(&mut stream) {
        let turn = count.fetch_add(1, Ordering::SeqCst);
        let text = String::from_utf8_lossy(&request).into_owned();
        let _ = told.send(request);
        match reply(turn, &text) {
            Some(answer) if stream.write_all(&answer).is_ok() => {}
            _ => return,
        }
    }
}

/// One request with its body, by its declared length.
pub fn request(stream: &mut impl Read) -> Option<Vec<u8>> {
    let (mut bytes, mut byte) = (Vec::new(), [0; 1]);
    while !bytes.ends_with(b"\r\n\r\n") {
        if stream.read(&mut byte).ok()? == 0 {
            return None;
        }
        bytes.push(byte[0]);
    }
    let head = String::from_utf8_lossy(&bytes).to_lowercase();
    let length = head.split("content-length: ").nth(1).and_then(|rest| rest.split("\r\n").next());
    let mut body = vec![0; length.map_or(0, |length| length.parse().unwrap())];
    stream.read_exact(&mut body).ok()?;
    bytes.extend(body);
    Some(bytes)
}
