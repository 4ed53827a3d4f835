"""Pages of the cascade app."""
