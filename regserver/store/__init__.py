"""The back ends of the store. `sql` holds the repositories, written in SQL that both databases speak; `sqlite` and
`postgres` run them; `migration` holds the numbered SQL files."""
