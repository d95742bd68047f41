"""Live mode: the pods of a real API server are the script, their annotations say what they do to their GPUs."""
