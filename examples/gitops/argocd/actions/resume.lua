-- Lets a suspended Sync run again, from its next slot on.

if obj.metadata.annotations then
  obj.metadata.annotations["ciosync.dev/suspendedBy"] = nil
end
obj.spec.suspend = false
return obj
