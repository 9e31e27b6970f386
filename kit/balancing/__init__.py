"""Load balancing: spreading requests over servers (Elastic Load Balancing)."""
