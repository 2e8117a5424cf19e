//! A server that answers requests one after the other as a script says, and remembers them.
//!
//! It speaks HTTP by hand, because half of what it has to do no library would do: break off,
//! stay silent, answer with less than it announced.

use std::collections::{HashMap, VecDeque};
use std::sync::{Arc, Mutex};

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Notify;
use tokio::task::JoinHandle;

/// What the server does with one request.
pub(super) enum Reply {
    /// Answers with a status, headers and a body.
    Answer(u16, Vec<(&'static str, String)>, String),
    /// Answers with 200 and an empty object as soon as it is told to.
    AcceptWhen(Arc<Notify>),
    /// Closes the connection without an answer.
    Close,
    /// Announces a longer body than it sends, and closes the connection.
    BreakOff,
    /// Never answers.
    StaySilent,
}

impl Reply {
    pub(super) fn accept() -> Self {
        Self::body(200, "{}\n")
    }

    pub(super) fn status(status: u16) -> Self {
        Self::body(status, "")
    }

    pub(super) fn body(status: u16, body: &str) -> Self {
        Self::Answer(status, Vec::new(), body.to_owned())
    }

    /// Adds a header to an answer.
    pub(super) fn with(self, name: &'static str, value: impl Into<String>) -> Self {
        let Self::Answer(status, mut headers, body) = self else { panic!("no answer") };
        headers.push((name, value.into()));
        Self::Answer(status, headers, body)
    }
}

/// A request that the server got.
#[derive(Clone, Debug)]
pub(super) struct Seen {
    pub(super) line: String,
    /// By name in lower case.
    pub(super) headers: HashMap<String, String>,
    pub(super) body: String,
}

impl Seen {
    /// Returns the ids of the people in the batch.
    pub(super) fn ids(&self) -> Vec<String> {
        let body: serde_json::Value = serde_json::from_str(&self.body).unwrap();
        let items = body["batch"].as_array().unwrap().iter();
        items.map(|item| item["identifiers"]["id"].as_str().unwrap().to_owned()).collect()
    }
}

/// The running server. What comes after the end of the script is answered with 418.
pub(super) struct Scripted {
    pub(super) url: String,
    state: Arc<State>,
    task: JoinHandle<()>,
}

#[derive(Default)]
struct State {
    script: Mutex<VecDeque<Reply>>,
    seen: Mutex<Vec<Seen>>,
    arrived: Notify,
}

impl Scripted {
    pub(super) async fn start(script: impl IntoIterator<Item = Reply>) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let state = Arc::new(State {
            script: Mutex::new(script.into_iter().collect()),
            ..State::default()
        });
        let task = tokio::spawn(accept(listener, Arc::clone(&state)));
        Self { url, state, task }
    }

    pub(super) fn seen(&self) -> Vec<Seen> {
        self.state.seen.lock().unwrap().clone()
    }

    /// Waits until that many requests have come.
    pub(super) async fn has_seen(&self, count: usize) {
        loop {
            let arrived = self.state.arrived.notified();
            if self.state.seen.lock().unwrap().len() >= count {
                return;
            }
            arrived.await;
        }
    }
}

impl Drop for Scripted {
    fn drop(&mut self) {
        self.task.abort();
    }
}

async fn accept(listener: TcpListener, state: Arc<State>) {
    let mut open = tokio::task::JoinSet::new();
    while let Ok((stream, _)) = listener.accept().await {
        open.spawn(serve(stream, Arc::clone(&state)));
    }
}

/// Serves one request; each has a connection of its own.
async fn serve(mut stream: TcpStream, state: Arc<State>) {
    let Some(seen) = read(&mut stream).await else { return };
    // In one step, so that the n-th request seen gets the n-th reply.
    let reply = {
        let mut all = state.seen.lock().unwrap();
        all.push(seen);
        state.script.lock().unwrap().pop_front()
    };
    state.arrived.notify_waiters();
    match reply {
        None => answer(&mut stream, 418, &[], "the script is over").await,
        Some(Reply::Answer(status, headers, body)) => {
            answer(&mut stream, status, &headers, &body).await;
        }
        Some(Reply::AcceptWhen(told)) => {
            told.notified().await;
            answer(&mut stream, 200, &[], "{}").await;
        }
        Some(Reply::Close) => {}
        Some(Reply::BreakOff) => {
            let half = b"HTTP/1.1 200 OK\r\ncontent-length: 400\r\n\r\n{\"errors\":[";
            let _ = stream.write_all(half).await;
        }
        Some(Reply::StaySilent) => std::future::pending().await,
    }
}

async fn answer(
    stream: &mut TcpStream,
    status: u16,
    headers: &[(&'static str, String)],
    body: &str,
) {
    let mut head = format!("HTTP/1.1 {status} Scripted\r\nconnection: close\r\n");
    for (name, value) in headers {
        head.push_str(&format!("{name}: {value}\r\n"));
    }
    let message = format!("{head}content-length: {}\r\n\r\n{body}", body.len());
    // The client may have gone; what it saw is checked by the test.
    let _ = stream.write_all(message.as_bytes()).await;
    let _ = stream.shutdown().await;
}

async fn read(stream: &mut TcpStream) -> Option<Seen> {
    let mut bytes = Vec::new();
    loop {
        if stream.read_buf(&mut bytes).await.ok()? == 0 {
            return None;
        }
        let text = String::from_utf8_lossy(&bytes);
        let Some((head, body)) = text.split_once("\r\n\r\n") else { continue };
        let mut lines = head.lines().map(str::to_owned);
        let line = lines.next()?;
        let headers: HashMap<String, String> = lines
            .filter_map(|line| {
                let (name, value) = line.split_once(": ")?;
                Some((name.to_lowercase(), value.to_owned()))
            })
            .collect();
        let length = headers.get("content-length").map_or(0, |length| length.parse().unwrap());
        if body.len() >= length {
            return Some(Seen { line, headers, body: body.to_owned() });
        }
    }
}
