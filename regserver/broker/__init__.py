"""Delivery of events to sockets. `local` serves the sockets of this process."""
