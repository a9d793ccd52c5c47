"""From a sample of a team's own log to the configuration that reads it."""
