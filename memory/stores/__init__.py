"""Durable records in DynamoDB, one store for each subject."""
