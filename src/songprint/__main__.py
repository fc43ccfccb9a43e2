"""The ``songprint`` command, and ``python -m songprint``: Ctrl-C is dealt with before all else."""

import os

TYPE_CHECKING = False  # that of typing takes longer to import than all this
if TYPE_CHECKING:
    from typing import NoReturn


def main() -> "NoReturn":
    """Run the command line and end the process."""
    try:
        from songprint.cli.ctrl_c import quit_when_interrupted

        quit_when_interrupted()
    except KeyboardInterrupt:  # even signal takes ten milliseconds to import
        os._exit(130)
    from songprint.cli.app import main as run

    run()


if __name__ == "__main__":
    main()
