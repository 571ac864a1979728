"""When: which trading day an instant belongs to, and when markets are open."""
