"""Convert plain phone numbers to E.164, with the result of libphonenumber in less time.

Most numbers are E.164, or digits and separators as people of the country write them; for these,
libphonenumber takes fifteen times as long. This module uses libphonenumber's numbering plans and
handles the numbers for which its rules allow one result. All others return ``None``: international
and carrier prefixes, letters, extensions, a leading zero that is part of the number, and lengths
and ranges that the plan does not have. The tests compare both over all regions.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from types import ModuleType

_Match = Callable[[str], re.Match[str] | None]

_E164: Final = re.compile(r"\+[1-9][0-9]{6,14}\Z")
_NATIONAL: Final = re.compile(r"\(?[0-9][0-9 ().-]{4,20}\Z")
_SEPARATORS: Final = b" ().-"
# By the first three digits of a number (at most 900 entries), filled when needed.
_EXACT: Final[dict[str, _Match]] = {}
# A number is valid when it is a valid number of any kind; the most common ones come first.
_KINDS: Final = (
    "fixed_line",
    "mobile",
    "premium_rate",
    "toll_free",
    "shared_cost",
    "voip",
    "personal_number",
    "pager",
    "uan",
    "voicemail",
)


@cache
def phone_library() -> ModuleType:
    """Import ``phonenumbers`` with the first phone number: many cold starts see none."""
    import phonenumbers  # noqa: PLC0415

    return phonenumbers


def plain_e164(phone: str, region: str | None) -> str | None:
    """Convert a plain number to E.164; return ``None`` for numbers that libphonenumber must read.

    Args:
        phone: The number, trimmed.
        region: ISO 3166-1 alpha-2 code of the region in which a national number is read; ``None``
            for a number that begins with ``+``.
    """
    if region is None:
        matches = _EXACT.get(phone[1:4])
        if matches is None:
            if not _E164.match(phone):
                return None
            matches = _EXACT[phone[1:4]] = _exact(phone[1:4])
        return phone if matches(phone) else None
    if not _NATIONAL.match(phone):
        return None
    plan = _plan_of_region(region)
    if plan is None:
        return None
    # The fastest way to remove characters.
    return _from_national(phone.encode().translate(None, _SEPARATORS).decode(), plan)


@dataclass(frozen=True, slots=True)
class _Plan:
    """The part of a country's numbering plan that plain numbers need.

    Attributes:
        country_code: The calling code, without plus.
        lengths: Possible lengths of a national number.
        national_prefix: Matches the prefix for calls inside the country.
        international_prefix: Matches the prefix for calls abroad.
        is_transforming: Whether removing the national prefix changes other digits too.
        general: Matches every national number as a whole.
        kinds: Patterns and lengths of fixed lines, mobiles and so on.
    """

    country_code: str
    lengths: frozenset[int]
    national_prefix: _Match | None
    international_prefix: _Match | None
    is_transforming: bool
    general: _Match
    kinds: tuple[tuple[_Match, frozenset[int]], ...]


def _from_national(digits: str, plan: _Plan) -> str | None:
    if digits.startswith(plan.country_code) or (
        plan.international_prefix is not None and plan.international_prefix(digits)
    ):
        return None
    national = digits
    prefix = plan.national_prefix(digits) if plan.national_prefix else None
    if prefix:
        if plan.is_transforming or prefix.lastindex:
            return None
        rest = digits[prefix.end() :]
        # Digits that look like the prefix stay if the number is only complete with them.
        if not plan.general(digits) or plan.general(rest):
            national = rest
    if len(national) not in plan.lengths or national[0] == "0" or not plan.general(national):
        return None
    for matches, lengths in plan.kinds:
        if len(national) in lengths and matches(national):
            return f"+{plan.country_code}{national}"
    return None


def _exact(prefix: str) -> _Match:
    """Return a match for the possible E.164 numbers that begin with these three digits.

    It excludes numbers that libphonenumber would change: those with a leading zero, or with
    something like a national prefix, after the calling code.
    """
    library = phone_library()
    for digits in (1, 2, 3):
        code = int(prefix[:digits])
        regions = library.COUNTRY_CODE_TO_REGION_CODE.get(code)
        if regions is not None:
            break
    else:
        return re.compile("(?!)").match
    metadata = library.PhoneMetadata.metadata_for_region_or_calling_code(code, regions[0])
    prefixes = f"(?!0|{metadata.national_prefix_for_parsing or 0})"
    lengths = "|".join(f"[0-9]{{{length}}}" for length in metadata.general_desc.possible_length)
    return re.compile(rf"\+{code}{prefixes}(?:{lengths})\Z").match


# Bounded by the regions that libphonenumber knows: `phones` refuses all others before.
@cache
def _plan_of_region(region: str) -> _Plan | None:
    """Return a region's plan, if the plan alone decides which numbers belong to the region."""
    library = phone_library()
    metadata = library.PhoneMetadata.metadata_for_region(region, None)
    if metadata is None or metadata.leading_digits is not None:
        return None
    if library.region_code_for_country_code(metadata.country_code) != region:
        return None
    return _plan(metadata)


def _plan(metadata: Any) -> _Plan:
    kinds = [getattr(metadata, kind) for kind in _KINDS]
    prefix = metadata.national_prefix_for_parsing
    abroad = metadata.international_prefix
    return _Plan(
        country_code=str(metadata.country_code),
        lengths=frozenset(metadata.general_desc.possible_length),
        national_prefix=re.compile(prefix).match if prefix else None,
        international_prefix=re.compile(abroad).match if abroad else None,
        is_transforming=metadata.national_prefix_transform_rule is not None,
        general=_whole(metadata.general_desc),
        kinds=tuple(
            (_whole(kind), frozenset(kind.possible_length))
            for kind in kinds
            if kind is not None and kind.national_number_pattern
        ),
    )


def _whole(description: Any) -> _Match:
    return re.compile(description.national_number_pattern or "(?!)").fullmatch
