local status = obj.status or {}
local state = status.state or "Pending"
local ended = state == "Succeeded" or state == "Failed" or state == "Cancelled"
local paused = status.paused ~= nil and #status.paused > 0
local awaits = false
for _, phase in ipairs(status.phases or {}) do
  for _, step in ipairs(phase.steps or {}) do
    for _, task in ipairs(step.tasks or {}) do
      awaits = awaits or task.reason == "AwaitingApproval"
    end
  end
end
return {
  ["pause"] = { disabled = ended or paused },
  ["resume"] = { disabled = ended or not paused },
  ["retry"] = { disabled = state ~= "Stalled" },
  ["approve"] = { disabled = ended or not awaits },
  ["cancel"] = { disabled = ended },
  ["cancel-undo"] = { disabled = ended },
}
