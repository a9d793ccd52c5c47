"""The vital signs of models in production, inside the observability stack a team already has."""
