"""Monitoring: what happened, how much of it, and who did it (CloudWatch, CloudTrail)."""
