"""`python -m batik_scratch` is the console script `batik-scratch`."""

import sys

from .cli import main

if __name__ == "__main__":
    sys.exit(main())
