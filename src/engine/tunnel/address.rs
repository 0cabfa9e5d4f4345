//! Where a tunnel leads from: found in what its command prints.

/// How a tool says its public address: a word of its command, what stands before the address, and how it is made a URL.
struct Tool {
    command: &'static str,
    before: &'static str,
    make: fn(&str, &str) -> Option<String>,
}

/// The tools whose words are known. Any other's first bare URL counts.
const TOOLS: &[Tool] = &[
    // bore-cli 0.6, seen with a server on this machine: "listening at 127.0.0.1:20859", in colours
    Tool { command: "bore", before: "listening at ", make: |found, _| with_scheme(found) },
    // OpenSSH: "Allocated port 40123 for remote forward to localhost:27335"
    Tool { command: "ssh", before: "Allocated port ", make: on_ssh_host },
    // cloudflared prints links to its terms before the tunnel's own.
    Tool { command: "cloudflared", before: "", make: |found, _| host_ends(found, ".trycloudflare.com") },
    // ngrok 3 with --log stdout: "… msg=\"started tunnel\" … url=https://x.ngrok-free.app"
    Tool { command: "ngrok", before: "url=", make: |found, _| with_scheme(found) },
    // localtunnel 2: "your url is: https://x.loca.lt"
    Tool { command: "lt", before: "url is: ", make: |found, _| with_scheme(found) },
];

/// Looks for an address, line by line. A tool's own words count more than a bare URL.
pub(super) struct Finder {
    command: String,
    port: u16,
    found: Option<(bool, String)>,
}

impl Finder {
    /// For the output of that command, which leads to that port of this machine.
    pub(super) fn new(command: &str, port: u16) -> Self {
        Self { command: command.to_owned(), port, found: None }
    }

    /// The address, where this line says a better one than the lines before it.
    pub(super) fn look(&mut self, line: &str) -> Option<String> {
        let line = without_colours(line);
        let tool = self.tool(&line).map(|url| (true, url));
        let found = tool.or_else(|| self.bare_url(&line).map(|url| (false, url)))?;
        let known = self.found.as_ref().is_some_and(|(by_tool, url)| (*by_tool && !found.0) || *url == found.1);
        // Of several bare URLs the first counts.
        if known || (self.found.is_some() && !found.0) {
            return None;
        }
        self.found = Some(found.clone());
        Some(found.1)
    }

    fn tool(&self, line: &str) -> Option<String> {
        let names = |tool: &&Tool| self.command.split(|c: char| !c.is_alphanumeric()).any(|word| word == tool.command);
        TOOLS.iter().filter(names).find_map(|tool| {
            let at = line.find(tool.before)? + tool.before.len();
            let rest = line.get(at..)?;
            if tool.before.is_empty() {
                urls(rest).find_map(|url| (tool.make)(url, &self.command))
            } else {
                (tool.make)(first_word(rest), &self.command)
            }
        })
    }

    /// A URL of a host alone: a link to some page has a path. The one it leads to is not the one it leads from.
    fn bare_url(&self, line: &str) -> Option<String> {
        let own = [format!("localhost:{}", self.port), format!("127.0.0.1:{}", self.port)];
        urls(line).find_map(|url| {
            let host = url.split_once("://")?.1.trim_end_matches('/');
            let is_host =
                !host.is_empty() && !host.contains(['/', '?', '#', '@']) && !own.iter().any(|own| own == host);
            is_host.then(|| url.trim_end_matches('/').to_owned())
        })
    }
}

/// The text without the sequences that colour it.
pub(super) fn without_colours(line: &str) -> String {
    let mut text = String::new();
    let mut rest = line;
    while let Some((before, after)) = rest.split_once('\u{1b}') {
        text.push_str(before);
        let end = after.find(|c: char| c.is_ascii_alphabetic()).map_or(after.len(), |at| at + 1);
        rest = &after[end..];
    }
    text + rest
}

/// The URLs in a line.
fn urls(line: &str) -> impl Iterator<Item = &str> {
    line.match_indices("http").filter_map(|(at, _)| {
        let url = first_word(&line[at..]);
        (url.starts_with("http://") || url.starts_with("https://")).then_some(url)
    })
}

