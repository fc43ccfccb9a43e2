"""Weights of a MusiCNN that was never trained: the checkpoint's names and shapes."""

import numpy as np

KERNELS = {
    0: (7, 38, 1, 204),
    1: (7, 67, 1, 204),
    2: (128, 1, 1, 51),
    3: (64, 1, 1, 51),
    4: (32, 1, 1, 51),
    5: (7, 561, 1, 64),
    6: (7, 64, 1, 64),
    7: (7, 64, 1, 64),
}
NORMS = (1, 204, 204, 51, 51, 51, 64, 64, 64, 1506, 200)


def random_weights(seed=0):
    """Weights of the checkpoint's names and shapes; batch norm scales of both signs."""
    rng = np.random.default_rng(seed)

    def draw(shape, scale):
        return (rng.standard_normal(shape) * scale).astype(np.float32)

    arrays = {}
    for i, shape in KERNELS.items():
        name = "conv2d" + (f"_{i}" if i else "")
        arrays[f"{name}/kernel"] = draw(shape, np.prod(shape[:3]) ** -0.5)
        arrays[f"{name}/bias"] = draw(shape[3], 0.1)
    for i, size in enumerate(NORMS):
        name = "batch_normalization" + (f"_{i}" if i else "")
        for part in ("gamma", "beta", "moving_mean"):
            arrays[f"{name}/{part}"] = draw(size, 1)
        arrays[f"{name}/moving_variance"] = rng.uniform(0.5, 2, size).astype(np.float32)
    for name, shape in (("dense", (1506, 200)), ("dense_1", (200, 50))):
        arrays[f"{name}/kernel"] = draw(shape, shape[0] ** -0.5)
        arrays[f"{name}/bias"] = draw(shape[1], 0.1)
    return arrays
