//! A wire that can be cut: passes connections on to a server, or ends them and refuses new ones.

use std::net::SocketAddr;

use tokio::io::copy_bidirectional;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tokio_util::task::AbortOnDropHandle;

/// The wire. Dropping it cuts it for good.
pub struct Relay {
    pub port: u16,
    is_whole: watch::Sender<bool>,
    _accepting: AbortOnDropHandle<()>,
}

impl Relay {
    /// Lays a wire to a port of this machine.
    pub async fn to(port: u16) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let own = listener.local_addr().unwrap().port();
        let (is_whole, seen) = watch::channel(true);
        let accepting = tokio::spawn(async move {
            let mut wires = tokio::task::JoinSet::new();
            while let Ok((client, _)) = listener.accept().await {
                wires.spawn(pass_on(client, port, seen.clone()));
            }
        });
        Self { port: own, is_whole, _accepting: AbortOnDropHandle::new(accepting) }
    }

    /// Ends all connections, and each new one as soon as it is made.
    pub fn cut(&self) {
        self.is_whole.send_replace(false);
    }

    /// Passes on what comes from now on.
    pub fn mend(&self) {
        self.is_whole.send_replace(true);
    }
}

async fn pass_on(mut client: TcpStream, port: u16, mut is_whole: watch::Receiver<bool>) {
    if !*is_whole.borrow() {
        return;
    }
    let target = SocketAddr::from(([127, 0, 0, 1], port));
    let Ok(mut server) = TcpStream::connect(target).await else { return };
    tokio::select! {
        _ = copy_bidirectional(&mut client, &mut server) => {}
        _ = is_whole.wait_for(|is_whole| !is_whole) => {}
    }
}
