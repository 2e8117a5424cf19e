//! A real Kubernetes API server for this test process, and what tests of an operator need of it.
//!
//! etcd, kube-apiserver and kube-controller-manager start when the first test asks for a cluster
//! and die with the process, however that ends. They listen on 127.0.0.1 only, in a fresh folder.
//! There are no nodes: Pods are made but never run.

#![expect(dead_code, reason = "the operator's tests use the rest")]

pub mod account;
pub mod audit;
pub mod chart;
pub mod cluster;
pub mod conformance;
pub mod kubectl;
pub mod object;
pub mod operator;
pub mod server;

pub use cluster::{Cluster, cluster};
