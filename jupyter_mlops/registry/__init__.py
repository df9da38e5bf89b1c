"""Registries: references, credentials, the transfer client, the catalog."""
