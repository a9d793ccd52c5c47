"""What is rendered from the code and committed, so that it cannot say anything else than the code does."""
