# SPDX-License-Identifier: MIT
"""The parts of bench/run: claims (the table), build (packages and programs), workload (what is
copied), compare (whether it was), measure (rounds), report (lines and progress)."""
