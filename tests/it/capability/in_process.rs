//! Runs of a laptop's Syncs inside the test's process: for many runs in a row, and for what the
//! command line has no word for.

use std::sync::Arc;
use std::time::Duration;

use ciosync::cli::args::ManifestArgs;
use ciosync::cli::load::{self, Workshop};
use ciosync::engine::{self, Pipeline, Progress, RunOptions, RunOutcome, RunPurpose, RunRequest};
use ciosync::model::SyncId;
use ciosync::state::store::SyncMemo;
use ciosync::state::{self, LockHolder, RunLock, StateStore};
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;

use super::Laptop;
use super::laptop::install_tls;

/// Opens the state that the binary uses by default.
pub async fn store(laptop: &Laptop) -> Arc<dyn StateStore> {
    let path = laptop.dir.path().join(".ciosync/state.db");
    state::open(&format!("sqlite:{}", path.display()), "local").await.unwrap()
}

/// The name under which the state of the Sync `people` is kept.
pub fn people() -> SyncId {
    SyncId::new("default", "people")
}

/// Makes the state say that the last run was made so long before it was.
pub async fn planned_before(laptop: &Laptop, age: Duration) {
    remember(laptop, |memo| memo.planned_at = memo.planned_at.map(|at| at - age)).await;
}

/// Returns what is known of the Sync `people` besides its rows.
pub async fn memo(laptop: &Laptop) -> SyncMemo {
    store(laptop).await.sync(&people()).await.unwrap().unwrap().memo
}

/// Changes what is known of the Sync `people` besides its rows.
pub async fn remember(laptop: &Laptop, change: impl FnOnce(&mut SyncMemo)) {
    let store = store(laptop).await;
    let holder = LockHolder::this_process();
    let lock = RunLock::acquire(store.as_ref(), &people(), &holder).await.unwrap();
    let mut memo = memo(laptop).await;
    change(&mut memo);
    store.save_memo(&lock, &memo).await.unwrap();
    lock.release(store.as_ref()).await.unwrap();
}

/// Runs the only Sync once, with the state that the binary uses by default.
pub async fn run(laptop: &Laptop, options: RunOptions) -> RunOutcome {
    carry_out(laptop, options, |pipeline| pipeline).await
}

/// Does to every row of the only Sync what happens when it is deleted with its rows.
pub async fn clean_up(laptop: &Laptop) -> RunOutcome {
    let options = RunOptions { purpose: RunPurpose::CleanUp, ..RunOptions::default() };
    carry_out(laptop, options, |pipeline| pipeline.into_cleanup(&[])).await
}

async fn carry_out(
    laptop: &Laptop,
    options: RunOptions,
    change: impl FnOnce(Pipeline) -> Pipeline,
) -> RunOutcome {
    install_tls();
    let paths = vec![laptop.dir.path().to_owned()];
    let args = ManifestArgs { paths, namespace: "default".to_owned(), secrets: None };
    let Ok(loaded) = load::load(&args) else { panic!("the manifests can't be read") };
    let syncs: Vec<_> = loaded.manifests.syncs.iter().collect();
    let Ok(mut ready) = Workshop::new(&loaded, None).make(&syncs).await else {
        panic!("the manifests can't be resolved")
    };
    let Some(pipeline) = Arc::into_inner(ready.remove(0).pipeline) else {
        panic!("the pipeline is somebody else's too")
    };
    let request = RunRequest {
        pipeline: Arc::new(change(pipeline)),
        store: store(laptop).await,
        options,
        cancel: CancellationToken::new(),
        progress: watch::Sender::new(Progress::default()),
        spill_dir: laptop.dir.path().to_owned(),
    };
    engine::run(request).await
}
