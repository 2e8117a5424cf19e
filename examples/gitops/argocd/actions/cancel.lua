-- Stops the run in progress at its next batch.

if obj.status == nil or obj.status.currentRun == nil then
  error("no run of this Sync is in progress: there is nothing to cancel")
end
obj.metadata.annotations = obj.metadata.annotations or {}
obj.metadata.annotations["ciosync.dev/cancel"] = obj.status.currentRun.id
return obj
