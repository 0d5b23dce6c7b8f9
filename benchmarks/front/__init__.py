"""The front door compared with other servers, and the product's sessions on it."""
