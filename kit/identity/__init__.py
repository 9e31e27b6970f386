"""Identity: who may do what (IAM, STS, the account and its root user)."""
