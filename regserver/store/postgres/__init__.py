"""PostgreSQL. `driver` speaks to it on Trio."""
