//! A port that is the test's own although nobody listens there: who connects is refused, and no other process is given it.

use std::net::{SocketAddr, TcpListener};

use tokio::net::TcpSocket;

pub struct Port {
    socket: TcpSocket,
    pub address: SocketAddr,
}

impl Port {
    /// Held as long as this is there: bound, and not listening.
    pub fn reserved() -> Self {
        let socket = TcpSocket::new_v4().unwrap();
        // Linux lets a second socket bind and listen that says the same of itself; it gives nobody such a port unasked.
        socket.set_reuseaddr(cfg!(target_os = "linux")).unwrap();
        socket.bind("127.0.0.1:0".parse().unwrap()).unwrap();
        let address = socket.local_addr().unwrap();
        Self { socket, address }
    }

    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// Lets a creel of the test's own listen there. Gives what goes on holding it, where the system can do both.
    pub fn lent(self) -> Option<Self> {
        cfg!(target_os = "linux").then_some(self)
    }

    /// Begins to listen there.
    pub fn listen(self) -> TcpListener {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        let _inside = runtime.enter();
        let listener = self.socket.listen(64).unwrap().into_std().unwrap();
        listener.set_nonblocking(false).unwrap();
        listener
    }
}
