"""Stores that break one promise each, and the honest ones that they spoil: who tests the kit is the kit."""
