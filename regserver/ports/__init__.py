"""What the services need of the outside, as Protocols. Back ends implement them; only `regserver.app` names those."""
