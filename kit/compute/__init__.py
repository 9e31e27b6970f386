"""Compute: servers that are rented by the second, and groups of them that grow and shrink (EC2, Auto Scaling)."""
