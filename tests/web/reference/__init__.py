"""The reference, made of the documents."""
