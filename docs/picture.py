"""Take the picture that README.md shows out of the notebook that drew it."""

import base64
import json
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]


def main() -> None:
    """Write the picture below the notebook's choice to docs/images."""
    cells = json.loads((ROOT / "notebooks" / "choose-a-strategy.ipynb").read_text())["cells"]
    cell = next(cell for cell in cells if "".join(cell["source"]).startswith("compared.plot("))
    picture = base64.b64decode(cell["outputs"][0]["data"]["image/png"])
    (ROOT / "docs" / "images" / "choose-a-strategy.png").write_bytes(picture)


if __name__ == "__main__":
    main()
