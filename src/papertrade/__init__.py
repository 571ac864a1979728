"""A paper broker you can import."""
