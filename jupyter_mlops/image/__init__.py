"""Images without a daemon: layers, manifest, base, layout on disk, loading into Docker."""
