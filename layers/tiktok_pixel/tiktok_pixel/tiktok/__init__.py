"""What goes out: identifiers, events, and what TikTok's answers mean."""
