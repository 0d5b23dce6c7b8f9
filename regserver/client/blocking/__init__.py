"""The blocking client: everything that is no stream, without Trio. Its files are made from the asynchronous ones."""
