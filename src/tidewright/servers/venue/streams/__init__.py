"""What the venue says by WebSocket: market streams, requests with answers, an account's events."""
