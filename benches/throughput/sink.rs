//! A destination that costs next to nothing: it reads each request to its end, counts it, and says
//! yes. What a run takes against it is the run's own time; the emulator, which takes every item
//! apart and keeps it, works longer on a row than the run does.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use anyhow::Context as _;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};

/// Read at a time.
const BUFFER_BYTES: usize = 256 * 1024;

const REGION: &str = r#"{"url":"https://track.customer.io","region":"us","environment_id":1}"#;
const ACCEPTED: &str = "{}";

/// A server of this process that accepts everything.
pub struct Sink {
    url: String,
    counts: Arc<Counts>,
}

/// What came in.
#[derive(Default)]
struct Counts {
    batches: AtomicU64,
    body_bytes: AtomicU64,
}

impl Sink {
    /// Starts the server; it ends with the runtime.
    pub async fn start() -> anyhow::Result<Self> {
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        let url = format!("http://{}", listener.local_addr()?);
        let counts = Arc::new(Counts::default());
        let shared = Arc::clone(&counts);
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                // A client that hangs up ends its connection with an error, which is all there is.
                let counts = Arc::clone(&shared);
                tokio::spawn(async move { serve(stream, &counts).await.ok() });
            }
        });
        Ok(Self { url, counts })
    }

    /// Returns the address.
    pub fn url(&self) -> &str {
        &self.url
    }

    /// Forgets what came in.
    pub fn reset(&self) {
        self.counts.batches.store(0, Ordering::Relaxed);
        self.counts.body_bytes.store(0, Ordering::Relaxed);
    }

    /// Returns the mean size of the batches since the last reset, in bytes.
    pub fn mean_body(&self) -> f64 {
        let figure = |count: &AtomicU64| count.load(Ordering::Relaxed) as f64;
        figure(&self.counts.body_bytes) / figure(&self.counts.batches)
    }
}

/// Answers one request after the other.
async fn serve(mut stream: TcpStream, counts: &Counts) -> anyhow::Result<()> {
    stream.set_nodelay(true)?;
    let mut buffer = vec![0; BUFFER_BYTES];
    let mut filled = 0;
    loop {
        let read = stream.read(buffer.get_mut(filled..).context("a head is too long")?).await?;
        if read == 0 {
            return Ok(());
        }
        filled += read;
        let seen = buffer.get(..filled).unwrap_or_default();
        let Some(end) = seen.windows(4).position(|bytes| bytes == b"\r\n\r\n") else { continue };
        let head = std::str::from_utf8(seen.get(..end).unwrap_or_default())?.to_owned();
        let length = content_length(&head)?;
        let mut missing = length.saturating_sub(filled - end - 4);
        filled = 0;
        while missing > 0 {
            let room = missing.min(buffer.len());
            let read = stream.read(buffer.get_mut(..room).unwrap_or_default()).await?;
            anyhow::ensure!(read > 0, "the client hung up");
            missing -= read;
        }
        let answer = if head.contains("/accounts/region") {
            REGION
        } else {
            counts.batches.fetch_add(1, Ordering::Relaxed);
            counts.body_bytes.fetch_add(length as u64, Ordering::Relaxed);
            ACCEPTED
        };
        let head = "HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length:";
        let answer = format!("{head} {}\r\n\r\n{answer}", answer.len());
        stream.write_all(answer.as_bytes()).await?;
    }
}

fn content_length(head: &str) -> anyhow::Result<usize> {
    let mut fields = head.lines().filter_map(|line| line.split_once(':'));
    let length = fields.find(|(name, _)| name.eq_ignore_ascii_case("content-length"));
    length.map_or(Ok(0), |(_, value)| value.trim().parse().context("a length is no number"))
}
