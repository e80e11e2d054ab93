"""Who may do what: people, their public keys and roles, from the ``[access]`` table of a policy file.

On a file system that anybody can write to, this detects and does not prevent: what was done without the right
signature is seen by the gate and can be proven; it is not made impossible. Keep the policy file itself under
review, with the code.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from foretaste.errors import ConfigError, IntegrityError
from foretaste.provenance.note import VerifierKey

ROLES = ("ingest", "label", "approve", "release")


@dataclass(frozen=True)
class Person:
    """Somebody with a key and roles."""

    name: str
    key: VerifierKey
    roles: frozenset[str]


@dataclass(frozen=True)
class Access:
    """The people of a policy.

    Attributes
    ----------
    people : dict
        By name.
    two_person_above : int or None
        Label changes above which two people with the role ``label`` must have signed; counted from the
        versions that two people signed, and from the first.
    """

    people: Mapping[str, Person] = field(default_factory=dict)
    two_person_above: int | None = None

    def person(self, name: str) -> Person:
        """Look somebody up; raises `ConfigError` where there is nobody of that name."""
        if name not in self.people:
            known = ", ".join(self.people) or "nobody"
            raise ConfigError(f"the policy knows no {name!r}; it knows {known}")
        return self.people[name]


def parse_access(table: Any, where: str) -> Access:
    """Read ``[access]``.

    Examples
    --------
    >>> parse_access({"two-person-above": 10, "people": {}}, "foretaste.toml").two_person_above
    10
    """
    if not isinstance(table, dict):
        raise ConfigError(f"{where}: access is no table; write [access]")
    unknown = set(table) - {"two-person-above", "people"}
    if unknown:
        raise ConfigError(
            f"{where}: [access] has no {sorted(unknown)[0]!r}; there are two-person-above and people"
        )
    limit = table.get("two-person-above")
    if limit is not None and (type(limit) is not int or limit < 0):
        raise ConfigError(f"{where}: two-person-above is {limit!r}; use a whole number from 0")
    people = table.get("people", {})
    if not isinstance(people, dict):
        raise ConfigError(f"{where}: people is no table; write [access.people.NAME]")
    return Access({name: _person(name, value, where) for name, value in people.items()}, limit)


def _person(name: str, value: Any, where: str) -> Person:
    place = f"{where}: [access.people.{name}]"
    if not isinstance(value, dict) or set(value) != {"key", "roles"}:
        raise ConfigError(f"{place} needs exactly key and roles")
    roles = value["roles"]
    if not isinstance(roles, list) or not set(map(str, roles)) <= set(ROLES):
        raise ConfigError(f"{place}: roles is {roles!r}; use a list of {', '.join(ROLES)}")
    try:
        key = VerifierKey.parse(str(value["key"]))
    except IntegrityError as error:
        raise ConfigError(f"{place}: this is no public key: {error}") from None
    if key.name != name:
        raise ConfigError(f"{place}: the key belongs to {key.name!r}; name it {name!r} as well")
    return Person(name, key, frozenset(map(str, roles)))


__all__ = ["ROLES", "Access", "Person", "parse_access"]
