"""From cells to a parameterized pipeline: parameters, steps, the slice that predicts."""
