"""The one exception that every model raises."""


class ServiceError(Exception):
    """What AWS would answer instead of doing as asked.

    code: AWS's own error code, as boto3 shows it in ``error.response["Error"]["Code"]``.
    message: what went wrong, in words that help.
    """

    def __init__(self, code: str, message: str):
        super().__init__(code, message)
        self.code = code
        self.message = message

    def __str__(self) -> str:
        return f"{self.code}: {self.message}"
