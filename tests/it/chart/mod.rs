//! The Helm chart and the files for GitOps, judged by a real helm and the Lua of Argo CD: what is
//! rendered, what is refused, and that the operator gets no right that it doesn't need.

mod definitions;
mod gitops;
mod health;
mod helm;
mod lua;
mod refused;
mod rendered;
mod rights;
mod values;
