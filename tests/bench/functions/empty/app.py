"""The floor of a cold start: all libraries, an SSM client, a Logger and Metrics."""

import boto3
import phonenumbers
import urllib3
from aws_lambda_powertools import Logger, Metrics

client = boto3.client("ssm")
libraries = (phonenumbers, urllib3)
logger = Logger()
metrics = Metrics()


def handler(_event: object, _context: object) -> dict[str, int]:
    """Respond at once."""
    return {"statusCode": 200}
