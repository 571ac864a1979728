"""The conductor: decide, evolve, snapshot, digest. It waits for nothing and asks for nothing."""
