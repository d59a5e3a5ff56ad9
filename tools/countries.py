"""Generate the country data of the layer from pycountry (ISO 3166-1) and Babel (CLDR).

Run it with `uv run tools/countries.py` or in an environment with both packages, after a change of
ISO 3166-1.
"""

# /// script
# requires-python = ">=3.11"
# dependencies = ["pycountry", "babel"]
# ///

from __future__ import annotations

import json
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT / "layers/tiktok_pixel"))

import pycountry  # noqa: E402
from babel import Locale  # noqa: E402

from tiktok_pixel.values.folding import fold  # noqa: E402

DATA = ROOT / "layers/tiktok_pixel/tiktok_pixel/tiktok/data/countries.json"
# Names in common use that neither source has.
ALIASES = {
    "AE": ["UAE"],
    "CD": ["Democratic Republic of the Congo", "DR Congo", "DRC"],
    "CV": ["Cape Verde"],
    "GB": ["UK", "Great Britain", "England", "Scotland", "Wales", "Northern Ireland"],
    "HK": ["Hong Kong"],
    "MM": ["Burma"],
    "MO": ["Macao", "Macau"],
    "NL": ["Holland"],
    "SZ": ["Swaziland"],
    "TR": ["Turkey"],
    "CI": ["Ivory Coast"],
    "MK": ["Macedonia"],
    "PS": ["Palestine"],
    "US": ["America"],
    "VA": ["Vatican"],
}


def main() -> None:
    """Write the data file: for each alpha-2 code its alpha-3 code and names, folded."""
    territories = Locale("en").territories
    countries = {}
    for country in sorted(pycountry.countries, key=lambda one: one.alpha_2):
        code = country.alpha_2
        names = [
            country.alpha_3,
            country.name,
            getattr(country, "common_name", ""),
            getattr(country, "official_name", ""),
            territories.get(code, ""),
            *ALIASES.get(code, ()),
        ]
        folded = [fold(name).removeprefix("the") for name in names if name]
        countries[code] = [name for name in dict.fromkeys(folded) if name]
    used: dict[str, str] = {}
    for code, names in countries.items():
        for name in names:
            if used.setdefault(name, code) != code:
                sys.exit(f"{name} names both {used[name]} and {code}")
    lines = [f"  {json.dumps(code)}: {json.dumps(names)}" for code, names in countries.items()]
    DATA.write_text("{\n" + ",\n".join(lines) + "\n}\n", encoding="utf-8")


if __name__ == "__main__":
    main()
