local ready, stalled = condition("Ready"), condition("Stalled")
if not current() then
  return { status = "Progressing", message = "Kudo has not seen the newest spec yet" }
end
if stalled.status == "True" then
  return health("Degraded", stalled, "Needs a person")
end
if obj.metadata.deletionTimestamp == nil and ready.status == "True" then
  return health("Healthy", ready, "The kind is served")
end
return health("Progressing", ready, "The kind is not served yet")
