"""The asynchronous host: placeholder module, filled in below."""
