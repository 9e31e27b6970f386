"""Pyodide's installer, by its own name: see piplite."""

from piplite import install

__all__ = ["install"]
