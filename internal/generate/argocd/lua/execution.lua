local succeeded, stalled, paused = condition("Succeeded"), condition("Stalled"), condition("Paused")
if not current() then
  return { status = "Progressing", message = "Kudo has not seen the newest requests yet" }
end
if succeeded.status == "True" then
  return health("Healthy", succeeded, "Succeeded")
end
if succeeded.status == "False" then
  return health("Degraded", succeeded, "Did not succeed")
end
if stalled.status == "True" then
  return health("Degraded", stalled, "Needs a person")
end
if paused.status == "True" then
  return health("Suspended", paused, "Paused")
end
if obj.status.reason == "AwaitingApproval" then
  return health("Suspended", succeeded, "Waits for an approval")
end
return health("Progressing", succeeded, "Running")
