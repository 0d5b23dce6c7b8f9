"""The store. `sql` has the tables' statements, in the common SQL of SQLite and PostgreSQL; `sqlite` executes them;
`postgres` has a driver for that;
`migration` has the numbered SQL files; `rerun` runs a unit of work again after a conflict."""
