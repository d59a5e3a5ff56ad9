"""Incoming data: Segment's request bodies, signatures, events and consent."""
