"""The operator's routes below /admin: use cases of `regserver.service.operator`, for whoever has an operator key."""
