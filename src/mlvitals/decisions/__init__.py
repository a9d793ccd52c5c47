"""What a reading is worth: thresholds."""
