"""How long the fixture of regserver.testing takes to start and to stop."""
