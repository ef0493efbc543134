local ready, valid = condition("Ready"), condition("Valid")
if not current() then
  return { status = "Progressing", message = "Kudo has not seen the newest spec yet" }
end
if valid.status == "False" then
  return health("Degraded", valid, "The version is not valid")
end
if obj.metadata.deletionTimestamp == nil and ready.status == "True" then
  return health("Healthy", ready, "The version can be used")
end
return health("Progressing", ready, "Not ready yet")
