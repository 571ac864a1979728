"""What is allowed: limits, and the gate that runs them in documented order."""
