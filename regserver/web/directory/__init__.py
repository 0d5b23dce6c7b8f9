"""The directory: who may have a name, sign-up by mail, and the server that a user was allotted."""
