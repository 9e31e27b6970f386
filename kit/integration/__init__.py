"""Application integration: services that pass messages between others (SQS, SNS)."""
