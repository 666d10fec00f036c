"""Systems Manager: documents, runbooks and their executions."""
