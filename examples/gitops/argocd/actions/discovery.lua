-- Which actions Argo CD offers on a Sync, and which of them would do nothing now.

local status = obj.status or {}
local suspended = obj.spec.suspend == true
local actions = {}
actions["run"] = {disabled = suspended}
actions["suspend"] = {disabled = suspended}
actions["resume"] = {disabled = not suspended}
actions["approve"] = {disabled = status.blocked == nil}
actions["cancel"] = {disabled = status.currentRun == nil}
return actions
