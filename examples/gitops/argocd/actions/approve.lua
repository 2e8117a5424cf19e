-- Lets the plan that a guard stopped pass. Look at the numbers in status.blocked first.

if obj.status == nil or obj.status.blocked == nil then
  error("no guard blocks this Sync: there is nothing to approve")
end
obj.metadata.annotations = obj.metadata.annotations or {}
obj.metadata.annotations["ciosync.dev/approve"] = obj.status.blocked.id
return obj
