"""How each backend spells names: pure rules that sinks and assets share."""
