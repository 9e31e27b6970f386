"""The lessons as a static folder for the web: ``python -m kit.site``."""
