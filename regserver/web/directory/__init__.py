"""The directory: name check, sign-up by mail, and the server of a user."""
