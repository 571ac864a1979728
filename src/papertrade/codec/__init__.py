"""Events and snapshots as canonical bytes, with versions."""
