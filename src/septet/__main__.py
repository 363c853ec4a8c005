"""`python -m septet`."""

import sys

from septet.cli.main import main

sys.exit(main())
