"""Live registration: the socket and the event stream of its observers."""
