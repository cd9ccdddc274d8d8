"""Moving in: visits of another system, past and to come."""
