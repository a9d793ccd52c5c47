"""What comes before the main job: building references."""
