local function condition(name)
  if obj.status ~= nil and obj.status.conditions ~= nil then
    for _, c in ipairs(obj.status.conditions) do
      if c.type == name then
        return c
      end
    end
  end
  return {}
end

local function health(status, c, otherwise)
  local message = c.message
  if message == nil or message == "" then
    message = otherwise
  end
  return { status = status, message = message }
end

local function current()
  return obj.status ~= nil and obj.status.observedGeneration ~= nil
    and (obj.metadata.generation == nil or obj.status.observedGeneration >= obj.metadata.generation)
end
