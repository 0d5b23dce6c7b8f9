"""The registration steps: JSON-RPC 2.0, its methods and their wire types."""
