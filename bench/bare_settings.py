"""Django's settings of the bare endpoint: none but what it cannot be without."""

ROOT_URLCONF = "bench.bare"
ALLOWED_HOSTS = ["*"]
SECRET_KEY = "it signs nothing"  # noqa: S105
