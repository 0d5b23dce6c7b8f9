"""The registration by steps, measured side by side with the smallest honest peer."""
