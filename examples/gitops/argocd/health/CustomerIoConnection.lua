-- What Argo CD shows of a CustomerIoConnection: its conditions, once the operator has looked at this generation.

local function condition(name)
  for _, one in ipairs((obj.status or {}).conditions or {}) do
    if one.type == name then return one end
  end
end

local function health(status, one, otherwise)
  return {status = status, message = one and one.message or otherwise}
end

if obj.metadata.deletionTimestamp then
  return health("Progressing", nil, "being deleted")
end
-- -1 until the operator has looked for the first time.
if (obj.status or {}).observedGeneration ~= obj.metadata.generation then
  return health("Progressing", nil, "waiting for the operator to look at this version")
end
if obj.spec.suspend then
  return health("Suspended", nil, "suspended: no Sync that uses it runs")
end

local ready = condition("Ready")
if ready and ready.status == "True" then
  return health("Healthy", ready)
end
if ready and ready.status == "False" then
  return health("Degraded", ready)
end
return health("Progressing", ready, "it has not been reached yet")
