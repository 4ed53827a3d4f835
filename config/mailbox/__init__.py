"""The demo's mail server and its viewer. It holds every tenant's tokens: a system check refuses it in production."""
