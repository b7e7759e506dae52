#!/bin/sh
# Says which tests could not be built, and counts as skipped.
echo "left out, because the headers of Boost are missing (Debian: libboost1.81-dev): $*"
exit 77
