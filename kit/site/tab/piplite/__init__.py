"""Where the kernel looks for its installer."""

from piplite.piplite import install

__all__ = ["install"]
