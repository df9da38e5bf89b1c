"""How the code of a service is made of a notebook that fits a model and writes no function."""
