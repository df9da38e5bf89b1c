"""Does what was extracted compute what the notebook computes?

``case`` is one notebook and the truth about it, ``corpus`` all of them by theme. ``oracle`` runs
them without anything of this project, ``truth`` checks what they say about themselves.
``harness`` judges one result of an extractor, ``suite`` puts an extractor through the corpus.
"""
