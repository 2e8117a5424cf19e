-- Asks for a run. The token must be new each time: the version changes with every write, and this
-- is one.

obj.metadata.annotations = obj.metadata.annotations or {}
obj.metadata.annotations["ciosync.dev/requestedAt"] = "argocd-" .. obj.metadata.resourceVersion
return obj
