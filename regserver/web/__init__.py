"""The doors: endpoints as plain functions of a request, the table of routes, and the Quart-Trio app that hosts them."""
