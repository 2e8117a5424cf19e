//! Stands between the binary and the emulator, passes everything on as it is, and takes down which
//! rows each request carried and whether it was answered.

use std::net::SocketAddr;
use std::sync::{Arc, Mutex};

use serde_json::Value;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tokio_util::task::AbortOnDropHandle;

use super::style::pair;

/// One thing asked of the workspace about a row.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Item {
    /// The row as it stands in the source.
    Identify {
        /// The row's key.
        id: i64,
        /// What it said.
        version: u32,
        /// The identifier as it was written.
        target: String,
    },
    /// The person of a row that left, or that is about another person now.
    Delete {
        /// The row's key.
        id: i64,
        /// The identifier as it was written.
        target: String,
    },
}

impl Item {
    /// Returns the row's key.
    pub fn id(&self) -> i64 {
        match self {
            Self::Identify { id, .. } | Self::Delete { id, .. } => *id,
        }
    }

    fn read(item: &Value) -> Self {
        let (device, link) = (&item["device"], &item["cio_relationships"][0]);
        let text = |of: &Value, names: &[&str]| {
            names.iter().find_map(|name| of[*name].as_str()).map(str::to_owned)
        };
        let name = text(&item["identifiers"], &["id", "email", "object_id"]).unwrap();
        let second = text(device, &["token"]).or(text(&link["identifiers"], &["object_id"]));
        let target = second.map_or_else(|| name.clone(), |second| pair(&name, &second));
        let id = id_of(&name);
        match item["action"].as_str().unwrap() {
            "identify" | "event" | "add_device" | "add_relationships" => {
                let said = [item, device].map(|it| &it["attributes"]["version"]);
                let said = said.into_iter().chain([&link["relationship_attributes"]["version"]]);
                let version = said.map(Value::to_string).find(|text| text != "null").unwrap();
                let version = version.trim_matches('"').parse().unwrap();
                Self::Identify { id, version, target }
            }
            "delete" | "delete_device" | "delete_relationships" => Self::Delete { id, target },
            other => panic!("nobody asked for {other}"),
        }
    }

    fn member(target: &Value, is_removal: bool) -> Self {
        let target = target.as_str().unwrap().to_owned();
        let id = id_of(&target);
        match is_removal {
            true => Self::Delete { id, target },
            false => Self::Identify { id, version: 0, target },
        }
    }
}

/// Returns the key of the row that is sent under this identifier: `17`, or `k17.2@example.test`.
pub fn id_of(target: &str) -> i64 {
    let digits = target.trim_start_matches('k').split('.').next().unwrap();
    digits.parse().unwrap_or_else(|_| panic!("no row of the test's is called {target}"))
}

/// A batch on its way.
#[derive(Clone, Debug)]
pub struct Exchange {
    /// What it asks for.
    pub items: Vec<Item>,
    /// What it was answered with, as soon as the whole answer was there.
    pub status: Option<u16>,
}

impl Exchange {
    /// Returns whether the binary was told that at least a part was accepted.
    pub fn is_accepted(&self) -> bool {
        matches!(self.status, Some(200..=299))
    }
}

type Log = Arc<Mutex<Vec<Exchange>>>;

/// The recorder. Dropping it cuts every connection.
pub struct Recorder {
    address: SocketAddr,
    log: Log,
    arrived: watch::Receiver<usize>,
    _accepting: AbortOnDropHandle<()>,
}

impl Recorder {
    /// Starts to pass on what comes to the server at this URL.
    pub async fn start(url: &str) -> Self {
        let target: SocketAddr = url.strip_prefix("http://").unwrap().parse().unwrap();
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let log = Log::default();
        let (sender, arrived) = watch::channel(0);
        let shared = (Arc::clone(&log), Arc::new(sender));
        let accepting = AbortOnDropHandle::new(tokio::spawn(async move {
            let mut connections = tokio::task::JoinSet::new();
            while let Ok((client, _)) = listener.accept().await {
                let (log, sender) = (Arc::clone(&shared.0), Arc::clone(&shared.1));
                connections.spawn(async move { pass_on(client, target, &log, &sender).await });
            }
        }));
        Self { address, log, arrived, _accepting: accepting }
    }

