local ready, stalled, drifted = condition("Ready"), condition("Stalled"), condition("Drifted")
if not current() then
  return { status = "Progressing", message = "Kudo has not seen the newest spec yet" }
end
if stalled.status == "True" then
  return health("Degraded", stalled, "A plan needs a person")
end
if obj.metadata.deletionTimestamp ~= nil then
  return health("Progressing", ready, "Being deleted")
end
if ready.reason == "Suspended" then
  return health("Suspended", ready, "Suspended")
end
if ready.status == "True" then
  if drifted.status == "True" then
    return health("Healthy", drifted, "Others changed objects")
  end
  return health("Healthy", ready, "Ready")
end
return health("Progressing", ready, "A plan runs")
