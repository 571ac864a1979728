"""What money does: balanced entries, holds, lots, fees, margin arithmetic."""
