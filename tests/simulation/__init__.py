"""A whole world in one process, made from a seed."""
