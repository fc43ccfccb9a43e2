"""From log-mel windows to embeddings and tags, in ONNX Runtime on a CPU.

May import ``audio`` and ``errors``.
"""
