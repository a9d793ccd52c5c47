"""Engines turn batches into emissions: what becomes of every row, what is counted, when windows close."""
