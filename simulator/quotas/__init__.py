"""Service Quotas: what the account may use at most, of that which its workload keeps to."""
