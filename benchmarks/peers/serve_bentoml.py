"""A model behind BentoML: ``bentoml serve serve_bentoml:Served``; $MODEL is a joblib file."""

from __future__ import annotations

import os

import bentoml
import numpy as np


@bentoml.service
class Served:
    def __init__(self) -> None:
        import joblib

        self.model = joblib.load(os.environ["MODEL"])

    @bentoml.api
    def predict(self, rows: np.ndarray) -> np.ndarray:
        answers: np.ndarray = self.model.predict(rows)
        return answers
