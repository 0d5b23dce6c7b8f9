"""The repositories, in the common SQL of SQLite and PostgreSQL, on the few calls that a back end must implement."""
