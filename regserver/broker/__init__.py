"""Which socket hears what. `local` serves the sockets of this process."""
