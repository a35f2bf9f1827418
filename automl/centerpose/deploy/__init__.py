"""A trained network as one ONNX file: written, checked against the network, and run."""
