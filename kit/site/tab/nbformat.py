"""plotly shows a figure in a notebook only where it sees this package, and uses nothing of it."""

__version__ = "5.11.1"
