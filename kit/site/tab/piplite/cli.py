"""What the kernel makes of a line of %pip."""


async def get_transformed_code(arguments: list[str]) -> str:
    """Python code in its place."""
    return "import piplite; await piplite.install()"
