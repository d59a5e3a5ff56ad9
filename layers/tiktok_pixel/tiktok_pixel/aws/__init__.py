"""AWS services: SSM parameters, credentials, and the queue of parked events."""
