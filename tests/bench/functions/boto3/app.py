"""The floor of a first response: read the parameters with boto3, then do what `bare` does.

It maps, hashes and checks nothing, and imports no library for phones.
"""

import hashlib
import hmac
import json
import os
from functools import cache
from pathlib import Path
from typing import Any

import boto3
import urllib3
from aws_lambda_powertools import Logger, Metrics
from aws_lambda_powertools.metrics import MetricUnit

logger = Logger()
metrics = Metrics()
ssm = boto3.client("ssm")
pool = urllib3.PoolManager(retries=False)
_folder = f"{os.environ['PARAMETER_PREFIX']}/{os.environ['STAGE']}"
_url = os.environ["TIKTOK_API_URL"] + "/open_api/v1.3/event/track/"
_prepared = Path(os.environ["PREPARED_REQUEST"]).read_bytes()


@cache
def parameters() -> dict[str, str]:
    """Read the secrets of the stage."""
    names = [f"{_folder}/{name}" for name in ("pixel-code", "access-token", "webhook-secret")]
    found = ssm.get_parameters(Names=names, WithDecryption=True)["Parameters"]
    return {one["Name"].rpartition("/")[2]: one["Value"] for one in found}


@metrics.log_metrics
def handler(event: dict[str, Any], _context: object) -> dict[str, Any]:
    """Forward the prepared bytes."""
    secrets = parameters()
    body = event["body"].encode()
    signature = hmac.new(secrets["webhook-secret"].encode(), body, hashlib.sha1).hexdigest()
    if not hmac.compare_digest(signature, event["headers"]["x-signature"]):
        return {"statusCode": 401}
    parsed = json.loads(body)
    answer = pool.request(
        "POST",
        _url,
        body=_prepared,
        headers={"Access-Token": secrets["access-token"], "Content-Type": "application/json"},
    )
    code = json.loads(answer.data)["code"]
    logger.info("request", extra={"message_id": parsed["messageId"], "code": code})
    metrics.add_metric(name="EventsForwarded", unit=MetricUnit.Count, value=1)
    return {"statusCode": 200, "body": json.dumps({"status": "forwarded"})}
