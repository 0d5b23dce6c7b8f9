"""Live registration: the socket and the event stream of those who watch one."""
