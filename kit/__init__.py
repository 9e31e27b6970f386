"""A teaching kit for cloud computing on AWS: executable models, explorers, labs and exercises.

Nothing is imported here, so that a single model loads in milliseconds:

    from kit.integration import sqs          # a model
    from kit.explore import explore          # sliders that move a picture
    from kit import lab                      # boto3 in a sealed sandbox
"""

__version__ = "0.1.0"
