//! A line to a database that can be cut: after so many bytes, at once, and mended again.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio_util::task::AbortOnDropHandle;

const CHUNK_BYTES: usize = 4_096;

struct Meter {
    /// Bytes that came from the server.
    carried: AtomicU64,
    /// After how many of them every connection breaks.
    limit: AtomicU64,
}

/// A line to a server. Dropping it cuts every connection.
pub struct Wire {
    port: u16,
    meter: Arc<Meter>,
    _accepting: AbortOnDropHandle<()>,
}

impl Wire {
    /// Lays a line to this port of this machine.
    pub async fn to(port: u16) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let own_port = listener.local_addr().unwrap().port();
        let meter = Arc::new(Meter { carried: AtomicU64::new(0), limit: AtomicU64::new(u64::MAX) });
        let shared = Arc::clone(&meter);
        let accepting = AbortOnDropHandle::new(tokio::spawn(async move {
            let mut connections = tokio::task::JoinSet::new();
            while let Ok((client, _)) = listener.accept().await {
                let meter = Arc::clone(&shared);
                connections.spawn(async move { carry(client, port, &meter).await });
            }
        }));
        Self { port: own_port, meter, _accepting: accepting }
    }

    /// Returns the port at which the line begins.
    pub fn port(&self) -> u16 {
        self.port
    }

    /// Returns how many bytes came from the server so far.
    pub fn carried(&self) -> u64 {
        self.meter.carried.load(Ordering::Relaxed)
    }

    /// Breaks every connection once so many more bytes came from the server; new ones break too.
    pub fn cut_after(&self, bytes: u64) {
        self.meter.limit.store(self.carried() + bytes, Ordering::Relaxed);
    }

    /// Mends the line.
    pub fn mend(&self) {
        self.meter.limit.store(u64::MAX, Ordering::Relaxed);
    }
}

async fn carry(mut client: TcpStream, port: u16, meter: &Meter) {
    let server = SocketAddr::from(([127, 0, 0, 1], port));
    let Ok(mut server) = TcpStream::connect(server).await else { return };
    let _ = (client.set_nodelay(true), server.set_nodelay(true));
    let (mut asked, mut answered) = (vec![0; CHUNK_BYTES], vec![0; CHUNK_BYTES]);
    loop {
        let passed = tokio::select! {
            read = client.read(&mut asked) => match read {
                Ok(count) if count > 0 => server.write_all(&asked[..count]).await.is_ok(),
                _ => false,
            },
            read = server.read(&mut answered) => match read {
                Ok(count) if count > 0 => {
                    let before = meter.carried.fetch_add(count as u64, Ordering::Relaxed);
                    before + (count as u64) <= meter.limit.load(Ordering::Relaxed)
                        && client.write_all(&answered[..count]).await.is_ok()
                }
                _ => false,
            },
        };
        if !passed {
            return;
        }
    }
}
