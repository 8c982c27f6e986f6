"""The simulated exchange behind Binance Spot's protocol; it shares no parser with any adapter."""
