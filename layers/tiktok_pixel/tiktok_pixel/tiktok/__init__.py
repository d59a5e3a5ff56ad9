"""Outgoing data: the schema, identifiers and events, and TikTok's responses."""
