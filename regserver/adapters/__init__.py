"""The outside world, one module a technology. `regserver.app` chooses among them; commands use a few directly."""
