"""What a notebook needs of the operating system: shared libraries, programs, their packages."""
