"""What vouches for an image: a list of what is in it, how it was made, and a signature."""
