"""All that runs inside the image: the service, and the runner that executes the notebook."""
