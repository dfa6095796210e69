"""Ways in; nothing below may import these."""
