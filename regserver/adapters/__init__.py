"""The implementations of ports, one module for each technology. `regserver.app` chooses; commands use a few directly."""
