"""The directives of Segment's mapping kit, and ``@first``: one ``Directive`` value each.

To add a directive, write its value in a module of this package and list it in ``DIRECTIVES``.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from tiktok_pixel.mapping.directives import conditions, json_text, lookups, reshaping, text

if TYPE_CHECKING:
    from tiktok_pixel.mapping.directives.directive import Directive

DIRECTIVES: Final[dict[str, Directive]] = {
    directive.name: directive
    for directive in (
        lookups.PATH,
        lookups.TEMPLATE,
        lookups.LITERAL,
        conditions.IF,
        conditions.FIRST,
        reshaping.ARRAY_PATH,
        reshaping.MERGE,
        reshaping.TRANSFORM,
        reshaping.FLATTEN,
        reshaping.EXCLUDE_WHEN_NULL,
        text.CASE,
        text.REPLACE,
        json_text.JSON,
    )
}
