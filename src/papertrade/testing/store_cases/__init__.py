"""The cases of the store conformance kit, by level."""
