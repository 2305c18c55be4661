"""Import moto as if there were neither environment nor configuration: it reads both while it is imported."""

import os
from unittest.mock import patch

_KEPT = {name: value for name, value in os.environ.items() if not name.startswith(("AWS_", "BOTO_", "MOTO_"))}
_EMPTY = {"AWS_CONFIG_FILE": os.devnull, "AWS_SHARED_CREDENTIALS_FILE": os.devnull}

with patch.dict(os.environ, _KEPT | _EMPTY, clear=True):
    import moto.ec2.models  # noqa: F401 - the others that the sandbox imports read nothing
