"""One self-contained page that shows what the local state holds: what moved, since when, and how sure that is."""
