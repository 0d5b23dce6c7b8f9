"""The examples of the documents, run as they stand."""
