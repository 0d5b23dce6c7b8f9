"""Web Push: encryption (RFC 8291), the server's name (RFC 8292), and sending (RFC 8030)."""
