"""What cells do: an abstract run of the notebook that says who needs what from whom.

The notebook is interpreted without being run: names are bound to sets of abstract objects, one
for each place that makes one, so that aliases, mutation through another name, closures, and
what a function does to its arguments and globals are followed to where they matter. Where the
interpreter does not know, it assumes the worst: an unknown call may change everything that it
can reach.
"""
