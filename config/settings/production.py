"""Production: every secret and address must be given; nothing has a default that could leak into the open."""

from .base import *

SECRET_KEY = env.str("SECRET_KEY")
ADDRESS_HASH_KEY = env.str("ADDRESS_HASH_KEY")
