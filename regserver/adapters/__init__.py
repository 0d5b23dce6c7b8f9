"""The outside world, one module a technology. Only `regserver.app` chooses among them."""
