"""What exporters show of the script: dialects as data, the state of a device, rows, and their text."""
