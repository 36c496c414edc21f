"""An import that wants to end the process."""

import sys

sys.exit("good bye")
