"""The floor of a warm request: check the signature, send bytes to TikTok, log, count, respond.

It maps, hashes and checks nothing: it sends prepared bytes.
"""

import hashlib
import hmac
import json
import os
from pathlib import Path
from typing import Any

import urllib3
from aws_lambda_powertools import Logger, Metrics
from aws_lambda_powertools.metrics import MetricUnit

logger = Logger()
metrics = Metrics()
pool = urllib3.PoolManager(retries=False)
_secret = os.environ["WEBHOOK_SECRET"].encode()
_url = os.environ["TIKTOK_API_URL"] + "/open_api/v1.3/event/track/"
_prepared = Path(os.environ["PREPARED_REQUEST"]).read_bytes()


@metrics.log_metrics
def handler(event: dict[str, Any], _context: object) -> dict[str, Any]:
    """Forward the prepared bytes."""
    body = event["body"].encode()
    signature = hmac.new(_secret, body, hashlib.sha1).hexdigest()
    if not hmac.compare_digest(signature, event["headers"]["x-signature"]):
        return {"statusCode": 401}
    parsed = json.loads(body)
    response = pool.request(
        "POST",
        _url,
        body=_prepared,
        headers={"Access-Token": "sandbox-access-token", "Content-Type": "application/json"},
    )
    code = json.loads(response.data)["code"]
    logger.info("request", extra={"message_id": parsed["messageId"], "code": code})
    metrics.add_metric(name="EventsForwarded", unit=MetricUnit.Count, value=1)
    return {"statusCode": 200, "body": json.dumps({"status": "forwarded"})}
