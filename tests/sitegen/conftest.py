"""The tests of the book print with Chromium, where there is one."""

from chromium import printed, program

__all__ = ["printed", "program"]
