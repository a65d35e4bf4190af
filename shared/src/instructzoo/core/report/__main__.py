"""`python -m instructzoo.core.report README.md NAME=scores.json`: update the results tables of a README."""

import sys

from instructzoo.core.report import main

sys.exit(main(sys.argv[1:]))
