"""Where services run: a plain process, or a container of a Docker engine."""
