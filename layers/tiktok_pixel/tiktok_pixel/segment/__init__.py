"""What comes in: Segment's request bodies, signatures, events and the person's choice."""
