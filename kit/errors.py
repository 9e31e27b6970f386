"""The one exception that every model raises."""


class ServiceError(Exception):
    """What AWS would answer instead of doing as asked.

    code: AWS's own error code, as boto3 shows it in ``error.response["Error"]["Code"]``.
    message: what went wrong, in words that help.
    status: the HTTP status, where the service's own description of its errors doesn't have it (S3's).
    """

    def __init__(self, code: str, message: str, status: int | None = None):
        super().__init__(code, message)
        self.code = code
        self.message = message
        self.status = status

    def __str__(self) -> str:
        return f"{self.code}: {self.message}"
