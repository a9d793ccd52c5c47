"""What is kept of each window: summaries in frozen bins that add, the labels that join them, and the reference."""
