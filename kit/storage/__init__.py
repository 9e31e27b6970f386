"""Where data is kept: object storage, archives, disks and files."""
