"""What signing in and exporting cost."""
