"""A container's health check: does a URL answer 200 to a GET. The slim image has neither curl nor wget."""

import sys
from urllib.request import urlopen

if __name__ == "__main__":
    with urlopen(sys.argv[1], timeout=8) as answer:
        sys.exit(answer.status != 200)
