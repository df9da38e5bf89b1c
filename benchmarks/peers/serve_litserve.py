"""A model behind LitServe: ``python serve_litserve.py PORT``; $MODEL is a joblib file."""

import os
import sys
from typing import Any

import litserve


class Served(litserve.LitAPI):  # type: ignore[misc]
    def setup(self, device: str) -> None:
        import joblib

        self.model = joblib.load(os.environ["MODEL"])

    def decode_request(self, request):  # type: ignore[no-untyped-def]
        import numpy as np

        return np.array(request["rows"])

    def predict(self, x: Any) -> Any:
        return self.model.predict(x)

    def encode_response(self, output: Any) -> dict[str, Any]:
        return {"predictions": output.tolist()}


if __name__ == "__main__":
    server = litserve.LitServer(Served(), accelerator="cpu", workers_per_device=os.cpu_count() or 1)
    server.run(port=int(sys.argv[1]), host="127.0.0.1", generate_client_file=False)
