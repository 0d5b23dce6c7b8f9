"""The registration by steps, compared with a minimal server of the same function."""
