"""For browsers: the page at `GET /`, the page that confirms a directory sign-up, their static files."""
