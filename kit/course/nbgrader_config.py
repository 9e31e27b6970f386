"""nbgrader's settings for a course that is made from solutions/: it releases the kit's own exercises, to the letter.

Copy this file into the folder of your nbgrader course, and the lessons of solutions/ into its source/:

    source/18_messaging/18_messaging.ipynb

nbgrader runs a program called alembic, so activate the environment first (source .venv/bin/activate).
What a learner hands in runs with your rights while it is graded: do it where nothing of yours can be reached.
"""

import os

os.environ["KIT_PROGRESS"] = "off"  # grading is nobody's progress

c = get_config()  # noqa: F821  (nbgrader gives this function)
c.ClearSolutions.code_stub = {"python": "...  # your turn"}
c.Execute.timeout = 60  # seconds for a cell
