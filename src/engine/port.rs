//! Who holds a port, so that "address in use" can say what to do.

use std::{fs, net::SocketAddr, path::Path};

/// The process that listens on a port of this machine.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Listener {
    pub(super) pid: u32,
    pub(super) program: String,
}

/// Looks the listener up in `/proc` (proc(5): `net/tcp`, `PID/fd`). None where there is no such file system, or where
/// the process belongs to somebody else.
pub(super) fn listener(address: SocketAddr) -> Option<Listener> {
    let inode = ["/proc/net/tcp", "/proc/net/tcp6"].iter().find_map(|table| inode(table, address.port()))?;
    let link = format!("socket:[{inode}]");
    fs::read_dir("/proc").ok()?.flatten().find_map(|entry| {
        let pid: u32 = entry.file_name().to_str()?.parse().ok()?;
        holds(&entry.path().join("fd"), &link).then(|| Listener { pid, program: program(&entry.path()) })
    })
}

/// The inode of the listening socket of a port. State 0A is LISTEN; the fields are counted from the line's start.
fn inode(table: &str, port: u16) -> Option<String> {
    let text = fs::read_to_string(table).ok()?;
    let end = format!(":{port:04X}");
    text.lines().skip(1).find_map(|line| {
        let fields: Vec<_> = line.split_whitespace().collect();
        let (local, state, inode) = (fields.get(1)?, fields.get(3)?, fields.get(9)?);
        (local.ends_with(&end) && *state == "0A").then(|| (*inode).to_owned())
    })
}

fn holds(descriptors: &Path, link: &str) -> bool {
    fs::read_dir(descriptors).is_ok_and(|entries| {
        entries.flatten().any(|entry| fs::read_link(entry.path()).is_ok_and(|to| to.as_os_str() == link))
    })
}

fn program(process: &Path) -> String {
    fs::read_to_string(process.join("comm")).unwrap_or_default().trim().to_owned()
}

#[cfg(all(test, target_os = "linux"))]
mod tests {
    use super::*;

    #[test]
    fn the_holder_of_a_port_is_found() {
        let socket = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        let found = listener(socket.local_addr().unwrap()).unwrap();
        assert_eq!(found.pid, std::process::id());
        assert!(!found.program.is_empty());
    }
}
