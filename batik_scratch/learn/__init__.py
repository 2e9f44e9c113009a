"""What the lessons need beside the network itself."""
