"""Ready-made outsides. Each is imported only by name."""
