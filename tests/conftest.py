"""What holds for all tests."""

from __future__ import annotations

import os

# As the template sets them: the Logger and the Metrics read them once, when they are imported.
os.environ["POWERTOOLS_METRICS_NAMESPACE"] = "TikTokPixel"
os.environ["POWERTOOLS_SERVICE_NAME"] = "tiktok-pixel-dev"
