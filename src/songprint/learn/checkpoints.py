"""Turn a published MusiCNN checkpoint (TensorFlow 1) into an ``.npz`` for the teacher.

Run it as a script in an environment of its own, which needs nothing but TensorFlow::

    pip download --no-deps musicnn==0.1.0 && python -m zipfile -e musicnn-0.1.0-*.whl musicnn
    python -m venv tf && tf/bin/pip install tensorflow-cpu
    tf/bin/python src/songprint/learn/checkpoints.py musicnn/musicnn/MSD_musicnn MSD_musicnn.npz
"""

from __future__ import annotations

import argparse
from pathlib import Path

import numpy as np


def convert(checkpoint: Path, target: Path) -> int:
    """Copy every weight but the optimiser's; return how many arrays were written."""
    import tensorflow as tf  # type: ignore[import-not-found,import-untyped,unused-ignore]

    # The trailing slash makes TensorFlow take the folder's hidden ".index" and ".data" files.
    reader = tf.compat.v1.train.NewCheckpointReader(f"{checkpoint}/")
    arrays = {
        name: reader.get_tensor(name)
        for name, shape in reader.get_variable_to_shape_map().items()
        if shape and "Adam" not in name
    }
    np.savez(target, **arrays)
    return len(arrays)


def main() -> None:
    """Run the conversion that the command line names."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("checkpoint", type=Path, help="folder of one network in the wheel")
    parser.add_argument("target", type=Path, help="the .npz to write")
    arguments = parser.parse_args()
    count = convert(arguments.checkpoint, arguments.target)
    print(f"{arguments.target}: {count} arrays")  # noqa: T201


if __name__ == "__main__":
    main()
