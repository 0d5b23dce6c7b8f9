"""The store. `sql` has the tables' statements, in the common SQL of SQLite and PostgreSQL; `sqlite` and `postgres` execute them;
`migration` has the numbered SQL files; `rerun` runs a unit of work again after a conflict."""
