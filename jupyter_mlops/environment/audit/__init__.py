"""What is known of the locked packages' vulnerabilities: clean, found, or not checked."""
