"""Settings that apply to all tests."""

from __future__ import annotations

import os

from hypothesis import HealthCheck, settings

# Set as in the template: the Logger and the Metrics read them once, when they are imported.
os.environ["POWERTOOLS_METRICS_NAMESPACE"] = "TikTokPixel"
os.environ["POWERTOOLS_SERVICE_NAME"] = "tiktok-pixel-dev"

# A busy machine must not fail a test: generated cases prove results, not durations.
settings.register_profile(
    "any-machine", deadline=None, suppress_health_check=[HealthCheck.too_slow]
)
settings.load_profile("any-machine")
