"""Forms of the cascade app."""
