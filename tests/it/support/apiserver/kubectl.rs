//! What a person sees: kubectl, and the tables that the API server prints for it.

use std::process::Stdio;

use kube::api::ListParams;
use kube::core::Request;
use serde::Deserialize;
use serde_json::Value;
use tokio::io::AsyncWriteExt;
use tokio::process::Command;

use super::cluster::Cluster;

/// A list as the API server prints it.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Table {
    #[serde(rename = "columnDefinitions")]
    pub columns: Vec<Column>,
    pub rows: Vec<Row>,
}

/// A column; those of a priority above 0 are shown by `-o wide` only.
#[derive(Debug, Deserialize)]
pub struct Column {
    pub name: String,
    #[serde(default)]
    pub priority: i32,
}

/// One object's cells, in the order of the columns.
#[derive(Debug, Deserialize)]
pub struct Row {
    pub cells: Vec<Value>,
}

impl Table {
    /// Returns the columns' names as kubectl prints them, those of `-o wide` too when asked.
    pub fn names(&self, is_wide: bool) -> Vec<String> {
        let shown = self.columns.iter().filter(|column| is_wide || column.priority == 0);
        shown.map(|column| column.name.to_uppercase()).collect()
    }

    /// Returns the cell of a column in the row of the object that bears the name.
    ///
    /// # Panics
    /// When there is no such column or object.
    pub fn cell(&self, name: &str, column: &str) -> &Value {
        let find = |wanted: &str| {
            let found = self.columns.iter().position(|one| one.name.eq_ignore_ascii_case(wanted));
            found.unwrap_or_else(|| panic!("no column {wanted} in {self:?}"))
        };
        let (names, wanted) = (find("Name"), find(column));
        let row = self.rows.iter().find(|row| row.cells[names] == name);
        &row.unwrap_or_else(|| panic!("no row {name} in {self:?}")).cells[wanted]
    }
}

impl Cluster {
    /// Runs kubectl as the admin, with the text on its standard input. Returns what it printed, or
    /// what it complained.
    pub async fn kubectl_with(&self, args: &[&str], stdin: &str) -> Result<String, String> {
        self.program("kubectl", args, stdin).await
    }

    /// Runs kubectl as the admin.
    pub async fn kubectl(&self, args: &[&str]) -> Result<String, String> {
        self.kubectl_with(args, "").await
    }

    /// Returns what kstatus, by which Flux and others wait, says of an object: `Current`,
    /// `InProgress`, `Failed`, `Terminating` or `Unknown`, then a space and why.
    pub async fn kstatus(&self, object: &Value) -> String {
        self.program("apiserver", &["kstatus"], &object.to_string()).await.unwrap()
    }

    /// Returns what an Argo CD script in Lua, a file, says of an object: for a health check its status,
    /// a space and its message; for an action the JSON that it returned.
    pub async fn lua(&self, script: &str, object: &Value) -> Result<String, String> {
        self.program("apiserver", &["lua", script], &object.to_string()).await
    }

    async fn program(&self, name: &str, args: &[&str], stdin: &str) -> Result<String, String> {
        let mut process = Command::new(self.server.programs.join(name))
            .args(args)
            .env("KUBECONFIG", self.kubeconfig())
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .kill_on_drop(true)
            .spawn()
            .unwrap();
        let mut input = process.stdin.take().expect("stdin was asked to be a pipe");
        // A program that doesn't read its input closes the pipe; that is no fault.
        drop(input.write_all(stdin.as_bytes()).await);
        drop(input);
        let output = process.wait_with_output().await.unwrap();
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).trim_end().to_owned();
        if output.status.success() { Ok(text(&output.stdout)) } else { Err(text(&output.stderr)) }
    }

    /// Returns the table of our resources in a namespace, by plural such as `syncs`.
    pub async fn table(&self, plural: &str, namespace: &str) -> Table {
        let url = format!("/apis/ciosync.dev/v1alpha1/namespaces/{namespace}/{plural}");
        let mut request = Request::new(url).list(&ListParams::default()).unwrap();
        let accept = "application/json;as=Table;g=meta.k8s.io;v=v1".parse().unwrap();
        request.headers_mut().insert("accept", accept);
        self.client().request(request).await.unwrap()
    }
}
