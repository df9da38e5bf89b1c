"""What must not leave with a publication: secrets in cells, outputs, files and defaults."""
