"""What a window says: specs, one file per family of statistics, and the registry of all."""