    /// Returns where the binary finds it.
    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// Returns how many batches have arrived.
    pub fn count(&self) -> usize {
        *self.arrived.borrow()
    }

    /// Waits until so many batches have arrived. Safe to drop at any time.
    pub async fn wait_for(&self, count: usize) {
        // The sender lives as long as the recorder accepts, so waiting can't fail.
        let _ = self.arrived.clone().wait_for(|arrived| *arrived >= count).await;
    }

    /// Returns the batches that arrived, but for the first so many.
    pub fn since(&self, first: usize) -> Vec<Exchange> {
        self.log.lock().unwrap().iter().skip(first).cloned().collect()
    }
}

/// Passes one connection on until an end goes away; then the other end is cut as well.
async fn pass_on(
    mut client: TcpStream,
    target: SocketAddr,
    log: &Log,
    arrived: &watch::Sender<usize>,
) {
    let Ok(mut server) = TcpStream::connect(target).await else { return };
    let _ = (client.set_nodelay(true), server.set_nodelay(true));
    while let Some(request) = Message::read(&mut client).await.whole() {
        let number = request.is_batch().then(|| {
            let mut log = log.lock().unwrap();
            log.push(Exchange { items: request.items(), status: None });
            arrived.send_replace(log.len());
            log.len() - 1
        });
        if server.write_all(&request.bytes).await.is_err() {
            break;
        }
        let mut peeked = [0];
        let answer = tokio::select! {
            answer = Message::read(&mut server) => answer,
            // Nothing comes behind a request but the end of a client that is gone.
            _ = client.peek(&mut peeked) => break,
        };
        let is_whole = answer.is_whole;
        if let (true, Some(number)) = (is_whole, number) {
            log.lock().unwrap()[number].status = Some(answer.status());
        }
        if client.write_all(&answer.bytes).await.is_err() || !is_whole {
            break;
        }
    }
    // The emulator cuts by a reset; so does this.
    let _ = (client.set_zero_linger(), server.set_zero_linger());
}

/// A request or an answer, as far as it came.
struct Message {
    bytes: Vec<u8>,
    head_len: usize,
    is_whole: bool,
}

impl Message {
    async fn read(stream: &mut (impl AsyncRead + Unpin)) -> Self {
        let mut message = Self { bytes: Vec::new(), head_len: 0, is_whole: false };
        loop {
            if message.head_len == 0
                && let Some(end) = message.bytes.windows(4).position(|four| four == b"\r\n\r\n")
            {
                message.head_len = end + 4;
            }
            if message.head_len > 0 && message.bytes.len() >= message.head_len + message.body_len()
            {
                message.is_whole = true;
                return message;
            }
            match stream.read_buf(&mut message.bytes).await {
                Ok(0) | Err(_) => return message,
                Ok(_) => {}
            }
        }
    }

    fn whole(self) -> Option<Self> {
        self.is_whole.then_some(self)
    }

    fn head(&self) -> &str {
        std::str::from_utf8(&self.bytes[..self.head_len]).unwrap()
    }

    fn body_len(&self) -> usize {
        let lines = self.head().lines().filter_map(|line| line.split_once(':'));
        let length = lines.filter(|(name, _)| name.eq_ignore_ascii_case("content-length"));
        length.map(|(_, value)| value.trim().parse::<usize>().unwrap()).next().unwrap_or(0)
    }

    fn is_batch(&self) -> bool {
        let head = self.head();
        head.starts_with("POST /api/v2/batch ") || head.starts_with("POST /api/v1/segments/")
    }

    fn items(&self) -> Vec<Item> {
        let body: Value = serde_json::from_slice(&self.bytes[self.head_len..]).unwrap();
        let is_removal = self.head().contains("/remove_customers");
        match (&body["batch"], &body["ids"]) {
            (Value::Array(batch), _) => batch.iter().map(Item::read).collect(),
            (_, Value::Array(ids)) => ids.iter().map(|id| Item::member(id, is_removal)).collect(),
            _ => panic!("neither a batch nor members"),
        }
    }

    fn status(&self) -> u16 {
        self.head().split(' ').nth(1).unwrap().parse().unwrap()
    }
}
