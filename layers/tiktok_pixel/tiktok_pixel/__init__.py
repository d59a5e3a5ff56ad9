"""Segment events in, TikTok Events API 2.0 requests out, every event accounted for."""
