"""For your own tests: scenario tables, the slow obvious oracle, conformance kits, a recorder."""