/// What stands up to the first thing that is in no URL.
fn first_word(text: &str) -> &str {
    let end = text.find(|c: char| !c.is_ascii_graphic() || "\"'<>|,;()[]{}`\\".contains(c)).unwrap_or(text.len());
    text[..end].trim_end_matches(['.', ':'])
}

fn with_scheme(found: &str) -> Option<String> {
    let is_url = found.starts_with("http://") || found.starts_with("https://");
    let has_port = found.rsplit_once(':').is_some_and(|(host, port)| !host.is_empty() && port.parse::<u16>().is_ok());
    match (is_url, has_port) {
        (true, _) => Some(found.trim_end_matches('/').to_owned()),
        (false, true) => Some(format!("http://{found}")),
        (false, false) => None,
    }
}

fn host_ends(found: &str, end: &str) -> Option<String> {
    let url = found.trim_end_matches('/');
    url.ends_with(end).then(|| url.to_owned())
}

/// The port is in what ssh prints, the host in its command.
fn on_ssh_host(found: &str, command: &str) -> Option<String> {
    let port: u16 = found.parse().ok()?;
    let words: Vec<_> = command.split_whitespace().collect();
    let named = words.iter().find_map(|word| word.split_once('@').filter(|(user, _)| !user.starts_with('-')));
    let host = named.map_or_else(|| words.last().copied(), |(_, host)| Some(host))?;
    Some(format!("http://{host}:{port}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What it says after all lines.
    fn found(command: &str, lines: &[&str]) -> Option<String> {
        let mut finder = Finder::new(command, 27_335);
        lines.iter().fold(None, |found, line| finder.look(line).or(found))
    }

    #[test]
    fn every_tool_s_words_are_understood() {
        for (command, lines, url) in [
            (
                "bore local {port} --to bore.pub",
                &["2026 INFO bore_cli::client: listening at bore.pub:36421"][..],
                Some("http://bore.pub:36421"),
            ),
            (
                "bore local 1 --to b",
                &["\u{1b}[2m2026\u{1b}[0m \u{1b}[32m INFO\u{1b}[0m listening at \u{1b}[1mb:3\u{1b}[0m"],
                Some("http://b:3"),
            ),
            (
                "ssh -NR 0:localhost:27335 me@example.com",
                &["Allocated port 40123 for remote forward to localhost:27335"],
                Some("http://example.com:40123"),
            ),
            (
                "ssh -R 80:localhost:27335 serveo.net",
                &["Forwarding HTTP traffic from https://abc.serveo.net"],
                Some("https://abc.serveo.net"),
            ),
            (
                "ssh -R 80:localhost:27335 localhost.run",
                &[
                    "see https://localhost.run/docs/ for help",
                    "x.lhr.life tunneled with tls termination, https://x.lhr.life",
                ],
                Some("https://x.lhr.life"),
            ),
            (
                "cloudflared tunnel --url http://localhost:27335",
                &[
                    "INF https://www.cloudflare.com https://developers.cloudflare.com/x",
                    "INF |  https://a-b-c.trycloudflare.com  |",
                ],
                Some("https://a-b-c.trycloudflare.com"),
            ),
            (
                "ngrok http 27335 --log stdout",
                &["t=1 lvl=info msg=\"started tunnel\" addr=http://localhost:27335 url=https://x.ngrok-free.app"],
                Some("https://x.ngrok-free.app"),
            ),
            ("npx lt --port 27335", &["your url is: https://x.loca.lt"], Some("https://x.loca.lt")),
            (
                "./mine",
                &["forwarding to http://localhost:27335", "docs: https://mine.example/docs", "<https://t.example/>"],
                Some("https://t.example"),
            ),
            ("./mine", &["https://one.example", "https://two.example"], Some("https://one.example")),
            ("./mine", &["nothing", "http://", "https:///x"], None),
        ] {
            assert_eq!(found(command, lines).as_deref(), url, "{command} {lines:?}");
        }
    }
}
