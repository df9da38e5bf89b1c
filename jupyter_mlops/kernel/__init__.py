"""What is loaded by or put into the user's kernel. Ships in images."""
