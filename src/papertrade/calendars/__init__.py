"""When: which trading day an instant belongs to."""
