"""What the use cases need from the world, as small protocols, and how the world may fail."""
