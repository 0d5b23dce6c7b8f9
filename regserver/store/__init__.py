"""The store. `sql` holds the tables' statements, in SQL that SQLite and PostgreSQL both speak; `sqlite` runs them;
`migration` holds the numbered SQL files; `rerun` runs a unit of work again after a conflict."""
