"""`GET /docs`, for people who build on this server, and `GET /llms.txt`, for their programs: both made of the three documents."""
