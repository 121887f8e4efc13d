"""`python -m viva`."""

from viva.cli import main

if __name__ == "__main__":
    main()
