"""Keys of steps: equal keys mean that running the step again would give the same.

``code.py`` says what a step executes, ``verdict.py`` whether it gives the same each time: before
anything runs. ``step.py`` adds, when a step is about to start, what it starts from: the content of
its inputs, of the files (local modules are among them) and of the hidden state that it reads, the
parameters that reach it, and the locked environment. The store that keys lead to is another matter.
"""
