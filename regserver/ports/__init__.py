"""Protocols of everything that services need from outside. Back ends implement them; `regserver.app` chooses those."""
