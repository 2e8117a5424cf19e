-- Suspends the Sync. Where the manifest in Git names spec.suspend, self-healing takes it back.

obj.metadata.annotations = obj.metadata.annotations or {}
obj.metadata.annotations["ciosync.dev/suspendedBy"] = "an action of Argo CD"
obj.spec.suspend = true
return obj
