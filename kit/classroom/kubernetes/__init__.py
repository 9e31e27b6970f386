"""A class on a cluster: values for Zero to JupyterHub's chart, the image's recipe, collecting work."""
