"""Numbers as people read them."""

from __future__ import annotations

import math

_SUPERSCRIPT = str.maketrans("-0123456789", "⁻⁰¹²³⁴⁵⁶⁷⁸⁹")


def whole(value: float | None) -> str:
    """A count with thousands separators; a dash where there is none.

    Examples
    --------
    >>> whole(5171), whole(None)
    ('5,171', '–')
    """
    return "–" if value is None else f"{round(value):,}"


def share(value: float | None) -> str:
    """A fraction as a percentage, with the digits that matter.

    Examples
    --------
    >>> share(0.0414), share(0.05), share(0.9312), share(-0.0003), share(0)
    ('4.1 %', '5 %', '93 %', '−0.03 %', '0 %')
    """
    if value is None:
        return "–"
    percent = abs(100 * value)
    sign = "−" if value < 0 else ""
    if percent == 0 or percent == 100:
        return f"{sign}{percent:.0f} %"
    if percent < 0.005:
        return f"{sign}< 0.01 %"
    digits = 0 if 10 <= percent < 99.5 else 1 if percent >= 0.1 else 2
    return f"{sign}{f'{percent:.{digits}f}'.removesuffix('.0')} %"


def probability(value: float | None) -> str:
    """A p- or q-value: plain down to 0.001, then a power of ten.

    Examples
    --------
    >>> probability(0.0312), probability(2.94e-28), probability(0.0)
    ('0.031', '3 × 10⁻²⁸', '< 10⁻³⁰⁰')
    """
    if value is None:
        return "–"
    if value < 1e-300:
        return "< 10⁻³⁰⁰"
    if value >= 0.001:
        return f"{value:.2g}" if value < 0.995 else "1"
    exponent = math.floor(math.log10(value))
    digit = round(value / 10.0**exponent)
    if digit == 10:
        digit, exponent = 1, exponent + 1
    power = f"10{str(exponent).translate(_SUPERSCRIPT)}"
    return power if digit == 1 else f"{digit} × {power}"


def measure(value: float | None) -> str:
    """A statistic with three significant digits.

    Examples
    --------
    >>> measure(33.13), measure(0.97), measure(12345.6), measure(-0.0)
    ('33.1', '0.97', '12,346', '0')
    """
    if value is None:
        return "–"
    if abs(value) >= 1000:
        return f"{value:,.0f}" if abs(value) < 1e12 else f"{value:.2g}"
    return f"{value + 0.0:.3g}"


def plural(number: int, one: str, many: str | None = None) -> str:
    """A count and its noun.

    Examples
    --------
    >>> plural(1, "campaign"), plural(3, "campaign")
    ('1 campaign', '3 campaigns')
    """
    return f"{number:,} {one if number == 1 else many or one + 's'}"


def listed(parts: list[str]) -> str:
    """A list in words.

    Examples
    --------
    >>> listed(["a", "b", "c"])
    'a, b and c'
    """
    return parts[0] if len(parts) == 1 else f"{', '.join(parts[:-1])} and {parts[-1]}" if parts else ""
