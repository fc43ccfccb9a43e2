"""``python -m songprint`` is ``songprint``."""

from songprint.cli.app import main

if __name__ == "__main__":
    main()
