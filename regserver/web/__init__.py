"""The routes of every door, a package for each; `core` for the front door, `app` for Quart."""
